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

import { isObjectId, type ObjectFormat } from "../git/object.ts";
import { idLength, parseIdent } from "../git/parse.ts";
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
  const text = textOf(raw);
  if (text.includes("\0")) return malformed("holds a NUL byte");
  const headers = readHeaders(text);
  if (typeof headers === "string") return malformed(headers);
  const wrongOrder = checkOrder(headers, text, objectFormat);
  if (wrongOrder !== null) return malformed(wrongOrder);
  return splitSignature(raw, text, headers, objectFormat);
}

/** A character a byte, once for the whole object: to search in it takes a fifth of the time of searching in bytes. */
function textOf(raw: Uint8Array): string {
  return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("latin1");
}

function malformed(clause: string): Refusal {
  return refusal("malformed-commit", `The commit object ${clause}.`);
}

/** The tag objects that a merge of signed tags keeps, as their raw bodies; none of a commit whose headers are damaged. */
export function mergetagsOf(raw: Uint8Array): readonly Uint8Array[] {
  const text = textOf(raw);
  const headers = text.includes("\nmergetag ") ? readHeaders(text) : [];
  if (typeof headers === "string") return [];
  return headers
    .filter((header) => header.name === "mergetag")
    .slice(0, MAXIMUM_MERGETAGS)
    .map((header) => unfolded(raw.subarray(header.value, header.end)));
}

/** All headers with their continuation lines, or a clause saying what is wrong. */
function readHeaders(text: string): Header[] | string {
  const headers: Header[] = [];
  let position = 0;
  while (text.charCodeAt(position) !== LF) {
    const end = endOfHeader(text, position);
    if (end === null) return "ends inside its headers";
    const space = text.indexOf(" ", position);
    if (space === position) return "begins with a continuation line";
    if (space === -1 || space >= end) return "has a header without a value";
    headers.push({ name: text.slice(position, space), start: position, value: space + 1, end });
    if (headers.length > MAXIMUM_HEADERS) return "has too many headers";
    position = end;
  }
  return headers;
}

/** Offset after the header that starts at `position` and after its continuation lines; null where the object ends. */
function endOfHeader(text: string, position: number): number | null {
  for (let lf = text.indexOf("\n", position); lf !== -1; lf = text.indexOf("\n", lf + 1)) {
    if (text.charCodeAt(lf + 1) !== SP) return lf + 1 === text.length ? null : lf + 1;
  }
  return null;
}

/** tree parent* author committer, then anything else, none of these four (or encoding) a second time. */
function checkOrder(headers: readonly Header[], text: string, objectFormat: ObjectFormat): string | null {
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
  if (!ids.every((header) => isIdHeader(header, text, objectFormat))) return "names an object by a malformed id";
  const people = rest.slice(author, author + 2);
  if (!people.every((header) => isOneLine(header, text))) return "continues its author or committer on a second line";
  return people.every((header) => isIdent(header, text)) ? null : "has an author or committer that git does not write";
}

function isIdent(header: Header, text: string): boolean {
  return parseIdent(text.slice(header.value, header.end - 1)) !== null;
}

function isIdHeader(header: Header, text: string, objectFormat: ObjectFormat): boolean {
  return (
    header.end - 1 - header.value === idLength(objectFormat) && isObjectId(text.slice(header.value, header.end - 1))
  );
}

function isOneLine(header: Header, text: string): boolean {
  return text.indexOf("\n", header.start) === header.end - 1;
}

function splitSignature(
  raw: Uint8Array,
  text: string,
  headers: readonly Header[],
  objectFormat: ObjectFormat,
): CommitPayload {
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
  const folded = text.slice(header.value, header.end - 1);
  const format = FORMATS.find(({ begin }) => folded.startsWith(begin) && folded.charCodeAt(begin.length) === LF);
  if (format === undefined) {
    return refusal("malformed-signature", "The signature does not begin as an OpenPGP, SSH or X.509 signature does.");
  }
  if (hasSecondBlock(folded)) return refusal("ambiguous-signature", "The commit has more than one signature block.");
  const signature = unfolded(raw.subarray(header.value, header.end - 1));
  const payload = Buffer.concat([raw.subarray(0, header.start), raw.subarray(header.end)]);
  return { kind: "signed", format: format.name, signature, payload };
}

/** A whole line, after the first, that begins a block. */
function hasSecondBlock(folded: string): boolean {
  if (!folded.includes("\n -----BEGIN ")) return false;
  return FORMATS.some(({ begin }) => folded.includes(`\n ${begin}\n`) || folded.endsWith(`\n ${begin}`));
}

/** Exactly one space is taken off each continuation line: byte by byte, as a text of short lines would cost many times its size. */
function unfolded(value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(value.byteLength);
  let length = 0;
  let before = 0;
  for (let at = 0; at < value.byteLength; at += 1) {
    const byte = value[at] ?? 0;
    if (byte !== SP || before !== LF) {
      bytes[length] = byte;
      length += 1;
    }
    before = byte;
  }
  return bytes.subarray(0, length);
}

function printable(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}
