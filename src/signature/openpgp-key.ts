/** OpenPGP public keys of version 4 as node:crypto keys, and the mathematics of their signatures. */
import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { concatBytes } from "../lib/bytes.ts";
import { once } from "../lib/once.ts";
import type { Instant } from "../lib/time.ts";
import { isTrue, type Question } from "./mathematics.ts";
import {
  DSA,
  ECDSA,
  ED25519,
  EDDSA_LEGACY,
  fingerprintOf,
  type OpenPgpSignature,
  RSA,
  RSA_SIGN_ONLY,
  readNumbers,
} from "./openpgp-packets.ts";
import { base64url, keyObject } from "./ssh-key.ts";

export interface OpenPgpKey {
  /** 40 upper-case hex digits. */
  readonly fingerprint: string;
  /** The packet's body, as it enters hashes. */
  readonly body: Uint8Array;
  readonly created: Instant;
  /** null for keys that cannot sign data or that we do not know (encryption keys, other curves). */
  readonly signing: SigningKey | null;
}

export interface SigningKey {
  readonly algorithm: number;
  readonly key: KeyObject;
  /** Of each number of a signature; RSA: of the modulus. */
  readonly bytes: number;
  /** A sentence where the key is too small to trust; null otherwise. */
  readonly weakness: string | null;
}

const MINIMUM_BITS = 2048;
const MAXIMUM_BITS = 16_384;

/** null unless the body is that of a version 4 key. */
export function readKeyBody(body: Uint8Array): OpenPgpKey | null {
  if (body[0] !== 4 || body.byteLength < 8 || body.byteLength > 0xffff) return null;
  const created = Buffer.from(body.subarray(1, 5)).readUInt32BE() * 1000;
  const signing = once(() => signingKey(body[5] ?? 0, body.subarray(6)));
  return {
    fingerprint: fingerprintOf(body),
    body,
    created,
    get signing() {
      return signing();
    },
  };
}

function signingKey(algorithm: number, material: Uint8Array): SigningKey | null {
  switch (algorithm) {
    case RSA:
    case RSA_SIGN_ONLY:
      return rsaKey(algorithm, readNumbers(material, 2));
    case DSA:
      return dsaKey(readNumbers(material, 4));
    case ECDSA:
    case EDDSA_LEGACY:
      return curveKey(algorithm, material);
    case ED25519:
      return material.byteLength === 32 ? edKey(ED25519, material) : null;
    default:
      return null;
  }
}

function rsaKey(algorithm: number, numbers: readonly Uint8Array[] | null): SigningKey | null {
  const [n, e] = numbers ?? [];
  if (n === undefined || e === undefined || bitsOf(n) > MAXIMUM_BITS || e.byteLength > 8) return null;
  const key = keyObject({ kty: "RSA", n: base64url(n), e: base64url(e) });
  return key === null ? null : { algorithm, key, bytes: n.byteLength, weakness: weakness("RSA", bitsOf(n)) };
}

function weakness(kind: string, bits: number): string | null {
  return bits < MINIMUM_BITS ? `The ${kind} key has ${bits} bits; at least 2,048 are required.` : null;
}

function bitsOf(number: Uint8Array): number {
  return number.byteLength * 8 - (Math.clz32(number[0] ?? 0) - 24);
}

/** Curves by their object identifier (RFC 9580 section 9.2). */
const CURVES: Readonly<Record<string, { jwk: string; bytes: number }>> = {
  "2a8648ce3d030107": { jwk: "P-256", bytes: 32 },
  "2b81040022": { jwk: "P-384", bytes: 48 },
  "2b81040023": { jwk: "P-521", bytes: 66 },
};
const ED25519_LEGACY_OID = "2b06010401da470f01";

/** byte length, object identifier, MPI point: 04 x y, or 40 and the native key for Ed25519. */
function curveKey(algorithm: number, material: Uint8Array): SigningKey | null {
  const end = 1 + (material[0] ?? 0);
  const identifier = Buffer.from(material.subarray(1, end)).toString("hex");
  const point = readNumbers(material.subarray(end), 1)?.[0];
  if (point === undefined) return null;
  if (algorithm === EDDSA_LEGACY) {
    const isEd25519 = identifier === ED25519_LEGACY_OID && point.byteLength === 33 && point[0] === 0x40;
    return isEd25519 ? edKey(EDDSA_LEGACY, point.subarray(1)) : null;
  }
  const curve = Object.hasOwn(CURVES, identifier) ? CURVES[identifier] : undefined;
  if (curve === undefined || point[0] !== 4 || point.byteLength !== 1 + 2 * curve.bytes) return null;
  const x = base64url(point.subarray(1, 1 + curve.bytes));
  const y = base64url(point.subarray(1 + curve.bytes));
  const key = keyObject({ kty: "EC", crv: curve.jwk, x, y });
  return key === null ? null : { algorithm, key, bytes: curve.bytes, weakness: null };
}

