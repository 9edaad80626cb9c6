/**
 * Generates the Rego module that asks every rule: `result[id]` holds what the rule said about a document it selects,
 * and no key at all for one it does not. A rule whose answer has no value leaves its key out, so that the host, which
 * counts by itself, misses it. Each rule is an entrypoint of its own too: after a failure the others are asked alone.
 */
import { dialectOf } from "./dialects.ts";
import { AGGREGATE_PACKAGE } from "./entrypoints.ts";
import type { Rule } from "./policy-set.ts";
import { REVIEWS_TEXT } from "./reviews.ts";

/** `rules` sorted by id; their ids, packages and patterns are checked where they are read and need no more than JSON's escapes. */
export function aggregateModule(rules: readonly Rule[]): string {
  const reviews = rules.some(({ imported }) => imported !== null) ? [REVIEWS_TEXT] : [];
  return [`package ${AGGREGATE_PACKAGE}`, "", ...reviews, ...rules.map(ruleText)].join("\n");
}

function ruleText(rule: Rule, index: number): string {
  const answer = dialectOf(rule).ruleText(rule, index);
  return `${answer}\n\nresult[${JSON.stringify(rule.id)}] := rule_${index}\n`;
}
