/**
 * 10,000 commits, every other one signed with Ed25519 and RSA, cold: listed, read, re-hashed, verified, as `verify` and a
 * gate's first look do it. Once by the thread that reads them alone, once with libuv's pool; git has a process of its own
 * either way. Beside it what node:crypto alone takes for these signatures.
 */
import { createPublicKey, sign, verify } from "node:crypto";
import { openPreviewRepository } from "../src/git/preview.ts";
import { type Answer, together, withPool } from "../src/signature/mathematics.ts";
import type { Trust } from "../src/signature/trust.ts";
import { openVerifier } from "../src/signature/verify.ts";
import { verifyEach } from "../src/signature/verify-each.ts";
import { trustOf } from "../test/support/signing.ts";
import { ed25519Signer, rsaSigner, type SshSigner } from "../test/support/sshsig.ts";
import { tempFolder } from "../test/support/temp.ts";
import { type BenchOptions, type Beside, type Row, repeatedly, timed } from "./measure.ts";
import { writeHistory } from "./signed-history.ts";

const COMMITS = 10_000;
const COMMITS_QUICK = 200;
const CALLS = 3;

export async function benchMixed({ seconds, quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  const size = quick ? COMMITS_QUICK : COMMITS;
  progress(`mixed: signing ${size.toLocaleString("en-US")} commits`);
  const signers: readonly SshSigner[] = [ed25519Signer(), rsaSigner()];
  const folder = tempFolder(scope);
  writeHistory(folder, size, (at) => signers[at % signers.length] as SshSigner);
  const keys = signers.map(({ line }) => line);
  const trust = await trustOf({ people: { ada: { email: ["ada@example.com"], keys } } });
  const scratch = tempFolder(scope);
  const ways: readonly (readonly [string, () => Answer])[] = [
    ["one thread", together],
    ["with the pool", withPool],
  ];
  const beside = [limitOf(signers, seconds / 8)];
  const rows: Row[] = [];
  for (const [how, answer] of ways) {
    progress(`mixed: ${how}`);
    const what = `${size.toLocaleString("en-US")} commits, Ed25519 and RSA 2048 in turns, cold, ${how}`;
    const measured = await timed(CALLS, size, () => verifyHistory(folder, scratch, trust, answer()));
    rows.push({ area: "mixed", what, measured, beside });
  }
  return rows;
}

async function verifyHistory(path: string, scratch: string, trust: Trust, answer: Answer): Promise<void> {
  const repository = await openPreviewRepository({ path, scratch });
  try {
    const verifier = await openVerifier(trust, repository.objectFormat, answer);
    const at = { instant: Date.now(), basis: "now" } as const;
    for await (const part of repository.stream([], await repository.resolve("main"))) {
      const found = await verifyEach(part, (commit) => verifier.verify(commit, at));
      if (found.some(({ kind }) => kind !== "verified")) throw new Error("a commit does not verify");
    }
  } finally {
    await repository.close();
  }
}

/** One call is a signature of each kind. */
function limitOf(signers: readonly SshSigner[], seconds: number): Beside {
  const payload = Buffer.alloc(130, "SSHSIG");
  const asked = signers.map(({ type, privateKey }) => {
    const algorithm = type === "ssh-rsa" ? "sha512" : null;
    return { algorithm, key: createPublicKey(privateKey), signature: sign(algorithm, payload, privateKey) };
  });
  const measured = repeatedly(seconds, asked.length, () => {
    for (const { algorithm, key, signature } of asked) {
      if (!verify(algorithm, payload, key, signature)) throw new Error("no signature");
    }
  });
  return { kind: "limit", what: "node:crypto verify, Ed25519 and RSA 2048 in turns", measured };
}
