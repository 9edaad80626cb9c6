/**
 * No signature data may allocate more than sixteen times its size (or one mebibyte, where that is more: a certificate
 * takes some hundred kilobytes to read, however short it is), nor take more than 50 ms a commit. Memory is counted whole,
 * garbage too; processor time is compared with ten times the bound, since it is another machine's.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { ADVERSARIES } from "./adversaries.ts";

const MIB = 1024 * 1024;
const TIMES = 16;
const CPU_MS = 10 * 50;
const LARGEST_BYTES = 60_000;

interface Line {
  readonly name: string;
  readonly kind: string;
  readonly bytes: number;
  readonly allocated: number;
  readonly milliseconds: number;
}

test("no commit makes its verification allocate more than 16 times its size, nor compute for long", () => {
  const flags = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128"];
  const script = join(import.meta.dirname, "allocations.ts");
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const answer = spawnSync(process.execPath, [...flags, script], { encoding: "utf8", env });
  assert.equal(answer.status, 0, answer.stderr);
  const lines = answer.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const [control, ...measured] = lines;
  assert.ok(control !== undefined && control.allocated >= control.bytes, "what is allocated is seen");
  assert.equal(measured.length, 3 * ADVERSARIES.length);
  for (const { name, bytes, allocated, milliseconds } of measured) {
    const what = `${name}, ${bytes} bytes: ${allocated} bytes allocated, ${milliseconds} ms`;
    assert.ok(allocated <= Math.max(TIMES * bytes, MIB), what);
    assert.ok(milliseconds < CPU_MS, what);
  }
  const sizes = new Set(measured.filter(({ bytes }) => bytes > LARGEST_BYTES * 0.9).map(({ name }) => name));
  assert.ok(sizes.size > ADVERSARIES.length / 2, "most of them are as large as a signature can be");
});
