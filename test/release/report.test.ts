import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generateNoteKey, noteSigner, noteVerifier } from "../../src/log/note.ts";
import {
  appliedDraft,
  type Report,
  readReport,
  readReportHistory,
  readReports,
  reportFile,
  reportHistory,
  signReport,
} from "../../src/release/report.ts";
import { tempFolder } from "../support/temp.ts";
import { AGENT_KEY, openWorld, resources } from "./world.ts";

const DIGEST = "ab".repeat(32);
const KEYS = [noteVerifier(AGENT_KEY.vkey)];
const NONE = reportHistory("prod", []);
const HISTORY = { ...NONE, released: new Map([1, 2, 3].map((sequence) => [sequence, DIGEST])) };

function report(change: Partial<Report> = {}): Report {
  const at = "2026-11-21T12:00:00.000Z";
  const done = { sequence: 1, manifestDigest: DIGEST, result: "applied", at, checkpoint: "note" } as const;
  return { v: 1, agent: "prod-1", target: "prod", ...done, ...change };
}

function signed(change: Partial<Report> = {}, key = AGENT_KEY.skey): Uint8Array {
  return signReport(report(change), noteSigner(key));
}

function codeOf(note: Uint8Array, history = HISTORY): string | null {
  const reading = readReport(note, "f", KEYS, history);
  return reading?.kind === "rejected" ? reading.code : (reading?.kind ?? null);
}

test("a report by a listed agent of a release that was made is verified", () => {
  assert.equal(codeOf(signed()), "verified");
});

test("a report by an unknown key, or by an agent that speaks for another one, is refused", () => {
  const stranger = generateNoteKey("prod-1", new Uint8Array(32).fill(8));
  assert.equal(codeOf(signed({}, stranger.skey)), "report-unknown-agent");
  assert.equal(codeOf(signed({ agent: "prod-2" })), "report-unknown-agent");
});

test("a report of a release that was never made, or of another target, is refused", () => {
  assert.equal(codeOf(signed({ sequence: 4 })), "report-mismatch");
  assert.equal(codeOf(signed({ manifestDigest: "cd".repeat(32) })), "report-mismatch");
  assert.equal(codeOf(signed({ target: "staging" })), "report-mismatch");
});

test("a report that is older than what its agent reported before is refused, an equal one is not", () => {
  const history = { ...HISTORY, newest: new Map([["prod-1", 2]]) };
  assert.equal(codeOf(signed({ sequence: 1 }), history), "report-stale");
  assert.equal(codeOf(signed({ sequence: 2 }), history), "verified");
});

test("a report in any other form is refused", () => {
  const signer = noteSigner(AGENT_KEY.skey);
  const good = new TextDecoder().decode(signed());
  for (const text of [
    "",
    "no note\n",
    signer.sign("{}\n"),
    signer.sign(`${JSON.stringify(report())}\n`),
    signer.sign(`${JSON.stringify({ ...report(), extra: 1 })}\n`),
    signer.sign(good.split("\n").slice(0, 1).join("\n").concat("\n\n")),
    signer.sign(`${good.split("\n")[0]}\n`.replace('"sequence":1', '"sequence":1.0')),
    signer.sign(`${good.split("\n")[0]}\n`.replace('"sequence":1', '"sequence":1,"sequence":1')),
  ]) {
    assert.equal(codeOf(Buffer.from(text)), "report-malformed", text);
  }
  assert.equal(codeOf(Buffer.from(good.replace('"sequence":1', '"sequence":2'))), "report-unknown-agent");
});

test("a folder of reports is read in the order of the releases, each once; links, pipes and other files are not", async (t) => {
  const folder = tempFolder(t);
  for (const sequence of [3, 1, 2]) writeFileSync(join(folder, reportFile("prod-1", sequence)), signed({ sequence }));
  writeFileSync(join(folder, "README"), "no report");
  writeFileSync(join(folder, "zz.9.report"), signed({ sequence: 1, at: "2026-11-21T12:00:00.001Z" }));
  symlinkSync(join(folder, "prod-1.1.report"), join(folder, "link.4.report"));
  execFileSync("mkfifo", [join(folder, "pipe.5.report")]);
  const readings = await readReports(folder, KEYS, HISTORY);
  assert.deepEqual(
    readings.map((one) => [one.file, one.kind === "verified" ? one.report.sequence : one.code]),
    [
      ["prod-1.1.report", 1],
      ["prod-1.2.report", 2],
      ["prod-1.3.report", 3],
      ["link.4.report", "report-malformed"],
      ["pipe.5.report", "report-malformed"],
      ["zz.9.report", "report-stale"],
    ],
  );
});

test("what is recorded comes from the gate's own log", async (t) => {
  const world = await openWorld(t);
  const { manifestDigest } = await world.release(resources(1));
  const note = signed({ manifestDigest });
  const before = await readReportHistory(world.log, "prod");
  const reading = readReport(note, "f", KEYS, before);
  assert.ok(reading?.kind === "verified");
  await world.log.append(appliedDraft(reading.report, reading.sha256, "0.1.0"));
  const after = await readReportHistory(world.log, "prod");
  assert.equal(readReport(note, "f", KEYS, after), null);
  assert.deepEqual([...after.newest], [["prod-1", 1]]);
});

test("an agent's name never leads out of the folder", () => {
  for (const name of ["../x", "a/b", ".", "a.1", "é", "a%b"])
    assert.match(reportFile(name, 1), /^[A-Za-z0-9%-]+\.1\.report$/);
});
