/**
 * ASN.1 as certificates and signatures use it (X.690, DER), read strictly and on slices of the input: definite, minimal
 * lengths, tags below 31, nothing left over. Nothing recurses into what nobody asked for.
 *
 *   identifier  1 byte: class, constructed bit, number
 *   length      1 byte below 0x80, or 0x81..0x84 and that many bytes, as few as possible
 *   content
 *
 * Only the outer layers of a CMS message may have BER's indefinite length (0x80 ... 00 00), since gpgsm writes them so.
 */
import type { Instant } from "../lib/time.ts";

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[n]` around other elements, and `[n]` in place of a primitive type. */
export function context(number: number): number {
  return 0xa0 | number;
}
export function contextPrimitive(number: number): number {
  return 0x80 | number;
}

const CONSTRUCTED = 0x20;
const HIGH_TAG_NUMBER = 0x1f;
const INDEFINITE = 0x80;
const MAXIMUM_LENGTH_BYTES = 4;
/** Of one element: each child costs a hundred times the two bytes that it can be written in. */
const MAXIMUM_CHILDREN = 128;
/** ContentInfo, its [0], SignedData and EncapsulatedContentInfo. */
const MAXIMUM_INDEFINITE_DEPTH = 4;

/** What these readers throw, for the door of each format to turn into a refusal; the message is a clause. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export interface Element {
  /** The identifier byte as it stands. */
  readonly tag: number;
  /** Header and content. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** `ber` allows indefinite lengths in this element and those directly inside. */
export type Form = "der" | "ber";

/** The clause of what `read` found malformed, or what it read. @throws whatever is not a DerError */
export function orClause<T>(read: () => T): T | string {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof DerError) return thrown.message;
    throw thrown;
  }
}

/** Exactly one element. @throws DerError */
export function readDer(bytes: Uint8Array, form: Form = "der"): Element {
  const element = readAt(bytes, 0, form, 0);
  if (element.whole.byteLength !== bytes.byteLength) throw new DerError("has bytes left over");
  return element;
}

/** At most so many, since whoever asks knows how many there can be. @throws DerError */
export function childrenOf({ content, tag }: Element, form: Form = "der", most = MAXIMUM_CHILDREN): readonly Element[] {
  if ((tag & CONSTRUCTED) === 0) throw new DerError("has a plain value where others belong inside");
  const children: Element[] = [];
  for (let at = 0; at < content.byteLength; ) {
    const child = readAt(content, at, form, 0);
    if (children.length === most) throw new DerError("has too many values in one place");
    children.push(child);
    at += child.whole.byteLength;
  }
  return children;
}

function readAt(bytes: Uint8Array, at: number, form: Form, depth: number): Element {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) throw new DerError("ends too early");
  if ((tag & HIGH_TAG_NUMBER) === HIGH_TAG_NUMBER || tag === 0) throw new DerError("has a tag that is not used here");
  if (first === INDEFINITE) return readIndefinite(bytes, at, tag, form, depth);
  const { length, size } = first < 0x80 ? { length: first, size: 0 } : readLength(bytes, at + 2, first & 0x7f);
  const start = at + 2 + size;
  if (length > bytes.byteLength - start) throw new DerError("ends too early");
  return { tag, whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) };
}

function readLength(bytes: Uint8Array, at: number, size: number): { length: number; size: number } {
  if (size > MAXIMUM_LENGTH_BYTES || at + size > bytes.byteLength) throw new DerError("has a length that is too long");
  const length = bytes.subarray(at, at + size).reduce((sum, byte) => sum * 256 + byte, 0);
  if (length < 0x80 || bytes[at] === 0) throw new DerError("has a length that is not written in its shortest form");
  return { length, size };
}

function readIndefinite(bytes: Uint8Array, at: number, tag: number, form: Form, depth: number): Element {
  if (form === "der") throw new DerError("has an indefinite length where none may be");
  if ((tag & CONSTRUCTED) === 0) throw new DerError("has a plain value of indefinite length");
  if (depth >= MAXIMUM_INDEFINITE_DEPTH) throw new DerError("nests indefinite lengths too deeply");
  let end = at + 2;
  while (bytes[end] !== 0) end += readAt(bytes, end, form, depth + 1).whole.byteLength;
  if (bytes[end + 1] !== 0) throw new DerError("ends an indefinite length wrongly");
  return { tag, whole: bytes.subarray(at, end + 2), content: bytes.subarray(at + 2, end) };
}

/** Reads the fields of a SEQUENCE in order. */
export class Fields {
  readonly #elements: readonly Element[];
  #at = 0;

  /** @throws DerError where the element is no SEQUENCE (or what `tag` says) */
  constructor(element: Element, tag: number = TAG.sequence, form: Form = "der") {
    if (element.tag !== tag) throw new DerError("has a value of another type than its place asks for");
    this.#elements = childrenOf(element, form);
  }

  /** @throws DerError where the next field is another one, or there is none */
  next(...tags: readonly number[]): Element {
    const element = this.#elements[this.#at];
    if (element === undefined) throw new DerError("lacks a field");
    if (tags.length > 0 && !tags.includes(element.tag)) {
      throw new DerError("has a value of another type than its place asks for");
    }
    this.#at += 1;
    return element;
  }

  /** The next field where it has one of these tags; null, and nothing read, otherwise. */
  optional(...tags: readonly number[]): Element | null {
    const element = this.#elements[this.#at];
    return element !== undefined && tags.includes(element.tag) ? this.next() : null;
  }

  /** @throws DerError where fields are left */
  end(): void {
    if (this.#at !== this.#elements.length) throw new DerError("has a field that is not known here");
  }
}

/** The only element inside, as explicit tags and attributes of one value have. @throws DerError */
export function onlyChild(element: Element, form: Form = "der"): Element {
  const [child, ...others] = childrenOf(element, form);
  if (child === undefined || others.length > 0) throw new DerError("has another number of values than one");
  return child;
}

/** Dotted form. @throws DerError */
export function oid(element: Element): string {
  const { content } = expect(element, TAG.oid);
  if (content.byteLength === 0 || content.byteLength > 32) throw new DerError("has a malformed object identifier");
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const [index, byte] of content.entries()) {
    const isFirst = index === 0 || ((content[index - 1] ?? 0) & 0x80) === 0;
    if (isFirst && byte === 0x80) throw new DerError("has a malformed object identifier");
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    arcs.push(arc);
    arc = 0n;
  }
  if (((content.at(-1) ?? 0) & 0x80) !== 0) throw new DerError("has a malformed object identifier");
  const [head = 0n, ...rest] = arcs;
  const top = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [top, head - top * 40n, ...rest].join(".");
}

/** The bytes of an INTEGER in hexadecimal, sign byte included. @throws DerError */
export function integerHex(element: Element, tag: number = TAG.integer): string {
  const { content } = expect(element, tag);
  const [first, second = 0] = content;
  const isPadded = content.byteLength > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (first === undefined || isPadded) throw new DerError("has a malformed number");
  return Buffer.from(content).toString("hex");
}

/** From 0 to 2^31 - 1. @throws DerError */
export function smallInteger(element: Element, tag: number = TAG.integer): number {
  const hex = integerHex(element, tag);
  const value = Number.parseInt(hex, 16);
  if (hex.length > 8 || value > 0x7fffffff || /^[89a-f]/.test(hex)) throw new DerError("has a number out of range");
  return value;
}

/** @throws DerError */
export function boolean(element: Element): boolean {
  const [value, ...more] = expect(element, TAG.boolean).content;
  if (more.length > 0 || (value !== 0 && value !== 0xff)) throw new DerError("has a malformed truth value");
  return value === 0xff;
}

/** Bytes of a BIT STRING without unused bits, as keys and signatures are. @throws DerError */
export function wholeBits(element: Element): Uint8Array {
  const { content } = expect(element, TAG.bitString);
  if (content[0] !== 0) throw new DerError("has a key or signature that is no whole number of bytes");
  return content.subarray(1);
}

/** Whether each bit of a short list of named bits is set. @throws DerError */
export function namedBits(element: Element): readonly boolean[] {
  const [unused = 8, ...bytes] = expect(element, TAG.bitString).content;
  const last = bytes.at(-1) ?? 0;
  const isMinimal = bytes.length === 0 ? unused === 0 : ((last >> unused) & 1) === 1;
  if (unused > 7 || bytes.length > 4 || !isMinimal || (last & ((1 << unused) - 1)) !== 0) {
    throw new DerError("has a malformed list of bits");
  }
  return bytes.flatMap((byte) => Array.from({ length: 8 }, (_, bit) => ((byte >> (7 - bit)) & 1) === 1));
}

/** @throws DerError */
export function octets(element: Element): Uint8Array {
  return expect(element, TAG.octetString).content;
}

/** @throws DerError */
export function expect(element: Element, tag: number): Element {
  if (element.tag !== tag) throw new DerError("has a value of another type than its place asks for");
  return element;
}

const FULL_STOP = 0x2e;
const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{0,8}[1-9])?Z$/;

/** UTCTime (1950 to 2049) or GeneralizedTime, in UTC with whole seconds (RFC 5280 section 4.1.2.5). @throws DerError */
export function time(element: Element): Instant {
  if (element.content.includes(FULL_STOP)) throw new DerError("has a malformed time");
  return exactTime(element);
}

/** Of a timestamp (RFC 3161 section 2.4.2), which may count parts of a second. @throws DerError */
export function exactTime(element: Element): Instant {
  const text = Buffer.from(element.content).toString("latin1");
  const isShort = element.tag === TAG.utcTime;
  const match = (isShort ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (match === null || (!isShort && element.tag !== TAG.generalizedTime)) throw new DerError("has a malformed time");
  const [, written = "", month, day, hour, minute, second, fraction = ""] = match;
  const year = isShort ? `${Number(written) < 50 ? "20" : "19"}${written}` : written;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const at = Date.parse(`${iso}Z`);
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19) !== iso) throw new DerError("has a malformed time");
  return at + Math.floor(Number(`0${fraction}`) * 1000);
}
