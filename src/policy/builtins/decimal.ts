/** Decimal numbers exactly, as Go's big.Rat holds what JSON can write. */
import { LimitError } from "./call.ts";

/** `digits * 10^exponent` */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** A number of a document that is written in a few characters must not become one of millions. */
const MAXIMUM_EXPONENT = 2000;
/** Significant digits that Go's big.Float of 64 bits holds for certain. */
const FLOAT_DIGITS = 19;

export function decimal(text: string): Decimal {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent) > MAXIMUM_EXPONENT) throw new LimitError("the exponent of a number is beyond 2000");
  return { digits: BigInt(`${sign}${whole}${fraction}`), exponent };
}

export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

export function isWhole(one: Decimal): boolean {
  return isMultiple(one, { digits: 1n, exponent: 0 });
}

export function isMultiple(one: Decimal, of: Decimal): boolean {
  const [left, right] = aligned(one, of);
  return left % right === 0n;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint] {
  const least = Math.min(a.exponent, b.exponent);
  return [a.digits * 10n ** BigInt(a.exponent - least), b.digits * 10n ** BigInt(b.exponent - least)];
}

/** As Go's fmt prints a big.Float: the shortest digits, with an exponent below 1e-4 and from 1e+06 on. */
export function floatText({ digits, exponent }: Decimal): string {
  if (digits === 0n) return "0";
  const sign = digits < 0n ? "-" : "";
  const written = String(digits < 0n ? -digits : digits);
  const [kept, rest] = rounded(written);
  const text = kept.replace(/0+$/, "");
  const point = kept.length + rest + exponent - 1;
  if (point >= -4 && point < 6) return sign + plain(text, point);
  const fraction = text.length > 1 ? `.${text.slice(1)}` : "";
  return `${sign}${text[0]}${fraction}e${point < 0 ? "-" : "+"}${String(Math.abs(point)).padStart(2, "0")}`;
}

function rounded(text: string): [string, number] {
  if (text.length <= FLOAT_DIGITS) return [text, 0];
  const cut = text.length - FLOAT_DIGITS;
  const half = 10n ** BigInt(cut) / 2n;
  return [String((BigInt(text) + half) / 10n ** BigInt(cut)), cut];
}

function plain(text: string, point: number): string {
  if (point < 0) return `0.${"0".repeat(-point - 1)}${text}`;
  const whole = text.slice(0, point + 1).padEnd(point + 1, "0");
  return text.length > point + 1 ? `${whole}.${text.slice(point + 1)}` : whole;
}
