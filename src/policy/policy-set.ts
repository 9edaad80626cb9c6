/** All policies in force for a target, compiled to one module, with one digest; and what evaluating it answers. */
import type { JsonObject } from "../lib/canonical.ts";
import type { ExternalData, ExternalUse } from "./external.ts";
import type { Finding, Level, NotEvaluated } from "./finding.ts";
import type { PolicyInput } from "./input.ts";

/** One rule id. Native: one Rego package, from its METADATA; imported: what its dialect asks for one answer. */
export interface Rule {
  readonly id: string;
  /** As its author wrote it; what is compiled may have another name (`imported.package`). */
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
  /** null for a native rule. */
  readonly imported: Imported | null;
}

/** How a rule that was written for another engine is asked. */
export interface Imported {
  readonly dialect: "gatekeeper" | "conftest" | "opa-admission";
  /** Package that it was compiled under, `sluice.p_<digest>.main`. */
  readonly package: string;
  /** Rule of that package that is asked. */
  readonly asks: string;
  /** How its answer is read, see answer.ts. */
  readonly form: AnswerForm;
  /** Conftest: the package has a rule `exception`. */
  readonly hasExceptions: boolean;
  /** Gatekeeper: what the constraint says; null elsewhere. */
  readonly constraint: Constraint | null;
}

/** `whole-results` are `results` whose messages are JSON of all that the rule said. */
export type AnswerForm = "findings" | "violations" | "results" | "whole-results" | "denials" | "responses";

export interface Constraint {
  readonly match: ConstraintMatch;
  readonly parameters: JsonObject;
  /** Deletions are asked about only where the template says so. */
  readonly asksDeletions: boolean;
}

/** `spec.match` of a constraint; null = everything, like what it does not say. */
export interface ConstraintMatch {
  readonly kinds: readonly { readonly apiGroups: readonly string[]; readonly kinds: readonly string[] }[];
  readonly namespaces: readonly string[];
  readonly excludedNamespaces: readonly string[];
  readonly labelSelector: LabelSelector | null;
  readonly namespaceSelector: LabelSelector | null;
  readonly scope: "*" | "Cluster" | "Namespaced";
  readonly name: string;
}

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values: readonly string[];
  }[];
}

/** A value as JSON text, and where it stands under `data`. */
export type DataEntry = readonly [path: readonly string[], text: string];

export interface PolicySet {
  /** Rules sorted by id; never empty (`no-policies` otherwise). */
  readonly rules: readonly Rule[];
  readonly wasm: Uint8Array;
  /** SHA-256 over the canonical list of [path, sha256] of every policy file plus the compiler's and host's version. */
  readonly digest: string;
  /** True when no rule of scope resource can see more than the object: its answers may then be remembered. */
  readonly readsOnlyOwnParts: boolean;
  /** True when a rule reads the other objects of the rendering (`data.inventory`). */
  readonly readsInventory: boolean;
  /** What stands under `data` beside its rules, whoever is judged; empty where there are no data files. */
  readonly data: readonly DataEntry[];
  /** Sources of data from outside that its rules read; sorted by name. */
  readonly external: readonly ExternalUse[];
}

/** A policy file as found in the tree; `_test.rego` files are tests and not part of the set. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
  /** Of a data file: its folder below that of the policies, `shop/images`. Absent: the folder that its path names. */
  readonly at?: string;
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
  /**
   * `digests` are resourceDigests(documents), where the caller has them already. Rules that look at other objects see
   * `around`, without it those of `documents`. Nothing is evaluated where `external` lacks a source that the set reads.
   */
  evaluate(
    set: PolicySet,
    documents: readonly PolicyInput[],
    digests?: readonly string[],
    around?: readonly JsonObject[],
    external?: ExternalData,
  ): Promise<Evaluated>;
  close(): Promise<void>;
}
