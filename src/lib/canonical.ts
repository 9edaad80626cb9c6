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

function canonicalContainer(value: readonly JsonValue[] | JsonObject): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const object = value as JsonObject;
  const members = Object.keys(object)
    .sort()
    .map((key) => `${canonicalString(key)}:${canonicalJson(object[key] as JsonValue)}`);
  return `{${members.join(",")}}`;
}

function canonicalString(text: string): string {
  if (!text.isWellFormed())
    throw new SluiceError("internal", "a text with a lone surrogate has no canonical JSON form");
  return JSON.stringify(text);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value))
    throw new SluiceError("internal", "a number that is not finite has no canonical JSON form");
  return JSON.stringify(value);
}
