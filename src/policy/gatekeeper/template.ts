/** ConstraintTemplates (templates.gatekeeper.sh v1, v1beta1, v1alpha1) to Rego and what constraints must look like. */
import * as z from "zod";
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import { once } from "../../lib/once.ts";
import { mistake, type PolicyDocument, type PolicyProblem } from "../dialect.ts";
import { isObject } from "../toolchain.ts";
import { issueProblems } from "./issues.ts";

export const TEMPLATE_GROUP = "templates.gatekeeper.sh";
const TARGET = "admission.k8s.gatekeeper.sh";
/** A function of Gatekeeper's own that asks a provider outside. */
const EXTERNAL_DATA = /^[^#\n]*\bexternal_data\s*\(/m;

/** Made when the first template is read: most runs read none. */
const schemas = once(() => {
  const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;
  const json = z.custom<JsonObject>((value) => isObject(value as JsonValue), "it is not a map");
  const Source = z.looseObject({
    version: z.enum(["v0", "v1", ""]).optional(),
    rego: z.string().min(1),
    libs: z.array(z.string()).optional(),
  });
  const Target = z.looseObject({
    target: z.literal(TARGET),
    rego: z.string().optional(),
    libs: z.array(z.string()).optional(),
    code: z.array(z.looseObject({ engine: z.string(), source: json.optional() })).optional(),
    operations: z.array(z.string()).optional(),
  });
  const Template = z.looseObject({
    apiVersion: z.enum([`${TEMPLATE_GROUP}/v1`, `${TEMPLATE_GROUP}/v1beta1`, `${TEMPLATE_GROUP}/v1alpha1`]),
    kind: z.literal("ConstraintTemplate"),
    metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).nullish() }),
    spec: z.looseObject({
      crd: z.looseObject({
        spec: z.looseObject({
          names: z.looseObject({
            kind: z.string().regex(KIND, "a kind begins with a capital and is letters and digits"),
          }),
          validation: z.looseObject({ openAPIV3Schema: json.nullish(), legacySchema: z.boolean().nullish() }).nullish(),
        }),
      }),
      targets: z.array(Target).length(1, "a template has exactly one target"),
    }),
  });
  return { Source, Target, Template };
});

type Target = z.infer<ReturnType<typeof schemas>["Target"]>;

export interface RegoText {
  readonly text: string;
  /** JSON pointer of it in the template. */
  readonly at: string;
}

export interface Template {
  readonly document: PolicyDocument;
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  /** Schema of `spec.parameters`; null where there is none. */
  readonly schema: JsonObject | null;
  /** Parameters that the schema does not name are let through, as v1beta1 does. */
  readonly isLegacy: boolean;
  readonly regoVersion: "v0" | "v1";
  readonly rego: RegoText;
  readonly libs: readonly RegoText[];
  readonly asksDeletions: boolean;
}

/** Why a template cannot run, for the tally; null in `template` goes with at least one problem. */
export interface ReadTemplate {
  readonly kind: string | null;
  readonly template: Template | null;
  readonly reason: "cel" | "external-data" | "invalid" | null;
  readonly problems: readonly PolicyProblem[];
}

export function readTemplate(document: PolicyDocument): ReadTemplate {
  const parsed = schemas().Template.safeParse(document.value);
  if (!parsed.success) {
    const problems = issueProblems("template-invalid", document, parsed.error.issues);
    return { kind: kindOf(document.value), template: null, reason: "invalid", problems };
  }
  const { metadata, spec, apiVersion } = parsed.data;
  const { kind } = spec.crd.spec.names;
  const refused = (
    reason: ReadTemplate["reason"],
    code: "template-invalid" | "not-supported",
    what: string,
    at: string,
  ) => {
    const { line, column } = document.place(at);
    return { kind, template: null, reason, problems: [mistake(code, what, document.file, line, column)] };
  };
  if (metadata.name !== kind.toLowerCase())
    return refused(
      "invalid",
      "template-invalid",
      `The template of ${kind} is not called ${kind.toLowerCase()}.`,
      "/metadata/name",
    );
  const [target] = spec.targets;
  const source = target === undefined ? null : sourceOf(target);
  if (source === null) {
    const isCel = (target?.code ?? []).some(({ engine }) => engine === "K8sNativeValidation");
    return isCel
      ? refused("cel", "not-supported", `${kind} is written in CEL only; Sluice runs Rego.`, "/spec/targets/0/code")
      : refused("invalid", "template-invalid", `${kind} has no Rego.`, "/spec/targets/0");
  }
  if (typeof source === "string")
    return refused("invalid", "template-invalid", `${kind}: ${source}.`, "/spec/targets/0/code");
  const outside = [source.rego, ...source.libs].find(({ text }) => EXTERNAL_DATA.test(text));
  if (outside !== undefined)
    return refused(
      "external-data",
      "not-supported",
      `${kind} asks a provider of external data; nothing outside is asked.`,
      outside.at,
    );
  const validation = spec.crd.spec.validation ?? {};
  const template: Template = {
    document,
    kind,
    title: metadata.annotations?.["metadata.gatekeeper.sh/title"] ?? kind,
    description: metadata.annotations?.["description"] ?? "",
    schema: validation.openAPIV3Schema ?? null,
    isLegacy: validation.legacySchema ?? apiVersion !== `${TEMPLATE_GROUP}/v1`,
    ...source,
    asksDeletions: (target?.operations ?? []).some((one) => one === "DELETE" || one === "*"),
  };
  return { kind, template, reason: null, problems: [] };
}

type RegoOfTarget = Pick<Template, "regoVersion" | "rego" | "libs">;

/** null = no Rego in it; a text says what is wrong. */
function sourceOf({ rego, libs = [], code = [] }: Target): RegoOfTarget | string | null {
  const index = code.findIndex(({ engine }) => engine === "Rego");
  if (index < 0) {
    if (rego === undefined || rego === "") return null;
    return {
      regoVersion: "v0",
      rego: { text: rego, at: "/spec/targets/0/rego" },
      libs: texts(libs, "/spec/targets/0/libs"),
    };
  }
  if (rego !== undefined && rego !== "") return "Rego stands in rego and in code";
  const parsed = schemas().Source.safeParse(code[index]?.source);
  if (!parsed.success) return "the source of the engine Rego has no rego, or a version that is neither v0 nor v1";
  const at = `/spec/targets/0/code/${index}/source`;
  const regoVersion = parsed.data.version === "v1" ? "v1" : "v0";
  return {
    regoVersion,
    rego: { text: parsed.data.rego, at: `${at}/rego` },
    libs: texts(parsed.data.libs ?? [], `${at}/libs`),
  };
}

function texts(libs: readonly string[], at: string): readonly RegoText[] {
  return libs.map((text, index) => ({ text, at: `${at}/${index}` }));
}

function kindOf(value: JsonObject): string | null {
  let at: JsonValue | undefined = value;
  for (const key of ["spec", "crd", "spec", "names", "kind"]) at = isObject(at) ? at[key] : undefined;
  return typeof at === "string" ? at : null;
}
