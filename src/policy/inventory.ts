/** The other objects of the rendering in the form that Gatekeeper gives them: `data.inventory`. */
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { INVENTORY_PACKAGE } from "./dialect.ts";
import { isObject } from "./toolchain.ts";

type Tree = { [key: string]: Tree | JsonObject };

/**
 * JSON text of the module's data: `cluster[apiVersion][kind][name]` and `namespace[namespace][apiVersion][kind][name]`.
 * An object that has no canonical JSON is left out; its own document is an error in any case.
 */
export function inventoryText(objects: readonly JsonObject[]): string {
  const inventory: Tree = { cluster: {}, namespace: {} };
  for (const object of objects) {
    const path = pathOf(object);
    if (path !== null && isWritable(object)) put(inventory, path, object);
  }
  const data = INVENTORY_PACKAGE.split(".").reduceRight<JsonObject>(
    (inner, part) => ({ [part]: inner }),
    inventory as JsonObject,
  );
  return canonicalJson(data);
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
