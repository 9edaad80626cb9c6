/**
 * SSH public keys: `ssh-ed25519 AAAA... comment` lines and their binary form.
 *
 *   ssh-ed25519                        string type, string key (32 bytes)               RFC 8709
 *   ecdsa-sha2-nistp256|384|521        string type, string curve, string point          RFC 5656
 *   ssh-rsa                            string type, mpint e, mpint n                    RFC 4253
 *   sk-ssh-ed25519@openssh.com         string type, string key, string application      OpenSSH PROTOCOL.u2f
 *   sk-ecdsa-sha2-nistp256@openssh.com string type, string curve, string point, string application
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { concatBytes, decodeBase64, utf8 } from "../lib/bytes.ts";
import { fingerprint } from "../lib/digest.ts";
import { type Refusal, refusal } from "./format.ts";
import { SshReader, sshStrings } from "./ssh-wire.ts";

export interface SshPublicKey {
  readonly kind: "key";
  readonly type: string;
  readonly blob: Uint8Array;
  /** `SHA256:...` */
  readonly fingerprint: string;
  readonly key: KeyObject;
  readonly curve: SshCurve | null;
  /** Of a security key (`sk-...`): what it signs for, usually `ssh:`. */
  readonly application: Uint8Array | null;
}

export interface SshCurve {
  readonly name: string;
  readonly jwk: string;
  readonly hash: "sha256" | "sha384" | "sha512";
  readonly bytes: number;
}

const MINIMUM_RSA_BITS = 2048;
const MAXIMUM_RSA_BITS = 16_384;
const MAXIMUM_LINE_CHARACTERS = 16_384;

const CURVES: readonly SshCurve[] = [
  { name: "nistp256", jwk: "P-256", hash: "sha256", bytes: 32 },
  { name: "nistp384", jwk: "P-384", hash: "sha384", bytes: 48 },
  { name: "nistp521", jwk: "P-521", hash: "sha512", bytes: 66 },
];

const KEY_LINE = /^([a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+=*)(?:[ \t]+\S.*)?$/;

/** Reads one public key line; the comment is ignored. */
export function sshKeyFromLine(line: string): SshPublicKey | Refusal {
  const match = line.length > MAXIMUM_LINE_CHARACTERS ? null : KEY_LINE.exec(line.trim());
  const blob = decodeBase64(match?.[2] ?? "");
  if (match === null || blob === null) {
    return refusal("malformed-signature", "This is not a public SSH key line such as `ssh-ed25519 AAAA... name`.");
  }
  const key = sshKeyFromBlob(blob);
  return key.kind === "key" && key.type !== match[1] ? malformed("is of another type than its line says") : key;
}

/**
 * Reads over the fields that follow the type of a key and answers the key's own blob: certificates hold those fields with
 * others before and behind them. null for a type that is not known.
 */
export function blobOfFields(type: string, fields: SshReader, bytes: Uint8Array): Uint8Array | null {
  const read = readers(type);
  if (read === null) return null;
  const start = fields.offset;
  read(fields);
  return concatBytes(sshStrings(utf8(type)), bytes.subarray(start, fields.offset));
}

export function sshKeyFromBlob(blob: Uint8Array): SshPublicKey | Refusal {
  const reader = new SshReader(blob);
  const type = reader.text();
  const read = readers(type);
  if (read === null) return unknownType(type);
  const parts = read(reader);
  if (!reader.finished) return malformed("is damaged or has bytes left over");
  if ("kind" in parts) return parts;
  const key = keyObject(parts.jwk);
  if (key === null) return malformed("is not a point or number of its kind");
  const { curve = null, application = null } = parts;
  return { kind: "key", type, blob, fingerprint: fingerprint(blob), key, curve, application };
}

interface Parts {
  readonly jwk: JsonWebKey;
  readonly curve?: SshCurve;
  readonly application?: Uint8Array;
}

function readers(type: string): ((reader: SshReader) => Parts | Refusal) | null {
  if (type === "ssh-ed25519") return readEd25519;
  if (type === "ssh-rsa") return readRsa;
  if (type === "sk-ssh-ed25519@openssh.com") {
    return (reader) => ({ ...readEd25519(reader), application: reader.string() });
  }
  const curve = CURVES.find((candidate) => type === `ecdsa-sha2-${candidate.name}`);
  if (curve !== undefined) return (reader) => readEcdsa(reader, curve);
  const [nistp256] = CURVES;
  if (type !== "sk-ecdsa-sha2-nistp256@openssh.com" || nistp256 === undefined) return null;
  return (reader) => withApplication(readEcdsa(reader, nistp256), reader);
}

function withApplication(parts: Parts | Refusal, reader: SshReader): Parts | Refusal {
  return "kind" in parts ? parts : { ...parts, application: reader.string() };
}

function readEd25519(reader: SshReader): Parts {
  return { jwk: { kty: "OKP", crv: "Ed25519", x: base64url(reader.string()) } };
}

function readEcdsa(reader: SshReader, curve: SshCurve): Parts | Refusal {
  const named = reader.text();
  const point = reader.string();
  if (named !== curve.name || point[0] !== 4 || point.byteLength !== 1 + 2 * curve.bytes) {
    return malformed("has a point that does not fit its curve");
  }
  const x = base64url(point.subarray(1, 1 + curve.bytes));
  const y = base64url(point.subarray(1 + curve.bytes));
  return { jwk: { kty: "EC", crv: curve.jwk, x, y }, curve };
}

function readRsa(reader: SshReader): Parts | Refusal {
  const e = reader.positive();
  const n = reader.positive();
  const bits = n.byteLength * 8 - Math.clz32(n[0] ?? 0) + 24;
  if (!reader.failed && bits < MINIMUM_RSA_BITS) {
    return refusal("weak-algorithm", `The RSA key has ${bits} bits; at least 2,048 are required.`);
  }
  if (bits > MAXIMUM_RSA_BITS || e.byteLength > 8) return malformed("has RSA numbers out of bounds");
  return { jwk: { kty: "RSA", e: base64url(e), n: base64url(n) } };
}

function unknownType(type: string): Refusal {
  if (type === "ssh-dss") return refusal("weak-algorithm", "ssh-dss keys can be forged and are refused.");
  const shown = JSON.stringify(type.slice(0, 60));
  if (type.includes("-cert-v01@")) {
    return refusal("not-supported", "This is an SSH certificate; list its authority, or the key without it.");
  }
  return refusal("not-supported", `SSH keys of type ${shown} are not supported.`);
}

function malformed(clause: string): Refusal {
  return refusal("malformed-signature", `The SSH public key ${clause}.`);
}

/** null where OpenSSL finds the numbers to be no key (a point off the curve). */
export function keyObject(jwk: JsonWebKey): KeyObject | null {
  try {
    return createPublicKey({ format: "jwk", key: jwk });
  } catch {
    return null;
  }
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
