/** Leaf version 1 (FORMS "Log leaf"): canonical JSON, closed; values that may be personal or secret are commitments. */
import { hash } from "node:crypto";
import { decodeBase64, decodeUtf8, encodeBase64 } from "../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import { ULID, ulidRandom, ulidTime } from "../lib/ulid.ts";
import {
  type Disclosure,
  ENTRY_KINDS,
  type EntryDraft,
  type EntryKind,
  type Leaf,
  type TermKind,
  VERDICTS,
  type Verdict,
} from "./entry.ts";
import { MAXIMUM_ENTRY_BYTES } from "./tile.ts";

const SALT_BYTES = 16;
const ULID_RANDOM_BYTES = 10;
const MAXIMUM_DISCLOSED_CHARACTERS = 64 * 2 ** 20;
const MAXIMUM_TERM_CHARACTERS = 4096;
const TERM_KINDS: readonly TermKind[] = [
  "resource",
  "person",
  "rule",
  "commit",
  "tree",
  "release",
  "waiver",
  "key",
  "subject",
];
const PURPOSES: readonly unknown[] = ["gate", "dry-run", "observe"];
const HEX_DIGESTS = ["policies", "trust", "configuration", "waivers"];
/** 32 bytes as strict base64: the last digit before the padding has its two unused bits zero. */
const SHA256_BASE64 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** RFC 3339 in UTC with milliseconds, on a day that every month has; the few others are looked at more closely. */
const LEAF_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const OBJECT_ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const CODE_VERSION = /^[\x21-\x7e]{1,128}$/;
const TARGET = /^[^\u0000-\u001f\u007f]{1,200}$/;
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
const REASON = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/;

type SaidField = "kind" | "target" | "purpose" | "verdict" | "subject" | "digests";

/**
 * A draft made ready to be sequenced: all that costs time is done. Only flat texts, because it crosses to the writer's
 * thread, where nested objects would cost more than the hashing.
 */
export interface PreparedEntry {
  readonly kind: EntryKind;
  readonly target: string | null;
  readonly verdict: string | null;
  /** The leaf's canonical text without the values of `id`, `previous` and `time`: what stands before, between, after. */
  readonly pieces: readonly string[];
  /** JSON text {name: {salt, value}}. */
  readonly disclosed: string;
  /** JSON text [[kind, value], ...], sorted, each once. */
  readonly terms: string;
  /** The raw clock; the leaf's time is never before that of the entry before it. */
  readonly at: Instant;
  /** The end of the id, that has no time in it. */
  readonly random: string;
  /** See EntryDraft. */
  readonly follows?: string | null;
}

/** @throws `entry-malformed`, `entry-too-large` */
export function prepareEntry(draft: EntryDraft, at: Instant, random: (bytes: number) => Uint8Array): PreparedEntry {
  const { kind, target, verdict } = draft;
  const names = Object.keys(draft.disclosed).sort();
  const reasons = draft.reasons.length < 2 ? draft.reasons : [...new Set(draft.reasons)].sort();
  const fault = saidFault(draft, reasons) ?? namesFault(names);
  if (fault !== null) throw malformed(fault);
  const noise = random(ULID_RANDOM_BYTES + SALT_BYTES * names.length);
  const salts = noise.subarray(ULID_RANDOM_BYTES);
  const [commitments, disclosed] = commitAll(draft, names, salts);
  if (disclosed.length > MAXIMUM_DISCLOSED_CHARACTERS) throw tooLarge("its disclosed values exceed 64 MiB");
  const pieces = piecesOf(draft, reasons, commitments);
  const prepared = { kind, target, verdict, pieces, disclosed, terms: termsText(draft), at, random: ulidRandom(noise) };
  return draft.follows === undefined ? prepared : { ...prepared, follows: draft.follows };
}

/** JSON texts: {name: commitment}, {name: {salt, value}}. */
function commitAll({ disclosed, withheld }: EntryDraft, names: readonly string[], salts: Uint8Array): [string, string] {
  let commitments = "";
  let disclosures = "";
  let separator = "";
  for (let place = 0; place < names.length; place++) {
    const name = names[place] as string;
    const salt = salts.subarray(place * SALT_BYTES, (place + 1) * SALT_BYTES);
    const value = canonicalJson(disclosed[name] as JsonValue);
    commitments += `${separator}"${name}":"${commit(salt, value)}"`;
    disclosures += withheld?.includes(name)
      ? `${separator}"${name}":null`
      : `${separator}"${name}":{"salt":"${encodeBase64(salt)}","value":${value}}`;
    separator = ",";
  }
  return [`{${commitments}}`, `{${disclosures}}`];
}

