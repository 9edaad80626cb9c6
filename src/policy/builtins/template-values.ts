/** The values of Go's text/template, as those of Rego and the numbers that a template itself writes. */
import { sprintf } from "../go-format.ts";
import { compareRegoValues, isArray, type RegoObject, type RegoValue } from "../rego-value.ts";

/** A number of the template itself; those of the variables are texts to Go (json.Number). */
export interface GoInteger {
  readonly type: "integer";
  readonly value: bigint;
}
interface GoFloat {
  readonly type: "float";
  readonly value: number;
}
/** undefined: a key that is not there. */
export type Value = RegoValue | GoInteger | GoFloat | undefined;

export function isOwnNumber(value: Value): value is GoInteger | GoFloat {
  return typeof value === "object" && value !== null && "type" in value && /^(?:integer|float)$/.test(value.type);
}

/** A number of the variables is a text to Go. */
export function textIn(value: Value): string | null {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "type" in value && value.type === "number" ? value.text : null;
}

export function isTrue(value: Value): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  if (isOwnNumber(value)) return Number(value.value) !== 0;
  const text = textIn(value);
  if (text !== null) return text !== "";
  return isArray(value as RegoValue)
    ? (value as readonly RegoValue[]).length > 0
    : (value as RegoObject).entries.length > 0;
}

export function sortedEntries({ entries }: RegoObject): RegoObject["entries"] {
  return [...entries].sort(([a], [b]) => compareRegoValues(a, b));
}

export function counted(at: number): GoInteger {
  return { type: "integer", value: BigInt(at) };
}

/** As fmt prints it. */
export function printed(value: Value): string {
  if (value === undefined || value === null) return "<nil>";
  if (typeof value === "boolean") return String(value);
  if (isOwnNumber(value))
    return value.type === "integer"
      ? String(value.value)
      : sprintf("%v", [{ type: "number", text: String(value.value) }]);
  const text = textIn(value);
  if (text !== null) return text;
  if (isArray(value as RegoValue)) return `[${(value as readonly RegoValue[]).map(printed).join(" ")}]`;
  return `map[${sortedEntries(value as RegoObject)
    .map(([key, one]) => `${key}:${printed(one)}`)
    .join(" ")}]`;
}
