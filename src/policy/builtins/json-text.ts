/** Rego values as JSON in the way of Go's encoding/json and of OPA's ast.JSON. */
import { compareRegoValues, isArray, parseRegoValue, type RegoValue } from "../rego-value.ts";
import { BuiltinError, isObjectValue } from "./call.ts";

/** Sets become sorted arrays; keys become texts and are sorted, and of two that become the same text the last one stays. */
export function goJson(value: RegoValue): RegoValue {
  if (value === null || typeof value !== "object") return value;
  if (isArray(value)) return value.map(goJson);
  if (value.type === "set") return [...value.items].sort(compareRegoValues).map(goJson);
  if (value.type === "number") return value;
  const inOrder = [...value.entries].sort(([a], [b]) => compareRegoValues(a, b));
  const entries = [...new Map(inOrder.map(([key, one]) => [keyText(key), goJson(one)]))];
  return { type: "object", entries: entries.sort(([a], [b]) => compareRegoValues(a, b)) };
}

function keyText(key: RegoValue): string {
  return typeof key === "string" ? key : goJsonText(key);
}

/** One line, as json.Marshal writes it: keys sorted, and what HTML must not hold escaped. */
export function goJsonText(value: RegoValue): string {
  return print(goJson(value));
}

/** Of a value that goJson has made. */
export function print(value: RegoValue): string {
  if (typeof value === "string") return goString(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (isArray(value)) return `[${value.map(print).join(",")}]`;
  if (!isObjectValue(value)) return value.type === "number" ? value.text : "null";
  return `{${value.entries.map(([key, one]) => `${goString(key as string)}:${print(one)}`).join(",")}}`;
}

/** As Go writes what it has read without json.Number: every number is a float of 64 bits, so that `1.0` equals `1`. */
export function floatJson(value: RegoValue): string {
  return print(asFloats(goJson(value)));
}

function asFloats(value: RegoValue): RegoValue {
  if (value === null || typeof value !== "object") return value;
  if (isArray(value)) return value.map(asFloats);
  if (value.type === "object")
    return { type: "object", entries: value.entries.map(([key, one]) => [key, asFloats(one)]) };
  if (value.type !== "number") return value;
  const number = Number(value.text);
  if (!Number.isFinite(number)) throw new BuiltinError("a number is beyond those of 64 bits");
  return { type: "number", text: Object.is(number, -0) ? "-0" : String(number) };
}

export function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON text to a value, numbers untouched. @throws BuiltinError for anything else. */
export function readJson(text: string): RegoValue {
  try {
    JSON.parse(text);
  } catch {
    throw new BuiltinError("the text is not JSON");
  }
  return lastOfEachKey(parseRegoValue(text));
}

/** Go keeps the last of equal keys. */
function lastOfEachKey(value: RegoValue): RegoValue {
  if (value === null || typeof value !== "object") return value;
  if (isArray(value)) return value.map(lastOfEachKey);
  if (value.type !== "object") return value;
  return { type: "object", entries: [...new Map(value.entries.map(([key, one]) => [key, lastOfEachKey(one)]))] };
}
