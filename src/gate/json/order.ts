import type { Verdict } from "../../decision/decision.ts";

const WORST_FIRST: readonly Verdict[] = ["error", "deny", "wait", "allow"];

/** The worst of several verdicts; of none, error: silence is not an allow. */
export function bySeverity(verdicts: readonly Verdict[]): Verdict {
  return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? "error";
}
