import assert from "node:assert/strict";
import { test } from "node:test";
import { loggedReceipts, receivedNow } from "../../src/gate/receipts.ts";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { logPath, openTestLog } from "../support/log.ts";
import type { Scope } from "../support/temp.ts";

const START = Date.parse("2026-11-21T10:00:00Z");
const DAY_MS = 24 * 60 * 60 * 1000;
const [ONE, TWO] = ["1", "2"].map((digit) => commitId(digit.repeat(40))) as [CommitId, CommitId];

async function book(t: Scope) {
  const world = { now: START };
  const clock = () => world.now;
  const log = await openTestLog(logPath(t), { clock });
  t.after(() => void log.close());
  return { world, log, receipts: loggedReceipts(log, clock) };
}

test("a commit is judged as of the instant at which the gate first saw it", async (t) => {
  const { world, log, receipts } = await book(t);
  await receipts.receive("prod", [ONE]);
  world.now += DAY_MS;
  const both = await receipts.receive("prod", [ONE, TWO]);
  assert.deepEqual(both.get(ONE), { instant: START, basis: "receipt" });
  assert.deepEqual(both.get(TWO), { instant: START + DAY_MS, basis: "receipt" });
  world.now += DAY_MS;
  assert.deepEqual(await receipts.receive("staging", [ONE, TWO]), both, "for another target too");
  assert.equal((await log.checkpoint()).size, 2, "nothing is logged twice");
});

test("a receipt that is older than 30 days counts as now", async (t) => {
  const { world, receipts } = await book(t);
  await receipts.receive("prod", [ONE]);
  world.now = START + 30 * DAY_MS;
  assert.deepEqual((await receipts.receive("prod", [ONE])).get(ONE), { instant: START, basis: "receipt" });
  world.now += 1;
  assert.deepEqual((await receipts.receive("prod", [ONE])).get(ONE), { instant: world.now, basis: "now" });
});

test("a preview received nothing before: every commit is judged as of now", async () => {
  const found = await receivedNow(() => START).receive("prod", [ONE]);
  assert.deepEqual(found.get(ONE), { instant: START, basis: "now" });
});
