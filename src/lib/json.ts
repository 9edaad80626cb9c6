/** Strict JSON (RFC 8259 with the restrictions of RFC 7493, I-JSON): one meaning for every reader, or a refusal. */
import type { JsonValue } from "./canonical.ts";
import { exactNumber } from "./decimal.ts";
import { type ExactJson, WrittenNumber } from "./exact-json.ts";
import { positionAt } from "./text-position.ts";

export interface JsonLimits {
  /** Size of the text as UTF-8. */
  readonly bytes: number;
  /** Nested lists and objects; the reader recurses, so keep it below 1,000. */
  readonly depth: number;
}

export type JsonProblem = "malformed" | "duplicate-key" | "key" | "number" | "too-deep" | "too-large";

/** A refusal is a value: the caller gives it a code of its own. Messages quote nothing of the text: it may be secret. */
export type JsonReading<Value = JsonValue> =
  | { readonly kind: "value"; readonly value: Value }
  | {
      readonly kind: "refused";
      readonly problem: JsonProblem;
      readonly message: string;
      readonly line: number;
      readonly column: number;
    };

/** Keys that reach an object's prototype in one language or another. */
export const HOSTILE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor"]);

/** Of any size: what has no fraction and no exponent means the same wherever all of its digits are kept. */
const INTEGER = /^(?:0|-?[1-9][0-9]{0,399})$/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;

interface Reader {
  readonly text: string;
  readonly depth: number;
  /** null for a number that is refused. */
  readonly number: (written: string) => number | WrittenNumber | null;
  offset: number;
}

class Refusal extends Error {
  readonly problem: JsonProblem;
  readonly offset: number;
  constructor(problem: JsonProblem, offset: number, message: string) {
    super(message);
    this.problem = problem;
    this.offset = offset;
  }
}

/** Never throws. Refused: duplicate and hostile keys, lone surrogates, numbers that a double does not carry, trailing text. */
export function parseStrictJson(text: string, limits: JsonLimits): JsonReading {
  return parse(text, limits, exactNumber) as JsonReading;
}

/** The same, with numbers as they are written; integers of up to 400 digits are taken. */
export function parseExactJson(text: string, limits: JsonLimits): JsonReading<ExactJson> {
  return parse(text, limits, (written) =>
    exactNumber(written) !== null || INTEGER.test(written) ? new WrittenNumber(written) : null,
  );
}

function parse(text: string, limits: JsonLimits, number: Reader["number"]): JsonReading<ExactJson> {
  const reader: Reader = { text, depth: limits.depth, number, offset: 0 };
  try {
    if (Buffer.byteLength(text) > limits.bytes) {
      throw new Refusal("too-large", 0, `The text is larger than ${limits.bytes} bytes.`);
    }
    const value = readValue(reader, 0);
    skipSpace(reader);
    if (reader.offset < text.length) throw malformed(reader, "There is more text after the value.");
    return { kind: "value", value };
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    return {
      kind: "refused",
      problem: thrown.problem,
      message: thrown.message,
      ...positionAt(text, thrown.offset),
    };
  }
}

function readValue(reader: Reader, depth: number): ExactJson {
  skipSpace(reader);
  const first = reader.text[reader.offset];
  if (first === '"') return readString(reader);
  if (first === "{" || first === "[") {
    if (depth >= reader.depth) {
      throw new Refusal("too-deep", reader.offset, `Lists and objects nest deeper than ${reader.depth} levels.`);
    }
    return first === "{" ? readObject(reader, depth) : readArray(reader, depth);
  }
  for (const [word, value] of WORDS) if (take(reader, word)) return value;
  return readNumber(reader);
}

function readObject(reader: Reader, depth: number): ExactJson {
  const object: Record<string, ExactJson> = {};
  take(reader, "{");
  skipSpace(reader);
  if (take(reader, "}")) return object;
  do {
    skipSpace(reader);
    const offset = reader.offset;
    const key = readString(reader);
    if (HOSTILE_KEYS.has(key)) throw new Refusal("key", offset, `The key ${key} is not allowed.`);
    if (Object.hasOwn(object, key)) throw new Refusal("duplicate-key", offset, "This key stands twice in one object.");
    skipSpace(reader);
    if (!take(reader, ":")) throw malformed(reader, "A colon is missing after a key.");
    object[key] = readValue(reader, depth + 1);
    skipSpace(reader);
  } while (take(reader, ","));
  if (!take(reader, "}")) throw malformed(reader, "An object is not closed where it should be.");
  return object;
}

function readArray(reader: Reader, depth: number): ExactJson {
  const list: ExactJson[] = [];
  take(reader, "[");
  skipSpace(reader);
  if (take(reader, "]")) return list;
  do {
    list.push(readValue(reader, depth + 1));
    skipSpace(reader);
  } while (take(reader, ","));
  if (!take(reader, "]")) throw malformed(reader, "A list is not closed where it should be.");
  return list;
}

function readString(reader: Reader): string {
  const start = reader.offset;
  if (!take(reader, '"')) throw malformed(reader, "A text in double quotes is expected here.");
  let escaped = false;
  for (let unit = reader.text.charCodeAt(reader.offset); unit !== QUOTE; unit = reader.text.charCodeAt(reader.offset)) {
    if (Number.isNaN(unit)) throw new Refusal("malformed", start, "A text is not closed.");
    if (unit < FIRST_PRINTABLE) throw malformed(reader, "A control character stands in a text without its escape.");
    if (unit !== BACKSLASH) reader.offset++;
    else if (match(reader, ESCAPE) === null) throw malformed(reader, "This is no escape of JSON.");
    else escaped = true;
  }
  reader.offset++;
  const raw = reader.text.slice(start, reader.offset);
  const value = escaped ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  if (!value.isWellFormed()) throw new Refusal("malformed", start, "A text holds half of a surrogate pair.");
  return value;
}

function readNumber(reader: Reader): number | WrittenNumber {
  const offset = reader.offset;
  const raw = match(reader, NUMBER);
  if (raw === null) throw malformed(reader, "A value is expected here.");
  const value = reader.number(raw);
  if (value === null) {
    throw new Refusal("number", offset, "This number changes when it is read; write fewer digits, or a string.");
  }
  return value;
}

function skipSpace(reader: Reader): void {
  match(reader, SPACE);
}

function take(reader: Reader, word: string): boolean {
  if (!reader.text.startsWith(word, reader.offset)) return false;
  reader.offset += word.length;
  return true;
}

function match(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.offset;
  const found = pattern.exec(reader.text);
  if (found === null) return null;
  reader.offset += found[0].length;
  return found[0];
}

function malformed(reader: Reader, message: string): Refusal {
  return new Refusal("malformed", reader.offset, message);
}
