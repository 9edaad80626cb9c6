/**
 * Gatekeeper: ConstraintTemplates and Constraints in YAML, as they are. A template is one module under a package of its
 * own, asked once for each constraint with that constraint's parameters. What is not the same as in a cluster stands in
 * docs/decisions/040.
 */
import { canonicalJson } from "../../lib/canonical.ts";
import type { Claim, Dialect, Found, PolicyDocument, PolicyProblem } from "../dialect.ts";
import { CONSTRAINT_GROUP, readConstraint } from "../gatekeeper/constraint.ts";
import { groupOf } from "../gatekeeper/documents.ts";
import { selectConstraint } from "../gatekeeper/match.ts";
import {
  ASKS,
  constraintRule,
  problemAt,
  type TemplateModule,
  templateModule,
  templateSources,
} from "../gatekeeper/module.ts";
import { readTemplate, TEMPLATE_GROUP, type Template } from "../gatekeeper/template.ts";
import type { Rule } from "../policy-set.ts";

/** Objects that change nothing here: suites are run by `policy verify`, everything that is rendered is in the inventory. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set(["Suite", "SyncSet"]);

export const gatekeeper: Dialect = {
  name: "gatekeeper",
  onFailure: "undefined",
  forms: ["violations"],
  embedded: (documents) =>
    documents.flatMap((document, number) => {
      const template = isTemplate(document) ? readTemplate(document).template : null;
      return template === null ? [] : templateSources(template, number);
    }),
  claim,
  ruleText,
  selects: (rule, document, around) => {
    const constraint = rule.imported?.constraint ?? null;
    if (constraint === null || document.resource === null || rule.scope !== "resource") return { kind: "no" };
    return selectConstraint(constraint, document, around);
  },
};

function isTemplate({ value }: PolicyDocument): boolean {
  return groupOf(String(value["apiVersion"])) === TEMPLATE_GROUP;
}

function claim(found: Found): Claim {
  const { templates, problems } = claimTemplates(found);
  const constraints = found.documents.filter((document) => !isTemplate(document));
  const rules: Rule[] = [];
  const seen = new Set<string>();
  for (const document of constraints) {
    const read = readRule(document, templates);
    if (!("id" in read)) problems.push(...read);
    else if (seen.has(read.id))
      problems.push(problemAt(document, "/metadata/name", "constraint-invalid", `${read.id} is there twice.`));
    else rules.push(read);
    if ("id" in read) seen.add(read.id);
  }
  return { rules, sources: [...templates.values()].flatMap((one) => one?.module.sources ?? []), problems };
}

interface ClaimedTemplate {
  readonly template: Template;
  readonly module: TemplateModule;
}

/** By kind; null for one that is there and cannot run, which is a problem of the template and not of its constraints. */
type Templates = Map<string, ClaimedTemplate | null>;

function claimTemplates({ modules, documents, sources }: Found): { templates: Templates; problems: PolicyProblem[] } {
  const templates: Templates = new Map();
  const problems: PolicyProblem[] = [];
  const byPath = new Map(modules.map((module) => [module.path, module]));
  for (const [number, document] of documents.entries()) {
    if (!isTemplate(document)) continue;
    const { kind, template, problems: wrong } = readTemplate(document);
    problems.push(...wrong);
    if (kind !== null && templates.has(kind)) {
      const message = `${kind} has a template already.`;
      problems.push(problemAt(document, "/spec/crd/spec/names/kind", "template-duplicate", message));
    } else if (template === null) {
      if (kind !== null) templates.set(kind, null);
    } else {
      const own = templateSources(template, number).flatMap(({ path }) => sources.get(path) ?? []);
      const module = templateModule(
        template,
        own,
        own.flatMap(({ path }) => byPath.get(path) ?? []),
      );
      problems.push(...module.problems);
      templates.set(template.kind, { template, module });
    }
  }
  return { templates, problems };
}

function readRule(document: PolicyDocument, templates: Templates): Rule | readonly PolicyProblem[] {
  const kind = String(document.value["kind"]);
  if (groupOf(String(document.value["apiVersion"])) !== CONSTRAINT_GROUP) return refusedKind(document);
  const claimed = templates.get(kind);
  if (claimed === null) return [];
  if (claimed === undefined)
    return [problemAt(document, "/kind", "constraint-without-template", `${kind} has no template in this folder.`)];
  const constraint = readConstraint(document, claimed.template);
  if (!("id" in constraint)) return constraint;
  return constraintRule(document, claimed.template, constraint, claimed.module);
}

/** What would change objects or leave some out cannot be passed over. */
function refusedKind(document: PolicyDocument): readonly PolicyProblem[] {
  const { kind, spec } = document.value;
  if (WITHOUT_MEANING.has(String(kind))) return [];
  const isSync = kind === "Config" && typeof spec === "object" && spec !== null && !("match" in spec);
  if (isSync) return [];
  return [problemAt(document, "/kind", "not-supported", `${String(kind)} of Gatekeeper is not there in Sluice.`)];
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
