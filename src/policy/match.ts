/** Which documents a rule applies to: what the host expects, whatever the module answers. */
import type { JsonObject } from "../lib/canonical.ts";
import type { Selection, Surroundings } from "./dialect.ts";
import { dialectOf } from "./dialects.ts";
import type { PolicyInput } from "./input.ts";
import type { Rule } from "./policy-set.ts";
import { isObject } from "./toolchain.ts";

const NOTHING_AROUND: Surroundings = { namespaces: new Map() };

/** Whether it is to be asked, or it cannot be said. Only rules with a namespaceSelector look around. */
export function selects(rule: Rule, document: PolicyInput): boolean {
  return selectionOf(rule, document, NOTHING_AROUND).kind !== "no";
}

export function selectionOf(rule: Rule, document: PolicyInput, around: Surroundings): Selection {
  return dialectOf(rule).selects(rule, document, around);
}

export function surroundingsOf(objects: readonly JsonObject[]): Surroundings {
  const namespaces = new Map<string, Readonly<Record<string, string>>>();
  for (const { apiVersion, kind, metadata } of objects) {
    if (apiVersion !== "v1" || kind !== "Namespace" || !isObject(metadata)) continue;
    const { name, labels } = metadata;
    if (typeof name === "string") namespaces.set(name, isObject(labels) ? (labels as Record<string, string>) : {});
  }
  return { namespaces };
}
