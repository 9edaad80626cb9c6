/**
 * Rego values exactly as the module prints them (`opa_value_dump`): sets stay sets, numbers stay text, and keys of
 * objects may be anything. JSON would lose all three.
 */
export type RegoValue = null | boolean | string | RegoNumber | RegoArray | RegoSet | RegoObject;
export type RegoArray = readonly RegoValue[];

export interface RegoNumber {
  readonly type: "number";
  /** As written: `1.10`, `1e3` and integers of any size keep their form. */
  readonly text: string;
}

export interface RegoSet {
  readonly type: "set";
  readonly items: readonly RegoValue[];
}

export interface RegoObject {
  readonly type: "object";
  readonly entries: readonly (readonly [RegoValue, RegoValue])[];
}

/** @throws SyntaxError for text that is not one value: a bug of the module, never of a policy. */
export function parseRegoValue(text: string): RegoValue {
  const reader = new ValueReader(text);
  const value = reader.value();
  reader.end();
  return value;
}

const NUMBER = /-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const WORDS = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["set()", { type: "set", items: [] }],
] as const;

class ValueReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): RegoValue {
    this.#space();
    const next = this.#text[this.#at];
    if (next === '"') return JSON.parse(this.#take(STRING)) as string;
    if (next === "[") return this.#list();
    if (next === "{") return this.#braces();
    for (const [word, value] of WORDS) if (this.#accept(word)) return value;
    return { type: "number", text: this.#take(NUMBER) };
  }

  end(): void {
    this.#space();
    if (this.#at !== this.#text.length) throw this.#wrong();
  }

  /** `{}` is the empty object; the first element tells sets and objects apart. */
  #braces(): RegoSet | RegoObject {
    this.#expect("{");
    this.#space();
    if (this.#accept("}")) return { type: "object", entries: [] };
    const first = this.value();
    this.#space();
    if (!this.#accept(":")) return { type: "set", items: [first, ...this.#rest("}")] };
    const entries: [RegoValue, RegoValue][] = [[first, this.value()]];
    this.#space();
    while (this.#accept(",")) {
      const key = this.value();
      this.#space();
      this.#expect(":");
      entries.push([key, this.value()]);
      this.#space();
    }
    this.#expect("}");
    return { type: "object", entries };
  }

  #list(): readonly RegoValue[] {
    this.#expect("[");
    this.#space();
    if (this.#accept("]")) return [];
    const first = this.value();
    this.#space();
    return [first, ...this.#rest("]")];
  }

  #rest(close: string): readonly RegoValue[] {
    const items: RegoValue[] = [];
    while (this.#accept(",")) {
      items.push(this.value());
      this.#space();
    }
    this.#expect(close);
    return items;
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #accept(word: string): boolean {
    const found = this.#text.startsWith(word, this.#at);
    if (found) this.#at += word.length;
    return found;
  }

  #expect(word: string): void {
    if (!this.#accept(word)) throw this.#wrong();
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw this.#wrong();
    this.#at += found.length;
    return found;
  }

  #wrong(): SyntaxError {
    return new SyntaxError(`not a Rego value at ${this.#at}`);
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** As a module reads it (`opa_value_parse`); half of a surrogate pair, which no module takes, becomes U+FFFD. */
export function regoText(value: RegoValue): string {
  return printRegoValue(value, (text) => JSON.stringify(text.toWellFormed()));
}

/** As Go's OPA prints a value (`ast.Value.String()`): sets and keys in Rego's order, strings quoted as Go quotes them. */
export function printRegoValue(value: RegoValue, quote: (text: string) => string): string {
  const print = (one: RegoValue) => printRegoValue(one, quote);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (isArray(value)) return `[${value.map(print).join(", ")}]`;
  switch (value.type) {
    case "number":
      return value.text;
    case "set":
      return value.items.length === 0 ? "set()" : `{${[...value.items].sort(compareRegoValues).map(print).join(", ")}}`;
    case "object": {
      const entries = [...value.entries].sort(([a], [b]) => compareRegoValues(a, b));
      return `{${entries.map(([key, one]) => `${print(key)}: ${print(one)}`).join(", ")}}`;
    }
  }
}

/** Rego's total order: null, booleans, numbers, strings (by code point), arrays, objects, sets. */
export function compareRegoValues(a: RegoValue, b: RegoValue): number {
  const ranks = rank(a) - rank(b);
  if (ranks !== 0) return ranks;
  if (typeof a === "boolean") return Number(a) - Number(b);
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (a === null) return 0;
  if (isArray(a)) return compareLists(a, b as RegoArray);
  switch (a.type) {
    case "number":
      return compareNumbers(a.text, (b as RegoNumber).text);
    case "set":
      return compareLists(sorted(a.items), sorted((b as RegoSet).items));
    case "object":
      return compareObjects(a, b as RegoObject);
  }
}

export function isArray(value: RegoValue): value is RegoArray {
  return Array.isArray(value);
}

function rank(value: RegoValue): number {
  if (value === null) return 0;
  if (typeof value === "boolean") return 1;
  if (typeof value === "string") return 3;
  if (isArray(value)) return 4;
  return { number: 2, object: 5, set: 6 }[value.type];
}

function sorted(items: readonly RegoValue[]): readonly RegoValue[] {
  return [...items].sort(compareRegoValues);
}

function compareLists(a: readonly RegoValue[], b: readonly RegoValue[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareRegoValues(a[index] as RegoValue, b[index] as RegoValue);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Key against key and value against value, pair by pair in key order. */
function compareObjects(a: RegoObject, b: RegoObject): number {
  const [left, right] = [a, b].map(({ entries }) => [...entries].sort(([x], [y]) => compareRegoValues(x, y)).flat());
  return compareLists(left ?? [], right ?? []);
}

function compareNumbers(a: string, b: string): number {
  if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) {
    const difference = BigInt(a) - BigInt(b);
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }
  return Number(a) - Number(b);
}
