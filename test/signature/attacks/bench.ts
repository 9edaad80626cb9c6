/** Keys, a trust and a git repository for the attacks, and what the peers say that are run beside Sluice. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Trust } from "../../../src/signature/trust.ts";
import type { Verification } from "../../../src/signature/verification.ts";
import { type Moment, openVerifier, type Verifier } from "../../../src/signature/verify.ts";
import { armourAs, dearmour, putTogether, type RawPacket, takeApart } from "../../support/openpgp-bytes.ts";
import { repository, type TestRepository } from "../../support/repository.ts";
import {
  commitOf,
  GpgHome,
  NOW,
  PAYLOAD,
  type SshKeyPair,
  sshKeyPair,
  sshSign,
  trustOf,
} from "../../support/signing.ts";
import { ed25519Signer, type SshSigner } from "../../support/sshsig.ts";
import { type Scope, tempFolder } from "../../support/temp.ts";

export interface Outcome {
  readonly verdict: string;
  readonly ran?: Readonly<Partial<Record<"git" | "gpg" | "ssh-keygen", boolean>>>;
}

export interface Bench {
  readonly folder: string;
  readonly gpg: GpgHome;
  /** Fingerprints of ada's and jo's OpenPGP keys. */
  readonly pgpKey: string;
  readonly otherPgpKey: string;
  /** ada's signature over PAYLOAD, armoured. */
  readonly pgp: string;
  readonly ssh: string;
  readonly sshKey: SshKeyPair;
  /** A key of ada's whose signatures are written byte by byte. */
  readonly bytewise: SshSigner;
  readonly repo: TestRepository;
  readonly trust: Trust;
  readonly verifier: Verifier;
}

export async function openBench(scope: Scope): Promise<Bench> {
  const folder = tempFolder(scope);
  const gpg = new GpgHome(scope);
  const pgpKey = gpg.key("Ada <ada@example.com>", "ed25519");
  const otherPgpKey = gpg.key("Jo <jo@example.com>", "ed25519");
  const sshKey = sshKeyPair(folder, "ada");
  const bytewise = ed25519Signer();
  const people = {
    ada: { email: ["ada@example.com"], keys: ["ada.asc", sshKey.line, bytewise.line] },
    jo: { email: ["jo@example.com"], keys: ["jo.asc"] },
  };
  const trust = await trustOf({ people }, { "ada.asc": gpg.export(pgpKey), "jo.asc": gpg.export(otherPgpKey) });
  const repo = await repository(scope);
  repo.commit({ files: { a: "1" } });
  return {
    folder,
    gpg,
    pgpKey,
    otherPgpKey,
    pgp: gpg.sign(pgpKey, PAYLOAD).toString("latin1"),
    ssh: sshSign(sshKey, PAYLOAD).toString("latin1"),
    sshKey,
    bytewise,
    repo,
    trust,
    verifier: await openVerifier(trust, "sha1"),
  };
}

export function verdictOf(found: Verification): string {
  return found.kind === "verified" ? "verified" : found.reason;
}

/** What Sluice says of a commit object, and whether `git verify-commit` accepts it with the same keys. */
export async function judge(bench: Bench, raw: Uint8Array, trust = bench.trust, at: Moment = NOW): Promise<Outcome> {
  const verifier = trust === bench.trust ? bench.verifier : await openVerifier(trust, "sha1");
  const verdict = verdictOf(await verifier.verify(commitOf(raw), at));
  return { verdict, ran: { git: gitAccepts(bench, bench.repo.object("commit", raw)) } };
}

/** `git verify-commit` or verify-tag with ada's keys, and nobody's configuration but the repository's. */
export function gitAccepts(
  bench: Bench,
  what: string,
  config: readonly string[] = [],
  command = "verify-commit",
): boolean {
  const allowed = join(bench.folder, "allowed_signers");
  writeFileSync(allowed, `ada@example.com ${bench.sshKey.line}\nada@example.com ${bench.bytewise.line}\n`);
  const options = [`gpg.ssh.allowedSignersFile=${allowed}`, ...config].flatMap((one) => ["-c", one]);
  const env = { ...bench.gpg.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return spawnSync("git", [...options, command, what], { cwd: bench.repo.path, env }).status === 0;
}

/** A good signature that is neither expired nor revoked, as gpg's status lines say it. */
export function gpgAccepts(gpg: GpgHome, signature: Uint8Array | string, payload: Uint8Array): boolean {
  return gpg.statusOf(Buffer.from(signature), payload).includes("GOODSIG");
}

/** ada's signature with its packets changed. */
export function withPackets(bench: Bench, change: (packets: RawPacket[]) => RawPacket[]): string {
  return armourAs("SIGNATURE", putTogether(change(takeApart(dearmour(bench.pgp)))));
}
