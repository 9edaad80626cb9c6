/** All policies in force for a target, compiled to one module, with one digest; and what evaluating it answers. */
import type { Finding, Level, NotEvaluated } from "./finding.ts";
import type { PolicyInput } from "./input.ts";

/** One rule id: one Rego package. From its METADATA. */
export interface Rule {
  readonly id: string;
  readonly package: string;
  readonly file: string;
  readonly title: string;
  readonly description: string;
  readonly level: Level;
  readonly fix: string | null;
  readonly controls: readonly string[];
  readonly scope: "resource" | "change";
  /** Absent = everything. Exact kinds; namespaces exact or ending in `*`. */
  readonly match: { readonly kinds: readonly string[] | null; readonly namespaces: readonly string[] | null };
  readonly waivable: boolean;
  readonly role: string | null;
  /** enforce decides; observe and warn leave the verdict and are recorded. */
  readonly mode: "observe" | "warn" | "enforce";
  readonly kinds: readonly ("deny" | "warn" | "ask")[];
}

export interface PolicySet {
  /** Rules sorted by id; never empty (`no-policies` otherwise). */
  readonly rules: readonly Rule[];
  readonly wasm: Uint8Array;
  /** SHA-256 over the canonical list of [path, sha256] of every policy file plus the compiler's and host's version. */
  readonly digest: string;
  /** True when no rule of scope resource can see more than the object: its answers may then be remembered. */
  readonly readsOnlyOwnParts: boolean;
}

/** A policy file as found in the tree; `_test.rego` files are tests and not part of the set. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

export interface Evaluated {
  /** Sorted by rule, resource, at, message. */
  readonly findings: readonly Finding[];
  /** (rule, document) pairs by METADATA, counted by the host before evaluation. */
  readonly rulesExpected: number;
  /** Pairs for which the module returned a defined value. */
  readonly rulesEvaluated: number;
  /** Names (`resourceName`) of documents that no rule selected, sorted. */
  readonly unruled: readonly string[];
  readonly notEvaluated: readonly NotEvaluated[];
}

/** MUST never throw for anything a policy does: a loop, a trap, garbage or memory hunger become `notEvaluated`. */
export interface PolicyEngine {
  /** Says which set will be asked soon, so that it is ready when the documents are. */
  prepare(set: PolicySet): void;
  /** `digests` are resourceDigests(documents), where the caller has them already. */
  evaluate(set: PolicySet, documents: readonly PolicyInput[], digests?: readonly string[]): Promise<Evaluated>;
  close(): Promise<void>;
}
