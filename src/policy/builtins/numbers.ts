/** `units.*` with exact arithmetic, `semver.*` and `numbers.range_step`. */

import type { RegoValue } from "../rego-value.ts";
import { compareVersions, parseVersion, type Version } from "../semver.ts";
import {
  BuiltinError,
  type BuiltinFamily,
  integerOf,
  LimitError,
  MAXIMUM_ITEMS,
  number,
  textOf,
  wrongType,
} from "./call.ts";

export const BUILTINS: BuiltinFamily = {
  "numbers.range_step": (operands) => range(integerOf(operands, 0), integerOf(operands, 1), integerOf(operands, 2)),
  "semver.compare": (operands) => number(compareVersions(versionOf(operands, 0), versionOf(operands, 1))),
  "semver.is_valid": ([version]) => typeof version === "string" && parseVersion(version) !== null,
  "units.parse": (operands) => parseUnits(textOf(operands, 0)),
  "units.parse_bytes": (operands) => parseBytes(textOf(operands, 0)),
};

function range(from: bigint, to: bigint, step: bigint): RegoValue {
  if (step <= 0n) throw new BuiltinError("the step is not a positive integer");
  const count = (from <= to ? to - from : from - to) / step + 1n;
  if (count > BigInt(MAXIMUM_ITEMS)) throw new LimitError(`more than ${MAXIMUM_ITEMS} numbers`);
  const signed = from <= to ? step : -step;
  return Array.from({ length: Number(count) }, (_, index) => number(from + BigInt(index) * signed));
}

function versionOf(operands: readonly RegoValue[], index: number): Version {
  const version = parseVersion(textOf(operands, index));
  if (version === null) throw wrongType(index, "a semantic version");
  return version;
}

const DECIMAL = ["k", "m", "g", "t", "p", "e"] as const;
/** Digits of a result that is no integer, as big.Rat.FloatString(10) writes them. */
const FRACTION_DIGITS = 10;
const MAXIMUM_EXPONENT_DIGITS = 4;

interface Fraction {
  readonly top: bigint;
  readonly bottom: bigint;
}

/** `m` is a thousandth and `M` a million; after the first letter, case does not count. */
function parseUnits(raw: string): RegoValue {
  const { amount, unit } = amountAndUnit(raw);
  const value = times(amount, milliOr(unit.slice(0, 1) + unit.slice(1).toLowerCase()));
  if (value.top % value.bottom === 0n) return number(value.top / value.bottom);
  return number(decimal(value));
}

/** The double next to 0.001, as OPA multiplies with it; its decimal expansion is not exactly 0.001. */
const MILLI: Fraction = exactDouble(0.001);

function milliOr(unit: string): Fraction {
  if (unit === "m") return MILLI;
  const letter = unit.slice(0, 1).toLowerCase();
  const place = (DECIMAL as readonly string[]).indexOf(letter);
  if (unit === "") return { top: 1n, bottom: 1n };
  if (place < 0 || !["", "i"].includes(unit.slice(1))) throw new BuiltinError(`unit ${unit} is not recognized`);
  return { top: (unit.endsWith("i") ? 1024n : 1000n) ** BigInt(place + 1), bottom: 1n };
}

/** Without regard to case; a fraction of a byte is cut off. */
function parseBytes(raw: string): RegoValue {
  const { amount, unit } = amountAndUnit(raw.toLowerCase());
  const [, letter, binary] = /^(?:([kmgtpe])(i?)b?)?$/.exec(unit) ?? [];
  if (letter === undefined && unit !== "") throw new BuiltinError(`byte unit ${unit} is not recognized`);
  const power = letter === undefined ? 0 : DECIMAL.indexOf(letter as "k") + 1;
  const factor = { top: (binary === "i" ? 1024n : 1000n) ** BigInt(power), bottom: 1n };
  const value = rounded(times(rounded(amount), factor));
  return number(value.top / value.bottom);
}

const AMOUNT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function amountAndUnit(raw: string): { amount: Fraction; unit: string } {
  const text = raw.replaceAll('"', "");
  if (text.includes(" ")) throw new BuiltinError("spaces are not allowed in the text");
  const unitAt = startOfUnit(text);
  if (unitAt === 0) throw new BuiltinError("there is no amount");
  const [, sign, whole = "", part = "", exponent = "0"] = AMOUNT.exec(text.slice(0, unitAt)) ?? [];
  if (sign === undefined || whole + part === "") throw new BuiltinError("the amount is not a number");
  const power = BigInt(exponent) - BigInt(part.length);
  const digits = BigInt(whole + part) * (sign === "-" ? -1n : 1n);
  const amount = power >= 0n ? { top: digits * 10n ** power, bottom: 1n } : { top: digits, bottom: 10n ** -power };
  return { amount, unit: text.slice(unitAt) };
}

/** An `e` is an exponent only before a digit or a sign: `1e3`, but `1E` and `1Ei`. */
function startOfUnit(text: string): number {
  const [amount = ""] = /^(?:[\d.+-]|[eE][+-]|[eE](?=\d))*/.exec(text) ?? [];
  const exponents = amount.matchAll(/[eE][+-]?(\d*)/g);
  for (const [, digits = ""] of exponents)
    if (digits.length > MAXIMUM_EXPONENT_DIGITS) throw new BuiltinError("the exponent is too large");
  return amount.length;
}

function times(a: Fraction, b: Fraction): Fraction {
  return { top: a.top * b.top, bottom: a.bottom * b.bottom };
}

const MANTISSA_BITS = 64;

/** To the nearest binary fraction of 64 digits, halves to even: what Go's big.Float holds unless told otherwise. */
function rounded({ top, bottom }: Fraction): Fraction {
  if (top === 0n) return { top, bottom };
  const absolute = top < 0n ? -top : top;
  let shift = MANTISSA_BITS - (absolute.toString(2).length - bottom.toString(2).length);
  if (scaled(absolute, bottom, shift).mantissa >> BigInt(MANTISSA_BITS) > 0n) shift--;
  const { mantissa, rest, divisor } = scaled(absolute, bottom, shift);
  const isUp = 2n * rest > divisor || (2n * rest === divisor && mantissa % 2n === 1n);
  const whole = (isUp ? mantissa + 1n : mantissa) * (top < 0n ? -1n : 1n);
  return shift >= 0 ? { top: whole, bottom: 1n << BigInt(shift) } : { top: whole << BigInt(-shift), bottom: 1n };
}

function scaled(top: bigint, bottom: bigint, shift: number): { mantissa: bigint; rest: bigint; divisor: bigint } {
  const dividend = shift > 0 ? top << BigInt(shift) : top;
  const divisor = shift < 0 ? bottom << BigInt(-shift) : bottom;
  return { mantissa: dividend / divisor, rest: dividend % divisor, divisor };
}

function exactDouble(value: number): Fraction {
  let [top, bottom] = [value, 1n];
  while (!Number.isInteger(top)) [top, bottom] = [top * 2, bottom * 2n];
  return { top: BigInt(top), bottom };
}

/** Rounded half away from zero. */
function decimal({ top, bottom }: Fraction): string {
  const scale = 10n ** BigInt(FRACTION_DIGITS);
  const absolute = top < 0n ? -top : top;
  const rounded = (2n * absolute * scale + bottom) / (2n * bottom);
  const digits = rounded.toString().padStart(FRACTION_DIGITS + 1, "0");
  return `${top < 0n ? "-" : ""}${digits.slice(0, -FRACTION_DIGITS)}.${digits.slice(-FRACTION_DIGITS)}`;
}
