/** Real keys made on the spot by ssh-keygen and gpg, and the second opinions of both about signatures. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Commit } from "../../src/git/object.ts";
import { type CommitId, commitId, type TreeId } from "../../src/git/object.ts";
import { hashObject } from "../../src/git/parse.ts";
import type { Trust } from "../../src/signature/trust.ts";
import { readTrustFolder } from "../../src/signature/trust-folder.ts";
import type { Moment } from "../../src/signature/verify.ts";
import { runGit } from "./repository.ts";
import { type Scope, tempFolder } from "./temp.ts";

/**
 * An hour from when the file began: gpg dates the keys and signatures that tests make by the machine's clock, and none of
 * them may be of the future, however slow the machine is.
 */
export const NOW: Moment = { instant: Date.now() + 3_600_000, basis: "receipt" };

export interface SshKeyPair {
  /** Path of the private key, for git and ssh-keygen. */
  readonly path: string;
  /** `ssh-ed25519 AAAA... comment` */
  readonly line: string;
}

export function sshKeyPair(folder: string, name: string, type = "ed25519", bits?: number): SshKeyPair {
  const path = join(folder, name);
  run("ssh-keygen", [
    "-q",
    "-t",
    type,
    ...(bits === undefined ? [] : ["-b", `${bits}`]),
    "-N",
    "",
    "-C",
    name,
    "-f",
    path,
  ]);
  return { path, line: readFileSync(`${path}.pub`, "utf8").trim() };
}

/** What `ssh-keygen -Y sign` makes. */
export function sshSign(
  key: SshKeyPair,
  payload: Uint8Array,
  namespace = "git",
  options: readonly string[] = [],
): Buffer {
  return run("ssh-keygen", ["-Y", "sign", "-q", "-n", namespace, "-f", key.path, ...options], payload).stdout;
}

/** Whether `ssh-keygen -Y verify` accepts the signature for these allowed_signers. */
export function sshKeygenAccepts(
  folder: string,
  allowedSigners: string,
  principal: string,
  signature: Uint8Array,
  payload: Uint8Array,
  options: readonly string[] = [],
): boolean {
  writeFileSync(join(folder, "allowed_signers"), allowedSigners);
  writeFileSync(join(folder, "signature"), signature);
  const files = ["-f", join(folder, "allowed_signers"), "-s", join(folder, "signature")];
  const args = ["-Y", "verify", "-n", "git", "-I", principal, ...files, ...options];
  return spawnSync("ssh-keygen", args, { input: payload }).status === 0;
}

/** A GnuPG home of its own; its agent ends with the scope. */
export class GpgHome {
  readonly path: string;

  constructor(scope: Scope) {
    this.path = join(tempFolder(scope), "g");
    mkdirSync(this.path, { mode: 0o700 });
    scope.after(() => spawnSync("gpgconf", ["--kill", "all"], { env: this.env }));
  }

  get env(): Record<string, string> {
    return { PATH: process.env["PATH"] ?? "", GNUPGHOME: this.path, HOME: this.path, LC_ALL: "C" };
  }

  gpg(args: readonly string[], input: Uint8Array | string = ""): Buffer {
    return run("gpg", ["--batch", "--quiet", "--no-tty", "--yes", ...args], input, this.env).stdout;
  }

  /** Makes a primary key without passphrase; returns its fingerprint. `at` is `20260101T000000`. */
  key(userId: string, algorithm: string, usage = "sign,cert", expire = "never", at?: string): string {
    const time = at === undefined ? [] : ["--faked-system-time", at];
    this.gpg([
      ...time,
      "--pinentry-mode",
      "loopback",
      "--passphrase",
      "",
      "--quick-gen-key",
      userId,
      algorithm,
      usage,
      expire,
    ]);
    return this.fingerprints(userId)[0] ?? "";
  }

  subkey(primary: string, algorithm: string, usage = "sign", expire = "never"): string {
    const before = this.fingerprints(primary);
    this.gpg(["--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", primary, algorithm, usage, expire]);
    return this.fingerprints(primary).find((one) => !before.includes(one)) ?? "";
  }

