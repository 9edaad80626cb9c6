/**
 * Keys of C2SP signed notes, in Go's form. The type says what is signed: 0x01 the text of a note, 0x04 a cosignature
 * (tlog-cosignature). A key of one type is never taken for one of the other.
 *
 *   key id        SHA-256(name || \n || type || public key)[:4]
 *   verifier key  <name>+<8 hex>+<base64(type || public key)>
 *   signing key   PRIVATE+KEY+<name>+<8 hex>+<base64(type || seed)>
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { concatBytes, decodeBase64, encodeBase64, encodeHex, utf8 } from "../lib/bytes.ts";
import { sha256 } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";

export const NOTE_KEY = 1;
export const COSIGNATURE_KEY = 4;
export type NoteKeyType = typeof NOTE_KEY | typeof COSIGNATURE_KEY;

export const KEY_ID_BYTES = 4;
const SEED_BYTES = 32;
const KEY_BYTES = 32;
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

export interface SigningKey {
  readonly name: string;
  readonly vkey: string;
  readonly id: Uint8Array;
  readonly privateKey: KeyObject;
}

export interface VerifyingKey {
  readonly name: string;
  /** 8 lower-case hex digits. */
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** `seed` is 32 random bytes. @throws `note-key-invalid` */
export function generateKey(
  name: string,
  seed: Uint8Array,
  type: NoteKeyType,
): { readonly skey: string; readonly vkey: string } {
  if (!isNoteName(name) || seed.byteLength !== SEED_BYTES) throw invalidKey("signing key");
  const publicKey = rawPublicKey(privateKeyOf(seed));
  const secret = encodeBase64(concatBytes(new Uint8Array([type]), seed));
  return {
    skey: `PRIVATE+KEY+${name}+${keyIdOf(name, type, publicKey)}+${secret}`,
    vkey: verifierKey(name, type, publicKey),
  };
}

/** One newline at the end is allowed. @throws `note-key-invalid` */
export function readSigningKey(skey: string, type: NoteKeyType): SigningKey {
  const match = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?$/.exec(skey);
  const [, name = "", keyId = "", encoded = ""] = match ?? [];
  const secret = decodeBase64(encoded);
  if (!isNoteName(name) || secret?.byteLength !== 1 + SEED_BYTES || secret[0] !== type) throw invalidKey("signing key");
  const privateKey = privateKeyOf(secret.subarray(1));
  const publicKey = rawPublicKey(privateKey);
  if (keyIdOf(name, type, publicKey) !== keyId) throw invalidKey("signing key");
  return { name, vkey: verifierKey(name, type, publicKey), id: Buffer.from(keyId, "hex"), privateKey };
}

/** The key id must be the key's own. @throws `note-key-invalid` */
export function readVerifierKey(vkey: string, type: NoteKeyType): VerifyingKey {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
  const [, name = "", keyId = "", encoded = ""] = match ?? [];
  const key = decodeBase64(encoded);
  if (!isNoteName(name) || key?.byteLength !== 1 + KEY_BYTES || key[0] !== type) throw invalidKey("verifier key");
  const publicKey = key.subarray(1);
  if (keyIdOf(name, type, publicKey) !== keyId) throw invalidKey("verifier key");
  const spki = concatBytes(SPKI_ED25519, publicKey);
  return { name, keyId, publicKey: createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }) };
}

export function isNoteName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[+\s\u0085]/u.test(name) && !/[\u0000-\u001f]/.test(name);
}

function keyIdOf(name: string, type: NoteKeyType, publicKey: Uint8Array): string {
  return encodeHex(sha256(utf8(`${name}\n`), new Uint8Array([type]), publicKey).subarray(0, KEY_ID_BYTES));
}

function verifierKey(name: string, type: NoteKeyType, publicKey: Uint8Array): string {
  const key = encodeBase64(concatBytes(new Uint8Array([type]), publicKey));
  return `${name}+${keyIdOf(name, type, publicKey)}+${key}`;
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: "der", type: "pkcs8" });
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(SPKI_ED25519.byteLength);
}

function invalidKey(what: string): SluiceError {
  return new SluiceError("note-key-invalid", `The ${what} is not in the form of signed notes.`);
}
