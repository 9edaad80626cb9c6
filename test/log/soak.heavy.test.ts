/**
 * What a log holds in memory does not grow with what it holds on disk: short here, as long as one likes with
 * SLUICE_SOAK_MINUTES=60 node --test test/log/soak.heavy.test.ts
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { prepareEntry } from "../../src/log/leaf.ts";
import { Sequencer } from "../../src/log/stores/sqlite/sequencer.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../support/log.ts";

const SOAK_MINUTES = Number(process.env["SLUICE_SOAK_MINUTES"] ?? 0);
const ROUNDS = 14;
const ROUND_ENTRIES = 2000;
const CLIENTS = 16;
const MEBIBYTE = 2 ** 20;
/** Twice what the tiles take that are read meanwhile, and half of what a hundred bytes an entry would be on top of it. */
const HEAP_ALLOWANCE_BYTES = 1.75 * MEBIBYTE;
/** Of the whole process, whose threads collect what they let go of when they please. */
const PROCESS_ALLOWANCE_BYTES = 96 * MEBIBYTE;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function held(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function numbered(at: number): EntryDraft {
  return draft({
    target: `target-${at % 7}`,
    verdict: at % 50 === 0 ? "deny" : "allow",
    terms: [
      { kind: "resource", value: `Deployment/apps/web-${at % 500}` },
      { kind: "commit", value: at.toString(16).padStart(40, "0") },
    ],
  });
}

/** What people and agents ask for meanwhile. */
async function asked(log: DecisionLog, size: number): Promise<void> {
  await log.find({ verdict: "deny", limit: 50 });
  await log.find({ target: "target-3", terms: [{ kind: "resource", value: "Deployment/apps/web-3" }], limit: 50 });
  await log.count({ kinds: ["decision"] });
  for (let index = 0; index < size; index += Math.ceil(size / 20)) await log.inclusionProof(index, size);
  await log.consistencyProof(Math.floor(size / 2), size);
}

describe("a log that runs for long", () => {
  it("holds no more in its writer and its readers after many entries than after some", async (context) => {
    const path = logPath(context);
    const sequencer = new Sequencer({ path, origin: ORIGIN, key: KEY.skey, anchor: null, checkpointFile: null });
    context.after(() => sequencer.close());
    const reader = await openTestReader(path);
    context.after(() => reader.close());
    const after: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (let at = 0; at < ROUND_ENTRIES; at += CLIENTS) {
        const drafts = Array.from({ length: CLIENTS }, (_, client) => numbered(round * ROUND_ENTRIES + at + client));
        const outcomes = sequencer.commit(drafts.map((one) => [prepareEntry(one, Date.now(), randomBytes)]));
        assert.ok(outcomes.every(Array.isArray));
      }
      while (sequencer.indexTerms() || sequencer.indexTexts());
      sequencer.checkpointStorage();
      await asked(reader, (round + 1) * ROUND_ENTRIES);
      after.push(held());
    }
    // code is compiled by then
    const [early, late] = [Math.max(...after.slice(5, 8)), Math.min(...after.slice(-3))];
    assert.ok(late - early < HEAP_ALLOWANCE_BYTES, `${after.map((bytes) => (bytes / MEBIBYTE).toFixed(1))} MiB`);
  });

  it(`holds no more as a whole while clients append and ask (SLUICE_SOAK_MINUTES=${SOAK_MINUTES})`, async (context) => {
    const path = logPath(context);
    const resident =
      SOAK_MINUTES > 0 ? await soaked(context, path, SOAK_MINUTES * 60_000) : await rounds(context, path);
    const half = resident.slice(Math.floor(resident.length / 2));
    const growth = Math.min(...half.slice(-3)) - Math.max(...half.slice(0, 3));
    const shown = resident.map((bytes) => Math.round(bytes / MEBIBYTE));
    if (SOAK_MINUTES > 0) context.diagnostic(`resident: ${shown} MiB`);
    assert.ok(growth < PROCESS_ALLOWANCE_BYTES, `${shown} MiB`);
    assert.equal((await verifyLog(path, { keys: [KEY.vkey], origin: ORIGIN })).kind, "intact");
  });
});

/** Bytes of the process after each round. */
async function rounds(context: TestContext, path: string): Promise<readonly number[]> {
  const { turn, end } = await opened(context, path);
  const resident: number[] = [];
  for (let round = 0; round < ROUNDS; round++) resident.push(await turn(ROUND_ENTRIES / 2));
  await end();
  return resident;
}

/** The same for as long as was asked. */
async function soaked(context: TestContext, path: string, milliseconds: number): Promise<readonly number[]> {
  const { turn, end } = await opened(context, path);
  const resident: number[] = [];
  for (const start = Date.now(); Date.now() - start < milliseconds; ) resident.push(await turn(10 * ROUND_ENTRIES));
  await end();
  return resident;
}

async function opened(context: TestContext, path: string) {
  const log = await openTestLog(path);
  const reader = await openTestReader(path);
  context.after(() => reader.close());
  context.after(() => log.close());
  let sent = 0;
  const client = async (until: number) => {
    while (sent < until) await log.append(numbered(sent++));
  };
  return {
    turn: async (count: number) => {
      const until = sent + count;
      await Promise.all(Array.from({ length: CLIENTS }, () => client(until)));
      await asked(reader, (await reader.checkpoint()).size);
      held();
      return process.memoryUsage().rss;
    },
    end: () => log.close(),
  };
}
