/** Keys of tokens: one PEM block (certificate or public key), or a JWK or a set of them (RFC 7517). */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, X509Certificate } from "node:crypto";
import { BuiltinError } from "./call.ts";
import { ALGORITHMS } from "./jwt-algorithms.ts";

export interface KeyEntry {
  /** "" = any. */
  readonly alg: string;
  /** "" = none. */
  readonly kid: string;
  readonly key: KeyObject | Buffer;
}

/** @throws BuiltinError for anything that is not keys to verify with. */
export function readKeys(text: string): readonly KeyEntry[] {
  const pem = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----[ \t]*\r?\n?/.exec(text);
  if (pem !== null) return [{ alg: "", kid: "", key: pemKey(text, pem) }];
  return jwks(text)
    .map(({ jwk, alg, kid }) => ({ alg, kid, key: guarded(() => publicKey(jwk)) }))
    .filter(({ alg }) => alg === "" || (ALGORITHMS as readonly string[]).includes(alg));
}

function pemKey(text: string, pem: RegExpExecArray): KeyObject {
  if (pem.index + pem[0].length < text.length) throw new BuiltinError("extra data after a PEM block");
  if (pem[1] === "CERTIFICATE") return guarded(() => new X509Certificate(pem[0]).publicKey);
  if (pem[1] === "PUBLIC KEY") return guarded(() => createPublicKey(pem[0]));
  throw new BuiltinError("the PEM block is neither a certificate nor a public key");
}

function publicKey(jwk: JsonWebKey): KeyObject | Buffer {
  if (jwk.kty === "oct") return secret(jwk);
  return createPublicKey({ key: jwk, format: "jwk" });
}

function secret(jwk: JsonWebKey): Buffer {
  if (typeof jwk.k !== "string" || !/^[A-Za-z0-9_-]*={0,2}$/.test(jwk.k))
    throw new BuiltinError("the key has no secret");
  return Buffer.from(jwk.k, "base64url");
}

/** The first key of a JWK or a set. @throws BuiltinError */
export function readSigningKey(text: string): KeyObject | Buffer {
  const [first] = jwks(text);
  if (first === undefined) throw new BuiltinError("the set has no key");
  if (first.jwk.kty === "oct") return secret(first.jwk);
  return guarded(() => createPrivateKey({ key: first.jwk, format: "jwk" }));
}

function jwks(text: string): readonly { jwk: JsonWebKey; alg: string; kid: string }[] {
  const parsed = guarded(() => JSON.parse(text) as unknown);
  const listed: unknown = isRecord(parsed) && "keys" in parsed ? parsed["keys"] : [parsed];
  if (!Array.isArray(listed)) throw new BuiltinError("keys is not a list");
  return listed.map((one: unknown) => {
    if (!isRecord(one) || typeof one["kty"] !== "string") throw new BuiltinError("a key has no type");
    return { jwk: one as JsonWebKey, alg: textOr(one["alg"]), kid: textOr(one["kid"]) };
  });
}

function textOr(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw new BuiltinError("a name of a key is not a string");
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch {
    throw new BuiltinError("the key cannot be read");
  }
}