  fingerprints(key: string): readonly string[] {
    const lines = this.gpg(["--list-keys", "--with-colons", key]).toString().split("\n");
    return lines.filter((line) => line.startsWith("fpr:")).map((line) => line.split(":")[9] ?? "");
  }

  export(...keys: readonly string[]): Buffer {
    return this.gpg(["--armor", "--export", ...keys]);
  }

  sign(key: string, payload: Uint8Array, options: readonly string[] = []): Buffer {
    return this.gpg([...options, "--armor", "--detach-sign", "--local-user", key, "--output", "-"], payload);
  }

  /** The status keywords (GOODSIG, EXPKEYSIG, REVKEYSIG, BADSIG, ...) that gpg prints about a signature. */
  statusOf(signature: Uint8Array, payload: Uint8Array): readonly string[] {
    const file = join(this.path, "signature.asc");
    writeFileSync(file, signature);
    const answer = spawnSync("gpg", ["--batch", "--status-fd", "1", "--verify", file, "-"], {
      input: payload,
      env: this.env,
    });
    return answer.stdout
      .toString()
      .split("\n")
      .flatMap((line) => /^\[GNUPG:\] (\w+)/.exec(line)?.[1] ?? []);
  }
}

function run(command: string, args: readonly string[], input: Uint8Array | string = "", env?: Record<string, string>) {
  const answer = spawnSync(command, args, { input, ...(env === undefined ? {} : { env }) });
  if (answer.status === 0) return answer;
  throw new Error(`${command} ${args.join(" ")} ended with ${answer.status}: ${answer.stderr}`);
}

/** A commit of these bytes, without the checks of git/: for objects that git would not make. */
export function commitOf(raw: Uint8Array, change: Partial<Commit> = {}): Commit {
  const text = Buffer.from(raw).toString("utf8");
  const ident = (who: string) => {
    const [, email = "", seconds = "0"] = new RegExp(`^${who} .*<(.*)>(?: (\\d+))?`, "m").exec(text) ?? [];
    return { name: "", email, seconds: Number(seconds) };
  };
  return {
    id: commitId(hashObject("sha1", "commit", raw)),
    raw,
    tree: (/^tree (\w+)/.exec(text)?.[1] ?? "") as TreeId,
    parents: [...text.matchAll(/^parent (\w{40})$/gm)].map((match) => match[1] as CommitId),
    author: ident("author"),
    committer: ident("committer"),
    message: "",
    ...change,
  };
}

export const TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
export const HEADERS = `tree ${TREE}\nauthor Ada <ada@example.com> 1793491200 +0000\ncommitter Ada <ada@example.com> 1793491200 +0000\n`;
export const MESSAGE = "\nbump web\n";
export const PAYLOAD = Buffer.from(HEADERS + MESSAGE);

/** The commit object that git would make of the payload PAYLOAD and this armoured signature. */
export function signedRaw(signature: Uint8Array | string, headers = HEADERS, message = MESSAGE): Buffer {
  const text = Buffer.from(signature).toString("latin1").replace(/\n$/, "").replaceAll("\n", "\n ");
  return Buffer.from(`${headers}gpgsig ${text}\n${message}`, "latin1");
}

/** The raw object of a commit in a repository. */
export function readCommit(folder: string, id: string): Buffer {
  return runGit(folder, ["cat-file", "commit", id]);
}

/** A trust folder of this people.yaml (as JSON, which is YAML too) and these files. */
export function trustOf(
  people: unknown,
  files: Readonly<Record<string, Uint8Array | string>> = {},
  revokedKeys: readonly string[] = [],
): Promise<Trust> {
  const all = { "people.yaml": JSON.stringify(people, null, 2), ...files };
  const map = new Map(Object.entries(all).map(([path, content]) => [path, new Uint8Array(Buffer.from(content))]));
  return readTrustFolder(map, { revokedKeys });
}
