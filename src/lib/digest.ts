import { createHash, hash } from "node:crypto";
import { encodeBase64 } from "./bytes.ts";

/** SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash("sha256", data, "hex");
}

/** SHA-256 as standard padded base64. */
export function sha256Base64(data: Uint8Array | string): string {
  return hash("sha256", data, "base64");
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
}

/** `SHA256:` plus unpadded base64, as OpenSSH prints a key's fingerprint. */
export function fingerprint(publicKeyBlob: Uint8Array): string {
  return `SHA256:${encodeBase64(sha256(publicKeyBlob)).replace(/=+$/, "")}`;
}
