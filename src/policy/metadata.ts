/** METADATA blocks to rules, strictly: what is missing, misspelt or contradictory is refused, because it would be a rule
 *  that silently never speaks (FORMS "Native policy"). */
import * as z from "zod";
import { once } from "../lib/once.ts";
import { IMPORTED_PACKAGE, INVENTORY_PACKAGE } from "./dialect.ts";
import { AGGREGATE_PACKAGE, STRICT_PACKAGE } from "./entrypoints.ts";
import { EXTERNAL_PACKAGE } from "./external.ts";
import type { FindingKind } from "./finding.ts";
import type { Annotation, Module } from "./inspection.ts";
import type { Rule } from "./policy-set.ts";

const KINDS = ["deny", "warn", "ask"] as const satisfies readonly FindingKind[];
const PACKAGE = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** Made when the first METADATA is read: policies that are compiled already need none. */
const schemas = once(() => {
  const sentence = z.string().trim().min(1).max(4096);
  const Match = z.strictObject({
    kinds: z
      .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,127}$/, "a kind is letters and digits"))
      .min(1)
      .optional(),
    namespaces: z
      .array(z.string().regex(/^[a-z0-9-]{0,63}\*$|^[a-z0-9-]{1,63}$/, "a namespace is exact or ends in *"))
      .min(1)
      .optional(),
  });

  /** Everything that METADATA `custom` may say. */
  const Custom = z.strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "an id is lower-case letters, digits and hyphens"),
    level: z.enum(["low", "medium", "high", "critical"]),
    fix: sentence,
    scope: z.enum(["resource", "change"]).default("resource"),
    mode: z.enum(["observe", "warn", "enforce"]).default("enforce"),
    match: Match.optional(),
    controls: z.array(sentence).default([]),
    waivable: z.boolean().default(true),
    role: z.string().min(1).max(64).optional(),
  });

  /** A package of functions and constants: it may say whose input its functions read, and nothing else. */
  const LibraryCustom = z.strictObject({ scope: z.enum(["resource", "change"]).optional() });
  return { Custom, LibraryCustom };
});

export interface InspectedPolicies {
  /** Sorted by id; may be empty. */
  readonly rules: readonly Rule[];
  /** Input schema by file, for the files whose scope is known. */
  readonly scopeByFile: Readonly<Record<string, "resource" | "change">>;
}

export interface MetadataProblem {
  readonly file: string;
  readonly line: number;
  /** Key of the METADATA block in that line that it is about; null where it is about all of it. */
  readonly key: string | null;
  readonly message: string;
}

