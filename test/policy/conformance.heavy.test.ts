/**
 * OPA's own evaluation cases, which lie inside its Go module, on our host. The judge is that of OPA's end-to-end test of
 * its WebAssembly SDK; that SDK itself passes 2,383 of the cases of v1 (its exceptions file lists nine).
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { type ConformanceCase, judgeCase } from "./conformance-judge.ts";
import { ROOT } from "./support.ts";

const TOOLCHAIN = join(ROOT, "toolchain");
const GO_PATHS = `${process.env["PATH"]}:/usr/local/go/bin:/usr/lib/go/bin`;
const ENVIRONMENT = { ...process.env, PATH: GO_PATHS, CGO_ENABLED: "0", GOWORK: "off" };
/** Of the cases of v1: what the npm package passes, and what a host passes that always answers nothing. */
const NPM_PACKAGE = 1539;
const FLOOR = 348;

async function* frames(stream: Readable): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      yield rest.subarray(4, end);
      rest = rest.subarray(end);
    }
  }
  assert.equal(rest.length, 0, "the stream of cases ends in the middle of one");
}

/** @returns of the cases that failed their names */
async function score(version: "v0" | "v1"): Promise<{ passed: number; total: number; failed: string[] }> {
  const folder = execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa"], {
    cwd: TOOLCHAIN,
    env: ENVIRONMENT,
    encoding: "utf8",
  }).trim();
  const child = spawn("go", ["run", "./conformance", version, folder], {
    cwd: TOOLCHAIN,
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let [passed, total] = [0, 0];
  const failed: string[] = [];
  let header: ConformanceCase | null = null;
  for await (const frame of frames(child.stdout)) {
    if (header === null) {
      header = JSON.parse(frame.toString("utf8")) as ConformanceCase;
      continue;
    }
    const wrong = await judgeCase(header, frame);
    total++;
    if (wrong === null) passed++;
    else failed.push(header.note);
    header = null;
  }
  assert.equal(await ended, 0);
  return { passed, total, failed };
}

const UNLIMITED = "OPA's modules read JSON without its evaluator's limit of exponents; a policy set asks the host";

/** Each case that fails, and why. One that passes does not belong here: the test says so. */
const REMAINING: Readonly<Record<string, string>> = {
  "data/toplevel integer": "OPA's modules do not look up integers in data, opa#3711",
  "data/nested integer": "OPA's modules do not look up integers in data, opa#3711",
  "regoparsemodule/ok": "the parser of Rego is in the toolchain: refused when the policies are built",
  "strings/format_int: bignum exact (>64-bit integer, all bases + negative)":
    "OPA's modules hold no integers beyond 64 bits, opa#3711",
  "jsonbuiltins/unmarshal number beyond the supported exponent is undefined": UNLIMITED,
  "jsonbuiltins/unmarshal number with too big an exponent is undefined": UNLIMITED,
};

const EXPECTED = [
  { version: "v1", cases: 2392, failing: 6 },
  { version: "v0", cases: 2027, failing: 3 },
] as const;

for (const { version, cases, failing } of EXPECTED) {
  test(`our host passes OPA's own cases of Rego ${version}`, async (t) => {
    const { passed, total, failed } = await score(version);
    const percent = ((100 * passed) / total).toFixed(1);
    t.diagnostic(`${version}: ${passed} of ${total} (${percent} %)`);
    if (version === "v1") t.diagnostic(`npm-opa-wasm ${NPM_PACKAGE}, always empty ${FLOOR}`);
    for (const note of failed) t.diagnostic(`fails  ${note}: ${REMAINING[note] ?? "why is not known"}`);
    assert.equal(total, cases);
    assert.deepEqual(
      failed.filter((note) => REMAINING[note] === undefined),
      [],
    );
    assert.equal(failed.length, failing, "a case that passes does not belong to what remains");
  });
}
