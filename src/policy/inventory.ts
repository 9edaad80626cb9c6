/**
 * What the module finds under `data`: the other objects of the rendering in the form that Gatekeeper gives them
 * (`data.inventory`), and what sources outside gave (`data.external`).
 */
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { INVENTORY_PACKAGE } from "./dialect.ts";
import { EXTERNAL_PACKAGE, type ExternalData } from "./external.ts";
import { isObject } from "./toolchain.ts";

type Tree = { [key: string]: Tree | JsonObject };

/** JSON text; null = nothing. @param objects null where no rule looks at the others */
export function dataText(objects: readonly JsonObject[] | null, external: ExternalData): string | null {
  if (objects === null && external.size === 0) return null;
  const inventory = objects === null ? {} : inventoryOf(objects);
  const outside = external.size === 0 ? {} : { [EXTERNAL_PACKAGE]: Object.fromEntries(external) };
  return canonicalJson({ ...inventory, ...outside });
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
  return INVENTORY_PACKAGE.split(".").reduceRight<JsonObject>(
    (inner, part) => ({ [part]: inner }),
    inventory as JsonObject,
  );
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
