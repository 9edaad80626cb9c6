/**
 * C2SP signed-note v1.0.0 with Ed25519 keys (type 0x01), in the strict reading of Go's x/mod/sumdb/note:
 *
 *     text, ends with \n
 *     (empty line)
 *     — <name> <base64(4-byte key id || signature)>\n        one or more; the dash is U+2014
 *
 * Key id = SHA-256(name || \n || type || public key)[:4].
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { concatBytes, decodeBase64, decodeUtf8, encodeBase64, encodeHex, utf8 } from "../lib/bytes.ts";
import { sha256 } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";

const MAXIMUM_SIGNATURES = 100;
export const MAXIMUM_NOTE_BYTES = 1_000_000;
const ED25519 = new Uint8Array([1]);
const SEED_BYTES = 32;
const KEY_ID_BYTES = 4;
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

export interface NoteSigner {
  readonly name: string;
  /** `<name>+<8 hex>+<base64(0x01 || key)>`, the verifier key to publish. */
  readonly vkey: string;
  /** `text` must end with a newline. Returns the whole note. */
  sign(text: string): string;
}

export interface NoteVerifier {
  readonly name: string;
  /** 8 lower-case hex digits. */
  readonly keyId: string;
  readonly vkey: string;
  verify(text: string, signature: Uint8Array): boolean;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  /** Without the key id. */
  readonly signature: Uint8Array;
}

/** A note taken apart; nothing is verified. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export type NoteOpening =
  | { readonly kind: "verified"; readonly text: string; readonly by: readonly NoteVerifier[] }
  | {
      readonly kind: "rejected";
      readonly code: "note-malformed" | "note-bad-signature" | "note-unknown-key";
      readonly detail: string;
    };

/** A key pair in Go's form; `seed` is 32 random bytes. */
export function generateNoteKey(name: string, seed: Uint8Array): { readonly skey: string; readonly vkey: string } {
  if (!isNoteName(name) || seed.byteLength !== SEED_BYTES) throw invalidKey("signing key");
  const publicKey = rawPublicKey(privateKeyOf(seed));
  const secret = encodeBase64(concatBytes(ED25519, seed));
  return {
    skey: `PRIVATE+KEY+${name}+${keyIdOf(name, publicKey)}+${secret}`,
    vkey: verifierKey(name, publicKey),
  };
}

/** Reads `PRIVATE+KEY+<name>+<hex>+<base64(0x01 || seed)>`; one newline at the end is allowed. @throws `note-key-invalid` */
export function noteSigner(skey: string): NoteSigner {
  const match = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?$/.exec(skey);
  const [, name = "", keyId = "", encoded = ""] = match ?? [];
  const secret = decodeBase64(encoded);
  if (!isNoteName(name) || secret?.byteLength !== 1 + SEED_BYTES || secret[0] !== 1) throw invalidKey("signing key");
  const privateKey = privateKeyOf(secret.subarray(1));
  const publicKey = rawPublicKey(privateKey);
  if (keyIdOf(name, publicKey) !== keyId) throw invalidKey("signing key");
  const id = Buffer.from(keyId, "hex");
  return {
    name,
    vkey: verifierKey(name, publicKey),
    sign(text) {
      if (!isNoteText(text))
        throw new SluiceError("internal", "the text of a note must be lines without control bytes");
      const signature = sign(null, utf8(text), privateKey);
      return `${text}\n— ${name} ${encodeBase64(concatBytes(id, signature))}\n`;
    },
  };
}

/** Reads `<name>+<8 hex>+<base64(0x01 || key)>`; the key id must be the key's own. @throws `note-key-invalid` */
export function noteVerifier(vkey: string): NoteVerifier {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
  const [, name = "", keyId = "", encoded = ""] = match ?? [];
  const key = decodeBase64(encoded);
  if (!isNoteName(name) || key?.byteLength !== 33 || key[0] !== 1) throw invalidKey("verifier key");
  const publicKey = key.subarray(1);
  if (keyIdOf(name, publicKey) !== keyId) throw invalidKey("verifier key");
  const spki = concatBytes(SPKI_ED25519, publicKey);
  const keyObject = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  return { name, keyId, vkey, verify: (text, signature) => verify(null, utf8(text), keyObject, signature) };
}

/** Takes a note apart at its last empty line; null unless it is in the strict form. */
export function parseNote(note: string | Uint8Array): Note | null {
  const bytes = typeof note === "string" ? utf8(note) : note;
  if (bytes.byteLength > MAXIMUM_NOTE_BYTES) return null;
  const whole = typeof note === "string" ? note : decodeUtf8(note);
  if (whole === null || !isNoteText(whole)) return null;
  const split = whole.lastIndexOf("\n\n");
  if (split < 0) return null;
  const lines = whole.slice(split + 2, -1).split("\n");
  if (whole.length === split + 2 || lines.length > MAXIMUM_SIGNATURES) return null;
  const signatures = lines.map(parseSignature);
  if (signatures.some((each) => each === null)) return null;
  return { text: whole.slice(0, split + 1), signatures: signatures as NoteSignature[] };
}

/**
 * Verified only when a known key signed and no signature in the name and id of a known key is bad. Signatures of
 * unknown keys are skipped.
 */
export function openNote(note: string | Uint8Array, known: readonly NoteVerifier[]): NoteOpening {
  const parsed = parseNote(note);
  if (parsed === null) return { kind: "rejected", code: "note-malformed", detail: "it is not a signed note" };
  const by: NoteVerifier[] = [];
  for (const { name, keyId, signature } of parsed.signatures) {
    const verifier = known.find((each) => each.name === name && each.keyId === keyId);
    if (verifier === undefined || by.includes(verifier)) continue;
    if (!verifier.verify(parsed.text, signature))
      return { kind: "rejected", code: "note-bad-signature", detail: `the signature of ${name} ${keyId} is wrong` };
    by.push(verifier);
  }
  if (by.length > 0) return { kind: "verified", text: parsed.text, by };
  const names = parsed.signatures.map((each) => `${each.name} ${each.keyId}`);
  return { kind: "rejected", code: "note-unknown-key", detail: `it is signed by ${names.join(", ")} only` };
}

function parseSignature(line: string): NoteSignature | null {
  const match = /^— ([^+\s]+) ([A-Za-z0-9+/=]+)$/.exec(line);
  const [, name = "", encoded = ""] = match ?? [];
  const bytes = decodeBase64(encoded);
  if (!isNoteName(name) || bytes === null || bytes.byteLength <= KEY_ID_BYTES) return null;
  return { name, keyId: encodeHex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.subarray(KEY_ID_BYTES) };
}

export function isNoteName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[+\s\u0085]/u.test(name) && !/[\u0000-\u001f]/.test(name);
}

function isNoteText(text: string): boolean {
  return text.endsWith("\n") && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

function keyIdOf(name: string, publicKey: Uint8Array): string {
  return encodeHex(sha256(utf8(`${name}\n`), ED25519, publicKey).subarray(0, KEY_ID_BYTES));
}

function verifierKey(name: string, publicKey: Uint8Array): string {
  return `${name}+${keyIdOf(name, publicKey)}+${encodeBase64(concatBytes(ED25519, publicKey))}`;
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
