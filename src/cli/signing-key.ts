/** The SSH key with which a person signs: the one they name, one that is there, or a new one. Its private half is never read. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { sshKeyFromLine } from "../signature/ssh-key.ts";

export interface SigningKey {
  /** Path of the public key, which is what git is told. */
  readonly file: string;
  readonly fingerprint: string;
}

/** As ssh-keygen names them; keys that need a touch first, since nobody can use those unseen. */
const NAMES = ["id_ed25519_sk", "id_ecdsa_sk", "id_ed25519", "id_ecdsa", "id_rsa"] as const;
const NEW_NAME = "id_ed25519";
const MAXIMUM_KEY_BYTES = 16 * 1024;

/** A private key that is named means the public one beside it. @throws SluiceError `usage` for anything but a public SSH key */
export function namedKey(folder: string, given: string): SigningKey {
  const path = resolve(folder, given);
  const file = !path.endsWith(".pub") && existsSync(`${path}.pub`) ? `${path}.pub` : path;
  const key = readPublicKey(file);
  if (key !== null) return key;
  throw new SluiceError("usage", `${given} is no public SSH key that could sign.`, {
    fix: "--key ~/.ssh/id_ed25519.pub, or leave --key away",
  });
}

/** The first usable one in ~/.ssh; null where there is none. */
export function findKey(home: string): SigningKey | null {
  for (const name of NAMES) {
    const key = readPublicKey(join(home, ".ssh", `${name}.pub`));
    if (key !== null) return key;
  }
  return null;
}

export function newKeyFile(home: string): string {
  return join(home, ".ssh", `${NEW_NAME}.pub`);
}

/**
 * ssh-keygen asks the person for a passphrase by itself; without a person the key has none. It never writes over a key.
 * @throws SluiceError `usage` where it makes none
 */
export function makeKey(home: string, comment: string, isAttended: boolean): SigningKey {
  const file = newKeyFile(home);
  const path = file.slice(0, -".pub".length);
  if (existsSync(path) || existsSync(file)) {
    throw new SluiceError("usage", `${path} is there and is no key that could be used; it is not written over.`, {
      fix: `ssh-keygen -y -f ${JSON.stringify(path)} > ${JSON.stringify(file)}, or name another with --key FILE`,
    });
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const args = ["-q", "-t", "ed25519", "-C", comment, "-f", path, ...(isAttended ? [] : ["-N", ""])];
  const { status } = spawnSync("ssh-keygen", args, { stdio: isAttended ? "inherit" : "ignore" });
  const key = status === 0 ? readPublicKey(file) : null;
  if (key !== null) return key;
  throw new SluiceError("usage", "ssh-keygen made no key; git's settings are as they were.", {
    fix: "ssh-keygen -t ed25519, then run sluice signing setup again",
  });
}

function readPublicKey(file: string): SigningKey | null {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size > MAXIMUM_KEY_BYTES) return null;
  const key = sshKeyFromLine(decodeUtf8(new Uint8Array(readFileSync(file)))?.trim() ?? "");
  return key.kind === "key" ? { file, fingerprint: key.fingerprint } : null;
}
