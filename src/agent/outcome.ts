/** What one run of the agent came to. Every run has exactly one outcome; nothing throws past runOnce(). */
import { type Code, codeEntry } from "../lib/codes.ts";
import { asSluiceError } from "../lib/errors.ts";
import type { Drift } from "../release/applier.ts";

/** Objects by file name, sorted. */
export interface Plan {
  readonly create: readonly string[];
  readonly update: readonly string[];
  readonly delete: readonly string[];
  readonly unchanged: readonly string[];
}

export type AgentExit = 0 | 1 | 2 | 3 | 4 | 5;

export interface AgentOutcome {
  readonly kind: "applied" | "unchanged" | "drifted" | "waiting" | "refused" | "failed";
  /** 0 applied or unchanged, 1 refused, 2 configuration, 3 could not be done, 4 waiting, 5 drift. */
  readonly exitCode: AgentExit;
  /** null where nothing is wrong. */
  readonly code: Code | null;
  readonly message: string;
  readonly fix: string | null;
  /** The release that was verified in this run; null where none was. */
  readonly sequence: number | null;
  readonly manifestDigest: string | null;
  readonly plan: Plan | null;
  readonly drift: readonly Drift[];
}

const NOTHING = { code: null, fix: null, sequence: null, manifestDigest: null, plan: null, drift: [] } as const;

export function unchanged(message: string, more: Partial<AgentOutcome> = {}): AgentOutcome {
  return { ...NOTHING, ...more, kind: "unchanged", exitCode: 0, message };
}

export function applied(message: string, more: Partial<AgentOutcome>): AgentOutcome {
  return { ...NOTHING, ...more, kind: "applied", exitCode: 0, message };
}

export function drifted(message: string, more: Partial<AgentOutcome>): AgentOutcome {
  return { ...NOTHING, ...more, kind: "drifted", exitCode: 5, code: "drift", message };
}

/** The class of the code says what the run came to; the fix is the error's own, else the catalogue's. */
export function outcomeOf(thrown: unknown): AgentOutcome {
  const { code, message, fix } = asSluiceError(thrown);
  const entry = codeEntry(code);
  const rest = { ...NOTHING, code, message, fix: fix ?? entry.fix };
  switch (entry.class) {
    case "wait":
      return { ...rest, kind: "waiting", exitCode: 4 };
    case "refused":
    case "rejected":
    case "deny":
      return { ...rest, kind: "refused", exitCode: 1 };
    case "usage":
      return { ...rest, kind: "failed", exitCode: 2 };
    default:
      return { ...rest, kind: "failed", exitCode: 3 };
  }
}
