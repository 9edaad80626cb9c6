/**
 * Gatekeeper: ConstraintTemplates and Constraints in YAML, as they are. A template is one module under a package of its
 * own, asked once for each constraint with that constraint's parameters. What is not the same as in a cluster stands in
 * docs/decisions/040.
 */
import { canonicalJson } from "../../lib/canonical.ts";
import { sha256Hex } from "../../lib/digest.ts";
import {
  type Claim,
  type Dialect,
  type Found,
  IMPORTED_PACKAGE,
  INVENTORY_PACKAGE,
  mistake,
  type PolicyDocument,
  type PolicyProblem,
  type RegoSource,
} from "../dialect.ts";
import { CONSTRAINT_GROUP, type ReadConstraint, readConstraint } from "../gatekeeper/constraint.ts";
import { groupOf } from "../gatekeeper/documents.ts";
import { selectConstraint } from "../gatekeeper/match.ts";
import { readTemplate, TEMPLATE_GROUP, type Template } from "../gatekeeper/template.ts";
import type { Module } from "../inspection.ts";
import type { Rule } from "../policy-set.ts";

/** Rule that every template has, and name under which its libraries are found. */
const ASKS = "violation";
const LIBRARY = /^lib(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/;
/** Objects that change nothing here: suites are run by `policy verify`, everything that is rendered is in the inventory. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set(["Suite", "SyncSet"]);

export const gatekeeper: Dialect = {
  name: "gatekeeper",
  onFailure: "undefined",
  forms: ["violations"],
  embedded: (documents) => readableTemplates(documents).flatMap(({ template, number }) => sourcesOf(template, number)),
  claim,
  ruleText,
  selects: (rule, document, around) => {
    const constraint = rule.imported?.constraint ?? null;
    if (constraint === null || document.resource === null) return { kind: "no" };
    return selectConstraint(constraint, document, around);
  },
};

interface NumberedTemplate {
  readonly template: Template;
  /** Index of its document: what makes the paths of its sources unique. */
  readonly number: number;
}

function readableTemplates(documents: readonly PolicyDocument[]): readonly NumberedTemplate[] {
  return documents.flatMap((document, number) => {
    const template = isTemplate(document) ? readTemplate(document).template : null;
    return template === null ? [] : [{ template, number }];
  });
}

function isTemplate({ value }: PolicyDocument): boolean {
  return groupOf(String(value["apiVersion"])) === TEMPLATE_GROUP;
}

