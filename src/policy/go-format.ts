/**
 * Go's fmt.Sprintf for the values that OPA hands to it (v1/topdown/strings.go builtinSprintf): strings, integers,
 * floats, and everything else already printed. Verbs %v %s %q %d %x %X %f %F %e %g %t %%, flags `-`, `0`, `+`, width,
 * precision for floats and texts. What is outside this set is an error, never a guess.
 */
import { printRegoValue, type RegoValue } from "./rego-value.ts";

class FormatError extends Error {
  override readonly name = "FormatError";
}

type Argument =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "int64" | "*big.Int"; readonly value: bigint }
  | { readonly type: "float64"; readonly value: number };

interface Directive {
  readonly minus: boolean;
  readonly zero: boolean;
  readonly plus: boolean;
  readonly width: number;
  readonly precision: number | null;
  readonly verb: string;
}

const DIRECTIVE = /%([-+0# ]*)(\d{0,4})(\.\d{0,4})?([\s\S]?)/gu;
const INT64_MAX = 2n ** 63n - 1n;

/** @throws FormatError for a directive that is not offered. */
export function sprintf(format: string, values: readonly RegoValue[]): string {
  const left = values.map(toArgument);
  const text = format.replaceAll(DIRECTIVE, (...match) => {
    const [, flags = "", width = "", precision, verb = ""] = match as (string | undefined)[];
    if (verb === "") return "%!(NOVERB)";
    if (verb === "%") return "%";
    if (/[#\x20]/.test(flags) || verb === "*" || verb === "[")
      throw new FormatError(`sprintf: %${flags}${verb} is not offered`);
    const argument = left.shift();
    if (argument === undefined) return `%!${verb}(MISSING)`;
    const minus = flags.includes("-");
    return formatOne(argument, {
      minus,
      zero: flags.includes("0") && !minus,
      plus: flags.includes("+"),
      width: Number(width),
      precision: precision === undefined ? null : Number(precision.slice(1)),
      verb,
    });
  });
  if (left.length === 0) return text;
  return `${text}%!(EXTRA ${left.map((one) => `${one.type}=${plain(one)}`).join(", ")})`;
}

function toArgument(value: RegoValue): Argument {
  if (typeof value === "string") return { type: "string", value };
  if (value !== null && typeof value === "object" && "type" in value && value.type === "number")
    return numberArgument(value.text);
  return { type: "string", value: printRegoValue(value, quote) };
}

function numberArgument(text: string): Argument {
  if (/[.eE]/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? { type: "float64", value } : { type: "string", value: text };
  }
  const value = BigInt(text);
  return { type: value <= INT64_MAX && value >= -INT64_MAX - 1n ? "int64" : "*big.Int", value };
}

function formatOne(argument: Argument, directive: Directive): string {
  switch (argument.type) {
    case "string":
      return formatText(argument.value, directive);
    case "float64":
      return formatFloat(argument.value, directive);
    default:
      return formatInteger(argument, directive);
  }
}

function formatText(value: string, directive: Directive): string {
  const { precision, verb, zero, plus } = directive;
  if (zero || plus) throw new FormatError(`sprintf: flags of %${verb} are not offered for a text`);
  const cut = precision === null ? value : [...value].slice(0, precision).join("");
  switch (verb) {
    case "v":
    case "s":
      return pad(cut, directive);
    case "q":
      return pad(quote(cut), directive);
    case "x":
    case "X": {
      if (precision !== null) throw new FormatError(`sprintf: %.${precision}${verb} is not offered`);
      const hex = Buffer.from(value).toString("hex");
      return pad(verb === "x" ? hex : hex.toUpperCase(), directive);
    }
    default:
      return wrongVerb(directive, `string=${value}`);
  }
}

function formatInteger(argument: { type: string; value: bigint }, directive: Directive): string {
  const { verb, precision } = directive;
  const { type, value } = argument;
  if (precision !== null) throw new FormatError(`sprintf: %.${precision}${verb} is not offered`);
  if (verb === "v" || verb === "d" || (verb === "s" && type === "*big.Int"))
    return padNumber(value.toString(), directive);
  if (verb === "x") return padNumber(value.toString(16), directive);
  if (verb === "X") return padNumber(value.toString(16).toUpperCase(), directive);
  if (/[bcoOqU]/.test(verb) || type === "*big.Int")
    throw new FormatError(`sprintf: %${verb} is not offered for a number`);
  return wrongVerb(directive, `${type}=${value}`);
}

function formatFloat(value: number, directive: Directive): string {
  const { verb, precision } = directive;
  switch (verb) {
    case "v":
    case "g":
      if (precision !== null) throw new FormatError(`sprintf: %.${precision}${verb} is not offered`);
      return padNumber(shortest(value), directive);
    case "f":
    case "F":
      return padNumber(fixed(value, precision ?? 6), directive);
    case "e":
      return padNumber(exponent(value.toExponential(precision ?? 6)), directive);
    case "E":
    case "G":
    case "b":
    case "x":
    case "X":
      throw new FormatError(`sprintf: %${verb} is not offered for a number`);
    default:
      return wrongVerb(directive, `float64=${shortest(value)}`);
  }
}

/** Go applies flags, width and precision to the value inside as well; nobody wants that. */
function wrongVerb({ verb, minus, zero, plus, width, precision }: Directive, value: string): string {
  if (minus || zero || plus || width > 0 || precision !== null)
    throw new FormatError(`sprintf: %${verb} is not offered for this value`);
  return `%!${verb}(${value})`;
}

/** JavaScript's toFixed turns to exponents at 1e21 where Go does not. */
function fixed(value: number, precision: number): string {
  if (Math.abs(value) < 1e21 && precision <= 100)
    return Object.is(value, -0) ? `-${value.toFixed(precision)}` : value.toFixed(precision);
  throw new FormatError("sprintf: %f of a number of more than 21 digits is not offered");
}

/** Go's %v of a float64: shortest digits, with an exponent below 1e-4 and from 1e6 on. */
function shortest(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const [digits = "0", power = "0"] = value.toExponential().split("e");
  return Number(power) < -4 || Number(power) >= 6 ? exponent(`${digits}e${power}`) : String(value);
}

/** Go writes at least two digits of exponent: 1e-05. */
function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function plain(argument: Argument): string {
  return argument.type === "float64" ? shortest(argument.value) : String(argument.value);
}

function padNumber(digits: string, directive: Directive): string {
  const sign = digits.startsWith("-") ? "-" : directive.plus ? "+" : "";
  const body = digits.startsWith("-") ? digits.slice(1) : digits;
  if (directive.zero) return sign + body.padStart(directive.width - sign.length, "0");
  return pad(sign + body, directive);
}

function pad(text: string, { width, minus }: Directive): string {
  const missing = Math.max(0, width - [...text].length);
  return minus ? text + " ".repeat(missing) : " ".repeat(missing) + text;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
/** strconv.IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** strconv.Quote. */
function quote(text: string): string {
  const parts = [...text].map((character) => {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) return short;
    if (PRINTABLE.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x1_0000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${parts.join("")}"`;
}
