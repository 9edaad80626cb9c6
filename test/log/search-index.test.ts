/** The search index is only an index: whatever happens to its file, queries find what the log holds. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, it, type TestContext } from "node:test";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { Term } from "../../src/log/entry.ts";
import { SearchIndex, searchIndexPath } from "../../src/log/stores/sqlite/search-index.ts";
import { draft, logPath, openTestLog, openTestReader } from "../support/log.ts";

const ADA: Term = { kind: "person", value: "ada" };
const LIN: Term = { kind: "person", value: "lin" };
const WEB: Term = { kind: "resource", value: "Deployment/apps/web" };

/** Entries 0, 1, 2, ... of these terms each. */
async function fillWith(log: DecisionLog, terms: readonly (readonly Term[])[]): Promise<void> {
  await log.appendAll(terms.map((each) => draft({ terms: [...each] })));
}

async function closedLog(context: TestContext, terms: readonly (readonly Term[])[]): Promise<string> {
  const path = logPath(context);
  const log = await openTestLog(path);
  await fillWith(log, terms);
  await log.close();
  return path;
}

async function found(path: string, terms: readonly Term[]): Promise<readonly number[]> {
  const reader = await openTestReader(path);
  try {
    const entries = await reader.find({ terms: [...terms], order: "oldest" });
    assert.equal(await reader.count({ terms: [...terms] }), entries.length);
    return entries.map(({ index }) => index);
  } finally {
    await reader.close();
  }
}

/** How many entries the index file says that it has reached. */
function reached(path: string): number {
  const db = new DatabaseSync(searchIndexPath(path), { readOnly: true });
  try {
    return Number(db.prepare("SELECT size FROM progress").get()?.["size"]);
  } finally {
    db.close();
  }
}

describe("the search index", () => {
  const three = [[ADA], [LIN, WEB], [ADA, WEB]] as const;

  it("is up to date when the log is closed", async (context) => {
    const path = await closedLog(context, three);
    assert.equal(reached(path), 3);
    assert.deepEqual([await found(path, [ADA]), await found(path, [ADA, WEB])], [[0, 2], [2]]);
  });

  it("leaves no write-ahead log behind, nor does the log itself, however soon it is closed", async (context) => {
    for (let at = 0; at < 10; at++) {
      const path = await closedLog(context, three);
      for (const file of [path, searchIndexPath(path)]) assert.ok(!existsSync(`${file}-wal`), `${file}-wal`);
    }
  });

  it("is not needed: without its file, terms are looked for in the log", async (context) => {
    const path = await closedLog(context, three);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(searchIndexPath(path) + suffix, { force: true });
    assert.deepEqual([await found(path, [WEB]), await found(path, [ADA, WEB])], [[1, 2], [2]]);
  });

  it("covers entries that it has not reached yet together with those that it has", async (context) => {
    const path = await closedLog(context, three);
    const log = await openTestLog(path);
    await fillWith(log, [[ADA, WEB], [LIN]]);
    // its file as it was before these two
    assert.deepEqual(await found(path, [ADA]), [0, 2, 3]);
    assert.deepEqual(await found(path, [WEB, ADA]), [2, 3]);
    await log.close();
    assert.equal(reached(path), 5);
    assert.deepEqual(await found(path, [WEB, ADA]), [2, 3]);
  });

  it("is made anew by the next writer when its bytes are damaged, and not believed before", async (context) => {
    const path = await closedLog(context, three);
    const file = searchIndexPath(path);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x55, 0, 200));
    assert.deepEqual(await found(path, [ADA]), [0, 2]);
    const log = await openTestLog(path);
    await log.append(draft({ terms: [ADA] }));
    await log.close();
    assert.equal(reached(path), 4);
    assert.deepEqual(await found(path, [ADA]), [0, 2, 3]);
  });

  it("of another log is not believed, and made anew", async (context) => {
    const path = await closedLog(context, three);
    const other = await closedLog(context, [[LIN], [LIN], [LIN]]);
    copyFileSync(searchIndexPath(other), searchIndexPath(path));
    assert.deepEqual(await found(path, [LIN]), [1]);
    await (await openTestLog(path)).close();
    assert.deepEqual([await found(path, [LIN]), reached(path)], [[1], 3]);
  });

  it("of a log that was restored from a backup is not believed", async (context) => {
    const path = await closedLog(context, [[ADA]]);
    const backup = readFileSync(path);
    const log = await openTestLog(path);
    await fillWith(log, [[LIN], [LIN]]);
    await log.close();
    writeFileSync(path, backup);
    assert.deepEqual(await found(path, [LIN]), []);
    const restored = await openTestLog(path);
    await restored.append(draft({ terms: [WEB] }));
    await restored.close();
    assert.deepEqual([await found(path, [LIN]), await found(path, [WEB])], [[], [1]]);
  });

  it("says nothing about an entry that the log does not hold", async (context) => {
    const path = await closedLog(context, three);
    const db = new DatabaseSync(searchIndexPath(path));
    db.exec("INSERT INTO terms (kind, value, idx) VALUES ('person', 'ada', 2000)");
    db.close();
    assert.deepEqual(await found(path, [ADA]), [0, 2]);
  });

  it("is followed in steps, by two at once too", async (context) => {
    const path = await closedLog(
      context,
      Array.from({ length: 50 }, () => [ADA]),
    );
    rmSync(searchIndexPath(path));
    const log = new DatabaseSync(path, { readOnly: true });
    const [first, second] = [new SearchIndex(path, log), new SearchIndex(path, log)];
    assert.deepEqual(
      [first.follow(20), second.follow(20), first.follow(20), second.follow(20)],
      [true, true, false, false],
    );
    first.close();
    second.close();
    log.close();
    assert.equal(reached(path), 50);
    assert.equal((await found(path, [ADA])).length, 50);
  });
});
