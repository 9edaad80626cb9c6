/** Constraints (constraints.gatekeeper.sh) to rules: match, parameters by the template's schema, and what they enforce. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import { once } from "../../lib/once.ts";
import { mistake, type PolicyDocument, type PolicyProblem } from "../dialect.ts";
import type { Constraint, ConstraintMatch, Rule } from "../policy-set.ts";
import { isObject } from "../toolchain.ts";
import { issueProblems, UNKNOWN_KEY } from "./issues.ts";
import { checkParameters, UNKNOWN_PARAMETER, withDefaults } from "./parameters.ts";
import type { Template } from "./template.ts";

export const CONSTRAINT_GROUP = "constraints.gatekeeper.sh";
/** Points of Gatekeeper at which a gate stands: before the cluster, in place of its webhook. */
const OUR_POINTS = ["validation.gatekeeper.sh", "gator.gatekeeper.sh"];
/** RFC 1123. */
const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Made when the first constraint is read: most runs read none. */
const schemas = once(() => {
  const json = z.custom<JsonObject>((value) => isObject(value as JsonValue), "it is not a map");
  const wildcard = z.string().regex(/^\*?[-:a-z0-9]*\*?$/, "a name is exact, or begins or ends in *");
  const words = z.array(z.string()).nullish();
  const Expression = z
    .strictObject({
      key: z.string().min(1),
      operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
      values: words,
    })
    .refine(({ operator, values }) => operator.endsWith("In") === (values ?? []).length > 0, {
      message: "In and NotIn have values, Exists and DoesNotExist have none",
    });
  const Selector = z.strictObject({
    matchLabels: z.record(z.string(), z.string()).nullish(),
    matchExpressions: z.array(Expression).nullish(),
  });
  const Match = z.strictObject({
    source: z.enum(["All", "Original"]).nullish(),
    kinds: z.array(z.strictObject({ apiGroups: words, kinds: words })).nullish(),
    scope: z.enum(["*", "Cluster", "Namespaced"]).nullish(),
    namespaces: z.array(wildcard).nullish(),
    excludedNamespaces: z.array(wildcard).nullish(),
    labelSelector: Selector.nullish(),
    namespaceSelector: Selector.nullish(),
    name: wildcard.nullish(),
  });
  const Action = z.enum(["deny", "warn", "dryrun"]);
  const Scoped = z.strictObject({
    action: Action,
    enforcementPoints: z.array(z.strictObject({ name: z.string() })),
  });
  const Constrained = z.looseObject({
    apiVersion: z.enum([`${CONSTRAINT_GROUP}/v1beta1`, `${CONSTRAINT_GROUP}/v1alpha1`]),
    kind: z.string(),
    metadata: z.looseObject({ name: z.string().max(63).regex(NAME, "a name is lower-case letters, digits, - and .") }),
    spec: z
      .strictObject({
        match: Match.nullish(),
        parameters: json.nullish(),
        enforcementAction: z.enum([...Action.options, "scoped"]).optional(),
        scopedEnforcementActions: z.array(Scoped).optional(),
      })
      .nullish(),
  });
  return { Match, Action, Selector, Constrained };
});

type Schemas = ReturnType<typeof schemas>;
type Action = z.infer<Schemas["Action"]>;

export interface ReadConstraint {
  readonly id: string;
  readonly constraint: Constraint;
  readonly mode: Rule["mode"];
  /** Names of the points at which it is in force; `*` = all. */
  readonly points: readonly string[];
}

/** The problems where it cannot be read. */
export function readConstraint(
  document: PolicyDocument,
  template: Template,
): ReadConstraint | readonly PolicyProblem[] {
  const parsed = schemas().Constrained.safeParse(document.value);
  if (!parsed.success) return issueProblems("constraint-invalid", document, parsed.error.issues);
  const { kind, metadata } = parsed.data;
  const spec = parsed.data.spec ?? {};
  const scoped = spec.scopedEnforcementActions ?? [];
  const isScoped = spec.enforcementAction === "scoped";
  if (isScoped !== (spec.scopedEnforcementActions !== undefined))
    return [problem(document, "/spec", "enforcementAction scoped and scopedEnforcementActions go together")];
  const parameters = spec.parameters ?? {};
  const wrong = checkParameters(parameters, template.schema, template.isLegacy);
  if (wrong.length > 0) {
    return wrong.map(({ at, message }) => problem(document, `/spec/parameters${at}`, `parameters${at}: ${message}`));
  }
  const actions = isScoped
    ? scoped
        .filter(({ enforcementPoints }) => enforcementPoints.some(({ name }) => isOurs(name)))
        .map((one) => one.action)
    : [spec.enforcementAction as Action | undefined];
  return {
    id: `${kind}/${metadata.name}`,
    constraint: {
      match: matchOf(spec.match ?? {}),
      parameters: withDefaults(parameters, template.schema),
      asksDeletions: template.asksDeletions,
    },
    mode: modeOf(actions),
    points: isScoped ? scoped.flatMap(({ enforcementPoints }) => enforcementPoints.map(({ name }) => name)) : ["*"],
  };
}

/** Whether it is one that the schema of the kind finds: an API server says of unknown keys something else. */
export function isSchemaProblem({ message }: PolicyProblem): boolean {
  return !message.includes(UNKNOWN_KEY) && !message.includes(UNKNOWN_PARAMETER);
}

function isOurs(point: string): boolean {
  return point === "*" || OUR_POINTS.includes(point);
}

/** The strictest that is in force where we stand; what is in force only elsewhere is observed. */
function modeOf(actions: readonly (Action | undefined)[]): Rule["mode"] {
  if (actions.some((action) => action === undefined || action === "deny")) return "enforce";
  return actions.includes("warn") ? "warn" : "observe";
}

function matchOf(match: z.infer<Schemas["Match"]>): ConstraintMatch {
  return {
    kinds: (match.kinds ?? []).map(({ apiGroups, kinds }) => ({ apiGroups: apiGroups ?? [], kinds: kinds ?? [] })),
    namespaces: match.namespaces ?? [],
    excludedNamespaces: match.excludedNamespaces ?? [],
    labelSelector: selectorOf(match.labelSelector),
    namespaceSelector: selectorOf(match.namespaceSelector),
    scope: match.scope ?? "*",
    name: match.name ?? "",
  };
}

function selectorOf(selector: z.infer<Schemas["Selector"]> | null | undefined): ConstraintMatch["labelSelector"] {
  if (selector === null || selector === undefined) return null;
  const expressions = selector.matchExpressions ?? [];
  return {
    matchLabels: selector.matchLabels ?? {},
    matchExpressions: expressions.map(({ key, operator, values }) => ({ key, operator, values: values ?? [] })),
  };
}

function problem({ file, place }: PolicyDocument, at: string, message: string): PolicyProblem {
  const { line, column } = place(at);
  return mistake("constraint-invalid", `${message}.`, file, line, column);
}
