/** Operators in place of what is still missing: which reasons they may stand in for, and which never. */
import type { Emergency, Evidence, Reason } from "./decision.ts";

/** Missing approvals and what policies found. Everything else is what makes a state known at all, or judges the next one. */
const STOOD_IN_FOR: readonly string[] = ["approval-missing", "ask-unanswered", "policy-denied"];

/** The reasons that no emergency stands in for; empty where it may. */
export function beyondEmergency(
  reasons: readonly Reason[],
  { governance }: Pick<Evidence, "governance">,
): readonly Reason[] {
  const beyond = reasons.filter(({ code }) => !STOOD_IN_FOR.includes(code));
  if (governance === null) return beyond;
  const [path = "a file that judges"] = governance.paths;
  const message = `${path} judges changes; no emergency stands in where such a file is changed.`;
  return [...beyond, { code: "emergency-governance", message, fix: null }];
}

/** Whether they are two, told apart by name; or one, whose act another person reviews afterwards. */
export function areEnough({ operators, reviewDue }: Emergency): boolean {
  const people = new Set(operators.map(({ person }) => person)).size;
  return people >= 2 || (people === 1 && reviewDue !== undefined);
}

/** Codes that say what an emergency is, beside those of what it stands in for. */
export const EMERGENCY_CODES: readonly string[] = ["emergency-release", "review-due"];
