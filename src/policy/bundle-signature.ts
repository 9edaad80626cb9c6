/**
 * `.signatures.json` of an OPA bundle (https://www.openpolicyagent.org/docs/management-bundles#signing): one JWT over the
 * hashes of all files. A file of JSON is hashed as its values in order, whatever its spaces. RS256 only: a signature of
 * another kind is another one each time, and the same policies must give the same bundle.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import * as z from "zod";
import { decodeUtf8, utf8 } from "../lib/bytes.ts";
import { canonicalJson } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { exactJsonText } from "../lib/exact-json.ts";
import { parseExactJson } from "../lib/json.ts";
import { ALGORITHMS, verifyText } from "./builtins/jwt-algorithms.ts";

export interface SigningKey {
  /** PEM of an RSA private key. */
  readonly pem: string;
  /** What verifiers call the key. */
  readonly id: string;
}

const LEAST_BITS = 2048;
const MAXIMUM_DEPTH = 200;
const SIGNATURES = ".signatures.json";
const JSON_FILE = /(?:^|\/)(?:data\.json|\.manifest)$/;

/** By name, without a slash in front. @throws SluiceError `signing-key-unusable` */
export function bundleSignatures(
  files: readonly (readonly [string, Uint8Array])[],
  { pem, id }: SigningKey,
): Uint8Array {
  const key = rsaKey(pem);
  const payload = {
    files: files.map(([name, content]) => ({ name, hash: hashOf(name, content), algorithm: "SHA-256" })),
    keyid: id,
  };
  const signed = [{ alg: "RS256", kid: id, typ: "JWT" }, payload].map((part) => base64url(utf8(canonicalJson(part))));
  const signature = sign("sha256", utf8(signed.join(".")), key);
  return utf8(`${canonicalJson({ signatures: [[...signed, base64url(signature)].join(".")] })}\n`);
}

function hashOf(name: string, content: Uint8Array, algorithm = "sha256"): string {
  return createHash(algorithm)
    .update(JSON_FILE.test(name) ? utf8(orderedText(content)) : content)
    .digest("hex");
}

/** As OPA walks it (v1/bundle/hash.go): numbers as they are written. What is no JSON is what it is. */
function orderedText(content: Uint8Array): string {
  const text = decodeUtf8(content) ?? "";
  const reading = parseExactJson(text, { bytes: content.byteLength, depth: MAXIMUM_DEPTH });
  return reading.kind === "value" ? exactJsonText(reading.value) : text;
}

function rsaKey(pem: string) {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_BITS) return key;
  } catch {
    // said below: the reason of a key that cannot be read may hold parts of it
  }
  throw new SluiceError(
    "signing-key-unusable",
    "The key that bundles are signed with is no RSA key of 2048 bits or more.",
  );
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

const MAXIMUM_TOKENS = 16;
const MAXIMUM_TEXT_BYTES = 256 * 1024;
const HASHES = { "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" } as const;

const signaturesSchema = z.looseObject({ signatures: z.array(z.string()).min(1).max(MAXIMUM_TOKENS) });
const headerSchema = z.looseObject({ alg: z.enum(ALGORITHMS), crit: z.undefined().optional() });
const payloadSchema = z.looseObject({
  files: z.array(
    z.strictObject({ name: z.string(), hash: z.string(), algorithm: z.enum(["SHA-256", "SHA-384", "SHA-512"]) }),
  ),
});

/**
 * Whether one of the tokens of `.signatures.json` verifies by this key and names exactly the files that are there.
 * @param pem of a public key; a secret would let whoever verifies sign
 * @throws SluiceError `signing-key-unusable`, `bundle-unsigned`, `bundle-signature`
 */
export function verifyBundleSignatures(files: ReadonlyMap<string, Uint8Array>, pem: string): void {
  const key = publicKey(pem);
  const listed = files.get(SIGNATURES);
  if (listed === undefined)
    throw new SluiceError("bundle-unsigned", "The bundle has no .signatures.json that the key could verify.");
  const tokens = signaturesSchema.safeParse(jsonIn(decodeUtf8(listed)));
  if (tokens.success && tokens.data.signatures.some((token) => signsAll(token, files, key))) return;
  throw new SluiceError(
    "bundle-signature",
    "No signature in .signatures.json is by this key and over exactly these files.",
  );
}

function signsAll(token: string, files: ReadonlyMap<string, Uint8Array>, key: KeyObject): boolean {
  const [head = "", body = "", signature = "", ...more] = token.split(".");
  const header = headerSchema.safeParse(jsonIn(textIn(head)));
  if (more.length > 0 || !header.success) return false;
  if (!verifyText(header.data.alg, key, `${head}.${body}`, Buffer.from(signature, "base64url"))) return false;
  const payload = payloadSchema.safeParse(jsonIn(textIn(body)));
  if (!payload.success) return false;
  const named = new Map(payload.data.files.map((file) => [file.name.replace(/^\//, ""), file]));
  const signed = [...files].filter(([name]) => name !== SIGNATURES);
  return (
    named.size === signed.length &&
    payload.data.files.length === signed.length &&
    signed.every(([name, content]) => {
      const file = named.get(name);
      return file !== undefined && file.hash === hashOf(name, content, HASHES[file.algorithm]);
    })
  );
}

function textIn(base64: string): string | null {
  return decodeUtf8(new Uint8Array(Buffer.from(base64, "base64url")));
}

/** undefined for what is no JSON, or is too long. */
function jsonIn(text: string | null): unknown {
  if (text === null || text.length > MAXIMUM_TEXT_BYTES) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function publicKey(pem: string): KeyObject {
  try {
    if (/^-----BEGIN PUBLIC KEY-----/.test(pem)) return createPublicKey(pem);
  } catch {
    // said below
  }
  throw new SluiceError("signing-key-unusable", "The key to verify bundles with is no PEM of a public key.", {
    fix: "openssl pkey -in KEY -pubout -out bundle.pub",
  });
}
