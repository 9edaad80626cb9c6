/**
 * OpenPGP packets of version 4 (RFC 9580 sections 4.2, 5.2.3, 5.5.2), read on the bytes as they are: what is hashed later
 * is a slice of the input, never something written anew.
 *
 *   packet     new form 11tttttt, length of 1, 2 or 5 bytes;  old form 10ttttll, length of 1, 2 or 4 bytes
 *   signature  byte 4, byte type, byte public key algorithm, byte hash algorithm,
 *              uint16 + hashed subpackets, uint16 + unhashed subpackets, byte[2] hint, algorithm's numbers
 *   key        byte 4, uint32 created, byte algorithm, algorithm's numbers
 *   number     uint16 bits, bytes (an MPI)
 *
 * Partial and indeterminate lengths are refused: signatures and keys never need them.
 */
import { createHash } from "node:crypto";
import { encodeHex } from "../lib/bytes.ts";
import type { Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./format.ts";

export interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
  /** The whole packet with its header. */
  readonly bytes: Uint8Array;
}

export const TAG = {
  signature: 2,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  userId: 13,
  subkey: 14,
  userAttribute: 17,
};
export const RSA = 1;
export const RSA_SIGN_ONLY = 3;
export const DSA = 17;
export const ECDSA = 19;
export const EDDSA_LEGACY = 22;
export const ED25519 = 27;
const SIGNING_ALGORITHMS: readonly number[] = [RSA, RSA_SIGN_ONLY, DSA, ECDSA, EDDSA_LEGACY, ED25519];

const MAXIMUM_PACKETS = 50_000;
/** Of one area; keys and signatures have a dozen, some a few notations more. */
const MAXIMUM_SUBPACKETS = 256;

/** All packets, at most so many, or a clause saying what is wrong. */
export function readPackets(bytes: Uint8Array, most = MAXIMUM_PACKETS): readonly Packet[] | string {
  const packets: Packet[] = [];
  let offset = 0;
  while (offset < bytes.byteLength) {
    const header = readHeader(bytes, offset);
    if (header === null) return "has a packet whose length cannot be read";
    const end = header.start + header.length;
    if (end > bytes.byteLength) return "ends inside a packet";
    packets.push({ tag: header.tag, body: bytes.subarray(header.start, end), bytes: bytes.subarray(offset, end) });
    if (packets.length > most) return "has too many packets";
    offset = end;
  }
  return packets;
}

interface PacketHeader {
  readonly tag: number;
  readonly start: number;
  readonly length: number;
}

function readHeader(bytes: Uint8Array, offset: number): PacketHeader | null {
  const first = bytes[offset] ?? 0;
  if ((first & 0x80) === 0) return null;
  if ((first & 0x40) !== 0) {
    const length = readLength(bytes, offset + 1);
    return length === null ? null : { tag: first & 0x3f, start: length.next, length: length.value };
  }
  const size = [1, 2, 4][first & 0x03];
  if (size === undefined || offset + 1 + size > bytes.byteLength) return null;
  return { tag: (first >> 2) & 0x0f, start: offset + 1 + size, length: unsigned(bytes, offset + 1, size) };
}

/** A length of 1, 2 or 5 bytes, as packets of the new form and subpackets have it. */
function readLength(bytes: Uint8Array, offset: number, twoByteEnd = 224): { value: number; next: number } | null {
  const first = bytes[offset];
  if (first === undefined) return null;
  if (first < 192) return { value: first, next: offset + 1 };
  const second = bytes[offset + 1];
  if (first < twoByteEnd && second !== undefined)
    return { value: ((first - 192) << 8) + second + 192, next: offset + 2 };
  if (first !== 255 || offset + 5 > bytes.byteLength) return null;
  return { value: unsigned(bytes, offset + 1, 4), next: offset + 5 };
}

function unsigned(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0;
  for (let index = 0; index < size; index++) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}

