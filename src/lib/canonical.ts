/** Canonical JSON, RFC 8785 (JCS): keys sorted by UTF-16 code units, ECMAScript number form, no white space. */
import { utf8 } from "./bytes.ts";
import { SluiceError } from "./errors.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** @throws SluiceError `internal` for undefined, non-finite numbers and lone surrogates: they have no canonical form. */
export function canonicalJson(value: JsonValue): string {
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "number":
      return canonicalNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : canonicalContainer(value);
    default:
      throw new SluiceError("internal", `a ${typeof value} has no canonical JSON form`);
  }
}

export function canonicalBytes(value: JsonValue): Uint8Array {
  return utf8(canonicalJson(value));
}

/** Appends to one text: every decision writes megabytes of this, and joining lists of pieces takes twice as long. */
function canonicalContainer(value: readonly JsonValue[] | JsonObject): string {
  let text = "";
  let separator = "";
  if (Array.isArray(value)) {
    for (const item of value) {
      text += separator + canonicalJson(item);
      separator = ",";
    }
    return `[${text}]`;
  }
  const object = value as JsonObject;
  for (const key of sortedKeys(object)) {
    text += `${separator}${canonicalString(key)}:${canonicalJson(object[key] as JsonValue)}`;
    separator = ",";
  }
  return `{${text}}`;
}

/** Most objects are written with their keys in order: looking is a third of the price of sorting. */
function sortedKeys(object: JsonObject): readonly string[] {
  const keys = Object.keys(object);
  for (let at = 1; at < keys.length; at++) if ((keys[at - 1] as string) > (keys[at] as string)) return keys.sort();
  return keys;
}

/** ASCII that JSON does not escape stands for itself. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed())
    throw new SluiceError("internal", "a text with a lone surrogate has no canonical JSON form");
  return JSON.stringify(text);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value))
    throw new SluiceError("internal", "a number that is not finite has no canonical JSON form");
  return JSON.stringify(value);
}
