/** Algorithms of certificates and CMS signatures (RFC 4055, 5280, 5754, 8410): which are known, which are too weak, the mathematics. */
import { constants, createPublicKey, hash as digest, type KeyObject, verify } from "node:crypto";
import { type Refusal, refusal } from "./refusal.ts";
import { context, type Element, Fields, oid, onlyChild, smallInteger, TAG } from "./x509-der.ts";

export type HashName = "sha256" | "sha384" | "sha512";

export interface SignatureAlgorithm {
  readonly kind: "algorithm";
  readonly key: "rsa" | "ec" | "ed25519";
  /** null where the algorithm brings its own (Ed25519), or leaves it to the digest that stands beside it (rsaEncryption). */
  readonly hash: HashName | null;
  /** RSASSA-PSS only: bytes of salt. */
  readonly salt?: number;
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

const RSASSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
/** More than any key that is used here has room for. */
const MAXIMUM_SALT_BYTES = 1024;

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
  if (id === RSASSA_PSS) return readPss(element);
  const known = SIGNATURES[id];
  return known === undefined || !isPlain ? unknownAlgorithm("signature", id) : { kind: "algorithm", ...known };
}

/**
 * RSASSA-PSS-params (RFC 4055 section 3.1), each stated: SHA-256, -384 or -512, MGF1 with the same, the salt's length.
 *
 *   SEQUENCE { [0] hash, default SHA-1; [1] mask generation, default MGF1 with SHA-1; [2] salt, default 20;
 *              [3] trailer, 1 }
 */
function readPss(element: Element): SignatureAlgorithm | Refusal {
  const outer = new Fields(element);
  outer.next(TAG.oid);
  const written = outer.optional(TAG.sequence);
  outer.end();
  if (written === null) return impreciselyPss("no parameters");
  const fields = new Fields(written);
  const [hash, mask, salt] = [fields.optional(context(0)), fields.optional(context(1)), fields.optional(context(2))];
  const trailer = fields.optional(context(3));
  fields.end();
  if (hash === null || mask === null) {
    return refusal("weak-algorithm", "The X.509 signature uses RSASSA-PSS with SHA-1, which can be forged today.");
  }
  if (salt === null) return impreciselyPss("no stated length of its salt");
  const name = readHash(onlyChild(hash));
  if (name.kind === "refused") return name;
  const generator = new Fields(onlyChild(mask));
  const isMgf1 = oid(generator.next(TAG.oid)) === MGF1;
  const maskHash = isMgf1 ? readHash(generator.next(TAG.sequence)) : null;
  if (maskHash?.kind === "refused") return maskHash;
  if (maskHash?.name !== name.name) return impreciselyPss("another mask than MGF1 with the same hash");
  generator.end();
  const bytes = smallInteger(onlyChild(salt));
  if (bytes > MAXIMUM_SALT_BYTES) return impreciselyPss("a salt that no key has room for");
  if (trailer !== null && smallInteger(onlyChild(trailer)) !== 1) return impreciselyPss("another trailer than 1");
  return { kind: "algorithm", key: "rsa", hash: name.name, salt: bytes };
}

function impreciselyPss(what: string): Refusal {
  return refusal("not-supported", `X.509 signatures by RSASSA-PSS with ${what} are not supported.`);
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
    case "rsa-pss":
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
  if (!isKeyFor(algorithm, key) || (algorithm.key !== "ed25519" && name === null)) return false;
  const { salt } = algorithm;
  const padding = salt === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt };
  try {
    return verify(algorithm.key === "ed25519" ? null : name, data, { key, ...padding }, signature);
  } catch {
    return false;
  }
}

/** A key of RSASSA-PSS alone signs nothing else, and only with the hashes and the salt that it may name (section 3.3). */
function isKeyFor({ key, hash, salt }: SignatureAlgorithm, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject) {
  if (asymmetricKeyType !== "rsa-pss") return asymmetricKeyType === key;
  const { hashAlgorithm = hash, mgf1HashAlgorithm = hash, saltLength = 0 } = asymmetricKeyDetails ?? {};
  return salt !== undefined && hashAlgorithm === hash && mgf1HashAlgorithm === hash && salt >= saltLength;
}

export function hashOf(name: HashName, data: Uint8Array): Uint8Array {
  return digest(name, data, "buffer");
}
