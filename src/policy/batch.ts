/** What passes between the engine and its worker thread. */
import type { FindingKind } from "./finding.ts";
import type { AnswerForm } from "./policy-set.ts";

/** Start and end in the batch's bytes. */
export type Span = readonly [number, number];

export interface BatchDocument {
  /** Index into `contexts`. */
  readonly context: number;
  /** JSON texts by top-level key that no other document has. */
  readonly own: Readonly<Record<string, Span>>;
}

/** What a thread keeps from batch to batch. */
export interface LoadedPolicies {
  readonly module: WebAssembly.Module;
  /** What stands under `data` whoever is judged: in shared memory, once for all threads. */
  readonly data: readonly (readonly [path: readonly string[], text: Uint8Array])[];
}

/** rule null asks the aggregate for all rules, a number asks that rule alone. */
export interface Job {
  readonly document: number;
  readonly rule: number | null;
}

/** What the worker has to know of a rule. */
export interface AskedRule {
  readonly id: string;
  /** How its answer is read. */
  readonly form: AnswerForm;
  /** `undefined`: a built-in that fails has no value, and a warning says so. */
  readonly onFailure: "error" | "undefined";
}

export interface Batch {
  /** null = those of the batch before. */
  readonly policies: LoadedPolicies | null;
  /** In the order of the entrypoints. */
  readonly rules: readonly AskedRule[];
  readonly memoryBytes: number;
  readonly bytes: Uint8Array;
  /** What the module finds under `data` beside what is loaded; null = nothing. */
  readonly data: Span | null;
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
