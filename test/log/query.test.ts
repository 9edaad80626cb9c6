/** Queries find what a look at every entry finds, and walk an index for every filter that there is. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { EntryQuery } from "../../src/log/entry.ts";
import { countStatements, findStatements, type Lane, lanesStatement, type Statement } from "../../src/log/query.ts";
import { openForReading } from "../../src/log/stores/sqlite/database.ts";
import { attachSearchIndex, SearchIndex, searchIndexPath } from "../../src/log/stores/sqlite/search-index.ts";
import { COUNT, fillMixed, findsAll, KINDS, QUERIES, VERDICTS } from "../contract/log-query.ts";
import { draft, logPath, openTestLog, openTestReader } from "../support/log.ts";

describe("a query", () => {
  const cleanups: (() => void)[] = [];
  let path = "";
  before(async () => {
    path = logPath({ after: (cleanup) => void cleanups.push(cleanup) });
    await fillMixed((change) => openTestLog(path, change));
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });
  const forms: readonly (readonly [string, () => void])[] = [
    ["with its index", () => undefined],
    ["with an index that has not reached the end", () => reindex(path, 23)],
    ["with an index without words", () => reindex(path, COUNT, 0)],
    ["without an index", () => removeIndex(path)],
  ];
  for (const [form, prepare] of forms) {
    it(`finds what a look at every entry finds, ${form}`, async (context) => {
      prepare();
      const log = await openTestReader(path);
      context.after(() => log.close());
      await findsAll(log);
    });
  }

  it("walks an index, whatever it filters by, and sorts nothing that the index gives in order", () => {
    removeIndex(path);
    reindex(path, COUNT);
    const db = openForReading(path);
    assert.ok(attachSearchIndex(db, path));
    const planOf = ({ sql, parameters }: Statement) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map(({ detail }) => String(detail));
    for (const [name, query] of Object.entries(QUERIES)) {
      const asked = lanesStatement(query);
      const lanes = asked === null ? null : (db.prepare(asked.sql).all(...asked.parameters) as unknown as Lane[]);
      const bounds = { start: 0, end: COUNT, lanes };
      for (const line of asked === null ? [] : planOf(asked))
        assert.doesNotMatch(line, /^SCAN e\b|^SCAN entries\b/, `${name}, its lanes`);
      const statements = [...findStatements(query, bounds, true), ...countStatements(query, bounds, true)];
      for (const plan of statements.map(planOf)) {
        const scans = plan.filter((line) =>
          /^SCAN (?:e|d|entries|disclosures|terms)\b|^SCAN x (?!VIRTUAL TABLE INDEX \d+:.*M)/.test(line),
        );
        assert.deepEqual(scans, [], `${name}: ${plan.join("\n")}`);
        const index = "COVERING INDEX entries_search (target=? AND kind=? AND verdict=? AND rowid>? AND rowid<?)";
        for (const line of lanes === null ? [] : plan.filter((one) => / e USING /.test(one)))
          assert.ok(line.includes(index), `${name}: ${line}`);
        if (query.commitPrefix === undefined)
          assert.ok(!plan.some((line) => /TEMP B-TREE/.test(line)), `${name}: ${plan.join("\n")}`);
      }
    }
    db.close();
  });
});

describe("a query of a log with many targets", () => {
  it("finds and counts in order what more lanes hold than one statement takes", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    context.after(() => log.close());
    const targets = Array.from({ length: 120 }, (_, at) => `target-${at}`);
    const drafts = targets.flatMap((target, at) =>
      KINDS.map((kind, place) => draft({ kind, target, verdict: VERDICTS[(at + place) % 5] ?? null })),
    );
    await log.appendAll(drafts);
    const query: EntryQuery = { kinds: KINDS };
    const lanes = lanesStatement(query);
    assert.ok(lanes !== null);
    const db = openForReading(path);
    const found = db.prepare(lanes.sql).all(...lanes.parameters) as unknown as Lane[];
    db.close();
    assert.equal(findStatements(query, { start: 0, end: drafts.length, lanes: found }, false).length, 2);
    const all = drafts.map((_, index) => index);
    assert.equal(await log.count(query), drafts.length);
    const oldest = await log.find({ ...query, order: "oldest" });
    assert.deepEqual(
      oldest.map(({ index }) => index),
      all,
    );
    const newest = await log.find({ ...query, limit: 25 });
    assert.deepEqual(
      newest.map(({ index }) => index),
      all.toReversed().slice(0, 25),
    );
    const denied = all.filter((index) => drafts[index]?.verdict === "deny");
    assert.equal(await log.count({ verdict: "deny" }), denied.length);
    const refused = await log.find({ verdict: "deny", order: "oldest" });
    assert.deepEqual(
      refused.map(({ index }) => index),
      denied,
    );
  });
});

function removeIndex(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(searchIndexPath(path) + suffix, { force: true });
}

/** An index that has reached so many entries. */
function reindex(path: string, size: number, texts = size - 3): void {
  removeIndex(path);
  const db = new DatabaseSync(path, { readOnly: true });
  const index = new SearchIndex(path, db);
  index.follow(size);
  index.followTexts(texts);
  index.close();
  db.close();
}
