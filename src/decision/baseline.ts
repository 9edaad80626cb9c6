/** The findings that existed at adoption: they are shown, and only new ones count. */
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Finding } from "../policy/finding.ts";
import { resourceName } from "../render/resource.ts";

/** Same rule, same object, same place, same words: anything else is a new finding. */
export function findingKey(finding: Finding): string {
  const resource = finding.resource === null ? null : `${finding.resource.group}/${resourceName(finding.resource)}`;
  return sha256Hex(canonicalJson([finding.rule, finding.kind, resource, finding.at, finding.message]));
}

export function markBaseline(findings: readonly Finding[], keys: ReadonlySet<string>): readonly Finding[] {
  if (keys.size === 0) return findings;
  return findings.map((finding) => (isInBaseline(finding, keys) ? { ...finding, baseline: true } : finding));
}

/** What no waiver may excuse is not excused for being old either. */
function isInBaseline(finding: Finding, keys: ReadonlySet<string>): boolean {
  return finding.waivable && keys.has(findingKey(finding));
}
