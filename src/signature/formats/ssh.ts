/**
 * SSH signatures (OpenSSH PROTOCOL.sshsig). The blob inside the armour:
 *
 *   byte[6]  "SSHSIG"
 *   uint32   version, 1
 *   string   public key                    the signer's, whole, or a certificate of it; see ssh-key.ts, ssh-certificate.ts
 *   string   namespace                     `git` for commits, `sluice-approval` for approvals
 *   string   reserved, empty
 *   string   hash algorithm                sha256 | sha512
 *   string   signature                     see ssh-raw-signature.ts
 *
 * What was signed: "SSHSIG", then namespace, reserved, hash algorithm and H(message), each a string.
 * OpenSSH ignores a changed `reserved` field; here it must be empty, so that a signature has one form.
 * As in OpenSSH, a listed key never vouches for a certificate, nor an authority for a plain key.
 */
import { hash } from "node:crypto";
import { utf8 } from "../../lib/bytes.ts";
import type { Instant } from "../../lib/time.ts";
import { armourText, readArmour } from "../armour.ts";
import {
  type Format,
  type FormatVerifier,
  type Match,
  type Matched,
  type Refusal,
  refusal,
  type SignedBytes,
} from "../format.ts";
import type { Answer, Question } from "../mathematics.ts";
import { certifiedKeys } from "../ssh-authority.ts";
import { objectionToCertificate, plainTypeOf, readSshCertificate, type SshCertificate } from "../ssh-certificate.ts";
import { type SshPublicKey, sshKeyFromBlob } from "../ssh-key.ts";
import { hardwareOf, questionOf, type RawSshSignature, readRawSignature } from "../ssh-raw-signature.ts";
import { SshReader, sshStringsAfter } from "../ssh-wire.ts";
import type { SshAuthority, SshTrustedKey, Trust } from "../trust.ts";

const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";
const MAGIC = utf8("SSHSIG");
const VERSION = 1;
const NO_BYTES = new Uint8Array(0);
const HASH_NAMES = { sha256: utf8("sha256"), sha512: utf8("sha512") } as const;
/** Signers remembered by the bytes of their key or certificate; a range has few, hostile ones are forgotten together. */
const MAXIMUM_REMEMBERED = 1_000;

export const SSH: Format = { name: "ssh", begin: BEGIN, end: END, open };

/** Whose key is in the signature: the key alone, or a certificate about it. */
type Holder = { readonly key: SshPublicKey; readonly certificate: SshCertificate | null };
type ReadHolder = (blob: Uint8Array) => Holder | Refusal;

interface Listed {
  readonly keys: ReadonlyMap<string, readonly SshTrustedKey[]>;
  readonly authorities: ReadonlyMap<string, readonly SshAuthority[]>;
  readonly revokedKeys: ReadonlySet<string>;
  readonly readHolder: ReadHolder;
}

function open(trust: Trust, answer: Answer): FormatVerifier {
  const listed: Listed = {
    keys: Map.groupBy(
      trust.keys.filter((key) => key.format === "ssh"),
      (key) => key.fingerprint,
    ),
    authorities: Map.groupBy(trust.sshAuthorities ?? [], (authority) => authority.fingerprint),
    revokedKeys: new Set(trust.revokedKeys),
    readHolder: rememberingHolders(),
  };
  return { match: (signed) => matchSsh(signed, listed, answer) };
}

/** The same few keys sign whole histories: each is read, and each certificate verified, once. */
function rememberingHolders(): ReadHolder {
  const known = new Map<string, Holder | Refusal>();
  return (blob) => {
    const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).toString("latin1");
    const before = known.get(bytes);
    if (before !== undefined) return before;
    const found = readHolder(blob);
    if (known.size >= MAXIMUM_REMEMBERED) known.clear();
    known.set(bytes, found);
    return found;
  };
}

function readHolder(blob: Uint8Array): Holder | Refusal {
  if (plainTypeOf(new SshReader(blob).text()) === null) {
    const key = sshKeyFromBlob(blob);
    return key.kind === "refused" ? key : { key, certificate: null };
  }
  const certificate = readSshCertificate(blob);
  return certificate.kind === "refused" ? certificate : { key: certificate.key, certificate };
}

interface SshSignature {
  readonly holder: Holder;
  readonly namespace: string;
  readonly hash: "sha256" | "sha512";
  readonly inner: RawSshSignature;
}

