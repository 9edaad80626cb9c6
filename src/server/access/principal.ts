/** Who calls, once that is known. */
import type { Role } from "../../config/access-yaml.ts";

/** `local`: anybody on this machine, where no access is configured. `nobody`: no credentials, or none that count. */
export const CALLERS = ["nobody", "local", "reader", "auditor", "approver", "operator", "admin", "caller"] as const;
export type CallerRole = Role | "local" | "nobody";

/** Who may act for a target; named, all of them. */
export const OPERATORS: readonly CallerRole[] = ["operator", "admin"];
/** Who may look afterwards at what one operator did alone, and say what it was worth. */
export const REVIEWERS: readonly CallerRole[] = ["approver", ...OPERATORS];

export interface Principal {
  readonly role: CallerRole;
  /** Whom the log names; null for `local` and `nobody`. */
  readonly person: string | null;
  /** Only these targets; null for all. */
  readonly targets: readonly string[] | null;
  /** What the rate limit counts by: one for each token and subject, never made of what a caller may choose. */
  readonly account: string;
}

/** What came with a request. */
export interface Credentials {
  /** The header `Authorization`, null where there is none. */
  readonly authorization: string | null;
  /** Subject of a client certificate whose chain was verified; null for every other. */
  readonly subject: string | null;
}

/** A refusal is a value; `message` is one sentence that says nothing of tokens that the caller does not hold. */
export type Authentication =
  | { readonly kind: "known"; readonly principal: Principal }
  | { readonly kind: "refused"; readonly message: string };

export function mayTouch({ targets }: Principal, target: string): boolean {
  return targets === null || targets.includes(target);
}
