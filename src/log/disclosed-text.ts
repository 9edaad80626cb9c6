/**
 * The values beside an entry as their writer lays them out, `{"name":{"salt":"...","value":...},"other":null}`, taken apart
 * without being parsed: parsing them, and writing each value in its canonical form again, would be half of the price of
 * verifying a log. A text whose hash is the commitment is the text that was committed to, wherever it was cut out.
 */
import { hash } from "node:crypto";
import type { Leaf } from "./entry.ts";

const SALT = Buffer.from('":{"salt":"');
const SALT_CHARACTERS = 24;
const SALT_BYTES = 16;
const VALUE = Buffer.from('","value":');
const WITHHELD = Buffer.from('":null');
const [OPEN, CLOSE, COMMA, QUOTE] = [0x7b, 0x7d, 0x2c, 0x22];
/** Inside of a value there may be what looks like its end. */
const MAXIMUM_TRIES = 8;
/** Larger texts than this are copied to memory of their own. */
const SCRATCH_BYTES = 65_536;

interface QuickCount {
  readonly matching: number;
  readonly withheld: readonly string[];
}

/** Counts of one caller after the other: it keeps the memory in which salts are put before values. */
export function quickCounter(): (json: Uint8Array, commitments: Leaf["commitments"]) => QuickCount | null {
  const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  return (json, commitments) => countQuickly(json, commitments, scratch);
}

/**
 * How many values match and which are withheld, where the text (UTF-8) holds exactly the values that are committed to, in
 * their order; null for any other text, which says nothing about it but that it has to be looked at closely.
 */
export function countQuickly(
  json: Uint8Array,
  commitments: Leaf["commitments"],
  scratch: Buffer = Buffer.allocUnsafe(0),
): QuickCount | null {
  const names = Object.keys(commitments);
  const last = json.length - 1;
  if (json[0] !== OPEN || json[last] !== CLOSE) return null;
  const room = json.length <= scratch.length ? scratch : Buffer.allocUnsafe(json.length);
  room.set(json);
  const withheld: string[] = [];
  let at = 0;
  for (let place = 0; place < names.length; place++) {
    const name = names[place] as string;
    const start = at + 2 + name.length;
    if (json[at + 1] !== QUOTE || !isAscii(json, at + 2, name)) return null;
    const next = names[place + 1];
    if (isAt(json, start, WITHHELD)) {
      withheld.push(name);
      at = start + WITHHELD.length;
    } else {
      const behind = behindValue(json, start, commitments[name] as string, next, room);
      if (behind === null) return null;
      at = behind;
    }
    if (next !== undefined && json[at] !== COMMA) return null;
  }
  return at === last ? { matching: names.length - withheld.length, withheld } : null;
}

/**
 * Where the value's closing brace has been passed; null where none of the places that could be it gives the commitment.
 * `room` holds the text too, and gets the salt's bytes directly before the value: what is hashed then lies together.
 */
function behindValue(
  json: Uint8Array,
  start: number,
  commitment: string,
  next: string | undefined,
  room: Buffer,
): number | null {
  const salt = start + SALT.length;
  const value = salt + SALT_CHARACTERS + VALUE.length;
  if (!isAt(json, start, SALT) || !isAt(json, salt + SALT_CHARACTERS, VALUE)) return null;
  if (!readSalt(json, salt, room, value - SALT_BYTES)) return null;
  let end = next === undefined ? lastEnd(json, value) : nextEnd(json, value, next);
  for (let tries = 0; end >= 0 && tries < MAXIMUM_TRIES; tries++) {
    if (hash("sha256", room.subarray(value - SALT_BYTES, end), "base64") === commitment) return end + 1;
    end = next === undefined ? -1 : nextEnd(json, end + 1, next);
  }
  return null;
}

/** Of the value that stands last: `}}` ends the text. */
function lastEnd(json: Uint8Array, value: number): number {
  const end = json.length - 2;
  return end >= value && json[end] === CLOSE ? end : -1;
}

/** Where `},"next":` stands. */
function nextEnd(json: Uint8Array, from: number, next: string): number {
  for (let at = json.indexOf(CLOSE, from); at >= 0; at = json.indexOf(CLOSE, at + 1))
    if (
      json[at + 1] === COMMA &&
      json[at + 2] === QUOTE &&
      isAscii(json, at + 3, next) &&
      json[at + 3 + next.length] === QUOTE
    )
      return at;
  return -1;
}

function isAt(json: Uint8Array, start: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (json[start + at] !== bytes[at]) return false;
  return true;
}

/** Names of leaves are ASCII. */
function isAscii(json: Uint8Array, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) if (json[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NO_DIGIT = 64;
const DIGIT_VALUES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const value = DIGITS.indexOf(String.fromCharCode(byte));
  return value < 0 ? NO_DIGIT : value;
});

/** 16 bytes from strict base64: 22 digits, the last with its four unused bits zero, and the padding. */
function readSalt(json: Uint8Array, start: number, into: Uint8Array, place: number): boolean {
  const padding = 0x3d;
  if (json[start + 22] !== padding || json[start + 23] !== padding) return false;
  let [bits, held, out] = [0, 0, place];
  for (let at = 0; at < 22; at++) {
    const digit = DIGIT_VALUES[json[start + at] ?? 0] ?? NO_DIGIT;
    if (digit === NO_DIGIT) return false;
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    into[out++] = held >> bits;
  }
  return (held & 15) === 0;
}
