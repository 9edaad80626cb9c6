/** What stands against a change, one by one: the list that the reports for other programs are made of. */

import type { FindingReport, TargetReport } from "../../gate/json/check.ts";
import { codeEntry, isCode } from "../../lib/codes.ts";
import { resourceName } from "../../render/resource.ts";

export interface Problem {
  /** A code of Sluice, or the id of a rule. */
  readonly name: string;
  readonly kind: "code" | "rule";
  /** warning: decides nothing; excused: a waiver or the state at adoption covers it. */
  readonly weight: "blocks" | "waits" | "warning" | "excused";
  readonly message: string;
  readonly fix: string | null;
  readonly level: FindingReport["level"] | null;
  readonly resource: string | null;
  readonly position: FindingReport["position"];
  /** Why it does not count, for what is excused. */
  readonly excuse: string | null;
}

/** These two reasons only say that there are findings, which speak for themselves. */
const SPOKEN_BY_FINDINGS = new Set(["policy-denied", "ask-unanswered"]);

/** Reasons in their order, then findings in theirs. */
export function problemsOf(target: TargetReport): readonly Problem[] {
  const reasons = target.reasons.filter(({ code }) => !SPOKEN_BY_FINDINGS.has(code)).map(ofReason);
  return [...reasons, ...target.findings.map(ofFinding)];
}

/** Whether the target only says what it would do. An error stands in every mode. */
export function isQuiet({ mode, verdict }: TargetReport): boolean {
  return mode !== "enforce" && verdict !== "error";
}

function ofReason({ code, message, fix }: TargetReport["reasons"][number]): Problem {
  const weight = isCode(code) && codeEntry(code).class === "wait" ? "waits" : "blocks";
  const nothing = { level: null, resource: null, position: null, excuse: null };
  return { name: code, kind: "code", weight, message, fix, ...nothing };
}

function ofFinding(finding: FindingReport): Problem {
  const { rule, message, fix, level, position } = finding;
  const resource = finding.resource === null ? null : resourceName(finding.resource);
  const excuse = excuseOf(finding);
  const weight = excuse === null ? WEIGHTS[finding.kind] : "excused";
  return { name: rule, kind: "rule", weight, message, fix, level, resource, position, excuse };
}

const WEIGHTS = { deny: "blocks", ask: "waits", warn: "warning" } as const;

function excuseOf({ waivedBy, baseline }: FindingReport): string | null {
  if (waivedBy !== null) return `waived by ${waivedBy} of waivers.yaml`;
  return baseline ? "existed when the target was adopted" : null;
}
