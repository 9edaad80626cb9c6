/** One decision of a simulation as JSON. */
import type { Simulated } from "../../gate/simulate.ts";
import type { Finding } from "../../policy/finding.ts";
import { resourceName } from "../../render/resource.ts";
import type { SimulatedLine } from "./schemas/simulate.ts";

const MAXIMUM_FINDINGS = 100;

export function simulatedLine(one: Simulated): SimulatedLine {
  const { entry, target, outcome, was, wouldBe, reasons, appears, disappears, why } = one;
  const { commit, head } = entry.leaf.subject;
  const left = (findings: readonly Finding[]): number => Math.max(0, findings.length - MAXIMUM_FINDINGS);
  return {
    index: entry.index,
    decision: entry.leaf.id,
    target,
    time: entry.leaf.time,
    subject: subjectOf(entry.leaf.subject),
    commit: commit ?? head ?? null,
    outcome,
    verdict: { was, wouldBe },
    reasons: { was: [...reasons.was], wouldBe: [...reasons.wouldBe] },
    appears: findingLines(appears),
    disappears: findingLines(disappears),
    findingsOmitted: left(appears) + left(disappears),
    why,
  };
}

/** By the ids that a leaf names (docs/reference/log-entries.md). */
function subjectOf({ commit, head, judge }: Simulated["entry"]["leaf"]["subject"]): SimulatedLine["subject"] {
  if (commit !== undefined) return "landed";
  if (head !== undefined) return "proposed";
  return judge === undefined ? "query" : "admission";
}

function findingLines(findings: readonly Finding[]): SimulatedLine["appears"] {
  return findings
    .slice(0, MAXIMUM_FINDINGS)
    .map(({ rule, kind, level, resource, at, message, waivedBy, baseline }) => ({
      rule,
      kind,
      level,
      resource: resource === null ? null : resourceName(resource),
      at,
      message,
      waivedBy,
      baseline,
    }));
}