async function matchSsh(signed: SignedBytes, listed: Listed, answer: Answer): Promise<Matched | Refusal> {
  const blob = binary(signed.signature);
  if (typeof blob === "string") return malformed(blob);
  const signature = readSignature(blob, signed.namespace, listed.readHolder);
  if ("kind" in signature) return signature;
  const { key, certificate } = signature.holder;
  if (!(await answer(asked(signature, signed.payload)))) {
    return refusal("bad-signature", `The signature of ${key.fingerprint} does not belong to these bytes.`);
  }
  const matches = certificate === null ? byKey(signature, listed) : byAuthority(signature, certificate, listed);
  return "kind" in matches ? matches : { kind: "matched", matches };
}

function byKey({ holder: { key }, inner }: SshSignature, { keys }: Listed): readonly Match[] | Refusal {
  const owned = keys.get(key.fingerprint);
  if (owned === undefined) return refusal("unknown-signer", `Nobody owns the SSH key ${key.fingerprint}.`);
  const hardware = hardwareOf(inner);
  return owned.map((one) => ({
    key: one,
    signingKey: one.fingerprint,
    hardware,
    objectionAt: () => null,
    turningPoints: () => [],
  }));
}

/** One match for each listing of the authority under which the certificate names somebody who is listed. */
function byAuthority(
  signature: SshSignature,
  certificate: SshCertificate,
  { authorities, revokedKeys, keys }: Listed,
): readonly Match[] | Refusal {
  const { key, authority } = certificate;
  const issuers = authorities.get(authority.fingerprint);
  if (issuers === undefined) {
    return refusal("unknown-signer", `Nobody lists ${authority.fingerprint} as an authority for SSH certificates.`);
  }
  if (!certificate.isSigned) {
    return refusal("bad-signature", `The certificate of ${key.fingerprint} is not signed by its authority.`);
  }
  const hardware = hardwareOf(signature.inner);
  const objectionAt = (at: Instant): Refusal | null =>
    revokedKeys.has(authority.fingerprint)
      ? refusal("key-revoked", `The certificate authority ${authority.fingerprint} was taken away.`)
      : objectionToCertificate(certificate, at, hardware);
  const { fingerprint } = key;
  const { principals, from, until } = certificate;
  const certification = { authority: authority.fingerprint, principals, from, until };
  const turningPoints = () => [from, until].filter((time) => time !== null);
  const revoked = keys.get(fingerprint)?.find((one) => one.terms.revoked !== null)?.terms.revoked ?? null;
  const found = certifiedKeys(fingerprint, principals, issuers, revoked);
  return found.length > 0
    ? found.map((one) => ({ key: one, signingKey: fingerprint, hardware, objectionAt, certification, turningPoints }))
    : refusal("unknown-signer", `The certificate of ${fingerprint} does not name one person who is listed.`);
}

function binary(signature: Uint8Array): Uint8Array | string {
  if (beginsWithMagic(signature)) return signature;
  return readArmour(armourText(signature), { begin: BEGIN, end: END, openPgp: false });
}

function beginsWithMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

function readSignature(blob: Uint8Array, namespace: string, readHolder: ReadHolder): SshSignature | Refusal {
  const reader = new SshReader(blob);
  if (!beginsWithMagic(reader.take(MAGIC.byteLength))) return malformed("is not an SSHSIG blob");
  if (reader.uint32() !== VERSION) return malformed("is not of version 1");
  const keyBlob = reader.string();
  const signedFor = reader.text();
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
  const holder = readHolder(keyBlob);
  if ("kind" in holder) return holder;
  // A namespace is ASCII (git, sluice-approval), so that the characters are equal only where the bytes are.
  if (signedFor !== namespace) {
    return refusal(
      "wrong-namespace",
      `The SSH signature was made for ${shown(signedFor)}, not for ${shown(namespace)}.`,
    );
  }
  const raw = readRawSignature(inner, holder.key);
  return "kind" in raw ? raw : { holder, namespace, hash: hashName, inner: raw };
}

function asked({ holder, namespace, hash: name, inner }: SshSignature, payload: Uint8Array): Question | null {
  const digest = hash(name, payload, "buffer");
  const message = sshStringsAfter(MAGIC, [Buffer.from(namespace, "latin1"), NO_BYTES, HASH_NAMES[name], digest]);
  return questionOf(inner, message, holder.key);
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
  const holder = readHolder(reader.string());
  return reader.failed || "kind" in holder ? null : holder.key;
}
