/**
 * A history of 10,000 signed commits that grows by 50, inside a running process: what a service does at each push. The
 * range is found, read, re-hashed, verified, and remembered; beside it the same without git, and what node:crypto alone
 * takes for 50 signatures.
 */
import { spawnSync } from "node:child_process";
import { createPublicKey, sign, verify } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GateRepository, openGateRepository } from "../src/git/gate.ts";
import type { Commit, CommitId } from "../src/git/object.ts";
import { processMemo } from "../src/lib/memo.ts";
import { withPool } from "../src/signature/mathematics.ts";
import { openVerificationMemory } from "../src/signature/verification-memo.ts";
import { openVerifier, type Verifier } from "../src/signature/verify.ts";
import { verifyEach } from "../src/signature/verify-each.ts";
import { trustOf } from "../test/support/signing.ts";
import { ed25519Signer, type SshSigner } from "../test/support/sshsig.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";
import { type BenchOptions, type Beside, type Measurement, measurementOf, type Row, repeatedly } from "./measure.ts";
import { writeHistory } from "./signed-history.ts";

const AREA = "history";
const COMMITS = 10_000;
const COMMITS_QUICK = 500;
const PUSHED = 50;
const PUSHES = 20;
const PUSHES_QUICK = 3;
const PEER_COMMITS = 300;
const PEER_COMMITS_QUICK = 10;

export async function benchHistory({ seconds, quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  const [size, pushes] = quick ? [COMMITS_QUICK, PUSHES_QUICK] : [COMMITS, PUSHES];
  progress(`history: ${size.toLocaleString("en-US")} commits and ${pushes} pushes`);
  const folder = tempFolder(scope);
  const signer = ed25519Signer();
  const history = writeHistory(folder, size + pushes * PUSHED, () => signer);
  const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys: [signer.line] } } });
  const repository = await openGateRepository({
    url: folder,
    folder: join(tempFolder(scope), "store"),
    branches: ["main"],
  });
  scope.after(() => repository.close());
  await repository.fetch();
  const memory = openVerificationMemory(processMemo());
  const verifier = memory.remembering(await openVerifier(trust, "sha1", withPool()), trust, "sha1");
  const [root, tip] = [history[0], history[size - 1]] as [CommitId, CommitId];
  const whole = await repository.range([root], tip);
  progress("history: verified once");
  const cold = await timedEach([whole], async (commits) =>
    verifyAll(await openVerifier(trust, "sha1", withPool()), commits),
  );
  await verifyAll(verifier, whole);
  progress("history: git log");
  const peer = gitAndSshKeygen(scope, folder, signer, history.slice(0, quick ? PEER_COMMITS_QUICK : PEER_COMMITS));
  const pushed = await timedPushes(history.slice(size - 1), (base, head) =>
    look(repository, verifier, root, base, head),
  );
  const fresh = await openVerifier(trust, "sha1", withPool());
  const ranges = await Promise.all(
    steps(history.slice(size - 1)).map(([base, head]) => repository.range([base], head)),
  );
  const verified = await timedEach(ranges, (commits) => verifyAll(fresh, commits));
  const all = await timedEach(Array(pushes).fill(whole), (commits) => verifyAll(verifier, commits));
  const limit: Beside = {
    kind: "limit",
    what: `node:crypto verify, Ed25519, ${PUSHED} times`,
    measured: limitOf(signer, seconds / 8),
  };
  const on = `on a history of ${size.toLocaleString("en-US")}`;
  const each = { ...cold, perSecond: cold.perSecond * whole.length };
  return [
    {
      area: AREA,
      what: `${whole.length.toLocaleString("en-US")} commits, SSH with Ed25519, cold`,
      measured: each,
      beside: [peer, { ...limit, what: "node:crypto verify, Ed25519", measured: perSignature(limit.measured) }],
    },
    {
      area: AREA,
      what: `a push of ${PUSHED} commits ${on}, found, read and verified`,
      measured: pushed,
      beside: [limit],
    },
    { area: AREA, what: `a push of ${PUSHED} commits, verified`, measured: verified, beside: [limit] },
    {
      area: AREA,
      what: `${whole.length.toLocaleString("en-US")} commits again, remembered`,
      measured: all,
      beside: [],
    },
  ];
}

