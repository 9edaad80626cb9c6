import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it, type TestContext } from "node:test";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import { exportFolder } from "../../src/log/export.ts";
import { generateNoteKey } from "../../src/log/note.ts";
import { networkFileSystem } from "../../src/log/stores/sqlite/database.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, fill, KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";

const KEYS = { keys: [KEY.vkey] };

const onceOnly: (() => void)[] = [];
const TEMPLATE = logPath({ after: (cleanup) => onceOnly.push(cleanup) });
before(async () => {
  const log = await openTestLog(TEMPLATE);
  await fill(log, 300);
  await log.close();
});
after(() => {
  for (const cleanup of onceOnly) cleanup();
});

/** A copy of one closed log of 300 entries. */
function copiedLog(context: TestContext): string {
  const path = logPath(context);
  copyFileSync(TEMPLATE, path);
  return path;
}

/** A closed log of `size` entries in one file (no write-ahead log beside it). */
async function closedLog(context: TestContext, size: number): Promise<string> {
  const path = logPath(context);
  const log = await openTestLog(path);
  await fill(log, size);
  await log.close();
  return path;
}

function change(path: string, sql: string, ...parameters: (string | number | Uint8Array)[]): void {
  const db = new DatabaseSync(path);
  db.prepare(sql).run(...parameters);
  db.close();
}

/** Puts an entry of one log, the values beside it and its hash in the place of another log's. */
function transplant(from: string, to: string, index: number): void {
  const db = new DatabaseSync(to);
  db.prepare("ATTACH ? AS other").run(from);
  for (const table of ["entries", "disclosures"]) {
    db.prepare(`DELETE FROM ${table} WHERE idx = ?`).run(index);
    db.prepare(`INSERT INTO ${table} SELECT * FROM other.${table} WHERE idx = ?`).run(index);
  }
  db.close();
}

async function verdict(path: string, options = {}): Promise<string> {
  const result = await verifyLog(path, { ...KEYS, ...options });
  return result.kind === "intact" ? "intact" : `${result.code} ${result.differs} ${result.index}`;
}

