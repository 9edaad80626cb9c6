/** Signatures of JSON Web Algorithms (RFC 7518 section 3, RFC 8037 section 3.1). */
import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";
import { BuiltinError } from "./call.ts";

export const ALGORITHMS = [
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] as const),
  ...(["HS256", "HS384", "HS512", "EdDSA"] as const),
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const KEY_TYPES: Readonly<Record<string, string>> = { RS: "rsa", PS: "rsa", ES: "ec", Ed: "ed25519" };

/** false for a signature that does not fit and for a key of another kind. */
export function verifyText(algorithm: Algorithm, key: KeyObject | Buffer, text: string, signature: Buffer): boolean {
  const family = algorithm.slice(0, 2);
  if (Buffer.isBuffer(key)) {
    if (family !== "HS") return false;
    const mac = createHmac(hashOf(algorithm), key).update(text).digest();
    return mac.length === signature.length && timingSafeEqual(mac, signature);
  }
  if (key.asymmetricKeyType !== KEY_TYPES[family]) return false;
  try {
    return verify(family === "Ed" ? null : hashOf(algorithm), Buffer.from(text), optionsOf(family, key), signature);
  } catch {
    return false;
  }
}

/** @throws BuiltinError for a key of another kind. */
export function signText(algorithm: Algorithm, key: KeyObject | Buffer, text: string): Buffer {
  const family = algorithm.slice(0, 2);
  if (Buffer.isBuffer(key)) {
    if (family !== "HS") throw new BuiltinError(`a secret does not sign with ${algorithm}`);
    return createHmac(hashOf(algorithm), key).update(text).digest();
  }
  if (key.asymmetricKeyType !== KEY_TYPES[family]) throw new BuiltinError(`the key does not sign with ${algorithm}`);
  return sign(family === "Ed" ? null : hashOf(algorithm), Buffer.from(text), optionsOf(family, key));
}

function hashOf(algorithm: Algorithm): string {
  return `sha${algorithm.slice(2)}`;
}

function optionsOf(family: string, key: KeyObject) {
  if (family === "PS")
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return family === "ES" ? { key, dsaEncoding: "ieee-p1363" as const } : { key };
}
