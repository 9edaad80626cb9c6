/** docs/auditing.md: its commands, as they stand, with tools that are not ours. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { writeAuditBundle } from "../../src/log/audit/write.ts";
import { noteSigner } from "../../src/log/note.ts";
import { drawSample } from "../../src/log/sample.ts";
import { fill, KEY, logPath, openTestLog } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../docs/auditing.md"), "utf8");
const [BY_HAND = ""] = PAGE.slice(PAGE.indexOf("## Checked with tools that are not ours")).split(/^## (?!Checked)/m);
const SCRIPT = [...BY_HAND.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join("\n");
const HAS_JQ = spawnSync("jq", ["--version"]).status === 0;

test("a bundle checks by hand: signature, entry, values, counts and sample; a changed one does not", {
  skip: !HAS_JQ,
}, async (t) => {
  const folder = tempFolder(t);
  let now = Date.parse("2026-10-01T00:00:00Z");
  const from = now + 1;
  const log = await openTestLog(logPath(t), { clock: () => now });
  await fill(log, 3);
  now += 10;
  await fill(log, 34);
  const drawn = await drawSample(log, { from }, 25, "2026-Q4");
  await writeAuditBundle(log, noteSigner(KEY.skey), join(folder, "q4"), { from, to: null, by: "erin" });
  await log.close();
  const lines = run(folder);
  assert.equal(lines[0], "Signature Verified Successfully");
  assert.equal(lines[1], lines[2], "the hash of the leaf is the one in the row");
  assert.equal(lines[1], lines[3], "and the one in the tree");
  for (let at = 4; at < 16; at += 2) assert.equal(lines[at], lines[at + 1], "value and commitment");
  assert.deepEqual(
    lines.slice(16, 19).map((line) => line.trim()),
    ["34", "34", "34 decision"],
  );
  assert.deepEqual(
    lines.slice(19).map(Number),
    drawn.entries.map(({ index }) => index),
    "the sample that we draw",
  );
  const checkpoint = join(folder, "q4", "checkpoint");
  writeFileSync(checkpoint, readFileSync(checkpoint, "utf8").replace("\n38\n", "\n39\n"));
  const rows = join(folder, "q4", "rows.ndjson");
  writeFileSync(rows, readFileSync(rows, "utf8").replace("ada", "eve"));
  const changed = run(folder);
  assert.notEqual(changed[0], "Signature Verified Successfully");
  const pairs = changed.slice(4, 16);
  assert.ok(pairs.some((line, at) => at % 2 === 0 && line !== pairs[at + 1]));
});

function run(folder: string): readonly string[] {
  const env = { PATH: process.env["PATH"] ?? "", TMPDIR: folder, VKEY: KEY.vkey, LC_ALL: "C.UTF-8" };
  const { stdout, stderr } = spawnSync("bash", ["-c", SCRIPT], { cwd: folder, env, encoding: "utf8" });
  assert.doesNotMatch(stderr, /not found|syntax/, stderr);
  return stdout.trimEnd().split("\n");
}