/** base64(SHA-256(salt || canonical bytes)). Several for each entry: the bytes are put together in Node's pooled memory. */
function commit(salt: Uint8Array, canonical: string): string {
  const bytes = Buffer.allocUnsafe(salt.byteLength + Buffer.byteLength(canonical));
  bytes.set(salt);
  bytes.write(canonical, salt.byteLength);
  return hash("sha256", bytes, "base64");
}

export function matchesCommitment(disclosure: Disclosure, commitment: string): boolean {
  const salt = decodeBase64(disclosure.salt);
  return salt?.byteLength === SALT_BYTES && commit(salt, canonicalJson(disclosure.value)) === commitment;
}

/** The canonical text, key by key in its order: only what is not plain by the checks above needs the general writer. */
function piecesOf(draft: EntryDraft, reasons: readonly string[], commitments: string): readonly string[] {
  const { digests, kind, purpose, subject, target, verdict } = draft;
  const { code, configuration, policies, trust, waivers } = digests;
  const inForce = `{"code":${canonicalJson(code)},"configuration":${plain(configuration)},"policies":${plain(policies)},"trust":${plain(trust)},"waivers":${plain(waivers)}}`;
  const codes = reasons.length === 0 ? "" : `"${reasons.join('","')}"`;
  return [
    `{"commitments":${commitments},"digests":${inForce},"id":`,
    `,"kind":"${kind}","previous":`,
    `,"purpose":"${purpose}","reasons":[${codes}],"subject":${subjectText(subject)},"target":${canonicalJson(target)},"time":`,
    `,"v":1,"verdict":${plain(verdict)}}`,
  ];
}

function subjectText(subject: EntryDraft["subject"]): string {
  let text = "";
  for (const name of Object.keys(subject).sort())
    text += `${text === "" ? "" : ","}"${name}":${plain(subject[name] ?? null)}`;
  return `{${text}}`;
}

/** Of what holds nothing that JSON escapes. */
function plain(value: string | null): string {
  return value === null ? "null" : `"${value}"`;
}

export interface SequencedLeaf {
  readonly id: string;
  readonly time: string;
  /** Exact canonical bytes of the leaf. */
  readonly bytes: Uint8Array;
}

/** The leaf of a prepared entry at its place. @throws `entry-too-large` */
export function sequenceLeaf(entry: PreparedEntry, at: Instant, previous: string | null): SequencedLeaf {
  const id = ulidTime(at) + entry.random;
  const time = formatTime(at);
  const [before, betweenIdAndPrevious, betweenPreviousAndTime, after] = entry.pieces;
  const link = previous === null ? "null" : `"${previous}"`;
  const bytes = Buffer.from(`${before}"${id}"${betweenIdAndPrevious}${link}${betweenPreviousAndTime}"${time}"${after}`);
  if (bytes.byteLength >= MAXIMUM_ENTRY_BYTES) throw tooLarge(`it has ${bytes.byteLength} bytes`);
  return { id, time, bytes };
}

export type LeafReading =
  | { readonly kind: "leaf"; readonly leaf: Leaf }
  | { readonly kind: "malformed"; readonly detail: string };

/** Strict: exactly the canonical bytes of a leaf of version 1; an unknown key, kind or version is malformed. */
export function readLeaf(bytes: Uint8Array): LeafReading {
  if (bytes.byteLength >= MAXIMUM_ENTRY_BYTES) return { kind: "malformed", detail: "it is too large" };
  const text = decodeUtf8(bytes);
  const value = text === null ? null : parseJson(text);
  if (!isObject(value)) return { kind: "malformed", detail: "it is not a JSON object" };
  const { id, time, previous, ...fields } = value;
  const detail = fieldsFault(fields) ?? placeFault(id, time, previous);
  if (detail !== null) return { kind: "malformed", detail };
  const leaf = value as unknown as Leaf;
  if (!isCanonical(leaf, text)) return { kind: "malformed", detail: "it is not in canonical form" };
  return { kind: "leaf", leaf };
}

/**
 * Whether the text is the canonical form of a leaf, whose fields are known to be right: then it is what JSON.stringify()
 * makes of it, in JavaScript's order of keys, where that order is the sorted one.
 */
function isCanonical(leaf: Leaf, text: string | null): boolean {
  const objects = [leaf, leaf.subject, leaf.digests, leaf.commitments];
  return objects.every((one) => isAscending(Object.keys(one))) && JSON.stringify(leaf) === text;
}