/** What a gate asks of git about a branch that moved, and of each commit: the same questions in the same order. */
async function look(
  repository: GateRepository,
  verifier: Verifier,
  adopted: CommitId,
  released: CommitId,
  tip: CommitId,
): Promise<void> {
  const steps = await repository.firstParents(released, tip);
  const commits = await repository.range([adopted, released, released], tip);
  const descends = await repository.isAncestor(released, tip);
  if (steps?.length !== PUSHED || commits.length !== PUSHED || !descends) throw new Error("not what was pushed");
  await verifyAll(verifier, commits);
}

async function verifyAll(verifier: Verifier, commits: readonly Commit[]): Promise<void> {
  const at = { instant: Date.now(), basis: "now" } as const;
  await verifyEach(commits, async (commit) => {
    const { kind } = await verifier.verify(commit, at);
    if (kind !== "verified") throw new Error(`${commit.id} does not verify`);
  });
}

/** Pairs of tips, so many commits apart. */
function steps(ids: readonly CommitId[]): readonly (readonly [CommitId, CommitId])[] {
  const tips = ids.filter((_, index) => index % PUSHED === 0);
  return tips.slice(1).map((head, index) => [tips[index] as CommitId, head] as const);
}

function timedPushes(
  ids: readonly CommitId[],
  look: (base: CommitId, head: CommitId) => Promise<void>,
): Promise<Measurement> {
  return timedEach(steps(ids), ([base, head]) => look(base, head));
}

async function timedEach<T>(all: readonly T[], run: (one: T) => Promise<void>): Promise<Measurement> {
  const latencies: number[] = [];
  const start = performance.now();
  for (const one of all) {
    const before = performance.now();
    await run(one);
    latencies.push(performance.now() - before);
  }
  return measurementOf(latencies, performance.now() - start);
}

/** The limit is measured for a whole push. */
function perSignature(measured: Measurement | null): Measurement | null {
  return measured === null ? null : { ...measured, perSecond: measured.perSecond * PUSHED };
}

/** git starts one ssh-keygen for each commit. */
function gitAndSshKeygen(scope: Scope, folder: string, signer: SshSigner, ids: readonly CommitId[]): Beside {
  const what = `git log --format=%G? with ssh-keygen, ${ids.length} of these commits`;
  const allowed = join(tempFolder(scope), "allowed_signers");
  writeFileSync(allowed, `ada@example.com ${signer.line}\n`);
  const config = ["-c", "gpg.format=ssh", "-c", `gpg.ssh.allowedSignersFile=${allowed}`];
  const args = ["-C", folder, ...config, "log", "--no-walk=unsorted", "--stdin", "--format=%G?"];
  const env = { PATH: process.env["PATH"] ?? "", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const start = performance.now();
  const { stdout, status } = spawnSync("git", args, { env, input: `${ids.join("\n")}\n`, encoding: "utf8" });
  const elapsed = performance.now() - start;
  const isRight =
    status === 0 &&
    stdout
      .trim()
      .split("\n")
      .filter((letter) => letter === "G").length === ids.length;
  const each = elapsed / ids.length;
  return { kind: "peer", what, measured: isRight ? { perSecond: 1000 / each, p50: each, p99: each } : null };
}

function limitOf(signer: SshSigner, seconds: number): Measurement {
  const payload = Buffer.alloc(130, "SSHSIG");
  const key = createPublicKey(signer.privateKey);
  const signature = sign(null, payload, signer.privateKey);
  return repeatedly(seconds, 1, () => {
    for (let at = 0; at < PUSHED; at += 1) if (!verify(null, payload, key, signature)) throw new Error("no signature");
  });
}
