/**
 * The innermost part of every SSH signature: `string type, string raw`, for security keys followed by `byte flags, uint32
 * counter` (RFC 4253 section 6.6, RFC 5656 section 3.1.2, RFC 8332, OpenSSH PROTOCOL.u2f). SSHSIG blobs hold one over the
 * signed data, certificates hold one of their authority over themselves.
 */
import { concatBytes } from "../lib/bytes.ts";
import { sha256 } from "../lib/digest.ts";
import { type Refusal, refusal } from "./format.ts";
import type { Question } from "./mathematics.ts";
import type { SshPublicKey } from "./ssh-key.ts";
import { SshReader } from "./ssh-wire.ts";

const FLAG_TOUCHED = 0x01;
const FLAG_PIN = 0x04;

export interface RawSshSignature {
  readonly type: string;
  readonly raw: Uint8Array;
  /** Of a security key: flags, counter. */
  readonly trailer: Uint8Array | null;
}

/** What a security key says of itself in each signature; null for other keys. */
export function hardwareOf({ trailer }: RawSshSignature): { touch: boolean; pin: boolean } | null {
  const flags = trailer?.[0];
  return flags === undefined ? null : { touch: (flags & FLAG_TOUCHED) !== 0, pin: (flags & FLAG_PIN) !== 0 };
}

export function readRawSignature(bytes: Uint8Array, key: SshPublicKey): RawSshSignature | Refusal {
  const reader = new SshReader(bytes);
  const type = reader.text();
  const raw = reader.string();
  const trailer = key.application === null ? null : reader.take(5);
  if (!reader.finished) return malformed("is damaged or has bytes left over");
  if (type === "ssh-rsa") return refusal("weak-algorithm", "The SSH signature is an ssh-rsa one, which uses SHA-1.");
  const fits = key.type === "ssh-rsa" ? /^rsa-sha2-(?:256|512)$/.test(type) : type === key.type;
  if (!fits) return malformed(`says ${JSON.stringify(type.slice(0, 60))} for a key of type ${key.type}`);
  return { type, raw, trailer };
}

/** Whether the key made the signature over `message`; null where these numbers cannot be one of its signatures. */
export function questionOf(signature: RawSshSignature, message: Uint8Array, key: SshPublicKey): Question | null {
  const { application } = key;
  if (signature.trailer === null || application === null) return bareQuestion(signature, message, key);
  return bareQuestion(signature, concatBytes(sha256(application), signature.trailer, sha256(message)), key);
}

function bareQuestion({ type, raw }: RawSshSignature, data: Uint8Array, { key, curve }: SshPublicKey): Question | null {
  const hash = type === "rsa-sha2-512" ? "sha512" : "sha256";
  if (type.startsWith("rsa-sha2-")) return { algorithm: hash, data, key, signature: raw };
  if (curve === null) return raw.byteLength === 64 ? { algorithm: null, data, key, signature: raw } : null;
  const pair = readEcdsaSignature(raw, curve.bytes);
  const ecdsa = { key, dsaEncoding: "ieee-p1363" } as const;
  return pair === null ? null : { algorithm: curve.hash, data, key: ecdsa, signature: pair };
}

/** mpint r, mpint s (RFC 5656 section 3.1.2) as r || s, each of the curve's size; null where they do not fit. */
function readEcdsaSignature(raw: Uint8Array, bytes: number): Uint8Array | null {
  const reader = new SshReader(raw);
  const r = reader.positive();
  const s = reader.positive();
  if (!reader.finished || r.byteLength > bytes || s.byteLength > bytes) return null;
  const pair = new Uint8Array(2 * bytes);
  pair.set(r, bytes - r.byteLength);
  pair.set(s, 2 * bytes - s.byteLength);
  return pair;
}

function malformed(clause: string): Refusal {
  return refusal("malformed-signature", `The SSH signature ${clause}.`);
}
