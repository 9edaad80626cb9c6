/**
 * `.signatures.json` of an OPA bundle (https://www.openpolicyagent.org/docs/management-bundles#signing): one JWT over the
 * hashes of all files. A file of JSON is hashed as its values in order, whatever its spaces. RS256 only: a signature of
 * another kind is another one each time, and the same policies must give the same bundle.
 */
import { createHash, createPrivateKey, sign } from "node:crypto";
import { utf8 } from "../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";

export interface SigningKey {
  /** PEM of an RSA private key. */
  readonly pem: string;
  /** What verifiers call the key. */
  readonly id: string;
}

const LEAST_BITS = 2048;
const JSON_FILES: ReadonlySet<string> = new Set(["data.json", ".manifest"]);

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

function hashOf(name: string, content: Uint8Array): string {
  const bytes = JSON_FILES.has(name)
    ? utf8(canonicalJson(JSON.parse(Buffer.from(content).toString("utf8")) as JsonValue))
    : content;
  return createHash("sha256").update(bytes).digest("hex");
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
