/** `object.subset` and `graph.reachable_paths`. */
import {
  compareRegoValues,
  isArray,
  type RegoArray,
  type RegoObject,
  type RegoValue,
  regoText,
} from "../rego-value.ts";
import {
  BuiltinError,
  type BuiltinFamily,
  isObjectValue,
  isSet,
  itemsIn,
  itemsOf,
  LimitError,
  MAXIMUM_ITEMS,
  objectOf,
  setOf,
} from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  "graph.reachable_paths": (operands) => reachablePaths(objectOf(operands, 0), itemsOf(operands, 1)),
  "object.subset": ([whole = null, part = null]) => isSubset(whole, part),
};

function equal(a: RegoValue, b: RegoValue): boolean {
  return compareRegoValues(a, b) === 0;
}

function includes(items: readonly RegoValue[], one: RegoValue): boolean {
  return items.some((item) => equal(item, one));
}

function isSubset(whole: RegoValue, part: RegoValue): boolean {
  const nested = nestedSubset(whole, part);
  if (nested !== null) return nested;
  if (isArray(whole) && isSet(part)) return part.items.length > 0 && part.items.every((one) => includes(whole, one));
  throw new BuiltinError("both arguments must be of the same type or array and set");
}

/** null for values of which neither can hold the other. */
function nestedSubset(whole: RegoValue, part: RegoValue): boolean | null {
  if (isObjectValue(whole) && isObjectValue(part)) return isPartOfObject(whole, part);
  if (isSet(whole) && isSet(part)) return part.items.every((one) => includes(whole.items, one));
  if (isArray(whole) && isArray(part)) return isPartOfArray(whole, part);
  return null;
}

function isPartOfObject(whole: RegoObject, part: RegoObject): boolean {
  return part.entries.every(([key, value]) => {
    const found = whole.entries.find(([name]) => equal(name, key));
    return found !== undefined && (equal(found[1], value) || nestedSubset(found[1], value) === true);
  });
}

/** Items in a row; OPA starts a new attempt after each mismatch from where the last one started, plus one. */
function isPartOfArray(whole: RegoArray, part: RegoArray): boolean {
  for (let start = 0; start + part.length <= whole.length; start++)
    if (part.every((one, offset) => equal(whole[start + offset] as RegoValue, one))) return true;
  return part.length === 0;
}

function reachablePaths(graph: RegoObject, roots: readonly RegoValue[]): RegoValue {
  const paths = new Map<string, RegoValue>();
  let steps = 0;
  const add = (path: readonly RegoValue[]): void => {
    if (++steps > MAXIMUM_ITEMS) throw new LimitError(`more than ${MAXIMUM_ITEMS} paths`);
    paths.set(regoText(path), path);
  };
  for (const root of roots) {
    const edges = edgesOf(graph, root);
    if (edges?.length === 0) add([root]);
    for (const next of edges ?? []) follow(graph, next, { path: [root], reached: [root] }, add);
  }
  return setOf([...paths.values()]);
}

interface Walk {
  readonly path: readonly RegoValue[];
  readonly reached: readonly RegoValue[];
}

/** A path ends where there is no edge, and before a node that is none of the graph or that it has left already. */
function follow(graph: RegoObject, node: RegoValue, walk: Walk, add: (path: readonly RegoValue[]) => void): void {
  const edges = edgesOf(graph, node);
  if (edges === null) {
    add(walk.path);
    return;
  }
  const path = [...walk.path, node];
  if (edges.length === 0) add(path);
  const reached = [...walk.reached, node];
  for (const next of edges) {
    if (includes(reached, next)) add(path);
    else follow(graph, next, { path, reached }, add);
  }
}

function edgesOf(graph: RegoObject, node: RegoValue): readonly RegoValue[] | null {
  const found = graph.entries.find(([key]) => equal(key, node));
  return found === undefined ? null : (itemsIn(found[1]) ?? []);
}
