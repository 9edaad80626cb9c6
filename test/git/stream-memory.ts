/**
 * Run by itself: verifies the whole history of a repository and prints the most that was alive at once, in bytes, counted
 * after each part when nothing is left that could be collected. `--hold` keeps the commits, to show that this is seen.
 */
import { readFileSync } from "node:fs";
import { openPreviewRepository } from "../../src/git/preview.ts";
import { readAllowedSigners } from "../../src/signature/allowed-signers.ts";
import { openVerifier } from "../../src/signature/verify.ts";

const [path = "", signers = "", scratch = "", hold] = process.argv.slice(2);
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error("run with --expose-gc");

/** What was collected may own buffers, which are gone a turn later. */
async function alive(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collect?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const repository = await openPreviewRepository({ path, scratch });
const verifier = await openVerifier(readAllowedSigners(readFileSync(signers, "utf8"), signers), "sha1");
const kept: unknown[] = [];
let [most, verified] = [0, 0];
for await (const part of repository.stream([], await repository.resolve("refs/heads/main"))) {
  for (const commit of part) {
    const { kind } = await verifier.verify(commit, { instant: Date.now(), basis: "now" });
    if (kind === "verified") verified += 1;
  }
  if (hold === "--hold") kept.push(...part);
  most = Math.max(most, await alive());
}
process.stdout.write(`${JSON.stringify({ most, verified })}\n`);
await repository.close();
