/**
 * A dialect is a way in which policies are written: what is its own in a folder of policies, how its rules are asked, and
 * how their answers are read. One file a dialect in dialects/, one line in dialects.ts, one contract suite over all.
 */
import type { JsonObject } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import type { ExactObject } from "../lib/exact-json.ts";
import type { PolicyInput } from "./input.ts";
import type { Module } from "./inspection.ts";
import type { AnswerForm, Rule } from "./policy-set.ts";

export type DialectName = "native" | "gatekeeper" | "conftest" | "opa-admission";

/** Packages of imported policies begin with it; a native policy may have none of them. */
export const IMPORTED_PACKAGE = "sluice.p_";
/** Where imported policies find what they call `data.inventory`. */
export const INVENTORY_PACKAGE = "sluice.inventory";

export interface PolicyProblem {
  /** A mistake keeps the policies from being used as they are meant; a warning does not. */
  readonly severity: "mistake" | "warning";
  readonly code: Code;
  readonly message: string;
  /** null where the problem has no place; line and column then are null too. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** Rego that stands inside another document: how its places are turned into those of the file as written. */
export interface WrittenAt {
  readonly file: string;
  /** Line of the text's first line. */
  readonly line: number;
  /** Columns before the text in each line; null where lines of the text are not lines of the file. */
  readonly indent: number | null;
}

/** Rego as the compiler is given it. */
export interface RegoSource {
  /** Unique in the set. */
  readonly path: string;
  readonly text: string;
  readonly regoVersion: "v0" | "v1" | "either";
  readonly lenient: boolean;
  /** null = it keeps its name. */
  readonly rename: Readonly<Record<string, string>> | null;
  /** Schema of its input; null where there is none. */
  readonly scope: "resource" | "change" | null;
  /** null where it is a file of its own. */
  readonly written: WrittenAt | null;
}

/** An object of a Kubernetes document in the policy folder, with a way to its places. */
export interface PolicyDocument {
  readonly file: string;
  readonly value: JsonObject;
  /** @param pointer into the object, RFC 6901 */
  readonly place: (pointer: string) => { readonly line: number; readonly column: number };
  /** Where the text stands that the pointer names. */
  readonly written: (pointer: string, text: string) => WrittenAt;
}

export interface Found {
  /** Modules that no dialect before has taken, embedded ones among them. */
  readonly modules: readonly Module[];
  readonly documents: readonly PolicyDocument[];
  /** What the compiler will be given of each module, by its path. */
  readonly sources: ReadonlyMap<string, RegoSource>;
  /** What the data files say, as one document. */
  readonly data: ExactObject;
}

/** A part of the data that stands below the package of imported policies too, because it stands below theirs. */
export interface MovedData {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface Claim {
  readonly rules: readonly Rule[];
  /** Sources of the modules that it takes, as they are to be compiled. */
  readonly sources: readonly RegoSource[];
  readonly problems: readonly PolicyProblem[];
  /** Absent: nothing. */
  readonly moved?: readonly MovedData[];
}

/** What a rule that selects by other objects sees of them. */
export interface Surroundings {
  /** Labels of each Namespace in the rendering. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export type Selection =
  | { readonly kind: "no" }
  /** `reviews` are numbers of what REVIEWS_TEXT lists; empty where the dialect has none. */
  | { readonly kind: "yes"; readonly reviews: readonly number[] }
  /** It cannot be said whether the rule is to be asked: an error, never a no. */
  | { readonly kind: "unclear"; readonly code: Code; readonly message: string };

export interface Dialect {
  readonly name: DialectName;
  /** What a failing built-in means: the end of the rule, or an undefined expression and a warning. */
  readonly onFailure: "error" | "undefined";
  /** Forms that its answers have. */
  readonly forms: readonly AnswerForm[];
  /** Rego that stands inside other documents, before it is inspected; `written` is set. MUST NOT throw. */
  embedded(documents: readonly PolicyDocument[]): readonly RegoSource[];
  /** Takes its own. MUST take a module or leave it to the next; what is wrong is in `problems`. MUST NOT throw. */
  claim(found: Found): Claim;
  /** Rego that defines `rule_<index>`: undefined where the rule is not asked, its answer where it is. */
  ruleText(rule: Rule, index: number): string;
  selects(rule: Rule, document: PolicyInput, around: Surroundings): Selection;
}

export function mistake(code: Code, message: string, file: string, line: number, column: number | null): PolicyProblem {
  return { severity: "mistake", code, message, file, line, column };
}
