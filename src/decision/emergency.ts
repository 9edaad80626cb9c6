/** Two operators in place of what is still missing: which reasons they may stand in for, and which never. */
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

/** Whether they are two, told apart by name. */
export function areTwo({ operators }: Emergency): boolean {
  return new Set(operators.map(({ person }) => person)).size >= 2;
}