describe("verifying a log", () => {
  it("finds a whole one intact, as database and as folder, and tells how far it is", async (context) => {
    const path = await closedLog(context, 520);
    const folder = tempFolder(context);
    const reader = await openTestReader(path);
    await exportFolder(reader, folder);
    await reader.close();
    for (const place of [path, folder]) {
      const seen: number[] = [];
      const result = await verifyLog(place, { ...KEYS, origin: ORIGIN, progress: (done) => seen.push(done) });
      assert.ok(result.kind === "intact", JSON.stringify(result));
      assert.equal(result.checkpoint.size, 520);
      assert.equal(seen.at(-1), 520);
      assert.deepEqual(result.disclosures, place === path ? { matching: 520 * 6, redacted: 0 } : null);
    }
  });

  const damages: [what: string, sql: string, expected: string][] = [
    [
      "an edited leaf",
      "UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'allow', 'denyy') AS BLOB) WHERE idx = 3",
      "log-tampered entry 3",
    ],
    [
      "an edited leaf that is in the right form",
      `UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), '"code":"0.1.0"', '"code":"0.1.1"') AS BLOB) WHERE idx = 3`,
      "log-tampered entry 3",
    ],
    [
      "one byte in front of a leaf",
      "UPDATE entries SET bytes = CAST(' ' || CAST(bytes AS TEXT) AS BLOB) WHERE idx = 3",
      "log-tampered entry 3",
    ],
    ["an edited leaf hash", "UPDATE entries SET hash = zeroblob(32) WHERE idx = 4", "log-tampered entry 4"],
    ["a leaf hash cut short", "UPDATE entries SET hash = zeroblob(31) WHERE idx = 4", "log-tampered entry 4"],
    [
      "an edited upper hash",
      "UPDATE hashes SET hash = zeroblob(32) WHERE level = 1 AND n = 0",
      "log-tampered hash 255",
    ],
    ["a removed entry", "DELETE FROM entries WHERE idx = 5", "log-tampered entry 5"],
    ["a removed last entry", "DELETE FROM entries WHERE idx = 299", "log-tampered entry 299"],
    [
      "an added entry",
      "INSERT INTO entries SELECT 300, time, target, kind, verdict, hash, bytes FROM entries WHERE idx = 299",
      "log-tampered tree 300",
    ],
    [
      "an edited value beside an entry",
      "UPDATE disclosures SET json = replace(json, 'ada', 'eve') WHERE idx = 6",
      "log-tampered disclosure 6",
    ],
    [
      "a removed value beside an entry",
      "UPDATE disclosures SET json = '{}' WHERE idx = 6",
      "log-tampered disclosure 6",
    ],
    ["no values beside an entry", "DELETE FROM disclosures WHERE idx = 6", "log-tampered disclosure 6"],
    ["a hidden entry", "UPDATE entries SET target = 'other' WHERE idx = 7", "log-tampered columns 7"],
    ["an entry moved in time", "UPDATE entries SET time = time + 1 WHERE idx = 7", "log-tampered columns 7"],
    [
      "an edited head",
      "UPDATE head SET note = replace(note, char(10) || '300' || char(10), char(10) || '299' || char(10))",
      "log-tampered checkpoint null",
    ],
    ["a removed head", "DELETE FROM head", "log-tampered checkpoint null"],
  ];
  for (const [what, sql, expected] of damages)
    it(`names ${what}`, async (context) => {
      const path = copiedLog(context);
      assert.equal(await verdict(path), "intact");
      change(path, sql);
      assert.equal(await verdict(path), expected);
    });

  it("names an entry whose hash was rewritten too: the next one of its target no longer follows it", async (context) => {
    const path = await closedLog(context, 10);
    const other = await closedLog(context, 10);
    const db = new DatabaseSync(other, { readOnly: true });
    const entry = db.prepare("SELECT bytes, hash FROM entries WHERE idx = 0").get();
    db.close();
    change(path, "UPDATE entries SET bytes = ? WHERE idx = 0", entry?.["bytes"] as Uint8Array);
    change(path, "UPDATE entries SET hash = ? WHERE idx = 0", entry?.["hash"] as Uint8Array);
    const result = await verifyLog(path, KEYS);
    assert.ok(result.kind === "broken" && result.code === "log-tampered");
    assert.ok(["disclosure", "columns", "chain"].includes(result.differs), result.differs);
  });

  it("names the entry that no longer follows one rewritten with all that belongs to it", async (context) => {
    const older = await closedLog(context, 2);
    const path = await closedLog(context, 2);
    transplant(older, path, 0);
    assert.equal(await verdict(path), "log-tampered chain 1");
  });

  it("finds the newest entry rewritten with all that belongs to it: only the signed root contradicts it", async (context) => {
    const other = await closedLog(context, 1);
    const path = await closedLog(context, 1);
    transplant(other, path, 0);
    assert.equal(await verdict(path), "log-tampered tree null");
  });

  it("refuses a log that is signed by another key, or is another log", async (context) => {
    const path = await closedLog(context, 3);
    const other = generateNoteKey(ORIGIN, new Uint8Array(32).fill(9));
    assert.equal(await verdict(path, { keys: [other.vkey] }), "log-tampered checkpoint null");
    assert.equal(await verdict(path, { origin: "other.example/log" }), "log-tampered checkpoint null");
  });

  it("finds a log that lacks or contradicts a checkpoint seen before", async (context) => {
    const path = await closedLog(context, 5);
    const log = await openTestLog(path);
    const seen = (await log.checkpoint()).note;
    await log.close();
    const other = await closedLog(context, 9);
    assert.equal(await verdict(path, { known: [seen] }), "intact");
    assert.equal(await verdict(other, { known: [seen] }), "log-forked tree null");
    const shorter = await closedLog(context, 4);
    assert.equal(await verdict(shorter, { known: [seen] }), "log-rolled-back tree null");
  });

  it("finds one changed byte in any file of an exported folder", async (context) => {
    const path = copiedLog(context);
    const reader = await openTestReader(path);
    const folder = tempFolder(context);
    await exportFolder(reader, folder);
    await reader.close();
    for (const file of [
      "checkpoint",
      "tile/0/000",
      "tile/0/001.p/44",
      "tile/1/000.p/1",
      "tile/entries/000",
      "tile/entries/001.p/44",
    ]) {
      const copy = tempFolder(context);
      cpSync(folder, copy, { recursive: true });
      const bytes = readFileSync(join(copy, file));
      bytes[20] = (bytes[20] as number) ^ 1;
      writeFileSync(join(copy, file), bytes);
      assert.match(await verdict(copy), /^log-tampered/, file);
      rmSync(join(copy, file));
      assert.match(await verdict(copy), /^log-tampered/, `${file} removed`);
    }
  });

  it("says of anything else that there is no log, or none that holds together", async (context) => {
    const folder = tempFolder(context);
    await assert.rejects(verifyLog(join(folder, "none.db"), KEYS), { code: "log-missing" });
    writeFileSync(join(folder, "bundle"), "x".repeat(5000));
    assert.equal(await verdict(join(folder, "bundle")), "log-corrupt tree null");
    change(join(folder, "other.db"), "CREATE TABLE t (x)");
    await assert.rejects(verifyLog(join(folder, "other.db"), KEYS), { code: "log-version-unknown" });
    await assert.rejects(verifyLog(folder, { keys: ["x"] }), { code: "note-key-invalid" });
  });
});

