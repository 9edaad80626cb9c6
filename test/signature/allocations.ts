/**
 * Run by itself, with a young generation so large that nothing is collected while one commit is verified: what the heap
 * and the buffers grow by is then everything that was allocated. Prints one line of JSON for each adversary and size.
 */
import { openVerifier } from "../../src/signature/verify.ts";
import { commitOf, NOW } from "../support/signing.ts";
import { ADVERSARIES, adversariesTrust } from "./adversaries.ts";

const SIZES = [1_000, 8_000, 60_000];
const collect = (globalThis as { gc?: () => void }).gc;
if (collect === undefined) throw new Error("run with --expose-gc");
const verifier = await openVerifier(await adversariesTrust(), "sha1");

/** What earlier ones left behind is gone, their buffers too. */
async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    collect?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const CONTROL_BYTES = 8_000_000;
await settled();
const before = allocated();
const control = Array.from({ length: CONTROL_BYTES / 8 }, (_, index) => index);
const seen = { name: "control", kind: "", bytes: CONTROL_BYTES, allocated: allocated() - before, milliseconds: 0 };
if (control.length > 0) process.stdout.write(`${JSON.stringify(seen)}\n`);

for (const { name, make } of ADVERSARIES) {
  for (const bytes of SIZES) {
    await verifier.verify(commitOf(make(bytes)), NOW);
    const commit = commitOf(make(bytes));
    await settled();
    const [memory, time] = [allocated(), process.cpuUsage()];
    const { kind } = await verifier.verify(commit, NOW);
    const { user, system } = process.cpuUsage(time);
    const grown = allocated() - memory;
    const line = { name, kind, bytes: commit.raw.byteLength, allocated: grown, milliseconds: (user + system) / 1000 };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
