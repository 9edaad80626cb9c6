/**
 * Splits a raw commit object into its signature and the bytes that were signed, as git does (commit.c,
 * parse_buffer_signed_by_header), but refuses every form that two readers could split differently.
 *
 *   tree <id>                    once, first
 *   parent <id>                  any number, directly after tree
 *   author <name> <mail> <time>  once
 *   committer ...                once
 *   encoding ... , mergetag ...  other headers; a line that begins with SP continues the one above
 *   gpgsig -----BEGIN ...        last, at most one; `gpgsig-sha256` in a SHA-256 repository
 *   <empty line>
 *   message, to the last byte
 *
 * The payload is the object without the signature header and its continuation lines: nothing is decoded, trimmed or
 * written anew. git itself drops every other header that begins with `gpgsig` from the payload, so such a header could
 * be added to a signed commit unnoticed; here it is refused.
 */

import type { ObjectFormat } from "../git/object.ts";
import { parseIdent } from "../git/parse.ts";
import { type Refusal, refusal } from "./format.ts";
import { FORMATS } from "./formats.ts";
import type { SignatureFormat } from "./verification.ts";

export interface SignedPayload {
  readonly kind: "signed";
  readonly format: SignatureFormat;
  /** The armoured block, continuation spaces taken off, lines joined by LF. */
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
}

export type CommitPayload = { readonly kind: "unsigned"; readonly payload: Uint8Array } | Refusal | SignedPayload;

/** Far above any real one: a 16,384-bit RSA signature takes 3 KB. */
const MAXIMUM_SIGNATURE_BYTES = 64 * 1024;
/** Each costs a verification; nobody merges more signed tags at once. */
const MAXIMUM_MERGETAGS = 16;
/** Sixty-odd parents are the most that is known. */
const MAXIMUM_HEADERS = 1_000;
const LF = 0x0a;
const SP = 0x20;

