/** A key pair made by the real ssh-keygen, with the fingerprint that ssh-keygen prints for it. */
import { spawnSync } from "node:child_process";
import { sshKeyPair } from "../support/signing.ts";

export interface TestKey {
  /** Path of the private key. */
  readonly file: string;
  /** The public line, without its newline. */
  readonly line: string;
  readonly fingerprint: string;
}

export function makeSshKey(folder: string, name: string): TestKey {
  const { path, line } = sshKeyPair(folder, name);
  const fingerprint = spawnSync("ssh-keygen", ["-l", "-f", `${path}.pub`], { encoding: "utf8" }).stdout.split(" ")[1];
  return { file: path, line, fingerprint: fingerprint ?? "" };
}
