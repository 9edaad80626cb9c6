/** What passes between the engine and its worker thread. */
import type { FindingKind } from "./finding.ts";

/** Start and end in the batch's bytes. */
export type Span = readonly [number, number];

export interface BatchDocument {
  /** Index into `contexts`. */
  readonly context: number;
  /** JSON texts by top-level key that no other document has. */
  readonly own: Readonly<Record<string, Span>>;
}

/** rule null asks the aggregate for all rules, a number asks that rule alone. */
export interface Job {
  readonly document: number;
  readonly rule: number | null;
}

export interface Batch {
  /** null = the one of the batch before. */
  readonly module: WebAssembly.Module | null;
  /** Ids in the order of the entrypoints. */
  readonly rules: readonly string[];
  readonly memoryBytes: number;
  readonly bytes: Uint8Array;
  readonly contexts: readonly Readonly<Record<string, Span>>[];
  readonly documents: readonly BatchDocument[];
  readonly jobs: readonly Job[];
  /** One integer: the index of the job that runs, -1 before the first. */
  readonly progress: Int32Array;
}

export interface RawFinding {
  /** Index into `rules`. */
  readonly rule: number;
  readonly kind: FindingKind;
  readonly message: string;
  readonly at: string;
  readonly fix: string | null;
}

export interface Fault {
  readonly code: string;
  readonly message: string;
}

export type Outcome =
  | {
      readonly ok: true;
      /** Rules that answered in the right form; only here may findings come from. */
      readonly answered: readonly number[];
      readonly findings: readonly RawFinding[];
      /** Rules that answered in another form. */
      readonly malformed: readonly (Fault & { readonly rule: number })[];
      /** Keys that are no rule's id. */
      readonly unknown: readonly string[];
    }
  | ({ readonly ok: false } & Fault);

/** Outcomes of `jobs[first]` and those after it. */
export interface Report {
  readonly first: number;
  readonly outcomes: readonly Outcome[];
  readonly done: boolean;
}
