/** What the two dialects that are plain Rego files share: their packages move together, under one name of their own. */
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { movedData, nameParts } from "./data-names.ts";
import {
  type Found,
  IMPORTED_PACKAGE,
  type MovedData,
  mistake,
  type PolicyProblem,
  type RegoSource,
} from "./dialect.ts";
import { EXTERNAL_PACKAGE } from "./external.ts";
import type { Module } from "./inspection.ts";
import type { Imported, Rule } from "./policy-set.ts";

/** What METADATA of a package says: a dialect by its name, and nothing else of what a native rule says. */
export function saysDialect(module: Module, name: string): boolean {
  return module.annotations.some(({ scope, custom }) => scope === "package" && custom["dialect"] === name);
}

/** True for a package whose METADATA makes it a native rule, whatever it is called. */
export function saysNative(module: Module): boolean {
  return module.annotations.some(({ scope, custom }) => scope === "package" && Object.hasOwn(custom, "id"));
}

export interface MovedModules {
  readonly sources: readonly RegoSource[];
  /** Package that each of them is compiled under. */
  readonly compiled: (module: Module) => string;
  readonly problems: readonly PolicyProblem[];
  readonly moved: readonly MovedData[];
}

/**
 * `taken` move under one package of their own; packages without rules, which nobody takes, stay what they are called and
 * may be read by them. Data files are read by all (data-names.ts).
 */
export function move(
  taken: readonly Module[],
  { modules, sources, data }: Found,
  isRule: (name: string) => boolean,
): MovedModules {
  const texts = taken.map(({ path }) => [path, sources.get(path)?.text ?? ""]);
  const root = `${IMPORTED_PACKAGE}${sha256Hex(canonicalJson(texts)).slice(0, 16)}`;
  const compiled = ({ package: name }: Module): string => `${root}.${name}`;
  const names = new Set(taken.map((module) => module.package));
  const libraries = modules.filter(
    (module) => !names.has(module.package) && !saysNative(module) && !module.rules.some(({ name }) => isRule(name)),
  );
  // As everywhere, unless these policies call something of their own that.
  const isFree = [...names].every((name) => name !== EXTERNAL_PACKAGE && !name.startsWith(`${EXTERNAL_PACKAGE}.`));
  const others = modules.filter((module) => !taken.includes(module) && !libraries.includes(module));
  const documents = movedData(data, {
    root: nameParts(root),
    taken: [...names].map(nameParts),
    libraries: libraries.map((module) => nameParts(module.package)),
    others: others.map((module) => nameParts(module.package)),
  });
  const rename = Object.fromEntries([
    ...documents.renames,
    ...(isFree ? [[EXTERNAL_PACKAGE, EXTERNAL_PACKAGE] as const] : []),
    ...libraries.map((module) => [module.package, module.package]),
    ...taken.map((module) => [module.package, compiled(module)]),
  ]);
  return {
    sources: taken.flatMap((module): RegoSource[] => {
      const source = sources.get(module.path);
      return source === undefined ? [] : [{ ...source, lenient: true, rename }];
    }),
    compiled,
    problems: taken.flatMap(dialectProblems),
    moved: documents.moved,
  };
}

/** Keys of `custom` that would be a promise which nobody keeps. */
function dialectProblems({ path, annotations }: Module): readonly PolicyProblem[] {
  return annotations
    .filter(({ scope }) => scope === "package")
    .flatMap(({ custom, line }) => {
      const others = Object.keys(custom).filter((key) => key !== "dialect" && Object.hasOwn(custom, "dialect"));
      return others.map((key) =>
        mistake("policy-metadata", `custom.${key} means nothing in another dialect.`, path, line, null),
      );
    });
}

/** One line of METADATA is all that such a rule may have, so everything else is what it is for all of them. */
export function importedRule(
  module: Module,
  name: string,
  kind: Rule["kinds"][number],
  imported: Pick<Imported, "dialect" | "package" | "form" | "hasExceptions">,
): Rule {
  const [about] = module.annotations.filter(({ scope }) => scope === "package");
  return {
    id: `${module.package}/${name}`,
    package: module.package,
    file: module.path,
    title: about?.title.trim() || `${module.package} ${name}`,
    description: about?.description.trim() ?? "",
    level: "medium",
    fix: null,
    controls: [],
    scope: "resource",
    match: { kinds: null, namespaces: null },
    waivable: true,
    role: null,
    mode: "enforce",
    kinds: [kind],
    imported: { ...imported, asks: name, constraint: null },
  };
}

/** `deny` of `deny`, `deny.x` and `deny["x"]`. */
export function ruleNames(modules: readonly Module[]): readonly string[] {
  return [...new Set(modules.flatMap(({ rules }) => rules.map(({ name }) => name.split(/[.[]/, 1)[0] ?? name)))].sort();
}
