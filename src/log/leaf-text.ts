/**
 * Leaves as their writer lays them out, recognised byte by byte without being parsed: parsing one and writing it again, to
 * see whether it is in canonical form, would be a third of the price of verifying a log. What is recognised here is a leaf
 * by readLeaf() too, with the same fields; of what is not, nothing is said.
 */
import { ENTRY_KINDS, type EntryKind, type Leaf, VERDICTS } from "./entry.ts";

/** What a verification looks at. */
export type LeafFields = Pick<Leaf, "kind" | "time" | "target" | "verdict" | "previous" | "commitments">;

const KINDS: ReadonlySet<unknown> = new Set(ENTRY_KINDS);
const SAID_VERDICTS: ReadonlySet<unknown> = new Set(VERDICTS);
const PURPOSES: ReadonlySet<unknown> = new Set(["gate", "dry-run", "observe"]);
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const TIME_CHARACTERS = 24;
const COMMITMENT_CHARACTERS = 44;
const [QUOTE, COMMA, COLON, PADDING, CLOSE] = [0x22, 0x2c, 0x3a, 0x3d, 0x7d];

/** Classes of bytes; one may be in several. */
const [HEX, BASE64, LAST_BASE64, ULID, ULID_FIRST, NAME, NAME_FIRST, REASON, REASON_FIRST, CODE, PLAIN] = [
  1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024,
] as const;
const CLASSES = Uint16Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  const patterns: readonly (readonly [number, RegExp])[] = [
    [HEX, /[0-9a-f]/],
    [BASE64, /[A-Za-z0-9+/]/],
    [LAST_BASE64, /[AEIMQUYcgkosw048]/], // of 32 bytes: its two unused bits are zero
    [ULID, /[0-9A-HJKMNP-TV-Z]/],
    [ULID_FIRST, /[0-7]/],
    [NAME, /[A-Za-z0-9-]/],
    [NAME_FIRST, /[A-Za-z]/],
    [REASON, /[A-Za-z0-9._/-]/],
    [REASON_FIRST, /[A-Za-z0-9]/],
    [CODE, /[!#-[\]-~]/],
    [PLAIN, /[ !#-[\]-~]/], // no quote and no backslash: JSON writes such a text as it is
  ];
  return patterns.reduce((classes, [one, pattern]) => (pattern.test(character) ? classes | one : classes), 0);
});

const BEGIN = Buffer.from('{"commitments":{');
const DIGESTS = Buffer.from('},"digests":{"code":');
const CONFIGURATION = Buffer.from(',"configuration":');
const POLICIES = Buffer.from(',"policies":');
const TRUST = Buffer.from(',"trust":');
const WAIVERS = Buffer.from(',"waivers":');
const ID = Buffer.from('},"id":"');
const KIND = Buffer.from('","kind":"');
const PREVIOUS = Buffer.from('","previous":');
const PURPOSE = Buffer.from(',"purpose":"');
const REASONS = Buffer.from('","reasons":[');
const SUBJECT = Buffer.from('],"subject":{');
const TARGET = Buffer.from('},"target":');
const TIME_KEY = Buffer.from(',"time":"');
const VERDICT = Buffer.from('","v":1,"verdict":');
const END = Buffer.from("}");
const NULL = Buffer.from("null");

/** null for any leaf that is not plain: its text is then read more closely. */
export function recogniseLeaf(bytes: Uint8Array): LeafFields | null {
  const scan = new LeafScan(bytes);
  const commitments = scan.literal(BEGIN) ? scan.commitments() : null;
  if (commitments === null || !scan.literal(DIGESTS) || scan.nullable(CODE, 1, 128) === undefined) return null;
  for (const key of [CONFIGURATION, POLICIES, TRUST, WAIVERS])
    if (!scan.literal(key) || scan.nullable(HEX, 64, 64) === undefined) return null;
  if (!scan.literal(ID) || !scan.run(ULID_FIRST, 1, 1) || !scan.run(ULID, 25, 25) || !scan.literal(KIND)) return null;
  const kind = scan.text(NAME, 1, 64);
  if (!KINDS.has(kind) || !scan.literal(PREVIOUS)) return null;
  const previous = scan.isNull() ? null : scan.hash();
  if (previous === undefined || !scan.literal(PURPOSE)) return null;
  if (!PURPOSES.has(scan.text(NAME, 1, 64)) || !scan.literal(REASONS) || !scan.reasons()) return null;
  if (!scan.literal(SUBJECT) || !scan.subject() || !scan.literal(TARGET)) return null;
  const target = scan.nullable(PLAIN, 1, 200);
  if (target === undefined || !scan.literal(TIME_KEY)) return null;
  const time = scan.text(PLAIN, TIME_CHARACTERS, TIME_CHARACTERS);
  if (time === undefined || !TIME.test(time) || !scan.literal(VERDICT)) return null;
  const verdict = scan.nullable(NAME, 1, 64);
  if ((verdict !== null && !SAID_VERDICTS.has(verdict)) || !scan.literal(END) || !scan.isAtEnd()) return null;
  return { kind: kind as EntryKind, time, target, verdict: verdict as Leaf["verdict"], previous, commitments };
}

/** Goes on where what it is asked for stands, and stays where it does not. */
class LeafScan {
  readonly #bytes: Uint8Array;
  readonly #text: string;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  literal(expected: Uint8Array): boolean {
    const start = this.#at;
    for (let at = 0; at < expected.length; at++) if (this.#bytes[start + at] !== expected[at]) return false;
    this.#at = start + expected.length;
    return true;
  }

  isNull(): boolean {
    return this.literal(NULL);
  }

  /** As many bytes of a class as there are, up to `most`. */
  run(kind: number, least: number, most: number): boolean {
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, this.#at + most);
    let end = this.#at;
    while (end < limit && ((CLASSES[bytes[end] as number] as number) & kind) !== 0) end++;
    if (end - this.#at < least) return false;
    this.#at = end;
    return true;
  }

  /** The same as a text. */
  text(kind: number, least: number, most: number): string | undefined {
    const start = this.#at;
    return this.run(kind, least, most) ? this.#text.slice(start, this.#at) : undefined;
  }

  #byte(expected: number): boolean {
    if (this.#bytes[this.#at] !== expected) return false;
    this.#at++;
    return true;
  }

  /** null, or a text in quotes; undefined for anything else. */
  nullable(kind: number, least: number, most: number): string | null | undefined {
    if (!this.#byte(QUOTE)) return this.isNull() ? null : undefined;
    const text = this.text(kind, least, most);
    return this.#byte(QUOTE) ? text : undefined;
  }

  /** A SHA-256 in base64, in quotes. */
  hash(): string | undefined {
    const start = this.#at + 1;
    const isHash = this.#byte(QUOTE) && this.run(BASE64, 42, 42) && this.run(LAST_BASE64, 1, 1) && this.#byte(PADDING);
    return isHash && this.#byte(QUOTE) ? this.#text.slice(start, start + COMMITMENT_CHARACTERS) : undefined;
  }

  /** `"name":`, behind `before` in their order; undefined where there is none. */
  #name(before: string): string | undefined {
    const start = this.#at + 1;
    if (!this.#byte(QUOTE) || !this.run(NAME_FIRST, 1, 1) || !this.run(NAME, 0, 63)) return undefined;
    const name = this.#text.slice(start, this.#at);
    return name > before && this.#byte(QUOTE) && this.#byte(COLON) ? name : undefined;
  }

  /** Up to the closing brace. */
  commitments(): Readonly<Record<string, string>> | null {
    const found: Record<string, string> = {};
    if (this.#bytes[this.#at] === CLOSE) return found;
    let before = "";
    do {
      const name = this.#name(before);
      const hash = name === undefined ? undefined : this.hash();
      if (name === undefined || hash === undefined) return null;
      found[name] = hash;
      before = name;
    } while (this.#byte(COMMA));
    return found;
  }

  subject(): boolean {
    if (this.#bytes[this.#at] === CLOSE) return true;
    let before = "";
    do {
      const name = this.#name(before);
      const id = name === undefined ? undefined : this.nullable(HEX, 40, 64);
      if (name === undefined || id === undefined || (id !== null && id.length !== 40 && id.length !== 64)) return false;
      before = name;
    } while (this.#byte(COMMA));
    return true;
  }

  /** None or one: several would have to be in order. */
  reasons(): boolean {
    if (!this.#byte(QUOTE)) return true;
    return this.run(REASON_FIRST, 1, 1) && this.run(REASON, 0, 127) && this.#byte(QUOTE);
  }
}