describe("an export", () => {
  it("writes only what is new, and refuses a folder that is ahead or contradicts the log", async (context) => {
    const path = logPath(context);
    const folder = tempFolder(context);
    const log = await openTestLog(path);
    context.after(() => log.close());
    await fill(log, 250);
    await exportFolder(log, folder);
    const untouched = statSync(join(folder, "tile/0/000.p/250")).mtimeMs;
    await fill(log, 50);
    await exportFolder(log, folder);
    assert.equal(statSync(join(folder, "tile/0/000.p/250")).mtimeMs, untouched);
    assert.equal(await verdict(folder), "intact");
    const shorter: DecisionLog = await openTestLog(await closedLog(context, 2));
    await assert.rejects(exportFolder(shorter, folder), { code: "log-rolled-back" });
    await fill(shorter, 400);
    await assert.rejects(exportFolder(shorter, folder), { code: "log-forked" });
    await shorter.close();
  });
});

describe("opening a log", () => {
  const refused: [what: string, sql: string, code: string][] = [
    [
      "its newest entry was edited",
      "UPDATE entries SET bytes = CAST(bytes || ' ' AS BLOB) WHERE idx = 299",
      "log-corrupt",
    ],
    [
      "a hash of its right edge was edited",
      "UPDATE hashes SET hash = zeroblob(32) WHERE level = 1 AND n = 0",
      "log-corrupt",
    ],
    ["its last entry was removed", "DELETE FROM entries WHERE idx = 299", "log-corrupt"],
    [
      "an entry was added behind its end",
      "INSERT INTO entries SELECT 300, time, target, kind, verdict, hash, bytes FROM entries WHERE idx = 299",
      "log-corrupt",
    ],
    ["its head was edited", "UPDATE head SET note = replace(note, '300', '299')", "log-corrupt"],
    ["its head was removed", "DELETE FROM head", "log-corrupt"],
    ["it has an earlier layout", "PRAGMA user_version = 1", "log-version-unknown"],
    ["it has a later layout", "PRAGMA user_version = 5", "log-version-unknown"],
  ];
  for (const [what, sql, code] of refused)
    it(`refuses to sign when ${what}`, async (context) => {
      const path = copiedLog(context);
      change(path, sql);
      await assert.rejects(openTestLog(path), { code });
    });

  it("refuses to read an entry that was edited, however old", async (context) => {
    const path = await closedLog(context, 600);
    change(
      path,
      "UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'allow', 'denyy') AS BLOB) WHERE idx = 3",
    );
    const log = await openTestLog(path);
    context.after(() => log.close());
    await assert.rejects(log.read(3), { code: "log-corrupt" });
    await assert.rejects(log.find({}), { code: "log-corrupt" });
    assert.equal((await log.read(4)).index, 4);
  });

  it("refuses another origin and another key", async (context) => {
    const path = await closedLog(context, 3);
    const other = generateNoteKey(ORIGIN, new Uint8Array(32).fill(9));
    await assert.rejects(openTestLog(path, { key: other.skey }), { code: "log-origin-mismatch" });
    await assert.rejects(openTestLog(path, { origin: "other.example/log" }), { code: "log-origin-mismatch" });
    await assert.rejects(openTestLog(path, { key: "x" }), { code: "note-key-invalid" });
    await assert.rejects(openTestReader(join(dirname(path), "none.db")), { code: "log-missing" });
  });

  it("refuses what other users can read, and creates what they cannot", async (context) => {
    const path = await closedLog(context, 1);
    for (const file of [path, `${path}.lock`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
    chmodSync(path, 0o644);
    await assert.rejects(openTestLog(path), { code: "log-readable-by-others" });
    chmodSync(path, 0o600);
    chmodSync(dirname(path), 0o755);
    await assert.rejects(openTestLog(path), { code: "log-readable-by-others" });
    const fresh = join(tempFolder(context), "a", "log.db");
    await (await openTestLog(fresh)).close();
    assert.equal(statSync(dirname(fresh)).mode & 0o777, 0o700);
  });

  it("knows the file systems that other machines write", () => {
    assert.equal(networkFileSystem(0x6969), "NFS");
    assert.equal(networkFileSystem(0xff534d42), "CIFS");
    assert.equal(networkFileSystem(0xef53), null);
    assert.equal(networkFileSystem(statSync.length), null);
  });

  it("keeps what was acknowledged when the end of the write-ahead log is cut off", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 3);
    const copy = logPath(context);
    for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    await log.close();
    const whole = statSync(`${copy}-wal`).size;
    truncateSync(`${copy}-wal`, whole - 100);
    const cut = await openTestLog(copy);
    context.after(() => cut.close());
    const { size } = await cut.checkpoint();
    assert.ok(size < 3, "the cut takes the last transaction as a whole");
    assert.equal((await cut.append(draft())).index, size);
  });
});

