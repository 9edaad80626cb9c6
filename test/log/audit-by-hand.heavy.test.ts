/** docs/auditing.md: its commands, as they stand, with tools that are not ours. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { writeAuditBundle } from "../../src/log/audit/write.ts";
import { noteSigner } from "../../src/log/note.ts";
import { drawSample } from "../../src/log/sample.ts";
import { sourceDigest, sourcesText } from "../../src/policy/policy-sources.ts";
import { draft, fill, KEY, logPath, openTestLog } from "../support/log.ts";
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
  const sources = { compiler: "opa 1.22.0", host: 1, policies: [{ path: "a.rego", text: "package a # ü\n" }] };
  const digests = { policies: sourceDigest(sources), trust: null, configuration: null, waivers: null, code: "1" };
  await log.append(draft({ digests }));
  const drawn = await drawSample(log, { from }, 25, "2026-Q4");
  const request = { from, to: null, by: "erin" };
  await writeAuditBundle(log, noteSigner(KEY.skey), join(folder, "q4"), request, undefined, async (digest) =>
    digest === digests.policies ? sourcesText(sources) : null,
  );
  await log.close();
  const lines = run(folder);
  assert.equal(lines[0], "Signature Verified Successfully");
  assert.equal(lines[1], lines[2], "the hash of the leaf is the one in the row");
  assert.equal(lines[1], lines[3], "and the one in the tree");
  for (let at = 4; at < 16; at += 2) assert.equal(lines[at], lines[at + 1], "value and commitment");
  assert.deepEqual(
    lines.slice(16, 19).map((line) => line.trim()),
    ["35", "35", "35 decision"],
  );
  assert.deepEqual(
    lines.slice(19, 44).map(Number),
    drawn.entries.map(({ index }) => index),
    "the sample that we draw",
  );
  const policies = `policies/${digests.policies}.json True`;
  assert.deepEqual(lines.slice(44), ["checkpoint True", "checkpoint.start True", policies]);
  const checkpoint = join(folder, "q4", "checkpoint");
  writeFileSync(checkpoint, readFileSync(checkpoint, "utf8").replace("\n39\n", "\n38\n"));
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
