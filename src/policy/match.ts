/** Which documents a rule applies to, from METADATA alone: what the host expects, whatever the module answers. */
import type { PolicyInput } from "./input.ts";
import type { Rule } from "./policy-set.ts";

/** A rule of scope resource never sees the change document, and one of scope change sees nothing else. */
export function selects(rule: Rule, document: PolicyInput): boolean {
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
