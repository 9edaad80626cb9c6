/** `json.patch` (RFC 6902) as OPA does it: paths are texts or lists, and sets are edited by their elements. */
import { unescapeToken } from "../../lib/json-pointer.ts";
import { compareRegoValues, isArray, type RegoValue } from "../rego-value.ts";
import { arrayOf, BuiltinError, type BuiltinFamily, isObjectValue, isSet, member, numberText, setOf } from "./call.ts";

type Path = readonly RegoValue[];

export const BUILTINS: BuiltinFamily = {
  "json.patch": (operands) => arrayOf(operands, 1).reduce(apply, operands[0] ?? null),
};

function apply(document: RegoValue, operation: RegoValue): RegoValue {
  if (!isObjectValue(operation)) throw new BuiltinError("an operation is not an object");
  const attribute = (name: string): RegoValue => {
    const value = member(operation, name);
    if (value === undefined) throw new BuiltinError(`an operation lacks ${name}`);
    return value;
  };
  const path = readPath(attribute("path"));
  switch (attribute("op")) {
    case "add":
      return insert(document, path, attribute("value"));
    case "remove":
      return remove(document, path);
    case "replace":
      return insert(remove(document, path), path, attribute("value"));
    case "move": {
      const from = readPath(attribute("from"));
      const moved = find(document, from);
      return insert(remove(document, from), path, moved);
    }
    case "copy":
      return insert(document, path, find(document, readPath(attribute("from"))));
    case "test":
      if (!equal(find(document, path), attribute("value"))) throw new BuiltinError("the value is another one");
      return document;
    default:
      throw new BuiltinError("an operation has an unknown op");
  }
}

function equal(a: RegoValue, b: RegoValue): boolean {
  return compareRegoValues(a, b) === 0;
}

function readPath(path: RegoValue): Path {
  if (path === "") return [];
  if (typeof path === "string") return path.replace(/^\/+/, "").split("/").map(unescapeToken);
  if (!isArray(path)) throw new BuiltinError("a path is neither a text nor a list");
  return path;
}

/** From 0 to `most`, which `-` stands for as well. */
function indexIn(key: RegoValue, most: number, dash: boolean): number {
  const text = typeof key === "string" ? key : (numberText(key) ?? "");
  if (text === "-" && dash) return most;
  const index = /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  if (!(index <= most)) throw new BuiltinError("an index is not in the list");
  return index;
}

function find(document: RegoValue, path: Path): RegoValue {
  return path.reduce((node, key) => childOf(node, key), document);
}

function childOf(node: RegoValue, key: RegoValue): RegoValue {
  if (isArray(node)) return node[indexIn(key, node.length - 1, false)] as RegoValue;
  const found = isObjectValue(node)
    ? node.entries.find(([name]) => equal(name, key))?.[1]
    : isSet(node)
      ? node.items.find((item) => equal(item, key))
      : undefined;
  if (found === undefined) throw new BuiltinError("a path leads nowhere");
  return found;
}

function insert(node: RegoValue, [key, ...rest]: Path, value: RegoValue): RegoValue {
  if (key === undefined) return value;
  if (rest.length > 0) return withChild(node, key, insert(childOf(node, key), rest, value));
  if (isArray(node)) return node.toSpliced(indexIn(key, node.length, true), 0, value);
  if (isSet(node)) {
    if (!equal(key, value)) throw new BuiltinError("an element of a set is named by itself");
    return setOf([...node.items.filter((item) => !equal(item, value)), value]);
  }
  return withChild(node, key, value);
}

/** With one child replaced, or added to an object. */
function withChild(node: RegoValue, key: RegoValue, value: RegoValue): RegoValue {
  if (isArray(node)) return node.with(indexIn(key, node.length - 1, false), value);
  if (isSet(node)) return setOf([...node.items.filter((item) => !equal(item, key)), value]);
  if (!isObjectValue(node)) throw new BuiltinError("a path leads into a value without parts");
  return { type: "object", entries: [...node.entries.filter(([name]) => !equal(name, key)), [key, value]] };
}

function remove(node: RegoValue, [key, ...rest]: Path): RegoValue {
  if (key === undefined) return null;
  const child = childOf(node, key);
  if (rest.length > 0) return withChild(node, key, remove(child, rest));
  if (isArray(node)) return node.toSpliced(indexIn(key, node.length - 1, false), 1);
  if (isSet(node)) return setOf(node.items.filter((item) => !equal(item, key)));
  if (isObjectValue(node)) return { type: "object", entries: node.entries.filter(([name]) => !equal(name, key)) };
  return node;
}
