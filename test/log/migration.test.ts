/** A log that an older version of Sluice wrote (`test/fixtures/log/version-3.db`, by that version) is read as it is and written anew. */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../support/log.ts";
import type { Scope } from "../support/temp.ts";

const FIXTURE = join(import.meta.dirname, "../fixtures/log/version-3.db");
const OLD_ENTRIES = 12;
const KEYS = { keys: [KEY.vkey], origin: ORIGIN };

function olderLog(scope: Scope): string {
  const path = logPath(scope);
  copyFileSync(FIXTURE, path);
  chmodSync(path, 0o600);
  return path;
}

function versionOf(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  const { user_version: version } = db.prepare("PRAGMA user_version").get() ?? {};
  db.close();
  return version;
}

async function denied(log: DecisionLog): Promise<readonly number[]> {
  return (await log.find({ verdict: "deny", order: "oldest" })).map(({ index }) => index);
}

describe("a log of an older layout", () => {
  it("is read and verified as it stands, and not changed by that", async (context) => {
    const path = olderLog(context);
    const log = await openTestReader(path);
    context.after(() => log.close());
    assert.deepEqual(await denied(log), [1, 6, 11]);
    assert.equal(await log.count({ target: "staging", verdict: "allow" }), 1);
    assert.equal((await verifyLog(path, KEYS)).kind, "intact");
    assert.equal(versionOf(path), 3);
    assert.deepEqual(readFileSync(path), readFileSync(FIXTURE));
  });

  it("is brought to the newest by whoever writes it, entry for entry", async (context) => {
    const path = olderLog(context);
    const reader = await openTestReader(path);
    context.after(() => reader.close());
    const before = await reader.find({});
    const log = await openTestLog(path);
    const { index } = await log.append(draft({ verdict: "deny" }));
    assert.equal(index, OLD_ENTRIES);
    assert.deepEqual(await denied(log), [1, 6, 11, OLD_ENTRIES]);
    assert.deepEqual(await denied(reader), [1, 6, 11, OLD_ENTRIES], "who had it open goes on reading");
    await log.close();
    assert.equal(versionOf(path), 4);
    assert.deepEqual((await reader.find({})).slice(1), before);
    assert.equal((await verifyLog(path, KEYS)).kind, "intact");
  });

  it("stands in the same layout as a new one", async (context) => {
    const [older, newer] = [olderLog(context), logPath(context)];
    for (const path of [older, newer]) await (await openTestLog(path)).close();
    const [a, b] = [older, newer].map((path) => {
      const db = new DatabaseSync(path, { readOnly: true });
      const rows = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();
      db.close();
      return rows;
    });
    assert.deepEqual(a, b);
  });

  it("is left as it was when it cannot be brought to the newest", async (context) => {
    const path = olderLog(context);
    const db = new DatabaseSync(path);
    db.exec("DROP INDEX entries_search"); // which is to be replaced
    db.close();
    await assert.rejects(openTestLog(path), { code: "log-failed" });
    assert.equal(versionOf(path), 3);
    assert.equal((await verifyLog(path, KEYS)).kind, "intact");
  });
});
