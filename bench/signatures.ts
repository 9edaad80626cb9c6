/**
 * Commits of a public repository, verified whole: parsed, matched with a key, checked mathematically, judged. The peer is
 * `git log --format=%G?`, which starts one gpg for each commit, on the same commits; the limit is node:crypto's verify().
 */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gunzipSync } from "node:zlib";
import type { Commit } from "../src/git/object.ts";
import { readKeyring } from "../src/signature/allowed-signers.ts";
import { withPool } from "../src/signature/mathematics.ts";
import { type Moment, openVerifier } from "../src/signature/verify.ts";
import { verifyEach } from "../src/signature/verify-each.ts";
import { runGit } from "../test/support/repository.ts";
import { commitOf, GpgHome } from "../test/support/signing.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";
import {
  type BenchOptions,
  type Beside,
  type Measurement,
  measurementOf,
  type Row,
  repeatedly,
  timed,
} from "./measure.ts";

const AREA = "signatures";
const CORPUS = join(import.meta.dirname, "../../shared/corpora");
const FIXTURE = join(import.meta.dirname, "../test/fixtures/corpora");
const CALLS = 3;
const PEER_COMMITS = 1000;
const PEER_COMMITS_QUICK = 40;

interface Corpus {
  readonly name: string;
  readonly commits: readonly Commit[];
  readonly keyring: Buffer;
}

