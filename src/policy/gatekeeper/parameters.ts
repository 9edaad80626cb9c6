/** `spec.parameters` by the template's OpenAPI v3 schema, as an API server holds a custom resource against its CRD. */
import { canonicalJson, type JsonObject, type JsonValue } from "../../lib/canonical.ts";
import { escapeToken } from "../../lib/json-pointer.ts";
import { isObject } from "../toolchain.ts";

export const UNKNOWN_PARAMETER = "the template names no such parameter";

export interface ParameterProblem {
  /** JSON pointer into the parameters. */
  readonly at: string;
  readonly message: string;
}

/**
 * Types, required and unknown keys, enums and bounds; combinations (anyOf and the like) are not looked at.
 * @param schema null: there are no parameters @param isLegacy unknown keys are let through
 */
export function checkParameters(
  value: JsonValue,
  schema: JsonObject | null,
  isLegacy: boolean,
): readonly ParameterProblem[] {
  const problems: ParameterProblem[] = [];
  check(value, schema ?? { type: "object" }, "", isLegacy, problems);
  return problems;
}

function check(
  value: JsonValue,
  schema: JsonObject,
  at: string,
  isLegacy: boolean,
  problems: ParameterProblem[],
): void {
  const wrong = (message: string) => problems.push({ at, message });
  if (value === null && schema["nullable"] === true) return;
  if (schema["x-kubernetes-int-or-string"] === true) {
    if (typeof value !== "string" && !Number.isInteger(value)) wrong("it is not an integer or a text");
    return;
  }
  const { type } = schema;
  if (typeof type === "string" && !hasType(value, type)) {
    // A v1beta1 template may leave out what an object is; null stands for what is not said.
    wrong(`it is not ${type === "array" || type === "object" || type === "integer" ? "an" : "a"} ${type}`);
    return;
  }
  const allowed = schema["enum"];
  if (Array.isArray(allowed) && !allowed.some((one: JsonValue) => canonicalJson(one) === canonicalJson(value)))
    wrong("it is none of the values that the template allows");
  checkBounds(value, schema, wrong);
  if (Array.isArray(value) && isObject(schema["items"])) {
    const items = schema["items"];
    for (const [index, item] of value.entries()) check(item, items, `${at}/${index}`, isLegacy, problems);
  }
  if (isObject(value)) checkMembers(value, schema, at, isLegacy, problems);
}

function checkMembers(
  value: JsonObject,
  schema: JsonObject,
  at: string,
  isLegacy: boolean,
  problems: ParameterProblem[],
): void {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const others = schema["additionalProperties"];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  for (const name of required) {
    if (typeof name === "string" && !Object.hasOwn(value, name)) problems.push({ at, message: `${name} is missing` });
  }
  const isOpen = isLegacy || others === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  for (const [name, member] of Object.entries(value)) {
    const inner = Object.hasOwn(properties, name) ? properties[name] : others;
    const place = `${at}/${escapeToken(name)}`;
    if (isObject(inner)) check(member, inner, place, isLegacy, problems);
    else if (!isOpen) problems.push({ at: place, message: UNKNOWN_PARAMETER });
  }
}

function checkBounds(value: JsonValue, schema: JsonObject, wrong: (message: string) => void): void {
  const bound = (name: string): number | null => (typeof schema[name] === "number" ? schema[name] : null);
  const size = typeof value === "string" ? [...value].length : Array.isArray(value) ? value.length : null;
  const [least, most] = typeof value === "string" ? ["minLength", "maxLength"] : ["minItems", "maxItems"];
  if (size !== null && size < (bound(least) ?? 0)) wrong(`it is shorter than ${bound(least)}`);
  if (size !== null && size > (bound(most) ?? Number.POSITIVE_INFINITY)) wrong(`it is longer than ${bound(most)}`);
  if (typeof value !== "number") return;
  if (value < (bound("minimum") ?? Number.NEGATIVE_INFINITY)) wrong(`it is less than ${bound("minimum")}`);
  if (value > (bound("maximum") ?? Number.POSITIVE_INFINITY)) wrong(`it is more than ${bound("maximum")}`);
}

function hasType(value: JsonValue, type: string): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
    case "string":
    case "boolean":
      return typeof value === type;
    default:
      return true;
  }
}

/** What the schema says of keys that are left out, as an API server fills them in. */
export function withDefaults(value: JsonObject, schema: JsonObject | null): JsonObject {
  const filled = schema === null ? value : fill(value, schema);
  return isObject(filled) ? filled : value;
}

function fill(value: JsonValue, schema: JsonObject): JsonValue {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items) ? value.map((item: JsonValue) => fill(item, items)) : value;
  }
  if (!isObject(value)) return value;
  const filled: Record<string, JsonValue> = { ...value };
  const { properties } = schema;
  for (const [name, inner] of isObject(properties) ? Object.entries(properties) : []) {
    if (!isObject(inner)) continue;
    if (!Object.hasOwn(filled, name) && inner["default"] !== undefined) filled[name] = inner["default"];
    if (Object.hasOwn(filled, name)) filled[name] = fill(filled[name] ?? null, inner);
  }
  return filled;
}