interface Header {
  readonly name: string;
  /** Offsets into the object: the first byte of the line, of the value, and the first byte after the last LF. */
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

export function splitCommit(raw: Uint8Array, objectFormat: ObjectFormat): CommitPayload {
  if (asBuffer(raw).includes(0)) return malformed("holds a NUL byte");
  const headers = readHeaders(raw);
  if (typeof headers === "string") return malformed(headers);
  const wrongOrder = checkOrder(headers, raw, objectFormat);
  if (wrongOrder !== null) return malformed(wrongOrder);
  return splitSignature(raw, headers, objectFormat);
}

function malformed(clause: string): Refusal {
  return refusal("malformed-commit", `The commit object ${clause}.`);
}

/** The tag objects that a merge of signed tags keeps, as their raw bodies; none of a commit whose headers are damaged. */
export function mergetagsOf(raw: Uint8Array): readonly Uint8Array[] {
  const headers = asBuffer(raw).includes("\nmergetag ") ? readHeaders(raw) : [];
  if (typeof headers === "string") return [];
  return headers
    .filter((header) => header.name === "mergetag")
    .slice(0, MAXIMUM_MERGETAGS)
    .map((header) => unfolded(raw.subarray(header.value, header.end)));
}

/** All headers with their continuation lines, or a clause saying what is wrong. */
function readHeaders(raw: Uint8Array): Header[] | string {
  const headers: Header[] = [];
  const bytes = asBuffer(raw);
  let position = 0;
  while (raw[position] !== LF) {
    const end = endOfHeader(raw, position);
    if (end === null) return "ends inside its headers";
    const space = raw.indexOf(SP, position);
    if (space === position) return "begins with a continuation line";
    if (space === -1 || space >= end) return "has a header without a value";
    const name = bytes.toString("latin1", position, space);
    headers.push({ name, start: position, value: space + 1, end });
    if (headers.length > MAXIMUM_HEADERS) return "has too many headers";
    position = end;
  }
  return headers;
}

/** Offset after the header that starts at `position` and after its continuation lines; null where the object ends. */
function endOfHeader(raw: Uint8Array, position: number): number | null {
  for (let at = position; at < raw.byteLength; at += 1) {
    if (raw[at] === LF && raw[at + 1] !== SP) return at + 1 === raw.byteLength ? null : at + 1;
  }
  return null;
}

/** tree parent* author committer, then anything else, none of these four (or encoding) a second time. */
function checkOrder(headers: readonly Header[], raw: Uint8Array, objectFormat: ObjectFormat): string | null {
  const [tree, ...rest] = headers;
  if (tree?.name !== "tree") return "does not begin with its tree";
  const author = rest.findIndex((header) => header.name !== "parent");
  if (author === -1 || rest[author]?.name !== "author") return "has no author after its parents";
  if (rest[author + 1]?.name !== "committer") return "has no committer after its author";
  const others = rest.slice(author + 2);
  const repeated = others.find((header) => ["tree", "parent", "author", "committer"].includes(header.name));
  if (repeated !== undefined) return `has a second or misplaced ${repeated.name} header`;
  if (others.filter((header) => header.name === "encoding").length > 1) return "has two encoding headers";
  const ids = [tree, ...rest.slice(0, author)];
  if (!ids.every((header) => isIdHeader(header, raw, objectFormat))) return "names an object by a malformed id";
  const people = rest.slice(author, author + 2);
  if (!people.every((header) => isOneLine(header, raw))) return "continues its author or committer on a second line";
  return people.every((header) => isIdent(header, raw)) ? null : "has an author or committer that git does not write";
}

function isIdent(header: Header, raw: Uint8Array): boolean {
  return parseIdent(asBuffer(raw).toString("utf8", header.value, header.end - 1)) !== null;
}

function isIdHeader(header: Header, raw: Uint8Array, objectFormat: ObjectFormat): boolean {
  const text = textOf(raw, header.value, header.end - 1);
  return (objectFormat === "sha1" ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(text);
}

function isOneLine(header: Header, raw: Uint8Array): boolean {
  return raw.indexOf(LF, header.start) === header.end - 1;
}

function splitSignature(raw: Uint8Array, headers: readonly Header[], objectFormat: ObjectFormat): CommitPayload {
  const ours = objectFormat === "sha1" ? "gpgsig" : "gpgsig-sha256";
  const found = headers.filter((header) => header.name.startsWith("gpgsig"));
  const [header, second] = found;
  if (header === undefined) return { kind: "unsigned", payload: raw };
  if (second !== undefined) return refusal("ambiguous-signature", "The commit has more than one signature header.");
  if (header.name !== ours) return malformed(`has a ${printable(header.name)} header where ${ours} belongs`);
  if (header !== headers.at(-1)) return malformed("has headers after its signature");
  if (header.end - header.value > MAXIMUM_SIGNATURE_BYTES) {
    return refusal("malformed-signature", "The signature is larger than 64 KiB.");
  }
  const signature = unfolded(raw.subarray(header.value, header.end - 1));
  return classify(signature, Buffer.concat([raw.subarray(0, header.start), raw.subarray(header.end)]));
}

/** Exactly one space is taken off each continuation line: byte by byte, as a text of short lines would cost many times its size. */
function unfolded(value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(value.byteLength);
  let length = 0;
  for (let at = 0; at < value.byteLength; at += 1) {
    if (value[at] === SP && value[at - 1] === LF) continue;
    bytes[length] = value[at] ?? 0;
    length += 1;
  }
  return bytes.subarray(0, length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(raw: Uint8Array, start: number, end: number): string {
  return asBuffer(raw).toString("latin1", start, end);
}

function classify(signature: Buffer, payload: Uint8Array): CommitPayload {
  const text = textOf(signature, 0, signature.byteLength);
  const format = FORMATS.find(({ begin }) => text.startsWith(`${begin}\n`));
  if (format === undefined) {
    return refusal("malformed-signature", "The signature does not begin as an OpenPGP, SSH or X.509 signature does.");
  }
  if (hasSecondBlock(text)) return refusal("ambiguous-signature", "The commit has more than one signature block.");
  return { kind: "signed", format: format.name, signature, payload };
}

/** A whole line, after the first, that begins a block. */
function hasSecondBlock(text: string): boolean {
  if (!text.includes("\n-----BEGIN ")) return false;
  return FORMATS.some(({ begin }) => text.includes(`\n${begin}\n`) || text.endsWith(`\n${begin}`));
}

function printable(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}
