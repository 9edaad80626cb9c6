/**
 * SSH signatures (OpenSSH PROTOCOL.sshsig). The blob inside the armour:
 *
 *   byte[6]  "SSHSIG"
 *   uint32   version, 1
 *   string   public key                    the signer's, whole; see ssh-key.ts
 *   string   namespace                     `git` for commits, `sluice-approval` for approvals
 *   string   reserved, empty
 *   string   hash algorithm                sha256 | sha512
 *   string   signature                     string type, string raw; sk: followed by byte flags, uint32 counter
 *
 * What was signed: "SSHSIG", then namespace, reserved, hash algorithm and H(message), each a string.
 * A security key signs SHA256(application), flags, counter and SHA256 of that (PROTOCOL.u2f).
 * OpenSSH ignores a changed `reserved` field; here it must be empty, so that a signature has one form.
 */
import { hash, type KeyObject, verify } from "node:crypto";
import { concatBytes, utf8 } from "../../lib/bytes.ts";
import { sha256 } from "../../lib/digest.ts";
import { readArmour } from "../armour.ts";
import { type Format, type Matched, type Refusal, refusal, type SignedBytes } from "../format.ts";
import { type SshPublicKey, sshKeyFromBlob } from "../ssh-key.ts";
import { SshReader, sshString } from "../ssh-wire.ts";
import type { SshTrustedKey, Trust } from "../trust.ts";

const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";
const MAGIC = utf8("SSHSIG");
const VERSION = 1;
const FLAG_TOUCHED = 0x01;
const FLAG_PIN = 0x04;

export const SSH: Format = {
  name: "ssh",
  begin: BEGIN,
  end: END,
  open(trust: Trust) {
    const listed = Map.groupBy(
      trust.keys.filter((key) => key.format === "ssh"),
      (key) => key.fingerprint,
    );
    return { match: (signed) => matchSsh(signed, listed) };
  },
};

interface SshSignature {
  readonly key: SshPublicKey;
  readonly namespace: Uint8Array;
  readonly hash: "sha256" | "sha512";
  readonly type: string;
  readonly raw: Uint8Array;
  /** Of a security key: flags, counter. */
  readonly security: { readonly flags: number; readonly trailer: Uint8Array } | null;
}

function matchSsh(signed: SignedBytes, listed: ReadonlyMap<string, readonly SshTrustedKey[]>): Matched | Refusal {
  const blob = binary(signed.signature);
  if (typeof blob === "string") return malformed(blob);
  const signature = readSignature(blob, signed.namespace);
  if ("kind" in signature) return signature;
  const owned = listed.get(signature.key.fingerprint) ?? [];
  if (!isMade(signature, signed.payload, owned[0]?.key ?? signature.key.key)) {
    return refusal("bad-signature", `The signature of ${signature.key.fingerprint} does not belong to these bytes.`);
  }
  if (owned.length === 0) return refusal("unknown-signer", `Nobody owns the SSH key ${signature.key.fingerprint}.`);
  const hardware = signature.security === null ? null : flagsOf(signature.security.flags);
  return {
    kind: "matched",
    matches: owned.map((key) => ({ key, signingKey: key.fingerprint, hardware, objection: null })),
  };
}

function flagsOf(flags: number): { touch: boolean; pin: boolean } {
  return { touch: (flags & FLAG_TOUCHED) !== 0, pin: (flags & FLAG_PIN) !== 0 };
}

function binary(signature: Uint8Array): Uint8Array | string {
  const isBare = Buffer.from(signature.subarray(0, MAGIC.byteLength)).equals(MAGIC);
  if (isBare) return signature;
  return readArmour(Buffer.from(signature).toString("latin1"), { begin: BEGIN, end: END, openPgp: false });
}

function readSignature(blob: Uint8Array, namespace: string): SshSignature | Refusal {
  const reader = new SshReader(blob);
  if (!Buffer.from(reader.take(MAGIC.byteLength)).equals(MAGIC)) return malformed("is not an SSHSIG blob");
  if (reader.uint32() !== VERSION) return malformed("is not of version 1");
  const keyBlob = reader.string();
  const signedFor = reader.string();
  const reserved = reader.string();
  const hashName = reader.text();
  const inner = reader.string();
  if (!reader.finished) return malformed("is damaged or has bytes left over");
  if (reserved.byteLength !== 0) return malformed("fills a field that must be empty");
  if (hashName !== "sha256" && hashName !== "sha512") {
    return refusal(
      "weak-algorithm",
      `The SSH signature uses the hash ${shown(hashName)}; sha256 or sha512 is required.`,
    );
  }
  const key = sshKeyFromBlob(keyBlob);
  if (key.kind === "refused") return key;
  if (!Buffer.from(signedFor).equals(Buffer.from(namespace))) {
    const found = shown(Buffer.from(signedFor).toString("latin1"));
    return refusal("wrong-namespace", `The SSH signature was made for ${found}, not for ${shown(namespace)}.`);
  }
  return readInner(inner, key, signedFor, hashName);
}

function readInner(
  inner: Uint8Array,
  key: SshPublicKey,
  namespace: Uint8Array,
  hashName: "sha256" | "sha512",
): SshSignature | Refusal {
  const reader = new SshReader(inner);
  const type = reader.text();
  const raw = reader.string();
  const trailer = key.application === null ? null : reader.take(5);
  if (!reader.finished) return malformed("is damaged or has bytes left over");
  if (type === "ssh-rsa") return refusal("weak-algorithm", "The SSH signature is an ssh-rsa one, which uses SHA-1.");
  const fits = key.type === "ssh-rsa" ? /^rsa-sha2-(?:256|512)$/.test(type) : type === key.type;
  if (!fits) return malformed(`says ${shown(type)} for a key of type ${key.type}`);
  const security = trailer === null ? null : { flags: trailer[0] ?? 0, trailer };
  return { key, namespace, hash: hashName, type, raw, security };
}

function isMade(signature: SshSignature, payload: Uint8Array, key: KeyObject): boolean {
  const message = concatBytes(
    MAGIC,
    sshString(signature.namespace),
    sshString(new Uint8Array(0)),
    sshString(utf8(signature.hash)),
    sshString(hash(signature.hash, payload, "buffer")),
  );
  const { application } = signature.key;
  if (signature.security === null || application === null) return isSignedBy(signature, message, key);
  return isSignedBy(signature, concatBytes(sha256(application), signature.security.trailer, sha256(message)), key);
}

function isSignedBy(signature: SshSignature, message: Uint8Array, key: KeyObject): boolean {
  const { curve } = signature.key;
  if (signature.type.startsWith("rsa-sha2-")) {
    return verify(signature.type === "rsa-sha2-512" ? "sha512" : "sha256", message, key, signature.raw);
  }
  if (curve === null) return signature.raw.byteLength === 64 && verify(null, message, key, signature.raw);
  const raw = readEcdsaSignature(signature.raw, curve.bytes);
  return raw !== null && verify(curve.hash, message, { key, dsaEncoding: "ieee-p1363" }, raw);
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

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

/** The public key that an armoured SSH signature carries, whoever's it is; null where there is none to be read. */
export function keyInSignature(signature: Uint8Array): SshPublicKey | null {
  const blob = binary(signature);
  if (typeof blob === "string") return null;
  const reader = new SshReader(blob);
  reader.take(MAGIC.byteLength);
  reader.uint32();
  const key = sshKeyFromBlob(reader.string());
  return reader.failed || key.kind !== "key" ? null : key;
}
