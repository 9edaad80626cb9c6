/** The one error class. Expected outcomes (a rejected signature, a finding) are values; what throws is a broken world. */
import type { Code } from "./codes.ts";

/** Where in a text something is wrong; line and column count from 1. */
export interface FilePosition {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

export interface ErrorDetails {
  /** What to type or change; null when nobody can do anything but wait or report. */
  readonly fix?: string | null;
  readonly position?: FilePosition | null;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/**
 * `code` is stable API that tests and scripts compare; `message` is one plain sentence without secrets.
 * The cause is kept for the application log and never printed to people.
 */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: Code;
  readonly fix: string | null;
  readonly position: FilePosition | null;
  readonly retryable: boolean;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.fix = details.fix ?? null;
    this.position = details.position ?? null;
    this.retryable = details.retryable ?? false;
  }
}

/** Narrows an unknown thrown value; anything that is not ours becomes `internal`. */
export function asSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  return new SluiceError("internal", "Sluice met a state that it did not expect; nothing was approved.", {
    cause: thrown,
  });
}

/** The default branch of a switch over a closed union; a new member breaks the build until it is handled. */
export function unreachable(value: never): never {
  throw new SluiceError("internal", `unhandled case ${JSON.stringify(value)}`);
}
