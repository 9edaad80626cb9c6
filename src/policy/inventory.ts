/**
 * What the module finds under `data`: the other objects of the rendering in the form that Gatekeeper gives them
 * (`data.inventory`), and what sources outside gave (`data.external`). What data files say is part of the set.
 */
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { nestedText } from "./data-files.ts";
import { INVENTORY_PACKAGE } from "./dialect.ts";
import { EXTERNAL_PACKAGE, type ExternalData } from "./external.ts";
import type { DataEntry } from "./policy-set.ts";
import { isObject } from "./toolchain.ts";

type Tree = { [key: string]: Tree | JsonObject };

/** JSON text; null = nothing. @param objects null where no rule looks at the others */
export function dataText(objects: readonly JsonObject[] | null, external: ExternalData): string | null {
  const entries = changingEntries(objects, external);
  return entries.length === 0 ? null : nestedText(entries);
}

/** All that OPA's own evaluator finds under `data`: what the set has (PolicySet.data), and what dataText() adds. */
export function evaluatorData(
  data: readonly DataEntry[],
  objects: readonly JsonObject[] | null,
  external: ExternalData,
): string {
  return nestedText([...data, ...changingEntries(objects, external)]);
}

function changingEntries(objects: readonly JsonObject[] | null, external: ExternalData): readonly DataEntry[] {
  const inventory: readonly DataEntry[] =
    objects === null ? [] : [[INVENTORY_PACKAGE.split("."), canonicalJson(inventoryOf(objects))]];
  if (external.size === 0) return inventory;
  return [...inventory, [[EXTERNAL_PACKAGE], canonicalJson(Object.fromEntries(external))]];
}

/**
 * `cluster[apiVersion][kind][name]` and `namespace[namespace][apiVersion][kind][name]`.
 * An object that has no canonical JSON is left out; its own document is an error in any case.
 */
function inventoryOf(objects: readonly JsonObject[]): JsonObject {
  const inventory: Tree = { cluster: {}, namespace: {} };
  for (const object of objects) {
    const path = pathOf(object);
    if (path !== null && isWritable(object)) put(inventory, path, object);
  }
  return inventory as JsonObject;
}

function pathOf({ apiVersion, kind, metadata }: JsonObject): readonly string[] | null {
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isObject(metadata)) return null;
  const { name, namespace } = metadata;
  if (typeof name !== "string") return null;
  return typeof namespace === "string" && namespace !== ""
    ? ["namespace", namespace, apiVersion, kind, name]
    : ["cluster", apiVersion, kind, name];
}

function isWritable(object: JsonObject): boolean {
  try {
    canonicalJson(object);
    return true;
  } catch {
    return false;
  }
}

/** Names are data: a tree without a prototype takes `constructor` like any other. */
function put(tree: Tree, path: readonly string[], object: JsonObject): void {
  let at = tree;
  for (const part of path.slice(0, -1)) {
    const next = Object.hasOwn(at, part) ? (at[part] as Tree) : (Object.create(null) as Tree);
    at[part] = next;
    at = next;
  }
  at[path.at(-1) ?? ""] = object;
}
