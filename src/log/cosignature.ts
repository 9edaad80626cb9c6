/**
 * C2SP tlog-cosignature v1.0.1: a witness says at which second it saw a checkpoint that continues everything of this log
 * that it saw before. A line of the checkpoint's note, beside the log's own:
 *
 *     signed bytes   "cosignature/v1\n" "time " <unix seconds> "\n" <the checkpoint's text>
 *     line           — <name> <base64(4-byte key id || 8-byte big-endian seconds || 64-byte Ed25519 signature)>
 */
import { sign, verify } from "node:crypto";
import { concatBytes, utf8 } from "../lib/bytes.ts";
import type { Instant } from "../lib/time.ts";
import { parseNote, signatureLine } from "./note.ts";
import { COSIGNATURE_KEY, generateKey, readSigningKey, readVerifierKey } from "./note-key.ts";

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

export interface Cosigner {
  readonly name: string;
  /** `<name>+<8 hex>+<base64(0x04 || key)>`, the verifier key to publish. */
  readonly vkey: string;
  /** A line for the note of the checkpoint whose text this is. */
  cosign(text: string, at: Instant): string;
}

export interface CosignatureVerifier {
  readonly name: string;
  readonly keyId: string;
  readonly vkey: string;
  /** When the witness saw it, or null where it is no cosignature of this text. */
  verify(text: string, signature: Uint8Array): Instant | null;
}

export interface Cosigned {
  readonly name: string;
  readonly at: Instant;
}

/** `seed` is 32 random bytes. @throws `note-key-invalid` */
export function generateCosigningKey(name: string, seed: Uint8Array): { readonly skey: string; readonly vkey: string } {
  return generateKey(name, seed, COSIGNATURE_KEY);
}

/** @throws `note-key-invalid` */
export function cosigner(skey: string): Cosigner {
  const { name, vkey, id, privateKey } = readSigningKey(skey, COSIGNATURE_KEY);
  return {
    name,
    vkey,
    cosign(text, at) {
      const seconds = Math.floor(at / 1000);
      const time = Buffer.alloc(TIME_BYTES);
      time.writeBigUInt64BE(BigInt(seconds));
      return signatureLine(name, id, concatBytes(time, sign(null, signedBytes(text, seconds), privateKey)));
    },
  };
}

/** @throws `note-key-invalid` */
export function cosignatureVerifier(vkey: string): CosignatureVerifier {
  const { name, keyId, publicKey } = readVerifierKey(vkey, COSIGNATURE_KEY);
  return {
    name,
    keyId,
    vkey,
    verify(text, signature) {
      if (signature.byteLength !== TIME_BYTES + SIGNATURE_BYTES) return null;
      const seconds = Number(Buffer.from(signature.subarray(0, TIME_BYTES)).readBigUInt64BE());
      if (!Number.isSafeInteger(seconds * 1000)) return null;
      return verify(null, signedBytes(text, seconds), publicKey, signature.subarray(TIME_BYTES))
        ? seconds * 1000
        : null;
    },
  };
}

/** Each known witness once, by name; null when the note is malformed or a line in the name of a known witness is wrong. */
export function cosignaturesOf(note: string, known: readonly CosignatureVerifier[]): readonly Cosigned[] | null {
  const parsed = parseNote(note);
  if (parsed === null) return null;
  const found = new Map<string, Instant>();
  for (const { name, keyId, signature } of parsed.signatures) {
    const verifier = known.find((each) => each.name === name && each.keyId === keyId);
    if (verifier === undefined) continue;
    const at = verifier.verify(parsed.text, signature);
    if (at === null) return null;
    found.set(name, Math.max(at, found.get(name) ?? at));
  }
  return [...found].map(([name, at]) => ({ name, at }));
}

function signedBytes(text: string, seconds: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}
