/** `--trust PATH`: a trust folder, an `allowed_signers` file or an armoured keyring, told apart by looking. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { readAllowedSigners, readKeyring } from "../signature/allowed-signers.ts";
import { readRevokedSshKeys } from "../signature/ssh-revoked.ts";
import type { Trust } from "../signature/trust.ts";
import { readTrustFolder } from "../signature/trust-folder.ts";
import { type Invocation, textOption } from "./command.ts";
import { readFolderFiles } from "./folder-files.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

export interface FoundTrust {
  /** As given or configured, for people. */
  readonly path: string;
  readonly kind: "folder" | "allowed_signers" | "keyring";
  readonly trust: Trust;
}

/** The trust, as the JSON of `verify` says it. */
export function trustReport({ path, kind, trust }: FoundTrust) {
  return { path, kind, digest: trust.digest, notes: [...(trust.notes ?? [])] };
}

const MAXIMUM_FILE_BYTES = 8 * 1024 * 1024;

/** @throws SluiceError `configuration-missing`, and the trust's own codes */
export async function readTrustPath(path: string, folder: string): Promise<FoundTrust> {
  const absolute = resolve(folder, path);
  const status = statSync(absolute, { throwIfNoEntry: false });
  if (status?.isDirectory() === true) {
    const shown = path.endsWith("/") ? path : `${path}/`;
    const trust = await readTrustFolder(readFolderFiles(absolute), { revokedKeys: [], folder: shown });
    return { path, kind: "folder", trust };
  }
  if (status?.isFile() !== true) {
    throw new SluiceError("configuration-missing", `${path} is neither a trust folder nor a file of keys.`, {
      fix: "--trust trust/, --trust allowed_signers, or --trust keys.asc",
    });
  }
  if (status.size > MAXIMUM_FILE_BYTES) throw new SluiceError("keyring-invalid", `${path} is larger than 8 MiB.`);
  return readTrustFile(path, new Uint8Array(readFileSync(absolute)));
}

async function readTrustFile(path: string, bytes: Uint8Array): Promise<FoundTrust> {
  const text = decodeUtf8(bytes);
  const isKeyring = text === null || /^-----BEGIN PGP/m.test(text);
  if (isKeyring) return { path, kind: "keyring", trust: await readKeyring(bytes) };
  const trust = readAllowedSigners(text, path);
  if (trust.keys.length + (trust.sshAuthorities?.length ?? 0) > 0) return { path, kind: "allowed_signers", trust };
  throw new SluiceError("allowed-signers-invalid", `${path} lists no key, so nobody's signature could count.`);
}

/** `--trust`, else the folder that sluice.yaml of the work tree in `folder` names, else trust/. */
export async function givenTrust(invocation: Invocation, folder: string): Promise<FoundTrust> {
  const given = textOption(invocation, "trust");
  if (given !== undefined) return readTrustPath(given, invocation.folder);
  return readTrustPath(workTreeConfiguration(folder)?.trust ?? "trust/", folder);
}

/** `--revoked FILE`: keys on this plain list verify nothing, whenever they signed. */
export function withoutRevoked(found: FoundTrust, invocation: Invocation): FoundTrust {
  const path = textOption(invocation, "revoked");
  if (path === undefined) return found;
  const absolute = resolve(invocation.folder, path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new SluiceError(
      "configuration-missing",
      `${path} is no file of revoked keys, and nothing is verified without it.`,
      {
        fix: "--revoked revoked_keys, with one public key a line",
      },
    );
  }
  const taken = readRevokedSshKeys(new Uint8Array(readFileSync(absolute)), path);
  const { trust } = found;
  const digest = sha256Hex(canonicalJson({ trust: trust.digest, revoked: [...new Set(taken)].sort() }));
  return { ...found, trust: { ...trust, revokedKeys: [...trust.revokedKeys, ...taken], digest } };
}
