/**
 * A plain list of revoked SSH keys, one public key a line (`gpg.ssh.revocationFile`, sshd's `RevokedKeys`). OpenSSH passes
 * over a line that it cannot read; here that is an error, since the line was meant to take something away. A key
 * revocation list in binary form (KRL) is refused by name and never taken for an empty one.
 */
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { sshKeyFromLine } from "./ssh-key.ts";

const MAXIMUM_BYTES = 8 * 1024 * 1024;
const KRL_MAGIC = "SSHKRL\n\0";

/** Fingerprints of the keys; an authority's key takes all its certificates away. @throws SluiceError `revoked-key-invalid`, `not-supported` */
export function readRevokedSshKeys(bytes: Uint8Array, file: string): readonly string[] {
  if (Buffer.from(bytes.subarray(0, KRL_MAGIC.length)).toString("latin1") === KRL_MAGIC) {
    throw new SluiceError("not-supported", `${file} is a binary key revocation list (KRL), which is not supported.`, {
      fix: "write the revoked public keys into a plain file, one a line",
    });
  }
  const text = bytes.byteLength > MAXIMUM_BYTES ? null : decodeUtf8(bytes);
  if (text === null) throw new SluiceError("revoked-key-invalid", `${file} is not text of at most 8 MiB.`);
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (/^[ \t]*(?:#|$)/.test(line)) return [];
    const key = sshKeyFromLine(line);
    if (key.kind === "key") return [key.fingerprint];
    const position = { file, line: index + 1, column: 1 };
    throw new SluiceError("revoked-key-invalid", `${file}:${index + 1}:1 ${key.detail}`, { position });
  });
}
