/** A template as one module under a package of its own, and the rule that asks it for one constraint. */
import { canonicalJson } from "../../lib/canonical.ts";
import { sha256Hex } from "../../lib/digest.ts";
import {
  IMPORTED_PACKAGE,
  INVENTORY_PACKAGE,
  mistake,
  type PolicyDocument,
  type PolicyProblem,
  type RegoSource,
} from "../dialect.ts";
import type { Module } from "../inspection.ts";
import type { Rule } from "../policy-set.ts";
import type { ReadConstraint } from "./constraint.ts";
import type { Template } from "./template.ts";

/** Rule that every template has. */
export const ASKS = "violation";
const LIBRARY = /^lib(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/;

/** @param number makes the paths of its sources unique among all templates */
export function templateSources(
  { document, rego, libs, regoVersion }: Template,
  number: number,
): readonly RegoSource[] {
  return [rego, ...libs].map(({ text, at }, index) => ({
    path: `${document.file}#${number}.${index}`,
    text,
    regoVersion,
    lenient: true,
    rename: null,
    scope: null,
    written: document.written(at, text),
  }));
}

export interface TemplateModule {
  /** Package that it is compiled under. */
  readonly compiled: string;
  /** Package as its author wrote it. */
  readonly written: string;
  readonly sources: readonly RegoSource[];
  readonly problems: readonly PolicyProblem[];
}

/** @param modules what `inspect` says of its sources, in their order: its own first, then its libraries */
export function templateModule(
  template: Template,
  sources: readonly RegoSource[],
  modules: readonly Module[],
): TemplateModule {
  const [main, ...libraries] = modules;
  const root = `${IMPORTED_PACKAGE}${digestOf(template)}`;
  const compiled = `${root}.main`;
  const rename = {
    ...Object.fromEntries(libraries.map((library) => [library.package, `${root}.${library.package}`])),
    [main?.package ?? ""]: compiled,
    inventory: INVENTORY_PACKAGE,
  };
  return {
    compiled,
    written: main?.package ?? "",
    sources: sources.map((source) => ({ ...source, rename })),
    problems: moduleProblems(template, main, libraries),
  };
}

/** The same Rego for another kind is another policy. */
function digestOf({ kind, regoVersion, rego, libs }: Template): string {
  const texts = libs.map(({ text }) => text);
  return sha256Hex(canonicalJson([kind, regoVersion, rego.text, ...texts])).slice(0, 16);
}

function moduleProblems(
  { kind, document, rego, libs }: Template,
  main: Module | undefined,
  libraries: readonly Module[],
): readonly PolicyProblem[] {
  const wrong = (message: string, at: string) => problemAt(document, at, "template-invalid", message);
  const misplaced = libraries.flatMap((library, index) => {
    if (LIBRARY.test(library.package)) return [];
    return [wrong(`${kind}: the library ${library.package} is not in package lib.`, libs[index]?.at ?? "")];
  });
  const hasRule = main?.rules.some(({ name }) => /^violation(?:$|[.[])/.test(name)) === true;
  return hasRule ? misplaced : [...misplaced, wrong(`${kind} has no rule ${ASKS}.`, rego.at)];
}

export function constraintRule(
  { file }: PolicyDocument,
  { title, description }: Template,
  { id, constraint, mode }: ReadConstraint,
  { compiled, written }: Pick<TemplateModule, "compiled" | "written">,
): Rule {
  return {
    id,
    package: written,
    file,
    title,
    description,
    level: "medium",
    fix: null,
    controls: [],
    scope: "resource",
    match: { kinds: null, namespaces: null },
    waivable: true,
    role: null,
    mode,
    kinds: ["deny"],
    imported: {
      dialect: "gatekeeper",
      package: compiled,
      asks: ASKS,
      form: "violations",
      hasExceptions: false,
      constraint,
    },
  };
}

export function problemAt(
  document: PolicyDocument,
  pointer: string,
  code: PolicyProblem["code"],
  message: string,
): PolicyProblem {
  const { line, column } = document.place(pointer);
  return mistake(code, message, document.file, line, column);
}
