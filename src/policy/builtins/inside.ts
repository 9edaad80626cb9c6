/**
 * Built-ins that OPA compiles into the module, and that answer there otherwise than its evaluator does, or never end: the
 * module asks for them in the cases of toolchain/cmd/rego/strictlist.go. No policy imports them.
 */
import { compareRegoValues, type RegoValue } from "../rego-value.ts";
import { BuiltinError, type BuiltinFamily, itemsOf, LimitError, number, numberText, textOf } from "./call.ts";
import { goJsonText, readJson } from "./json-text.ts";
import { containsNetwork, intersectNetworks } from "./net.ts";

export const BUILTINS: BuiltinFamily = {
  "base64.decode": (operands) => decoded(textOf(operands, 0)),
  "base64.is_valid": ([text]) => typeof text === "string" && isBase64(text, STANDARD),
  "base64url.decode": (operands) => decodedUrl(textOf(operands, 0)),
  concat: (operands) => joined(textOf(operands, 0), itemsOf(operands, 1)),
  format_int: ([value = null, base = null]) => formatted(numberText(value) ?? "", numberText(base) ?? ""),
  indexof: () => fail("an empty text is looked for"),
  "json.is_valid": ([text]) => typeof text === "string" && isJson(text),
  "json.marshal": ([value = null]) => goJsonText(value),
  "json.unmarshal": (operands) => checkNumbers(readJson(textOf(operands, 0))),
  "net.cidr_contains": (operands) => containsNetwork(textOf(operands, 0), textOf(operands, 1)),
  "net.cidr_intersects": (operands) => intersectNetworks(textOf(operands, 0), textOf(operands, 1)),
  "net.cidr_overlap": (operands) => containsNetwork(textOf(operands, 0), textOf(operands, 1)),
  "object.union_n": () => fail("operand 1 is not an array"),
  replace: (operands) => betweenBytes(textOf(operands, 0), textOf(operands, 1), textOf(operands, 2)),
  to_number: (operands) => numberOf(textOf(operands, 0)),
};

function fail(why: string): never {
  throw new BuiltinError(why);
}

const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const FOR_URLS = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/;

/** Go looks at no line break, and at no bits beyond the last byte. */
function isBase64(text: string, alphabet: RegExp): boolean {
  return alphabet.test(text.replaceAll(/[\r\n]/g, ""));
}

function decoded(text: string): string {
  if (!isBase64(text, STANDARD)) throw new BuiltinError("the text is not base64");
  return textFrom(Buffer.from(text, "base64"));
}

/** Without its padding too, which OPA adds by the length of the whole text. */
function decodedUrl(text: string): string {
  const missing = text.endsWith("=") ? 0 : (4 - (Buffer.byteLength(text) % 4)) % 4;
  if (missing === 3 || !isBase64(text + "=".repeat(missing), FOR_URLS))
    throw new BuiltinError("the text is not base64url");
  return textFrom(Buffer.from(text, "base64url"));
}

/** OPA would keep bytes that are no text. */
function textFrom(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new LimitError("what is decoded is not UTF-8");
  }
}

function joined(separator: string, items: readonly RegoValue[]): string {
  const texts = [...items].sort(compareRegoValues).map((item) => {
    if (typeof item !== "string") throw new BuiltinError("operand 2 has an item that is not a string");
    return item;
  });
  return texts.join(separator);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function checkNumbers(value: RegoValue): RegoValue {
  if (value === null || typeof value !== "object") return value;
  if ("type" in value) {
    if (value.type === "number") checkExponent(value.text);
    else if (value.type === "object") for (const [, one] of value.entries) checkNumbers(one);
  } else for (const one of value) checkNumbers(one);
  return value;
}

/** Of two; `log2(10)` is how many of them a power of ten is. */
const MAXIMUM_EXPONENT = 100_000;

/** @throws BuiltinError for a number that OPA's evaluator does not count with */
function checkExponent(text: string): void {
  const [, whole = "", fraction = "", power] = /^-?(\d+)\.?(\d*)[eE]([+-]?\d+)$/.exec(text) ?? [];
  if (power === undefined) return;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  if (digits === "") return;
  const exponent = (digits.length - fraction.length + Number(power)) * Math.log2(10);
  const mantissa = Math.log2(Number(`0.${digits.slice(0, 17)}`));
  if (Math.abs(Math.ceil(exponent + mantissa)) > MAXIMUM_EXPONENT) throw new BuiltinError("a number is too big");
}

/** A number that is not whole loses its fraction. */
function formatted(text: string, base: string): string {
  const number = Math.trunc(Number(text));
  if (!/^(?:2|8|10|16)$/.test(base)) throw new BuiltinError("operand 2 is no base of 2, 8, 10 and 16");
  if (!Number.isSafeInteger(number)) throw new LimitError("a number is too large for its fraction");
  return (number + 0).toString(Number(base));
}

/** Go's strings.NewReplacer with nothing to look for: before and after each byte. */
function betweenBytes(text: string, search: string, replacement: string): string {
  if (search !== "") throw new LimitError("only an empty text is looked for here");
  const bytes = [...Buffer.from(text)];
  const put = Buffer.from(replacement);
  return textFrom(Buffer.concat([put, ...bytes.flatMap((byte) => [Buffer.of(byte), put])]));
}

/** In the form in which it stands; what Go reads besides decimal numbers has no place in a module. */
function numberOf(text: string): RegoValue {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?[eE][+-]?\d+$/.test(text)) {
    if (!Number.isFinite(Number(text))) throw new BuiltinError("the number is beyond those of 64 bits");
    return number(text);
  }
  if (/^[+-]?(?:0x[0-9a-f_.]+p[+-]?\d+|[\d_.]+e[+-]?[\d_]+)$/i.test(text))
    throw new LimitError("a number is read in decimal form only");
  throw new BuiltinError("the text is not a number");
}
