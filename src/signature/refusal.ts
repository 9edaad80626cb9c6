/** Why something of a signature does not count: a value, never an exception. */
import type { Rejection } from "./verification.ts";

export interface Refusal {
  readonly kind: "refused";
  readonly reason: Rejection;
  /** One plain sentence. */
  readonly detail: string;
}

export function refusal(reason: Rejection, detail: string): Refusal {
  return { kind: "refused", reason, detail };
}