function edKey(algorithm: number, point: Uint8Array): SigningKey | null {
  const key = keyObject({ kty: "OKP", crv: "Ed25519", x: base64url(point) });
  return key === null ? null : { algorithm, key, bytes: 32, weakness: null };
}

const DSA_OID = Uint8Array.of(0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01);

/** There is no JWK for DSA: SubjectPublicKeyInfo of RFC 3279 section 2.3.2, written here. */
function dsaKey(numbers: readonly Uint8Array[] | null): SigningKey | null {
  const [p, q, g, y] = numbers ?? [];
  if (p === undefined || q === undefined || g === undefined || y === undefined || bitsOf(p) > MAXIMUM_BITS) return null;
  const parameters = der(0x30, derInteger(p), derInteger(q), derInteger(g));
  const bitString = der(0x03, Uint8Array.of(0), derInteger(y));
  try {
    const spki = der(0x30, der(0x30, DSA_OID, parameters), bitString);
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    return { algorithm: DSA, key, bytes: q.byteLength, weakness: weakness("DSA", bitsOf(p)) };
  } catch {
    return null;
  }
}

function derInteger(number: Uint8Array): Uint8Array {
  return der(0x02, (number[0] ?? 0xff) > 0x7f ? Uint8Array.of(0) : new Uint8Array(0), number);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  const { byteLength } = content;
  const long = byteLength > 0xff ? [0x82, byteLength >> 8, byteLength & 0xff] : [0x81, byteLength];
  return concatBytes(Uint8Array.of(tag, ...(byteLength < 0x80 ? [byteLength] : long)), content);
}

/** Hashes that may carry a signature over data. */
export const DATA_HASHES: ReadonlyMap<number, string> = new Map([
  [8, "sha256"],
  [9, "sha384"],
  [10, "sha512"],
  [11, "sha224"],
]);

/**
 * Also SHA-1, for what an owner says about their own key. Forging that needs a second preimage, which SHA-1 still
 * withstands; a collision helps only the owner. MD5 and RIPEMD-160 are never read.
 */
export const CERTIFICATE_HASHES: ReadonlyMap<number, string> = new Map([...DATA_HASHES, [2, "sha1"]]);

/** Whether `signer` made the signature over the parts: what it says of itself and of its subkeys. */
export function isSignedBy(...asked: Parameters<typeof questionOf>): boolean {
  return isTrue(questionOf(...asked));
}

/**
 * Whether `signer` made `signature` over the parts, followed by the trailer of RFC 9580 section 5.2.4; null where it
 * cannot be one of this key's.
 */
export function questionOf(
  signer: SigningKey,
  signature: OpenPgpSignature,
  hashes: ReadonlyMap<number, string>,
  ...parts: readonly Uint8Array[]
): Question | null {
  const hashName = hashes.get(signature.hashAlgorithm);
  if (hashName === undefined || !isSameKind(signer.algorithm, signature.algorithm)) return null;
  const trailer = Buffer.allocUnsafe(6);
  trailer.writeUInt16BE(0x04ff);
  trailer.writeUInt32BE(signature.hashed.byteLength, 2);
  const data = Buffer.concat([...parts, signature.hashed, trailer]);
  const numbers = pad(signature.numbers, signer);
  return numbers === null ? null : asked(signer, hashName, data, numbers);
}

function isSameKind(keyAlgorithm: number, signatureAlgorithm: number): boolean {
  const isRsa = (algorithm: number): boolean => algorithm === RSA || algorithm === RSA_SIGN_ONLY;
  return keyAlgorithm === signatureAlgorithm || (isRsa(keyAlgorithm) && isRsa(signatureAlgorithm));
}

/** MPIs lose their leading zeros; the mathematics wants every number in full width. */
function pad(numbers: readonly Uint8Array[], signer: SigningKey): Uint8Array | null {
  const [first] = numbers;
  if (signer.algorithm === ED25519) return first ?? null;
  if (numbers.length === 1 && first?.byteLength === signer.bytes) return first; // RSA, but for one in 256
  if (numbers.some((number) => number.byteLength > signer.bytes)) return null;
  const padded = new Uint8Array(numbers.length * signer.bytes);
  numbers.forEach((number, index) => {
    padded.set(number, (index + 1) * signer.bytes - number.byteLength);
  });
  return padded;
}

function asked({ algorithm, key }: SigningKey, hashName: string, data: Uint8Array, signature: Uint8Array): Question {
  switch (algorithm) {
    case RSA:
    case RSA_SIGN_ONLY:
      return { algorithm: hashName, data, key, signature };
    case DSA:
    case ECDSA:
      return { algorithm: hashName, data, key: { key, dsaEncoding: "ieee-p1363" }, signature };
    default:
      return { algorithm: null, data: hash(hashName, data, "buffer"), key, signature };
  }
}