export async function benchSignatures({ seconds, quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  const corpus = readCorpus();
  const { commits, keyring, name } = corpus;
  progress(`signatures: ${commits.length} commits of ${name}`);
  const at = { instant: Date.now(), basis: "now" } as const;
  const start = performance.now();
  const verifier = await openVerifier(await readKeyring(keyring), "sha1");
  const cold = await verifyAll(verifier, commits, at);
  const coldTotal = performance.now() - start;
  const warm = await verifyAll(verifier, commits, at);
  const pooled = await timed(CALLS, commits.length, () => verifyTogether(corpus, at));
  progress("signatures: git log");
  const peer = gitAndGpg(scope, corpus, quick ? PEER_COMMITS_QUICK : PEER_COMMITS);
  progress("signatures: node:crypto");
  const what = (when: string) => `${commits.length.toLocaleString("en-US")} commits of ${name}, ${when}`;
  return [
    {
      area: AREA,
      what: what("cold, keyring parsed"),
      measured: measurementOf(cold.latencies, coldTotal),
      beside: [peer],
    },
    { area: AREA, what: what("cold, keyring parsed, with the pool"), measured: pooled, beside: [peer] },
    {
      area: AREA,
      what: what("warm"),
      measured: measurementOf(warm.latencies, warm.elapsed),
      beside: [peer, ...limits(seconds / 8)],
    },
  ];
}

async function verifyAll(
  verifier: Awaited<ReturnType<typeof openVerifier>>,
  commits: readonly Commit[],
  at: Moment,
): Promise<{ latencies: readonly number[]; elapsed: number }> {
  const latencies: number[] = [];
  const start = performance.now();
  let verified = 0;
  for (const commit of commits) {
    const before = performance.now();
    const verification = await verifier.verify(commit, at);
    latencies.push(performance.now() - before);
    if (verification.kind === "verified") verified++;
  }
  if (verified === 0) throw new Error("no commit verifies: what was measured is only refusing");
  return { latencies, elapsed: performance.now() - start };
}

/** As `verify` and a gate look at a range: keyring, verifier, several commits under way, all cores. */
async function verifyTogether({ commits, keyring }: Corpus, at: Moment): Promise<void> {
  const verifier = await openVerifier(await readKeyring(keyring), "sha1", withPool());
  const found = await verifyEach(commits, (commit) => verifier.verify(commit, at));
  if (!found.some(({ kind }) => kind === "verified")) throw new Error("no commit verifies");
}

function readCorpus(): Corpus {
  const isWhole = existsSync(join(CORPUS, "guix-sigs/commits.ndjson.gz"));
  const folder = isWhole ? CORPUS : FIXTURE;
  const lines = gunzipSync(readFileSync(join(folder, "guix-sigs/commits.ndjson.gz"))).toString("utf8");
  const commits = lines
    .trim()
    .split("\n")
    .map((line) => commitOf(Buffer.from((JSON.parse(line) as { raw: string }).raw, "base64")));
  const keyring = Buffer.concat([
    readFileSync(join(folder, "guix-sigs/keys.asc")),
    readFileSync(join(folder, "web-flow.asc")),
  ]);
  return { name: isWhole ? "guix.sigs" : "guix.sigs (the committed part)", commits, keyring };
}

/** The same commits as loose objects of a repository, and the same keys in a GnuPG home. */
function gitAndGpg(scope: Scope, corpus: Corpus, most: number): Beside {
  const commits = evenly(corpus.commits, most);
  const what = `git log --format=%G? with gpg, ${commits.length} of these commits`;
  const isHere = (command: string) => spawnSync(command, ["--version"]).status === 0;
  if (!isHere("git") || !isHere("gpg")) return { kind: "peer", what, measured: null };
  const home = new GpgHome(scope);
  // gpg reports blocks that it cannot read by its exit code and imports the others
  spawnSync("gpg", ["--batch", "--quiet", "--import"], { env: home.env, input: corpus.keyring });
  const repository = tempFolder(scope);
  runGit(repository, ["init", "--quiet", "--bare", "."]);
  for (const commit of commits) writeLoose(repository, commit);
  const measured = gitLog(repository, home, commits);
  return { kind: "peer", what, measured };
}

function gitLog(repository: string, home: GpgHome, commits: readonly Commit[]): Measurement | null {
  const env = { ...home.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const args = ["-C", repository, "log", "--no-walk=unsorted", "--stdin", "--format=%G?"];
  const input = `${commits.map((commit) => commit.id).join("\n")}\n`;
  const start = performance.now();
  const { stdout, status } = spawnSync("git", args, { env, input, encoding: "utf8", maxBuffer: 2 ** 24 });
  const elapsed = performance.now() - start;
  const answers = stdout.trim().split("\n");
  if (status !== 0 || answers.length !== commits.length || !answers.some((letter) => /[GUXY]/.test(letter)))
    return null;
  const each = elapsed / commits.length;
  return { perSecond: 1000 / each, p50: each, p99: each };
}

function writeLoose(repository: string, { id, raw }: Commit): void {
  const folder = join(repository, "objects", id.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  const object = Buffer.concat([Buffer.from(`commit ${raw.byteLength}\0`), raw]);
  writeFileSync(join(folder, id.slice(2)), deflateSync(object, { level: 1 }));
}

/** At most so many, spread over the whole. */
function evenly<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, at) => all[Math.floor(at * step)] as T);
}

function limits(seconds: number): readonly Beside[] {
  const pairs: readonly (readonly [string, { publicKey: KeyObject; privateKey: KeyObject }, string | null])[] = [
    ["Ed25519", generateKeyPairSync("ed25519"), null],
    ["P-256", generateKeyPairSync("ec", { namedCurve: "P-256" }), "sha256"],
    ["RSA 2048", generateKeyPairSync("rsa", { modulusLength: 2048 }), "sha512"],
    ["RSA 4096", generateKeyPairSync("rsa", { modulusLength: 4096 }), "sha512"],
  ];
  const payload = Buffer.alloc(600, "tree and parent and author and message ");
  return pairs.map(([name, { publicKey, privateKey }, digest]) => {
    const signature = sign(digest, payload, privateKey);
    const measured = repeatedly(seconds, 1, () => {
      if (!verify(digest, payload, publicKey, signature)) throw new Error(`${name} does not verify`);
    });
    return { kind: "limit", what: `node:crypto verify, ${name}`, measured };
  });
}
