/** Algorithms of certificates and CMS signatures (RFC 5280, 5754, 8410): which are known, which are too weak, the mathematics. */
import { createPublicKey, hash as digest, type KeyObject, verify } from "node:crypto";
import { type Refusal, refusal } from "./refusal.ts";
import { type Element, Fields, oid, TAG } from "./x509-der.ts";

export type HashName = "sha256" | "sha384" | "sha512";

export interface SignatureAlgorithm {
  readonly kind: "algorithm";
  readonly key: "rsa" | "ec" | "ed25519";
  /** null where the algorithm brings its own (Ed25519), or leaves it to the digest that stands beside it (rsaEncryption). */
  readonly hash: HashName | null;
}

const HASHES: Readonly<Record<string, HashName>> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

const SIGNATURES: Readonly<Record<string, Omit<SignatureAlgorithm, "kind">>> = {
  "1.2.840.113549.1.1.1": { key: "rsa", hash: null },
  "1.2.840.113549.1.1.11": { key: "rsa", hash: "sha256" },
  "1.2.840.113549.1.1.12": { key: "rsa", hash: "sha384" },
  "1.2.840.113549.1.1.13": { key: "rsa", hash: "sha512" },
  "1.2.840.10045.4.3.2": { key: "ec", hash: "sha256" },
  "1.2.840.10045.4.3.3": { key: "ec", hash: "sha384" },
  "1.2.840.10045.4.3.4": { key: "ec", hash: "sha512" },
  "1.3.101.112": { key: "ed25519", hash: null },
};

/** MD2, MD5, SHA-1 and SHA-224, alone and with RSA, DSA or ECDSA. */
const WEAK: ReadonlySet<string> = new Set([
  "1.2.840.113549.2.2",
  "1.2.840.113549.2.5",
  "1.3.14.3.2.26",
  "1.3.14.3.2.29",
  "2.16.840.1.101.3.4.2.4",
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.2.840.113549.1.1.14",
  "1.2.840.10040.4.3",
  "1.2.840.10045.4.1",
  "1.2.840.10045.4.3.1",
]);

const MINIMUM_RSA_BITS = 2048;
/** Keeps one verification in the range of a millisecond. */
const MAXIMUM_RSA_BITS = 8192;
const MAXIMUM_EXPONENT = 0xffff_ffffn;
const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** The OID of an AlgorithmIdentifier whose parameters are absent or NULL; null where it has others. @throws DerError */
function plainAlgorithm(element: Element): { id: string; isPlain: boolean } {
  const fields = new Fields(element);
  const id = oid(fields.next(TAG.oid));
  const parameters = fields.optional(TAG.null);
  const isPlain = parameters === null ? noMore(fields) : parameters.content.byteLength === 0 && noMore(fields);
  return { id, isPlain };
}

function noMore(fields: Fields): boolean {
  try {
    fields.end();
    return true;
  } catch {
    return false;
  }
}

/** @throws DerError */
export function readHash(element: Element): { readonly kind: "hash"; readonly name: HashName } | Refusal {
  const { id, isPlain } = plainAlgorithm(element);
  const name = HASHES[id];
  return name === undefined || !isPlain ? unknownAlgorithm("hash", id) : { kind: "hash", name };
}

/** @throws DerError */
export function readSignatureAlgorithm(element: Element): SignatureAlgorithm | Refusal {
  const { id, isPlain } = plainAlgorithm(element);
  const known = SIGNATURES[id];
  return known === undefined || !isPlain ? unknownAlgorithm("signature", id) : { kind: "algorithm", ...known };
}

function unknownAlgorithm(what: string, id: string): Refusal {
  return WEAK.has(id)
    ? refusal("weak-algorithm", `The X.509 signature uses the ${what} algorithm ${id}, which can be forged today.`)
    : refusal("not-supported", `X.509 signatures with the ${what} algorithm ${id} are not supported yet.`);
}

/** A key that may sign here, or why it may not. */
export function readPublicKey(spki: Uint8Array): KeyObject | Refusal {
  const key = parseKey(spki);
  if (key === null) return refusal("not-supported", "The certificate's key cannot be read.");
  const { modulusLength = 0, publicExponent = 0n, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return key;
    case "rsa":
      if (modulusLength < MINIMUM_RSA_BITS) {
        return refusal("weak-algorithm", `The certificate's RSA key has ${modulusLength} bits; 2,048 are required.`);
      }
      // With an exponent of 1 the padded hash is its own signature.
      if (publicExponent < 3n) return refusal("weak-algorithm", "The certificate's RSA key has an exponent below 3.");
      if (modulusLength <= MAXIMUM_RSA_BITS && publicExponent <= MAXIMUM_EXPONENT) return key;
      return refusal("not-supported", "RSA keys above 8,192 bits, or with an exponent above 32, are not supported.");
    case "ec":
      return CURVES.has(namedCurve) ? key : refusal("not-supported", `The curve ${namedCurve} is not supported.`);
    default:
      return refusal("not-supported", "The certificate's key is of a kind that is not supported.");
  }
}

function parseKey(spki: Uint8Array): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return null;
  }
}

/** OpenSSL's answer; false too where key and algorithm are of two kinds. `hash` for rsaEncryption, which names none. */
export function isSignedBy(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
  hash: HashName | null = null,
): boolean {
  const name = algorithm.hash ?? hash;
  if (key.asymmetricKeyType !== algorithm.key || (algorithm.key !== "ed25519" && name === null)) return false;
  try {
    return verify(algorithm.key === "ed25519" ? null : name, data, key, signature);
  } catch {
    return false;
  }
}

export function hashOf(name: HashName, data: Uint8Array): Uint8Array {
  return digest(name, data, "buffer");
}
