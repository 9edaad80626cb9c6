/** `regex.globs_match`: whether some text fits two patterns of `.`, sets, `*` and `+`, in the steps of glob-intersection. */
import { BuiltinError } from "./call.ts";

/** First and last code point. */
type Span = readonly [number, number];

interface Token {
  readonly kind: "character" | "dot" | "set";
  readonly spans: readonly Span[];
  flag: "" | "+" | "*";
}

type Glob = readonly Token[];

const LAST_CODE_POINT = 0x10ffff;

/** @throws BuiltinError */
export function globsMatch(left: string, right: string): boolean {
  const trimmed = trim(simplified(tokensOf(left)), simplified(tokensOf(right)));
  return trimmed !== null && new Intersection().normal(trimmed[0], 0, trimmed[1], 0);
}

class Reader {
  readonly #characters: readonly string[];
  at = 0;

  constructor(text: string) {
    this.#characters = [...text];
  }

  get left(): number {
    return this.#characters.length - this.at;
  }

  next(): { readonly character: string; readonly escaped: boolean } | null {
    const character = this.#characters[this.at];
    if (character === undefined) return null;
    const escaped = character === "\\";
    if (escaped && this.left === 1) throw this.wrong("input ends with a \\ (escape) character");
    this.at += escaped ? 2 : 1;
    return { character: this.#characters[this.at - 1] as string, escaped };
  }

  wrong(message: string): BuiltinError {
    return new BuiltinError(
      `input:${this.#characters.join("")}, pos:${this.at}, ${message}: the input provided is invalid`,
    );
  }
}

function tokensOf(text: string): Token[] {
  const read = new Reader(text);
  const tokens: Token[] = [];
  for (let next = read.next(); next !== null; next = read.next()) {
    const { character, escaped } = next;
    if (!escaped && character === "]") throw read.wrong("set-close ']' with no preceding '['");
    if (!escaped && (character === "+" || character === "*"))
      throw read.wrong(`flag '${character}' must be preceded by a non-flag`);
    const token: Token =
      !escaped && character === "."
        ? { kind: "dot", spans: [[0, LAST_CODE_POINT]], flag: "" }
        : !escaped && character === "["
          ? { kind: "set", spans: setOf(read), flag: "" }
          : { kind: "character", spans: [only(character)], flag: "" };
    token.flag = flagOf(read);
    tokens.push(token);
  }
  return tokens;
}

function only(character: string): Span {
  const point = character.codePointAt(0) ?? 0;
  return [point, point];
}

function flagOf(read: Reader): Token["flag"] {
  const before = read.at;
  const next = read.next();
  if (next !== null && !next.escaped && (next.character === "+" || next.character === "*")) return next.character;
  read.at = before;
  return "";
}

function setOf(read: Reader): readonly Span[] {
  const spans: Span[] = [];
  let previous: number | null = null;
  for (let next = read.next(); next !== null; next = read.next()) {
    const [point] = only(next.character);
    if (next.escaped || (next.character !== "-" && next.character !== "]")) {
      spans.push([point, point]);
      previous = point;
    } else if (next.character === "]") {
      return joined(spans);
    } else {
      if (previous === null) throw read.wrong("range character '-' must be preceded by a Unicode character");
      spans.push([previous, rangeEnd(read, previous)]);
      previous = null;
    }
  }
  throw read.wrong("found [ without matching ]");
}

function rangeEnd(read: Reader, from: number): number {
  if (read.left <= 1) throw read.wrong("range character '-' must be followed by a Unicode character");
  const end = read.next();
  if (end === null || (!end.escaped && (end.character === "]" || end.character === "-")))
    throw read.wrong("range character '-' cannot be followed by a special symbol");
  const [to] = only(end.character);
  if (to < from) throw read.wrong("range is out of order");
  return to;
}

/** Sorted, none touching another: equal sets have equal spans. */
function joined(spans: readonly Span[]): readonly Span[] {
  const all: [number, number][] = [];
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

function areEqual(a: Token, b: Token): boolean {
  return a.kind === b.kind && String(a.spans) === String(b.spans);
}

function fit(a: Token, b: Token): boolean {
  return a.spans.some(([from, to]) => b.spans.some(([first, last]) => from <= last && first <= to));
}

/** `t+t*` is `t+`. */
function simplified(tokens: readonly Token[]): Glob {
  const simple: Token[] = [];
  for (const token of tokens) {
    const last = simple.at(-1);
    if (last !== undefined && last.flag !== "" && token.flag !== "" && areEqual(last, token))
      last.flag = last.flag === "+" || token.flag === "+" ? "+" : "*";
    else simple.push(token);
  }
  return simple;
}

/** Leaves out what is equal at both ends up to the first flag, but for one token. null: the ends differ. */
function trim(a: Glob, b: Glob): readonly [Glob, Glob] | null {
  const isPlain = (token: Token | undefined) => token !== undefined && token.flag === "";
  let from = 0;
  for (; isPlain(a[from]) && isPlain(b[from]); from++) if (!fit(a[from] as Token, b[from] as Token)) return null;
  if (from > 0) from--;
  let [lastA, lastB] = [a.length - 1, b.length - 1];
  for (; lastA >= from && lastB >= from && isPlain(a[lastA]) && isPlain(b[lastB]); lastA--, lastB--)
    if (!fit(a[lastA] as Token, b[lastB] as Token)) return null;
  const kept = lastA < a.length - 1 ? 2 : 1;
  return [a.slice(from, lastA + kept), b.slice(from, lastB + kept)];
}

/** Remembers what it has asked, so that stars behind stars cost their product and not two to their number. */
class Intersection {
  readonly #known = new Map<Glob, Map<string, boolean>>();

  normal(a: Glob, i: number, b: Glob, j: number): boolean {
    for (; i < a.length && j < b.length; i++, j++) {
      const [one, other] = [a[i] as Token, b[j] as Token];
      if (one.flag !== "") return this.#remembered(a, i, b, j);
      if (other.flag !== "") return this.#remembered(b, j, a, i);
      if (!fit(one, other)) return false;
    }
    return i === a.length && j === b.length;
  }

  #remembered(flagged: Glob, i: number, other: Glob, j: number): boolean {
    const known = this.#known.get(flagged) ?? new Map<string, boolean>();
    this.#known.set(flagged, known);
    const name = `${i} ${j}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const answer =
      (flagged[i] as Token).flag === "+" ? this.#plus(flagged, i, other, j) : this.#star(flagged, i, other, j);
    known.set(name, answer);
    return answer;
  }

  #plus(plussed: Glob, i: number, other: Glob, j: number): boolean {
    const first = other[j] as Token;
    if (!fit(plussed[i] as Token, first)) return false;
    return this.#star(plussed, i, other, j + 1) || (first.flag !== "" && this.normal(plussed, i + 1, other, j));
  }

  #star(starred: Glob, i: number, other: Glob, j: number): boolean {
    const [star, next] = [starred[i] as Token, starred[i + 1]];
    for (let at = j; at < other.length; at++) {
      const token = other[at] as Token;
      if (next !== undefined && fit(token, next) && this.normal(starred, i + 1, other, at)) return true;
      if (!fit(token, star)) return false;
    }
    return next === undefined;
  }
}
