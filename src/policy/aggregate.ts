/**
 * Generates the Rego module that asks every rule: `result[id]` holds what the rule said about a document it selects,
 * and no key at all for one it does not. A rule whose `deny` has no value leaves its key out, so that the host, which
 * counts by itself, misses it. Each rule is an entrypoint of its own too: after a failure the others are asked alone.
 */
import type { Rule } from "./policy-set.ts";

export const AGGREGATE_PACKAGE = "sluice.aggregate";
/** A name that no file of a tree can have beside it: paths in policy folders do not start with a dot folder of ours. */
export const AGGREGATE_FILE = ".sluice/aggregate.rego";
export const RESULT_ENTRYPOINT = "sluice/aggregate/result";

export function ruleEntrypoint(index: number): string {
  return `sluice/aggregate/rule_${index}`;
}

/** `rules` sorted by id; their ids, packages and patterns are checked in metadata.ts and need no escaping beyond JSON's. */
export function aggregateModule(rules: readonly Rule[]): string {
  return [`package ${AGGREGATE_PACKAGE}`, "", ...rules.map(ruleText)].join("\n");
}

function ruleText(rule: Rule, index: number): string {
  const sets = (["deny", "warn", "ask"] as const).map((kind) => {
    const said = rule.kinds.includes(kind) ? `data.${rule.package}.${kind}` : "[]";
    return `"${kind}": ${said}`;
  });
  const { guards, bodies } = guardsOf(rule, index);
  return [
    ...bodies,
    `rule_${index} := {${sets.join(", ")}} if {`,
    ...guards.map((guard) => `\t${guard}`),
    "}",
    "",
    `result[${JSON.stringify(rule.id)}] := rule_${index}`,
    "",
  ].join("\n");
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