export interface OpenPgpSignature {
  readonly type: number;
  readonly algorithm: number;
  readonly hashAlgorithm: number;
  /** From the version to the end of the hashed subpackets: the part of the packet that is hashed. */
  readonly hashed: Uint8Array;
  readonly numbers: readonly Uint8Array[];
  readonly created: Instant;
  /** When the signature itself ends; null for never. */
  readonly expires: Instant | null;
  /** Hints only; the mathematics decides. Upper-case hex. */
  readonly issuerFingerprint: string | null;
  readonly issuerKeyId: string | null;
  /** Seconds after the key's creation; 0 for never; null where the signature does not say. */
  readonly keyLifetime: number | null;
  readonly keyFlags: number | null;
  readonly isPrimaryUserId: boolean;
  readonly revocationReason: number | null;
  /** Body of the embedded (back-) signature. */
  readonly embedded: Uint8Array | null;
  /** True where a critical subpacket or notation is not one that we know. */
  readonly hasUnknownCritical: boolean;
}

/** Reads the body of a signature packet. Only `hashed` and `numbers` enter the mathematics; the 16-bit hint is ignored. */
export function readSignatureBody(body: Uint8Array): OpenPgpSignature | Refusal {
  const [version, type = 0, algorithm = 0, hashAlgorithm = 0] = body;
  if (version !== 4)
    return refusal("not-supported", `OpenPGP signatures of version ${version ?? "?"} are not supported.`);
  const hashedEnd = 6 + unsigned(body, 4, 2);
  const unhashedEnd = hashedEnd + 2 + unsigned(body, hashedEnd, 2);
  if (unhashedEnd + 2 > body.byteLength) return malformed("is cut off");
  const hashed = readSubpackets(body.subarray(6, hashedEnd));
  const unhashed = readSubpackets(body.subarray(hashedEnd + 2, unhashedEnd));
  if (hashed === null || unhashed === null) return malformed("has damaged subpackets");
  if (!SIGNING_ALGORITHMS.includes(algorithm)) {
    return refusal("not-supported", `OpenPGP signatures with the public key algorithm ${algorithm} are not supported.`);
  }
  const numbers = readNumbers(
    body.subarray(unhashedEnd + 2),
    algorithm === ED25519 ? "ed25519" : signatureNumbers(algorithm),
  );
  if (numbers === null) return malformed("has damaged numbers");
  const facts = interpret(hashed, unhashed);
  if (facts === null) return malformed("does not say once when it was made");
  return { type, algorithm, hashAlgorithm, hashed: body.subarray(0, hashedEnd), numbers, ...facts };
}

function signatureNumbers(algorithm: number): number {
  return algorithm === RSA || algorithm === RSA_SIGN_ONLY ? 1 : 2;
}

interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly body: Uint8Array;
}

function readSubpackets(area: Uint8Array): readonly Subpacket[] | null {
  const found: Subpacket[] = [];
  let offset = 0;
  while (offset < area.byteLength) {
    const length = readLength(area, offset, 255);
    if (length === null || length.value === 0 || length.next + length.value > area.byteLength) return null;
    const type = area[length.next] ?? 0;
    offset = length.next + length.value;
    if (found.length === MAXIMUM_SUBPACKETS) return null;
    found.push({ type: type & 0x7f, critical: (type & 0x80) !== 0, body: area.subarray(length.next + 1, offset) });
  }
  return found;
}

const CREATED = 2;
const EXPIRES = 3;
const KEY_LIFETIME = 9;
const ISSUER_KEY_ID = 16;
const PRIMARY_USER_ID = 25;
const KEY_FLAGS = 27;
const REVOCATION_REASON = 29;
const EMBEDDED = 32;
const ISSUER_FINGERPRINT = 33;
/** Known to RFC 9580 or OpenPGP practice and harmless here; notations (20) are known only when they are not critical. */
const KNOWN = new Set([
  CREATED,
  EXPIRES,
  4,
  5,
  6,
  7,
  KEY_LIFETIME,
  11,
  12,
  ISSUER_KEY_ID,
  21,
  22,
  23,
  24,
  PRIMARY_USER_ID,
  26,
  KEY_FLAGS,
  28,
  REVOCATION_REASON,
  30,
  31,
  EMBEDDED,
  ISSUER_FINGERPRINT,
  34,
  35,
]);

