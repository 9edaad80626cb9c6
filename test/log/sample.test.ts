/** A sample of the log that its auditor can draw again. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { EntryQuery } from "../../src/log/entry.ts";
import { drawSample } from "../../src/log/sample.ts";
import { draft, fill, logPath, openTestLog, openTestReader } from "../support/log.ts";

const rankOf = (seed: string, leafHash: string) => createHash("sha256").update(`${seed}\n${leafHash}`).digest("hex");

describe("a sample", () => {
  it("is another for another seed, and the same for the same, also when the log has grown", async (context) => {
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    await fill(log, 1200);
    const indexes = async (seed: string, query = {}) =>
      (await drawSample(log, query, 25, seed)).entries.map(({ index }) => index);
    const { entries, population, below } = await drawSample(log, {}, 25, "2026-Q4");
    const drawn = entries.map(({ index }) => index);
    assert.deepEqual([new Set(drawn).size, population, below], [25, 1200, 1200]);
    assert.deepEqual(
      drawn,
      [...drawn].sort((a, b) => a - b),
    );
    assert.ok((drawn[0] ?? 0) < 600 && (drawn[24] ?? 0) >= 600, "from all of it, not from one page of it");
    assert.deepEqual(await indexes("2026-Q4"), drawn);
    assert.notDeepEqual(await indexes("2026-Q3"), drawn);
    await fill(log, 1200);
    assert.deepEqual(await indexes("2026-Q4", { after: below }), drawn);
    assert.notDeepEqual(await indexes("2026-Q4"), drawn);
  });

  it("is of what the query finds, and the whole of it where that is less", async (context) => {
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    await fill(log, 20);
    for (const target of ["staging", "dev", "staging"]) await log.append(draft({ target, verdict: "deny" }));
    const few = await drawSample(log, { target: "staging" }, 5, "s");
    assert.deepEqual([few.entries.map(({ index }) => index), few.population], [[20, 22], 2]);
    assert.deepEqual((await drawSample(log, { verdict: "wait" }, 5, "s")).entries, []);
    assert.equal((await drawSample(log, { verdict: "allow" }, 5, "s")).entries.length, 5);
  });

  it("is drawn as docs/auditing.md says: by the least SHA-256 of the seed, a line end and the leaf hash", async (context) => {
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    await fill(log, 513);
    const all = await log.find({ order: "oldest" });
    const ranked = all.map(({ index, leafHash }) => [rankOf("2026-Q4", leafHash), index] as const);
    const least = ranked.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, 25);
    assert.deepEqual(
      (await drawSample(log, {}, 25, "2026-Q4")).entries.map(({ index }) => index),
      least.map(([, index]) => index).sort((a, b) => a - b),
    );
  });

  it("of an empty log is empty", async (context) => {
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    assert.deepEqual(await drawSample(log, {}, 25, "s"), { entries: [], population: 0, below: 0 });
  });

  it("is refused where the entry that would be drawn was given another hash, so that another one is", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 600);
    const all = await log.find({ order: "oldest" });
    await log.close();
    const drawnBy = (seed: number) =>
      all
        .map(({ index, leafHash }) => ({ index, rank: rankOf(`${seed}`, leafHash) }))
        .sort((a, b) => (a.rank < b.rank ? -1 : 1))
        .map(({ index }) => index);
    const tileOf = (index = 0) => Math.floor(index / 256);
    let seed = 0; // one by which the second lies elsewhere: its own proof does not meet the hash that was changed
    const isFarApart = ([one, other]: readonly number[]) => tileOf(one) < 2 && tileOf(one) !== tileOf(other);
    while (!isFarApart(drawnBy(seed))) seed++;
    const [first, ...others] = drawnBy(seed);
    const db = new DatabaseSync(path);
    db.prepare("UPDATE entries SET hash = (SELECT hash FROM entries WHERE idx = ?) WHERE idx = ?").run(
      others.at(-1) as number,
      first as number,
    );
    db.close();
    const reader = await openTestReader(path);
    context.after(() => reader.close());
    await assert.rejects(drawSample(reader, {}, 1, `${seed}`), { code: "log-corrupt" });
  });

  it("is not steered by whoever can write the tables: by a hash that is not in the tree, by a column that its leaf denies", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 300);
    await log.close();
    for (const change of [
      "UPDATE entries SET hash = (SELECT hash FROM entries WHERE idx = 8) WHERE idx = 7",
      "UPDATE entries SET hash = zeroblob(32) WHERE idx = 299",
      "DELETE FROM entries WHERE idx = 7",
      "UPDATE entries SET verdict = 'deny' WHERE idx = 7",
      "UPDATE entries SET target = 'staging', verdict = 'deny' WHERE idx = 7",
    ]) {
      const changed = logPath(context);
      copyFileSync(path, changed);
      const db = new DatabaseSync(changed);
      db.exec(change);
      db.close();
      const reader = await openTestReader(changed);
      const query: EntryQuery = change.includes("verdict") ? { verdict: "deny" } : {};
      await assert.rejects(drawSample(reader, query, 5, "s"), { code: "log-corrupt" }, change);
      await reader.close();
    }
  });

  it("takes every entry about as often as every other", async (context) => {
    const log = await openTestLog(logPath(context));
    context.after(() => log.close());
    await fill(log, 20);
    const taken = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 200; seed++)
      for (const { index } of (await drawSample(log, {}, 5, `${seed}`)).entries) taken[index] = (taken[index] ?? 0) + 1;
    // 50 expected, standard deviation 6.1; leaf hashes differ from run to run, so six deviations are allowed
    assert.ok(
      taken.every((times) => times > 13 && times < 87),
      taken.join(" "),
    );
  });
});
