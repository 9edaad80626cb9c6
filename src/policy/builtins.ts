/**
 * The built-in functions that a policy module calls on its host, with Go's semantics: a small closed set. What is not
 * here is refused when policies are built (`builtin-not-supported`); a call that fails is an error of the rule.
 */
import { parseTime } from "../lib/time.ts";
import { sprintf } from "./go-format.ts";
import { isArray, type RegoValue } from "./rego-value.ts";
import { compareVersions, parseVersion } from "./semver.ts";

/** A call with arguments that the function does not accept. */
export class BuiltinError extends Error {
  override readonly name = "BuiltinError";
}

/** Arguments in, and a value as JSON text out: every function here answers a JSON value. */
type Builtin = (...values: readonly RegoValue[]) => string;

/** Of a call's argument and of its answer, printed. */
export const MAXIMUM_VALUE_LENGTH = 1024 * 1024;

const BUILTINS: Readonly<Record<string, Builtin>> = {
  sprintf: (format, values) => {
    if (!isArray(values ?? null)) throw new BuiltinError("operand 2 is not an array");
    const formatted = sprintf(asText(format, 1), values as readonly RegoValue[]);
    if (formatted.length > MAXIMUM_VALUE_LENGTH) throw new BuiltinError("the text is longer than 1 MiB");
    return JSON.stringify(formatted);
  },
  "strings.any_prefix_match": (search, base) => anyMatch(search, base, (text, affix) => text.startsWith(affix)),
  "strings.any_suffix_match": (search, base) => anyMatch(search, base, (text, affix) => text.endsWith(affix)),
  "strings.count": (search, substring) => String(countOf(asText(search, 1), asText(substring, 2))),
  "semver.is_valid": (version) => String(typeof version === "string" && parseVersion(version) !== null),
  "semver.compare": (a, b) => String(compareVersions(asVersion(a, 1), asVersion(b, 2))),
  "time.parse_rfc3339_ns": (text) => nanoseconds(asText(text, 1)),
};

export function isOffered(name: string): boolean {
  return Object.hasOwn(BUILTINS, name);
}

/** @returns the value as JSON text. @throws when the call fails or the function is not offered. */
export function callBuiltin(name: string, values: readonly RegoValue[]): string {
  const builtin = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
  if (builtin === undefined) throw new BuiltinError("not offered");
  return builtin(...values);
}

function asText(value: RegoValue | undefined, operand: number): string {
  if (typeof value !== "string") throw new BuiltinError(`operand ${operand} is not a string`);
  return value;
}

function asVersion(value: RegoValue | undefined, operand: number) {
  const version = parseVersion(asText(value, operand));
  if (version === null) throw new BuiltinError(`operand ${operand} is not a semantic version`);
  return version;
}

function anyMatch(
  search: RegoValue | undefined,
  base: RegoValue | undefined,
  match: (text: string, affix: string) => boolean,
): string {
  const affixes = asTexts(base, 2);
  return String(asTexts(search, 1).some((text) => affixes.some((affix) => match(text, affix))));
}

/** A string stands for itself; arrays and sets of strings for their items. */
function asTexts(value: RegoValue | undefined, operand: number): readonly string[] {
  if (typeof value === "string") return [value];
  const items =
    value === undefined || value === null || typeof value === "boolean"
      ? null
      : isArray(value)
        ? value
        : value.type === "set"
          ? value.items
          : null;
  if (items === null) throw new BuiltinError(`operand ${operand} is not a string, an array or a set`);
  return items.map((item) => asText(item, operand));
}

/** strings.Count of Go: an empty substring is found before and after every character. */
function countOf(text: string, substring: string): number {
  return substring === "" ? [...text].length + 1 : text.split(substring).length - 1;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;
/** What int64 nanoseconds since 1970 can hold. */
const MAXIMUM_NS = 2n ** 63n - 1n;

function nanoseconds(text: string): string {
  const [, seconds, fraction = "", zone] = RFC3339.exec(text) ?? [];
  const at = seconds === undefined ? null : parseTime(`${seconds}Z`);
  const offset = zone === undefined ? null : offsetMinutes(zone);
  if (at === null || offset === null) throw new BuiltinError("operand 1 is not an RFC 3339 time");
  const value = BigInt(at - offset * 60_000) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  if (value > MAXIMUM_NS || value < -MAXIMUM_NS - 1n) throw new BuiltinError("time outside of valid range");
  return value.toString();
}

function offsetMinutes(zone: string): number | null {
  if (zone === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  if (hours > 24 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