const KEYS = /([\w-]+)["']?\s*:/g;

/** Line and column where the block's comments say the key; the line's beginning where they do not. */
export function placeOf({ line, key }: Pick<MetadataProblem, "line" | "key">, text: string): readonly [number, number] {
  for (const [index, comment] of text
    .split("\n")
    .slice(line - 1)
    .entries()) {
    if (key === null || !/^\s*#/.test(comment)) break;
    const said = comment.matchAll(KEYS).find(([, name]) => name === key);
    if (said !== undefined) return [line + index, said.index + 1];
  }
  return [line, 1];
}

/** With everything that is wrong as a list; the rules are then those that could be read. */
export function inspectMetadata(
  all: readonly Module[],
): InspectedPolicies & { readonly problems: readonly MetadataProblem[] } {
  const problems: MetadataProblem[] = [];
  const rules: Rule[] = [];
  const scopeByFile: Record<string, "resource" | "change"> = {};
  for (const modules of byPackage(all)) {
    problems.push(...misplaced(modules));
    const found = readPackage(modules, problems);
    if (found === null) continue;
    if (found.rule !== null) rules.push(found.rule);
    for (const { path } of modules) if (found.scope !== null) scopeByFile[path] = found.scope;
  }
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  problems.push(...duplicates(rules));
  return { rules, scopeByFile, problems };
}

function readPackage(
  modules: readonly Module[],
  problems: MetadataProblem[],
): { rule: Rule | null; scope: "resource" | "change" | null } | null {
  const first = modules[0] as Module;
  const kinds = KINDS.filter((kind) =>
    modules.some((module) => module.rules.some((rule) => headOf(rule.name) === kind)),
  );
  const blocks = modules.flatMap((module) =>
    module.annotations.filter((one) => one.scope === "package").map((block) => ({ ...block, file: module.path })),
  );
  const told = blocks.filter((block) => Object.keys(block.custom).length > 0);
  const block = told[0];
  if (told.length > 1)
    problems.push({
      file: told[1]?.file ?? first.path,
      line: told[1]?.line ?? 1,
      key: "custom",
      message: `package ${first.package} has METADATA custom twice`,
    });
  if (block === undefined) {
    if (kinds.length === 0) return { rule: null, scope: null };
    problems.push({
      file: first.path,
      line: first.line,
      key: null,
      message: `package ${first.package} has ${kinds.join(", ")} but no METADATA with custom.id (Conftest's says custom.dialect: conftest)`,
    });
    return null;
  }
  if (kinds.length === 0 && !Object.hasOwn(block.custom, "id")) {
    const library = check(schemas().LibraryCustom, block, problems);
    return library === null ? null : { rule: null, scope: library.scope ?? null };
  }
  return readRule(first.package, kinds, block, problems);
}

function readRule(
  name: string,
  kinds: Rule["kinds"],
  block: Annotation & { file: string },
  problems: MetadataProblem[],
): { rule: Rule; scope: "resource" | "change" } | null {
  const custom = check(schemas().Custom, block, problems);
  if (custom === null) return null;
  const { id, level, fix, scope, mode, match, controls, waivable, role } = custom;
  const complain = (key: string | null, message: string) =>
    problems.push({ file: block.file, line: block.line, key, message: `${id}: ${message}` });
  if (block.title.trim() === "") complain("title", "title is missing");
  if (kinds.length === 0) complain("id", "the package has none of deny, warn, ask");
  if (!PACKAGE.test(name)) complain(null, `package ${name} has a part that is not a plain word`);
  if (match !== undefined && scope === "change") complain("match", "match is only for scope resource");
  if (role !== undefined && !kinds.includes("ask")) complain("role", "role is only for a package with ask");
  return {
    scope,
    rule: {
      id,
      package: name,
      file: block.file,
      title: block.title.trim(),
      description: block.description.trim(),
      level,
      fix,
      controls,
      scope,
      match: { kinds: match?.kinds ?? null, namespaces: match?.namespaces ?? null },
      waivable,
      role: role ?? null,
      mode,
      kinds,
      imported: null,
    },
  };
}

function check<T>(schema: z.ZodType<T>, block: Annotation & { file: string }, problems: MetadataProblem[]): T | null {
  const parsed = schema.safeParse(block.custom);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = ["custom", ...issue.path.map(String)];
    const where = path.join(".");
    const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const key = unknown ?? path.findLast((part) => !/^\d+$/.test(part)) ?? null;
    const message =
      issue.code === "unrecognized_keys"
        ? `${where} has the unknown key ${issue.keys.join(", ")}`
        : `${where}: ${issue.message}`;
    problems.push({ file: block.file, line: block.line, key, message });
  }
  return null;
}

/** Rules may stand only where METADATA speaks of them: no custom below the package, nothing in the package we generate. */
function misplaced(modules: readonly Module[]): MetadataProblem[] {
  return modules.flatMap(({ path, package: name, line, annotations, rules }) => {
    const below = annotations
      .filter((one) => one.scope !== "package" && Object.keys(one.custom).length > 0)
      .map((one) => ({
        file: path,
        line: one.line,
        key: "custom",
        message: `custom stands in METADATA of scope ${one.scope}; only scope package has it`,
      }));
    const reserved = [{ path: name, line }, ...rules.map((rule) => ({ path: `${name}.${rule.name}`, line: rule.line }))]
      .filter((one) => isReserved(one.path))
      .map((one) => ({ file: path, line: one.line, key: null, message: `${one.path} is a package of Sluice's own` }));
    return [...below, ...reserved];
  });
}

function isReserved(path: string): boolean {
  const plain = path.replaceAll(/\["([^"]*)"\]/g, ".$1");
  if (plain.startsWith(IMPORTED_PACKAGE)) return true;
  return [AGGREGATE_PACKAGE, INVENTORY_PACKAGE, STRICT_PACKAGE, EXTERNAL_PACKAGE].some(
    (name) => plain === name || plain.startsWith(`${name}.`),
  );
}

function duplicates(rules: readonly Rule[]): MetadataProblem[] {
  return rules
    .filter((rule, index) => index > 0 && rules[index - 1]?.id === rule.id)
    .map((rule) => ({
      file: rule.file,
      line: 1,
      key: "id",
      message: `the id ${rule.id} is used by more than one package`,
    }));
}

/** `deny` of `deny`, `deny.x` and `deny["x"]`. */
function headOf(name: string): string {
  return name.split(/[.[]/, 1)[0] ?? name;
}

function byPackage(modules: readonly Module[]): readonly (readonly Module[])[] {
  return [...Map.groupBy(modules, (module) => module.package).values()];
}
