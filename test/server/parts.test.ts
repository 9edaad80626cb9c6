/** The small parts of the service, each by itself. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RefEntry } from "../../src/git/repository.ts";
import { matchesRef } from "../../src/git/source-listing.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { openTurns } from "../../src/lib/turns.ts";
import { roomOf } from "../../src/server/free-space.ts";
import { failureFields, openJournal } from "../../src/server/journal.ts";
import { pauseMs, startPoller } from "../../src/server/poller.ts";
import { findProposals } from "../../src/server/proposals.ts";
import { isAlive, readStatus, removeStatus, writeStatus } from "../../src/server/status.ts";
import { tempFolder } from "../support/temp.ts";

const HOUR_MS = 3_600_000;

test("a pause is the interval and a little, and longer after each failure, up to five minutes", () => {
  assert.equal(pauseMs(30_000, 0, 0), 30_000);
  assert.equal(pauseMs(30_000, 0, 0.5), 31_500);
  assert.equal(pauseMs(30_000, 2, 0), 120_000);
  assert.equal(pauseMs(30_000, 60, 0), 300_000);
  assert.equal(pauseMs(HOUR_MS, 3, 0), HOUR_MS, "never more often than configured");
});

test("a hint makes a poller look at once, one during a look makes it look once more, and stop ends it", async () => {
  let looks = 0;
  let hear = (): void => undefined;
  const seen = (count: number): Promise<void> =>
    new Promise((resolve) => {
      hear = () => looks >= count && resolve();
      hear();
    });
  const poller = startPoller({
    intervalMs: HOUR_MS,
    jitter: () => 0,
    look: async () => {
      looks += 1;
      if (looks === 2) poller.hint();
      hear();
      return true;
    },
  });
  await seen(1);
  poller.hint();
  await seen(3);
  await poller.stop();
  poller.hint();
  assert.equal(looks, 3);
});

test("a proposal is what a pattern names, as git reads it", async () => {
  assert.ok(matchesRef("refs/pull/*/head", "refs/pull/12/head"));
  assert.ok(matchesRef("refs/changes/*", "refs/changes/01/1/2"));
  for (const other of ["refs/pull//head", "refs/pull/12/merge", "refs/heads/refs/pull/1/head"]) {
    assert.ok(!matchesRef("refs/pull/*/head", other), other);
  }
  const all: readonly RefEntry[] = ["refs/pull/2/head", "refs/pull/1/head", "refs/pull/1/merge", "refs/other"].map(
    (name) => ({ name, id: name }),
  );
  const refs = async (prefix: string): Promise<readonly RefEntry[]> => all.filter((ref) => ref.name.startsWith(prefix));
  const found = await findProposals({ refs }, ["refs/pull/*/head", "refs/other", "refs/pull/1/*"]);
  assert.deepEqual(
    found.map((ref) => ref.name),
    ["refs/other", "refs/pull/1/head", "refs/pull/1/merge", "refs/pull/2/head"],
  );
});

test("little free space is said, too little is another thing, and none known is neither", () => {
  const mib = 1024 * 1024;
  assert.deepEqual([2000 * mib, 1000 * mib, 99 * mib, null].map(roomOf), ["enough", "little", "too-little", "unknown"]);
});

test("a line of the journal is JSON with a constant message, and holds nothing of a stranger's exception", () => {
  const lines: string[] = [];
  const journal = openJournal(
    (line) => lines.push(line),
    () => 7,
  );
  journal.say("info", "released", { target: "prod", branch: "a\u001b[31m\nb" });
  const secret = "hunter22";
  journal.say("error", "not judged", failureFields(new TypeError(`cannot read ${secret}`)));
  const known = new SluiceError("fetch-failed", "git could not fetch.", { cause: new Error(secret) });
  journal.say("warn", "not fetched", failureFields(known));
  const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([first?.["level"], first?.["time"], first?.["msg"]], [30, 7, "released"]);
  assert.doesNotMatch(String(first?.["branch"]), /[\u001b\n]/);
  assert.deepEqual([second?.["code"], third?.["code"], third?.["at"]], ["internal", "fetch-failed", undefined]);
  assert.match(String(second?.["at"]), /parts\.test\.ts/);
  assert.ok(lines.every((line) => !line.includes(secret) && line.endsWith("}\n")));
});

test("the status of a service is read back, and what somebody else put there is none", (t) => {
  const folder = tempFolder(t);
  assert.equal(readStatus(folder), null);
  writeStatus(folder, { startedAt: 1, at: 2, room: "enough", failures: ["shop"] });
  const status = readStatus(folder);
  assert.deepEqual([status?.pid, status?.failures], [process.pid, ["shop"]]);
  assert.ok(status !== null && isAlive(status));
  writeFileSync(join(folder, "service.json"), '{"pid": -1}');
  assert.equal(readStatus(folder), null);
  removeStatus(folder);
  removeStatus(folder);
});

test("work under one name takes turns, also after a failure, and other names do not wait", async () => {
  const turns = openTurns();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const a = turns.take("a", async () => {
    await first.promise;
    order.push("a1");
    throw new Error("no");
  });
  const b = turns.take("a", async () => void order.push("a2"));
  await turns.take("b", async () => void order.push("b"));
  first.resolve();
  await assert.rejects(a);
  await b;
  assert.deepEqual(order, ["b", "a1", "a2"]);
});