describe("the anchor", () => {
  async function anchoredLog(context: TestContext) {
    const path = logPath(context);
    const anchor = join(tempFolder(context), "checkpoint");
    const log = await openTestLog(path, { anchor });
    await fill(log, 5);
    await log.close();
    return { path, anchor };
  }

  it("holds the newest checkpoint after every answer", async (context) => {
    const { path, anchor } = await anchoredLog(context);
    const log = await openTestLog(path, { anchor });
    context.after(() => log.close());
    await log.append(draft());
    assert.equal(readFileSync(anchor, "utf8"), (await log.checkpoint()).note);
  });

  it("is never ahead of what was recorded", async (context) => {
    const { path, anchor } = await anchoredLog(context);
    const log = await openTestLog(path, { anchor });
    context.after(() => log.close());
    const before = readFileSync(anchor, "utf8");
    change(path, "CREATE TRIGGER refuse BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END");
    await assert.rejects(log.append(draft()), { code: "log-failed" });
    assert.equal(readFileSync(anchor, "utf8"), before);
    change(path, "DROP TRIGGER refuse");
    assert.equal((await log.append(draft())).index, 5);
  });

  it("refuses a restored backup, and a copy that went its own way", async (context) => {
    const { path, anchor } = await anchoredLog(context);
    const backup = logPath(context);
    copyFileSync(path, backup);
    const log = await openTestLog(path, { anchor });
    await fill(log, 2);
    await log.close();
    chmodSync(backup, 0o600);
    await assert.rejects(openTestLog(backup, { anchor }), { code: "log-rolled-back" });
    const unaware = await openTestLog(backup);
    await fill(unaware, 4);
    await unaware.close();
    await assert.rejects(openTestLog(backup, { anchor }), { code: "log-forked" });
    await (await openTestLog(path, { anchor })).close();
  });

  it("may be behind after a crash, and is brought up to date", async (context) => {
    const { path, anchor } = await anchoredLog(context);
    const old = readFileSync(anchor, "utf8");
    const log = await openTestLog(path, { anchor });
    await fill(log, 2);
    const newest = (await log.checkpoint()).note;
    await log.close();
    writeFileSync(anchor, old);
    await (await openTestLog(path, { anchor })).close();
    assert.equal(readFileSync(anchor, "utf8"), newest);
  });

  it("is missed when it is gone, unless a person accepts the log as it is", async (context) => {
    const { path, anchor } = await anchoredLog(context);
    rmSync(anchor);
    await assert.rejects(openTestLog(path, { anchor }), { code: "log-anchor-missing" });
    await assert.rejects(openTestLog(logPath(context), { anchor: "/nowhere/at/all" }), { code: "log-anchor-missing" });
    writeFileSync(anchor, "");
    await (await openTestLog(path, { anchor })).close();
    assert.notEqual(readFileSync(anchor, "utf8"), "");
    writeFileSync(anchor, "nonsense");
    await assert.rejects(openTestLog(path, { anchor }), { code: "note-malformed" });
  });

  it("withholds the answer while it cannot be written, and records nothing more until it can", async (context) => {
    const { path, anchor } = await anchoredLog(context);
    const log = await openTestLog(path, { anchor });
    context.after(() => log.close());
    rmSync(anchor);
    mkdirSync(anchor); // a folder in its place cannot be replaced by a file
    await assert.rejects(log.append(draft()), { code: "log-unpublished" });
    await assert.rejects(log.append(draft()), { code: "log-unpublished" });
    rmSync(anchor, { recursive: true });
    const { index } = await log.append(draft());
    assert.equal(index, 6, "the unpublished entry is there, and only once");
    assert.equal(readFileSync(anchor, "utf8"), (await log.checkpoint()).note);
  });
});