function isAscending(texts: readonly string[]): boolean {
  for (let at = 1; at < texts.length; at++) if ((texts[at - 1] as string) >= (texts[at] as string)) return false;
  return true;
}

function placeFault(
  id: JsonValue | undefined,
  time: JsonValue | undefined,
  previous: JsonValue | undefined,
): string | null {
  if (typeof id !== "string" || !ULID.test(id)) return "`id` is not a ULID";
  if (typeof time !== "string" || !isLeafTime(time)) return "`time` is not RFC 3339 in UTC with milliseconds";
  return previous === null || matches(previous, SHA256_BASE64) ? null : "`previous` is not a leaf hash";
}

function isLeafTime(time: string): boolean {
  if (LEAF_TIME.test(time)) return true;
  const at = parseTime(time);
  return at !== null && formatTime(at) === time;
}

/** What is wrong with the fields, or null. The set of keys is closed. */
function fieldsFault(fields: Readonly<Record<string, unknown>>): string | null {
  const { v, kind, target, purpose, verdict, reasons, subject, digests, commitments, ...unknown } = fields;
  if (Object.keys(unknown).length > 0) return `${JSON.stringify(Object.keys(unknown)[0])} is not a key of version 1`;
  if (v !== 1) return "`v` is not 1";
  const fault = saidFault({ kind, target, purpose, verdict, subject, digests }, reasons);
  return fault ?? (isRecord(commitments, isCommitment) ? null : "`commitments` are not SHA-256 in base64");
}

/** The same of what a draft says itself. */
function saidFault(said: Readonly<Record<SaidField, unknown>>, reasons: unknown): string | null {
  const { kind, target, purpose, verdict, subject, digests } = said;
  if (!ENTRY_KINDS.includes(kind as EntryKind)) return "`kind` is not a kind of version 1";
  if (target !== null && !isTargetName(target)) return "`target` is not a name";
  if (!PURPOSES.includes(purpose)) return "`purpose` is not gate, dry-run or observe";
  if (verdict !== null && !VERDICTS.includes(verdict as Verdict))
    return "`verdict` is not allow, deny, wait, error or null";
  if (!isReasons(reasons)) return "`reasons` are not sorted codes";
  if (!isRecord(subject, isObjectIdOrNull)) return "`subject` holds something other than commit and tree ids";
  if (!isDigests(digests)) return "`digests` are not policies, trust, configuration, waivers (SHA-256 in hex) and code";
  return null;
}

function namesFault(names: readonly string[]): string | null {
  return names.every((name) => NAME.test(name)) ? null : "`commitments` are not SHA-256 in base64";
}

function isTargetName(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed() && TARGET.test(value);
}

function isReasons(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.every((code, at) => typeof code === "string" && REASON.test(code) && (at === 0 || value[at - 1] < code));
}

function isRecord(value: unknown, isMember: (member: unknown) => boolean): boolean {
  return isObject(value) && Object.keys(value).every((name) => NAME.test(name) && isMember(value[name]));
}

function isObjectIdOrNull(value: unknown): boolean {
  return value === null || matches(value, OBJECT_ID);
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function isCommitment(value: unknown): boolean {
  return matches(value, SHA256_BASE64);
}

function isDigests(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { code } = value;
  if (code !== null && !matches(code, CODE_VERSION)) return false;
  if (Object.keys(value).length !== HEX_DIGESTS.length + 1) return false;
  return HEX_DIGESTS.every((name) => value[name] === null || matches(value[name], SHA256_HEX));
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function termsText({ terms }: EntryDraft): string {
  for (const { kind, value } of terms)
    if (!TERM_KINDS.includes(kind) || value === "" || value.length > MAXIMUM_TERM_CHARACTERS || !value.isWellFormed())
      throw malformed(`a term of kind ${JSON.stringify(kind)} is not 1 to ${MAXIMUM_TERM_CHARACTERS} characters`);
  const pairs = terms.map(({ kind, value }) => `["${kind}",${canonicalJson(value)}]`).sort();
  return `[${pairs.filter((pair, at) => pair !== pairs[at - 1]).join(",")}]`;
}

function malformed(detail: string): SluiceError {
  return new SluiceError("entry-malformed", `The entry is not a leaf of version 1: ${detail}.`);
}

function tooLarge(detail: string): SluiceError {
  return new SluiceError("entry-too-large", `The entry does not fit into a line of the log: ${detail}.`);
}
