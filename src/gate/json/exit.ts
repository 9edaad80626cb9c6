/** Exit codes: 0 fine, 1 denied, 2 usage, 3 not evaluated, 4 waiting, 5 drift. */
import type { Verdict } from "../../decision/decision.ts";

export const EXIT = { fine: 0, denied: 1, usage: 2, error: 3, waiting: 4, drift: 5 } as const;

export function exitCodeOfVerdict(verdict: Verdict): number {
  return { allow: EXIT.fine, deny: EXIT.denied, error: EXIT.error, wait: EXIT.waiting }[verdict];
}
