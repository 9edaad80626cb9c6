/**
 * A range that is read in parts is not held: a history ten times as long takes hardly more memory. What grows is a line of
 * ids, which proves at the end that no commit was left out; commits, payloads and verdicts do not.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { hashObject } from "../../src/git/parse.ts";
import { writeCommits } from "../support/pack.ts";
import { runGit } from "../support/repository.ts";
import { signedRaw, TREE } from "../support/signing.ts";
import { ed25519Signer, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

const [SHORT, LONG] = [2_000, 20_000];
/** A commit of these histories is 700 bytes, and 2,000 with all that is read of it. */
const MOST_BYTES_A_COMMIT = 256;
const LEAST_BYTES_HELD = 700;

const signer = ed25519Signer();
const home = tempFolder({ after });
const signers = join(home, "signers");
writeFileSync(signers, `ada@example.com ${signer.line}\n`);

function history(length: number): string {
  const folder = join(home, `${length}`);
  mkdirSync(folder);
  runGit(folder, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  const raws: Buffer[] = [];
  let parent = "";
  let id = "";
  for (let at = 0; at < length; at += 1) {
    const who = `Ada <ada@example.com> ${1_793_491_200 + at} +0000`;
    const headers = `tree ${TREE}\n${parent}author ${who}\ncommitter ${who}\n`;
    const raw = signedRaw(sshSig(signer, Buffer.from(`${headers}\nchange\n`)), headers, "\nchange\n");
    id = hashObject("sha1", "commit", raw);
    parent = `parent ${id}\n`;
    raws.push(raw);
  }
  writeCommits(folder, raws);
  runGit(folder, ["update-ref", "refs/heads/main", id]);
  return folder;
}

/** The most bytes that were alive at once while a process of its own verified the whole history. */
function mostAlive(folder: string, length: number, ...more: readonly string[]): number {
  const script = join(import.meta.dirname, "stream-memory.ts");
  const args = ["--expose-gc", script, folder, signers, tempFolder({ after }), ...more];
  // Whoever fills a cache of compiled modules holds the compiler, and the next one does not.
  const { NODE_TEST_CONTEXT: _, NODE_COMPILE_CACHE: __, ...env } = process.env;
  const answer = spawnSync(process.execPath, args, { encoding: "utf8", env });
  assert.equal(answer.status, 0, answer.stderr);
  const { most, verified } = JSON.parse(answer.stdout) as { most: number; verified: number };
  assert.equal(verified, length);
  return most;
}

test("a history ten times as long is verified in hardly more memory", (t) => {
  const [short, long] = [history(SHORT), history(LONG)];
  const grown = (...more: readonly string[]): number =>
    (mostAlive(long, LONG, ...more) - mostAlive(short, SHORT, ...more)) / (LONG - SHORT);
  const [streamed, held] = [grown(), grown("--hold")];
  t.diagnostic(`${streamed.toFixed(0)} bytes for each further commit, ${held.toFixed(0)} where commits are held`);
  assert.ok(streamed < MOST_BYTES_A_COMMIT, `${streamed.toFixed(0)} bytes more for each further commit`);
  assert.ok(held > LEAST_BYTES_HELD, `held commits are seen: ${held.toFixed(0)} bytes each`);
});
