/**
 * C2SP signed-note v1.0.0 with Ed25519 keys (type 0x01), in the strict reading of Go's x/mod/sumdb/note:
 *
 *     text, ends with \n
 *     (empty line)
 *     — <name> <base64(4-byte key id || signature)>\n        one or more; the dash is U+2014
 */
import { sign, verify } from "node:crypto";
import { concatBytes, decodeBase64, decodeUtf8, encodeBase64, encodeHex, utf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { generateKey, isNoteName, KEY_ID_BYTES, NOTE_KEY, readSigningKey, readVerifierKey } from "./note-key.ts";

const MAXIMUM_SIGNATURES = 100;
export const MAXIMUM_NOTE_BYTES = 1_000_000;

export interface NoteSigner {
  readonly name: string;
  /** `<name>+<8 hex>+<base64(0x01 || key)>`, the verifier key to publish. */
  readonly vkey: string;
  /** That one first, then those of the keys that retire: each signs every note. */
  readonly vkeys: readonly string[];
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

/** A key pair in Go's form; `seed` is 32 random bytes. @throws `note-key-invalid` */
export function generateNoteKey(name: string, seed: Uint8Array): { readonly skey: string; readonly vkey: string } {
  return generateKey(name, seed, NOTE_KEY);
}

const MAXIMUM_SIGNING_KEYS = 4;

/**
 * `skey` is one key, or several of one name, a line each: while a key is replaced by the first, the old one signs beside it,
 * so that whoever knows either is convinced (an overlap). @throws `note-key-invalid`
 */
export function noteSigner(skey: string): NoteSigner {
  const keys = skey
    .trim()
    .split(/\s*\n\s*/)
    .map((one) => readSigningKey(one, NOTE_KEY));
  const [{ name, vkey }] = keys as [(typeof keys)[number]];
  const vkeys = keys.map((key) => key.vkey);
  if (keys.length > MAXIMUM_SIGNING_KEYS || keys.some((key) => key.name !== name) || new Set(vkeys).size < keys.length)
    throw new SluiceError(
      "note-key-invalid",
      `Several keys are one to ${MAXIMUM_SIGNING_KEYS} different ones of one name.`,
    );
  return {
    name,
    vkey,
    vkeys,
    sign(text) {
      if (!isNoteText(text))
        throw new SluiceError("internal", "the text of a note must be lines without control bytes");
      const bytes = utf8(text);
      const lines = keys.map(({ id, privateKey }) => signatureLine(name, id, sign(null, bytes, privateKey)));
      return `${text}\n${lines.join("")}`;
    },
  };
}

/** Those of a signer's keys that have not signed a note; null for a note that none of them has signed rightly. */
export function unsignedBy(note: string, { vkeys }: NoteSigner): readonly string[] | null {
  const opening = openNote(note, vkeys.map(noteVerifier));
  if (opening.kind === "rejected") return null;
  const signed = opening.by.map(({ vkey }) => vkey);
  return vkeys.filter((vkey) => !signed.includes(vkey));
}

/** `— <name> <base64(key id || signature)>` and a newline. */
export function signatureLine(name: string, id: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${encodeBase64(concatBytes(id, signature))}\n`;
}

/** @throws `note-key-invalid` */
export function noteVerifier(vkey: string): NoteVerifier {
  const { name, keyId, publicKey } = readVerifierKey(vkey, NOTE_KEY);
  return { name, keyId, vkey, verify: (text, signature) => verify(null, utf8(text), publicKey, signature) };
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

function isNoteText(text: string): boolean {
  return text.endsWith("\n") && text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}