type Facts = Omit<OpenPgpSignature, "type" | "algorithm" | "hashAlgorithm" | "hashed" | "numbers">;

/** What only the hashed area may say is read from there alone; issuers and the embedded signature prove themselves. */
function interpret(hashed: readonly Subpacket[], unhashed: readonly Subpacket[]): Facts | null {
  const times = hashed.filter((subpacket) => subpacket.type === CREATED);
  const created = number32(times[0]?.body);
  if (times.length !== 1 || created === null) return null;
  const value = (type: number): Uint8Array | undefined => hashed.findLast((subpacket) => subpacket.type === type)?.body;
  const hint = (type: number): Uint8Array | undefined =>
    [...unhashed, ...hashed].findLast((subpacket) => subpacket.type === type)?.body;
  const lifetime = number32(value(EXPIRES)) ?? 0;
  const fingerprint = hint(ISSUER_FINGERPRINT);
  const keyId = hint(ISSUER_KEY_ID);
  return {
    created: created * 1000,
    expires: lifetime === 0 ? null : (created + lifetime) * 1000,
    issuerFingerprint: fingerprint?.[0] === 4 ? upperHex(fingerprint.subarray(1)) : null,
    issuerKeyId: keyId === undefined ? null : upperHex(keyId),
    keyLifetime: number32(value(KEY_LIFETIME)),
    keyFlags: value(KEY_FLAGS)?.[0] ?? null,
    isPrimaryUserId: (value(PRIMARY_USER_ID)?.[0] ?? 0) !== 0,
    revocationReason: value(REVOCATION_REASON)?.[0] ?? null,
    embedded: hint(EMBEDDED) ?? null,
    hasUnknownCritical: hashed.some((subpacket) => subpacket.critical && !KNOWN.has(subpacket.type)),
  };
}

function number32(body: Uint8Array | undefined): number | null {
  return body?.byteLength === 4 ? unsigned(body, 0, 4) : null;
}

/** `count` MPIs without leading zeros, or the 64 bytes of a native Ed25519 signature; null unless they fill `bytes`. */
export function readNumbers(bytes: Uint8Array, count: number | "ed25519"): readonly Uint8Array[] | null {
  if (count === "ed25519") return bytes.byteLength === 64 ? [bytes] : null;
  const numbers: Uint8Array[] = [];
  let offset = 0;
  for (let index = 0; index < count; index++) {
    const end = offset + 2 + ((unsigned(bytes, offset, 2) + 7) >> 3);
    if (end > bytes.byteLength) return null;
    numbers.push(withoutLeadingZeros(bytes.subarray(offset + 2, end)));
    offset = end;
  }
  return offset === bytes.byteLength ? numbers : null;
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? bytes.subarray(bytes.byteLength) : bytes.subarray(start);
}

/** SHA-1 over `0x99 uint16 body` (RFC 9580 section 5.5.4.2), 40 upper-case hex digits. */
export function fingerprintOf(keyBody: Uint8Array): string {
  return createHash("sha1").update(framedKey(keyBody)).digest("hex").toUpperCase();
}

/** A key as it enters every hash. */
export function framedKey(keyBody: Uint8Array): Uint8Array {
  const framed = new Uint8Array(3 + keyBody.byteLength);
  framed.set([0x99, keyBody.byteLength >> 8, keyBody.byteLength & 0xff]);
  framed.set(keyBody, 3);
  return framed;
}

/** A user id as it enters every hash. */
export function framedUserId(body: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(5 + body.byteLength);
  framed[0] = 0xb4;
  framed.writeUInt32BE(body.byteLength, 1);
  framed.set(body, 5);
  return framed;
}

function upperHex(bytes: Uint8Array): string {
  return encodeHex(bytes).toUpperCase();
}

function malformed(clause: string): Refusal {
  return refusal("malformed-signature", `The OpenPGP signature ${clause}.`);
}
