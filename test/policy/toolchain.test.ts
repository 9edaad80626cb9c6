import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Code } from "../../src/lib/codes.ts";
import { buildPolicySet } from "../../src/policy/compile.ts";
import { openCompiledCache } from "../../src/policy/compiled-cache.ts";
import { encodeFrame, FrameReader, MAXIMUM_FRAME_BYTES } from "../../src/policy/frames.ts";
import { tempFolder } from "../support/temp.ts";
import { denyLabel, realToolchain, rejected } from "./support.ts";

/** A hostile compiler: `script` is JavaScript that has `send(text)`, `sendBytes(...)` and `request` (the first frame). */
function impostor(t: TestContext, script: string): string {
  const path = join(tempFolder(t), "rego");
  const source = `#!${process.execPath}
const sendBytes = (...bytes) => process.stdout.write(Buffer.concat(bytes));
const frame = (body) => { const head = Buffer.alloc(4); head.writeUInt32BE(body.length); return Buffer.concat([head, body]); };
const send = (text) => sendBytes(frame(Buffer.from(text)));
process.stdin.once("data", (chunk) => { const request = JSON.parse(chunk.subarray(4)); ${script} });
`;
  writeFileSync(path, source);
  chmodSync(path, 0o755);
  return path;
}

/** Children of this process, the newest last. */
function children(): readonly number[] {
  const listed = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim();
  return listed === "" ? [] : listed.split(" ").map(Number);
}

test("starts with the first request, answers in order, and is locked", async (t) => {
  const toolchain = realToolchain(t);
  assert.equal(toolchain.starts, 0);
  const answers = await Promise.all([toolchain.request("hello", {}), toolchain.request("inspect", { files: [] })]);
  assert.equal(toolchain.starts, 1);
  assert.ok(answers[0]?.ok && answers[0].result["sandbox"] === "seccomp", JSON.stringify(answers[0]));
  assert.deepEqual(answers[1], { ok: true, result: { modules: [] } });
});

test("is replaced after a refusal and after maxRequests", async (t) => {
  const toolchain = realToolchain(t, { maxRequests: 2 });
  const refused = await toolchain.request("inspect", { files: [{ path: "a.rego", text: "package a\nx :=" }] });
  assert.ok(
    !refused.ok && refused.errors[0]?.file === "a.rego" && refused.errors[0].line === 2,
    JSON.stringify(refused),
  );
  for (let request = 0; request < 4; request++) assert.ok((await toolchain.request("hello", {})).ok);
  assert.equal(toolchain.starts, 3);
});

test("ends a compiler that does not answer in time", async (t) => {
  const toolchain = realToolchain(t, { binary: impostor(t, ""), deadlineMs: 300 });
  await rejected(toolchain.request("hello", {}), "toolchain-deadline");
});

test("says that it is missing, and what to run", async (t) => {
  const error = await rejected(
    realToolchain(t, { binary: join(tempFolder(t), "rego") }).request("hello", {}),
    "toolchain-missing",
  );
  assert.equal(error.fix, "npm run build");
  const notAProgram = join(tempFolder(t), "rego");
  writeFileSync(notAProgram, "not a program");
  await rejected(realToolchain(t, { binary: notAProgram }).request("hello", {}), "toolchain-missing");
});

test("survives a compiler that is killed in the middle of a request", async (t) => {
  const toolchain = realToolchain(t);
  await toolchain.request("hello", {});
  const child = children().at(-1) ?? assert.fail("no compiler runs");
  const endless =
    "package a\np if { some x in numbers.range(1, 100000); some y in numbers.range(1, 100000); x * y == -1 }";
  const request = toolchain.request("eval", { files: [{ path: "a.rego", text: endless }], query: "data.a.p" });
  setTimeout(() => process.kill(child, "SIGKILL"), 100);
  await rejected(request, "toolchain-failed");
  assert.ok((await toolchain.request("hello", {})).ok);
  assert.equal(toolchain.starts, 2);
});

test("replaces a compiler that ended while nobody asked", async (t) => {
  const binary = impostor(
    t,
    `send(JSON.stringify({ id: request.id, ok: true, result: {} })); setTimeout(() => process.exit(0), 20);`,
  );
  const toolchain = realToolchain(t, { binary });
  const before = children().length;
  assert.ok((await toolchain.request("hello", {})).ok);
  // It is no child any more when this process has been told of its end; the streams to it are closed a turn later.
  while (children().length > before) await new Promise((resolve) => setTimeout(resolve, 10));
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok((await toolchain.request("hello", {})).ok);
  assert.equal(toolchain.starts, 2);
});

test("a compiler of another version builds no policies", async (t) => {
  const binary = impostor(t, 'send(JSON.stringify({ id: request.id, ok: true, result: { opa: "1.0.0" } }));');
  const toolchain = realToolchain(t, { binary });
  const source = { toolchain, files: [denyLabel("a")], cache: openCompiledCache(null) };
  const error = await rejected(buildPolicySet(source), "toolchain-failed");
  assert.match(error.message, /made for/);
});

const BROKEN: readonly (readonly [string, string, Code])[] = [
  ["ends without a word", "process.exit(1)", "toolchain-failed"],
  [
    "ends inside a frame",
    "sendBytes(Buffer.from([0, 0, 0, 9]), Buffer.from('{')); process.exitCode = 0; process.stdin.destroy()",
    "toolchain-failed",
  ],
  ["sends an empty frame", "sendBytes(Buffer.alloc(4))", "toolchain-failed"],
  ["sends a frame that is too long", "sendBytes(Buffer.from([255, 255, 255, 255]))", "toolchain-failed"],
  ["sends what is not UTF-8", "sendBytes(frame(Buffer.from([0xff])))", "toolchain-failed"],
  ["sends what is not JSON", "send('{\"id\": 1,}')", "toolchain-failed"],
  ["sends a list", "send('[]')", "toolchain-failed"],
  ["answers another request", 'send(\'{"id": 2, "ok": true, "result": {}}\')', "toolchain-failed"],
  ["answers under no id", "send('{}')", "toolchain-failed"],
  ["answers without a result", 'send(\'{"id": 1, "ok": true}\')', "toolchain-failed"],
  ["refuses without a reason", 'send(\'{"id": 1, "ok": false, "errors": []}\')', "toolchain-failed"],
  ["refuses with a reason of another shape", 'send(\'{"id": 1, "ok": false, "errors": [7]}\')', "toolchain-failed"],
  [
    "has no sandbox",
    'send(\'{"id": 0, "ok": false, "errors": [{"code": "sandbox-unavailable", "message": "no seccomp"}]}\')',
    "sandbox-unavailable",
  ],
];

for (const [what, script, code] of BROKEN) {
  test(`refuses a compiler that ${what}`, async (t) => {
    const toolchain = realToolchain(t, { binary: impostor(t, script) });
    await rejected(toolchain.request("hello", {}), code);
  });
}

test("reads frames however they are cut", () => {
  const whole = Buffer.concat([{ a: 1 }, { b: "ü" }, {}].map(encodeFrame));
  for (const size of [1, 3, 5, whole.length]) {
    const reader = new FrameReader();
    const frames = [];
    for (let at = 0; at < whole.length; at += size) frames.push(...reader.push(whole.subarray(at, at + size)));
    assert.deepEqual(frames, [{ a: 1 }, { b: "ü" }, {}]);
  }
  assert.throws(() => encodeFrame({ text: "x".repeat(MAXIMUM_FRAME_BYTES) }), /64 MiB/);
});
