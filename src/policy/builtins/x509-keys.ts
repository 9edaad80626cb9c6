/** Private keys as Go's encoding/json and as JWK show them, by node:crypto. */
import { createPrivateKey, type JsonWebKey, type KeyObject } from "node:crypto";
import type { RegoValue } from "../rego-value.ts";
import { BuiltinError, LimitError, number, object } from "./call.ts";
import type { PemBlock } from "./pem.ts";
import { base64, unsigned } from "./x509-fields.ts";

const TYPES: Readonly<Record<string, "pkcs1" | "pkcs8" | "sec1">> = {
  ...{ "RSA PRIVATE KEY": "pkcs1", "PRIVATE KEY": "pkcs8", "EC PRIVATE KEY": "sec1" },
};

/** Blocks of other kinds are passed over. @throws BuiltinError for a damaged key */
export function privateKeys(blocks: readonly PemBlock[]): readonly KeyObject[] {
  return blocks.flatMap(({ label, bytes }) => {
    const type = TYPES[label];
    return type === undefined ? [] : [privateKey(bytes, type)];
  });
}

export function privateKey(bytes: Uint8Array, type: "pkcs1" | "pkcs8" | "sec1"): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(bytes), format: "der", type });
  } catch {
    throw new BuiltinError("failed to parse the private key");
  }
}

function partsOf(key: KeyObject): JsonWebKey {
  if (!/^(?:rsa|ec|ed25519)$/.test(key.asymmetricKeyType ?? ""))
    throw new LimitError("keys of this kind are not offered");
  return key.export({ format: "jwk" });
}

export function jwkOf(key: KeyObject): RegoValue {
  const parts = partsOf(key);
  return object(
    Object.fromEntries(Object.entries(parts).filter((one): one is [string, string] => typeof one[1] === "string")),
  );
}

/** Go's rsa.PrivateKey, ecdsa.PrivateKey and ed25519.PrivateKey. */
export function goKey(key: KeyObject): RegoValue {
  const parts = partsOf(key);
  const big = (text: string | undefined) => number(unsigned(Buffer.from(text ?? "", "base64url")));
  switch (parts.kty) {
    case "RSA":
      return object({
        ...{ N: big(parts.n), E: big(parts.e), D: big(parts.d), Primes: [big(parts.p), big(parts.q)] },
        Precomputed: object({ Dp: big(parts.dp), Dq: big(parts.dq), Qinv: big(parts.qi), CRTValues: [] }),
      });
    case "EC":
      return object({ Curve: object({}), X: big(parts.x), Y: big(parts.y), D: big(parts.d) });
    default:
      return base64(Buffer.concat([parts.d, parts.x].map((text) => Buffer.from(text ?? "", "base64url"))));
  }
}
