/** How many of somebody's templates run here as they are, and why the others do not. */
import { isOffered } from "../builtins.ts";
import { compileRequest, problemsError } from "../compile.ts";
import type { PolicyDocument, RegoSource } from "../dialect.ts";
import { RESULT_ENTRYPOINT } from "../entrypoints.ts";
import { readModules } from "../inspection.ts";
import type { Rule } from "../policy-set.ts";
import { compilerFile, WITHOUT_DATA } from "../reading.ts";
import type { Toolchain, ToolchainProblem } from "../toolchain.ts";
import { groupOf } from "./documents.ts";
import { constraintRule, templateModule, templateSources } from "./module.ts";
import { readTemplate, TEMPLATE_GROUP, type Template } from "./template.ts";

export const TALLY_REASONS = ["cel", "external-data", "builtin", "invalid"] as const;
export type TallyReason = (typeof TALLY_REASONS)[number];

export interface TemplateTally {
  readonly templates: number;
  readonly unchanged: number;
  /** Kinds that do not run, by why, in the order of TALLY_REASONS; reasons without a kind are left out. */
  readonly others: readonly { readonly reason: TallyReason; readonly kinds: readonly string[] }[];
}

/** A refusal takes the templates out that it is about; what is left is asked again. */
const MAXIMUM_ROUNDS = 20;

/** null where there is no template. @throws SluiceError the toolchain's own */
export async function tallyTemplates(
  toolchain: Toolchain,
  documents: readonly PolicyDocument[],
): Promise<TemplateTally | null> {
  const all = documents
    .filter(({ value }) => groupOf(String(value["apiVersion"])) === TEMPLATE_GROUP)
    .map(readTemplate);
  if (all.length === 0) return null;
  const reasons = new Map<TallyReason, string[]>();
  const refuse = (reason: TallyReason, kind: string | null) =>
    reasons.set(reason, [...(reasons.get(reason) ?? []), kind ?? "a template without a kind"]);
  let open: Template[] = [];
  for (const { kind, template, reason } of all) {
    if (template === null) refuse(reason ?? "invalid", kind);
    else if (open.some((one) => one.kind === template.kind)) refuse("invalid", kind);
    else open.push(template);
  }
  for (let round = 0; open.length > 0; round++) {
    const refused = await refusedTemplates(toolchain, open);
    if (refused.size === 0) break;
    for (const [number, reason] of refused) refuse(reason, open[number]?.kind ?? null);
    open = round === MAXIMUM_ROUNDS ? [] : open.filter((_, number) => !refused.has(number));
  }
  return {
    templates: all.length,
    unchanged: open.length,
    others: TALLY_REASONS.flatMap((reason) => {
      const kinds = reasons.get(reason) ?? [];
      return kinds.length === 0 ? [] : [{ reason, kinds: kinds.sort() }];
    }),
  };
}

/** By number of the template; empty where all of them compile. */
async function refusedTemplates(
  toolchain: Toolchain,
  templates: readonly Template[],
): Promise<ReadonlyMap<number, TallyReason>> {
  const sources = templates.map(templateSources);
  const inspected = await toolchain.request("inspect", { files: sources.flat().map(compilerFile) });
  if (!inspected.ok) return blamed(inspected.errors, sources);
  const byPath = new Map(readModules(inspected.result).map((module) => [module.path, module]));
  const misplaced = new Map<number, TallyReason>();
  const rules: Rule[] = [];
  const renamed: RegoSource[] = [];
  for (const [number, template] of templates.entries()) {
    const own = sources[number] ?? [];
    const read = own.flatMap(({ path }) => byPath.get(path) ?? []);
    const module = templateModule(template, own, read);
    if (module.problems.length > 0) misplaced.set(number, "invalid");
    rules.push(constraintRule(template.document, template, { ...ANY, id: template.kind }, module));
    renamed.push(...module.sources);
  }
  if (misplaced.size > 0) return misplaced;
  const request = {
    ...compileRequest({ rules, sources: renamed, problems: [], ...WITHOUT_DATA }),
    entrypoints: [RESULT_ENTRYPOINT],
  };
  const compiled = await toolchain.request("compile", request);
  if (!compiled.ok) return blamed(compiled.errors, sources);
  const builtins = compiled.result["builtins"];
  const deniedBuiltins = (Array.isArray(builtins) ? builtins : []).filter((name) => !isOffered(String(name)));
  if (deniedBuiltins.length === 0) return new Map();
  const denied = await toolchain.request("compile", { ...request, deniedBuiltins });
  return denied.ok ? new Map() : blamed(denied.errors, sources);
}

const ANY = {
  constraint: {
    match: {
      kinds: [],
      namespaces: [],
      excludedNamespaces: [],
      labelSelector: null,
      namespaceSelector: null,
      scope: "*",
      name: "",
    },
    parameters: {},
    asksDeletions: false,
  },
  mode: "enforce",
  points: ["*"],
} as const;

/** @throws SluiceError where the compiler blames none of them */
function blamed(
  problems: readonly ToolchainProblem[],
  sources: readonly (readonly RegoSource[])[],
): ReadonlyMap<number, TallyReason> {
  const found = new Map<number, TallyReason>();
  for (const { code, file } of problems) {
    const number = sources.findIndex((own) => own.some(({ path }) => path === file));
    if (number >= 0 && !found.has(number)) found.set(number, code === "rego-unsafe-builtin" ? "builtin" : "invalid");
  }
  if (found.size === 0) throw problemsError(problems);
  return found;
}
