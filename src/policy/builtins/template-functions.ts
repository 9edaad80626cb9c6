/** The functions of Go's text/template but `and` and `or`, which evaluate no operand behind the one that decides. */
import { sprintf } from "../go-format.ts";
import { compareRegoValues, isArray, type RegoObject, type RegoValue } from "../rego-value.ts";
import { BuiltinError, isObjectValue, LimitError, member } from "./call.ts";
import { counted, isOwnNumber, isTrue, printed, textIn, type Value } from "./template-values.ts";
import { BUILTINS as URLS } from "./url.ts";

/** One value of each name that Go knows; see text/template's funcs. */
export const FUNCTIONS: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
  not: (values) => !isTrue(only("not", values)),
  len: (values) => counted(lengthOf(only("len", values))),
  index: ([value, ...keys]) => keys.reduce(itemOf, value),
  slice: ([value, ...bounds]) => sliced(value, bounds),
  print: (values) => spaced(values),
  println: (values) => `${values.map(printed).join(" ")}\n`,
  printf: ([format, ...values]) => formatted(format, values),
  html: (values) => escapeHtml(spaced(values)),
  urlquery: (values) => URLS["urlquery.encode"]?.([spaced(values)], { nowNs: null, draw: null }) ?? "",
  eq: ([first, ...others]) => isAnyEqual(first, others),
  ne: (values) => !isAnyEqual(values[0], [only("ne", values.slice(1))]),
  lt: (values) => compared("lt", values) < 0,
  le: (values) => compared("le", values) <= 0,
  gt: (values) => compared("gt", values) > 0,
  ge: (values) => compared("ge", values) >= 0,
};

export function wrongCount(name: string): BuiltinError {
  return new BuiltinError(`template: wrong number of args for ${name}`);
}

function only(name: string, values: readonly Value[]): Value {
  if (values.length !== 1) throw wrongCount(name);
  return values[0];
}

function lengthOf(value: Value): number {
  const text = textIn(value);
  if (text !== null) return Buffer.byteLength(text);
  if (isArray(value as RegoValue)) return (value as readonly RegoValue[]).length;
  if (isObjectValue(value as RegoValue)) return (value as RegoObject).entries.length;
  throw new BuiltinError("template: error calling len");
}

function itemOf(value: Value, key: Value): Value {
  if (value === undefined || value === null) throw new BuiltinError("template: index of untyped nil");
  if (isObjectValue(value as RegoValue)) {
    const name = textIn(key);
    if (name === null) throw new BuiltinError("template: the index is no text");
    return member(value as RegoObject, name) ?? null;
  }
  const at = position(key);
  const text = textIn(value);
  if (text !== null) {
    const byte = Buffer.from(text)[at];
    if (byte === undefined) throw outOfRange(at);
    return counted(byte);
  }
  const found = isArray(value as RegoValue) ? (value as readonly RegoValue[])[at] : undefined;
  if (found === undefined) throw outOfRange(at);
  return found;
}

function position(key: Value): number {
  if (!isOwnNumber(key) || key.type !== "integer") throw new BuiltinError("template: cannot index with it");
  return Number(key.value);
}

function outOfRange(at: number): BuiltinError {
  return new BuiltinError(`template: index out of range: ${at}`);
}

function sliced(value: Value, bounds: readonly Value[]): Value {
  const [from = 0, to] = bounds.map(position);
  const text = textIn(value);
  const length = lengthOf(value);
  const end = to ?? length;
  if (bounds.length > 2) throw new LimitError("a slice of three indices is not offered in templates");
  if (from < 0 || end > length || from > end) throw outOfRange(from > end ? from : end);
  if (text !== null) return Buffer.from(text).subarray(from, end).toString("utf8");
  if (!isArray(value as RegoValue)) throw new BuiltinError("template: can't slice it");
  return (value as readonly RegoValue[]).slice(from, end);
}

/** fmt.Sprint: a space between two operands of which neither is a text. */
function spaced(values: readonly Value[]): string {
  return values
    .map((value, at) => {
      const isBeside = at > 0 && textIn(value) === null && textIn(values[at - 1]) === null;
      return `${isBeside ? " " : ""}${printed(value)}`;
    })
    .join("");
}

/** Only verbs that print a text as it is: Go would show a number of the variables as one of its own types. */
function formatted(format: Value, values: readonly Value[]): string {
  const text = textIn(format);
  if (text === null) throw wrongCount("printf");
  const isPlain = values.every(isOwnNumber) || /^(?:[^%]|%%|%[-0-9]*[vsq])*$/.test(text);
  if (!isPlain || values.some((one) => one === null || one === undefined))
    throw new LimitError("printf of templates offers %v, %s and %q");
  return sprintf(
    text,
    values.map((one) => (isOwnNumber(one) ? { type: "number", text: String(one.value) } : printed(one))),
  );
}

function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    ...{ "\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;" },
  };
  return text.replaceAll(/[\0"'&<>]/g, (character) => escapes[character] ?? character);
}

function isAnyEqual(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new BuiltinError("template: missing argument for comparison");
  return others.some((other) => isEqual(first, other));
}

function isEqual(a: Value, b: Value): boolean {
  const [kind, other] = [kindOf(a), kindOf(b)];
  if (kind === "nil" || other === "nil") return kind === other;
  if (kind !== other) throw new BuiltinError("template: incompatible types for comparison");
  if (kind === "other") throw new BuiltinError("template: non-comparable types");
  return order(a, b) === 0;
}

function compared(name: string, values: readonly Value[]): number {
  if (values.length !== 2) throw wrongCount(name);
  const [a, b] = values;
  const [kind, other] = [kindOf(a), kindOf(b)];
  if (/^(?:bool|nil|other)$/.test(kind)) throw new BuiltinError("template: invalid type for comparison");
  if (kind !== other) throw new BuiltinError("template: incompatible types for comparison");
  return order(a, b);
}

function order(a: Value, b: Value): number {
  if (isOwnNumber(a) && isOwnNumber(b)) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  if (typeof a === "boolean") return a === b ? 0 : 1;
  return compareRegoValues(textIn(a), textIn(b));
}

type Kind = "bool" | "int" | "float" | "string" | "nil" | "other";

function kindOf(value: Value): Kind {
  if (value === undefined || value === null) return "nil";
  if (typeof value === "boolean") return "bool";
  if (isOwnNumber(value)) return value.type === "integer" ? "int" : "float";
  return textIn(value) === null ? "other" : "string";
}
