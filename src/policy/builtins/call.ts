/** What all built-in functions share: how one is called, how it fails, and how its operands are read. */
import { isArray, type RegoArray, type RegoObject, type RegoSet, type RegoValue } from "../rego-value.ts";

/**
 * What a module calls when a built-in inside of it has failed, or when it asks for the answer of one
 * (toolchain/cmd/rego/strict.go); no policy may call it.
 */
export const ASKING_BUILTIN = "rego.parse_module";

/** A call with arguments that the function does not accept. */
export class BuiltinError extends Error {
  override readonly name = "BuiltinError";
}

/** A call that asks for more than the host gives: the end of the rule in every dialect, since OPA would have answered. */
export class LimitError extends Error {
  override readonly name = "LimitError";
}

/** What a call may learn about the world, as it was recorded; null where nothing was. */
export interface CallContext {
  /** Nanoseconds since 1970 at which the evaluation takes place. */
  readonly nowNs: bigint | null;
  /** A number below `bound` for a name; the same name gives the same number throughout one evaluation. */
  readonly draw: ((name: string, bound: number) => number) | null;
}

/** undefined = the call has no answer and has not failed. @throws BuiltinError when it failed. */
export type Builtin = (operands: readonly RegoValue[], context: CallContext) => RegoValue | undefined;

export type BuiltinFamily = Readonly<Record<string, Builtin>>;

/** Of a call's argument and of its answer, printed. */
export const MAXIMUM_VALUE_LENGTH = 1024 * 1024;
/** Of an answer's items; an array of 100,000 numbers is what `numbers.range` of a policy may still need. */
export const MAXIMUM_ITEMS = 100_000;

export function textOf(operands: readonly RegoValue[], index: number): string {
  const value = operands[index];
  if (typeof value !== "string") throw wrongType(index, "a string");
  return value;
}

export function arrayOf(operands: readonly RegoValue[], index: number): RegoArray {
  const value = operands[index] ?? null;
  if (!isArray(value)) throw wrongType(index, "an array");
  return value;
}

export function objectOf(operands: readonly RegoValue[], index: number): RegoObject {
  const value = operands[index] ?? null;
  if (!isObjectValue(value)) throw wrongType(index, "an object");
  return value;
}

export function integerOf(operands: readonly RegoValue[], index: number): bigint {
  const number = integerIn(operands[index] ?? null);
  if (number === null) throw wrongType(index, "an integer");
  return number;
}

export function smallIntegerOf(operands: readonly RegoValue[], index: number): number {
  const number = Number(integerOf(operands, index));
  if (!Number.isSafeInteger(number)) throw wrongType(index, "an integer that can be counted to");
  return number;
}

/** Items of an array or a set. */
export function itemsOf(operands: readonly RegoValue[], index: number): readonly RegoValue[] {
  const items = itemsIn(operands[index] ?? null);
  if (items === null) throw wrongType(index, "an array or a set");
  return items;
}

export function itemsIn(value: RegoValue): readonly RegoValue[] | null {
  if (isArray(value)) return value;
  return isSet(value) ? value.items : null;
}

/** A number whose value is whole, however it is written, or null. */
export function integerIn(value: RegoValue): bigint | null {
  const text = numberText(value);
  if (text === null) return null;
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const number = Number(text);
  return Number.isSafeInteger(number) ? BigInt(number) : null;
}

export function numberText(value: RegoValue): string | null {
  return typeof value === "object" && value !== null && !isArray(value) && value.type === "number" ? value.text : null;
}

export function isObjectValue(value: RegoValue | undefined): value is RegoObject {
  return typeof value === "object" && value !== null && !isArray(value) && value.type === "object";
}

export function isSet(value: RegoValue | undefined): value is RegoSet {
  return typeof value === "object" && value !== null && !isArray(value) && value.type === "set";
}

export function number(value: number | bigint | string): RegoValue {
  return { type: "number", text: String(value) };
}

export function setOf(items: readonly RegoValue[]): RegoSet {
  return { type: "set", items };
}

export function object(entries: Readonly<Record<string, RegoValue>>): RegoObject {
  return { type: "object", entries: Object.entries(entries) };
}

/** The value under a text key, or undefined. */
export function member({ entries }: RegoObject, key: string): RegoValue | undefined {
  return entries.find(([name]) => name === key)?.[1];
}

export function wrongType(index: number, wanted: string): BuiltinError {
  return new BuiltinError(`operand ${index + 1} is not ${wanted}`);
}
