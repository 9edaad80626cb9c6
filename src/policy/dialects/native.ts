/** Sluice's own: one rule is one package, with METADATA, typed against the input's schema. */
import { type Claim, type Dialect, type Found, mistake, type RegoSource, type Selection } from "../dialect.ts";
import type { PolicyInput } from "../input.ts";
import { inspectMetadata, placeOf } from "../metadata.ts";
import type { Rule } from "../policy-set.ts";

export const native: Dialect = {
  name: "native",
  onFailure: "error",
  forms: ["findings"],
  embedded: () => [],
  claim,
  ruleText,
  selects,
};

/** Everything that is left. What has rules is Rego v1 and strict; functions that only v0 understands may stay as they are. */
function claim({ modules, sources }: Found): Claim {
  const { rules, scopeByFile, problems } = inspectMetadata(modules);
  const own = new Set(rules.map((rule) => rule.package));
  const taken = modules.flatMap((module): RegoSource[] => {
    const source = sources.get(module.path);
    if (source === undefined) return [];
    const scope = scopeByFile[module.path] ?? null;
    const isOld = module.regoVersion === "v0" && scope === null && !own.has(module.package);
    return [{ ...source, scope, regoVersion: isOld ? "v0" : "v1", lenient: isOld }];
  });
  return {
    rules,
    sources: taken,
    problems: problems.map((problem) => {
      const { file, message } = problem;
      const [line, column] = placeOf(problem, sources.get(file)?.text ?? "");
      return mistake("policy-metadata", `${message}.`, file, line, column);
    }),
  };
}

function ruleText(rule: Rule, index: number): string {
  const sets = (["deny", "warn", "ask"] as const).map((kind) => {
    const said = rule.kinds.includes(kind) ? `data.${rule.package}.${kind}` : "[]";
    return `"${kind}": ${said}`;
  });
  const { guards, bodies } = guardsOf(rule, index);
  return [...bodies, `rule_${index} := {${sets.join(", ")}} if {`, ...guards.map((guard) => `\t${guard}`), "}"].join(
    "\n",
  );
}

function guardsOf(rule: Rule, index: number): { guards: string[]; bodies: string[] } {
  if (rule.scope === "change") return { guards: ["input.resource == null", "is_object(input.change)"], bodies: [] };
  const guards = ["is_object(input.resource)"];
  const { kinds, namespaces } = rule.match;
  if (kinds !== null)
    guards.push(`input.resource.id.kind in {${kinds.map((kind) => JSON.stringify(kind)).join(", ")}}`);
  if (namespaces === null) return { guards, bodies: [] };
  guards.push(`namespace_${index}`);
  return { guards, bodies: namespaces.map((pattern) => `namespace_${index} if ${namespaceGuard(pattern)}\n`) };
}

function namespaceGuard(pattern: string): string {
  if (!pattern.endsWith("*")) return `input.resource.id.namespace == ${JSON.stringify(pattern)}`;
  return `startswith(input.resource.id.namespace, ${JSON.stringify(pattern.slice(0, -1))})`;
}

/** From METADATA alone, whatever the module answers. A rule of scope change sees the change document and nothing else. */
function selects(rule: Rule, document: PolicyInput): Selection {
  return isSelected(rule, document) ? { kind: "yes", reviews: [] } : { kind: "no" };
}

function isSelected(rule: Rule, document: PolicyInput): boolean {
  if (document.resource === null) return rule.scope === "change" && document.change !== null;
  if (rule.scope !== "resource") return false;
  const { kind, namespace } = document.resource.id;
  const { kinds, namespaces } = rule.match;
  if (kinds !== null && !kinds.includes(kind)) return false;
  return namespaces === null || namespaces.some((pattern) => matchesNamespace(pattern, namespace));
}

function matchesNamespace(pattern: string, namespace: string): boolean {
  return pattern.endsWith("*") ? namespace.startsWith(pattern.slice(0, -1)) : namespace === pattern;
}