function sourcesOf({ document, rego, libs, regoVersion }: Template, number: number): readonly RegoSource[] {
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

function claim({ modules, documents, sources }: Found): Claim {
  const problems: PolicyProblem[] = [];
  const claimed: RegoSource[] = [];
  const rules: Rule[] = [];
  const templates = new Map<string, Template>();
  const packages = new Map<string, { readonly compiled: string; readonly written: string }>();
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const broken = new Set<string>();
  for (const [number, document] of documents.entries()) {
    if (!isTemplate(document)) continue;
    const { kind, template, problems: found } = readTemplate(document);
    problems.push(...found);
    if (template === null) {
      if (kind !== null) broken.add(kind);
      continue;
    }
    if (templates.has(template.kind)) {
      problems.push(
        at(document, "/spec/crd/spec/names/kind", "template-duplicate", `${template.kind} has a template already.`),
      );
      continue;
    }
    templates.set(template.kind, template);
    const own = sourcesOf(template, number);
    const read = own.map(({ path }) => byPath.get(path)).filter((module) => module !== undefined);
    const [main] = read;
    if (main === undefined) continue;
    problems.push(...templateProblems(template, read));
    const compiled = `${IMPORTED_PACKAGE}${digestOf(template)}`;
    packages.set(template.kind, { compiled: `${compiled}.main`, written: main.package });
    const rename = renamesOf(compiled, read);
    claimed.push(...own.map((source) => ({ ...(sources.get(source.path) ?? source), rename })));
  }
  const seen = new Set<string>();
  for (const document of documents) {
    const { kind } = document.value;
    if (isTemplate(document)) continue;
    if (groupOf(String(document.value["apiVersion"])) !== CONSTRAINT_GROUP) {
      problems.push(...refusedKind(document));
      continue;
    }
    const template = typeof kind === "string" ? templates.get(kind) : undefined;
    if (template === undefined) {
      if (!broken.has(String(kind)))
        problems.push(
          at(document, "/kind", "constraint-without-template", `${String(kind)} has no template in this folder.`),
        );
      continue;
    }
    const constraint = readConstraint(document, template);
    if (!("id" in constraint)) {
      problems.push(...constraint);
      continue;
    }
    if (seen.has(constraint.id)) {
      problems.push(at(document, "/metadata/name", "constraint-invalid", `${constraint.id} is there twice.`));
      continue;
    }
    seen.add(constraint.id);
    const own = packages.get(template.kind);
    if (own !== undefined) rules.push(ruleOf(document, template, constraint, own));
  }
  return { rules, sources: claimed, problems };
}

/** The same Rego for another kind is another policy. */
function digestOf({ kind, rego, libs }: Template): string {
  return sha256Hex(canonicalJson([kind, rego.text, ...libs.map(({ text }) => text)])).slice(0, 16);
}

function renamesOf(compiled: string, [main, ...libs]: readonly Module[]): Readonly<Record<string, string>> {
  const renames = libs.map((library) => [library.package, `${compiled}.${library.package}`] as const);
  return { ...Object.fromEntries(renames), [main?.package ?? ""]: `${compiled}.main`, inventory: INVENTORY_PACKAGE };
}

function templateProblems(
  { kind, document, rego, libs }: Template,
  modules: readonly Module[],
): readonly PolicyProblem[] {
  const [main, ...others] = modules;
  const problems = others.flatMap((library, index) =>
    LIBRARY.test(library.package)
      ? []
      : [
          at(
            document,
            libs[index]?.at ?? "",
            "template-invalid",
            `${kind}: the library ${library.package} is not in package lib.`,
          ),
        ],
  );
  const hasRule = main?.rules.some(({ name }) => /^violation(?:$|[.[])/.test(name)) === true;
  return hasRule ? problems : [...problems, at(document, rego.at, "template-invalid", `${kind} has no rule ${ASKS}.`)];
}

function ruleOf(
  { file }: PolicyDocument,
  { title, description }: Template,
  { id, constraint, mode }: ReadConstraint,
  { compiled, written }: { readonly compiled: string; readonly written: string },
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

/** What would change objects or leave some out cannot be passed over. */
function refusedKind(document: PolicyDocument): readonly PolicyProblem[] {
  const { kind, spec } = document.value;
  if (WITHOUT_MEANING.has(String(kind))) return [];
  const isSync = kind === "Config" && typeof spec === "object" && spec !== null && !("match" in spec);
  if (isSync) return [];
  return [at(document, "/kind", "not-supported", `${String(kind)} of Gatekeeper is not there in Sluice.`)];
}

function at(document: PolicyDocument, pointer: string, code: PolicyProblem["code"], message: string): PolicyProblem {
  const { line, column } = document.place(pointer);
  return mistake(code, message, document.file, line, column);
}

/** `of` lets the host miss a review whose answer has no value. */
function ruleText({ id, imported }: Rule, index: number): string {
  const asked = `input.asked[${JSON.stringify(id)}]`;
  const parameters = canonicalJson(imported?.constraint?.parameters ?? {});
  return [
    `rule_${index} := {"of": count(${asked}), "reviews": [said |`,
    `\tsome number in ${asked}`,
    "\treview := reviews[number]",
    `\tsaid := data.${imported?.package}.${ASKS} with input as {"review": review, "parameters": ${parameters}}`,
    "]}",
  ].join("\n");
}
