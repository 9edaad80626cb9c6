/** Logs so long that their verification is shared among threads. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { verifyLog } from "../../src/log/verify.ts";
import { fill, KEY, logPath, openTestLog } from "../support/log.ts";

const SIZE = 66_000;

test("names the hash of level 2 that is wrong, in a log of 65,536 entries", async (context) => {
  const path = logPath(context);
  const log = await openTestLog(path);
  await fill(log, SIZE);
  const { note } = await log.checkpoint();
  await log.close();
  const seen: number[] = [];
  const progress = (done: number) => void seen.push(done);
  const verify = (known: readonly string[] = []) => verifyLog(path, { keys: [KEY.vkey], known, progress });
  const intact = await verify([note]);
  assert.deepEqual([seen.length, seen.at(-1)], [9, SIZE], "it tells how far it is, run by run");
  assert.deepEqual(
    [intact.kind, intact.kind === "intact" && intact.checkpoint.size, intact.kind === "intact" && intact.disclosures],
    ["intact", SIZE, { matching: 6 * SIZE, redacted: 0 }],
  );
  const damage = async (sql: string, undo: string) => {
    const db = new DatabaseSync(path);
    db.exec(sql);
    const found = await verify();
    db.exec(undo);
    db.close();
    return found.kind === "broken" ? [found.index, found.differs] : found.kind;
  };
  const swap = (level: number, n: number) =>
    `UPDATE hashes SET hash = (SELECT hash FROM entries WHERE idx = ${n}) WHERE level = ${level} AND n = 0`;
  const db = new DatabaseSync(path);
  const stored = (level: number) => {
    const { hash } = db.prepare("SELECT hash FROM hashes WHERE level = ? AND n = 0").get(level) as { hash: Uint8Array };
    return `UPDATE hashes SET hash = x'${Buffer.from(hash).toString("hex")}' WHERE level = ${level} AND n = 0`;
  };
  const [one, two] = [stored(1), stored(2)];
  db.close();
  assert.deepEqual(await damage(swap(2, 7), two), [65_535, "hash"]);
  assert.deepEqual(await damage(swap(1, 7), one), [255, "hash"]);
  const [from, to] = ["Deployment/apps/web", "Deployment/apps/wed"];
  const edit = (a: string, b: string) =>
    `UPDATE disclosures SET json = replace(json, '${a}', '${b}') WHERE idx = 40000`;
  assert.deepEqual(await damage(edit(from, to), edit(to, from)), [40_000, "disclosure"]);
  assert.equal((await verify()).kind, "intact");
});
