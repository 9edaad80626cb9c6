/** Retention: old values go, oldest first and a step at a time; everything that proves them stays. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { retentionSchema } from "../../src/config/log-yaml.ts";
import { type RetentionMeans, retain } from "../../src/gate/retention.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { verifyLog } from "../../src/log/verify.ts";
import { draft, KEY, logPath, openTestLog, openTestReader } from "../support/log.ts";

const DAY_MS = 86_400_000;
const BEGIN = Date.parse("2024-01-01T00:00:00Z");
const GIB = 2 ** 30;
const rule = (text: object) => retentionSchema.parse(text);

interface World {
  readonly path: string;
  readonly log: DecisionLog;
  now: number;
}

/** A log with an entry a day. */
async function daily(context: TestContext, drafts: readonly Partial<EntryDraft>[]): Promise<World> {
  const path = logPath(context);
  const world = { path, now: BEGIN } as { path: string; now: number; log: DecisionLog };
  world.log = await openTestLog(path, { clock: () => world.now });
  context.after(() => world.log.close());
  for (const one of drafts) {
    await world.log.append(draft(one));
    world.now += DAY_MS;
  }
  return world;
}

const means = (world: World, change: Partial<RetentionMeans> = {}): RetentionMeans => ({
  clock: () => world.now,
  room: () => 100 * GIB,
  ...change,
});
const said = (name: string): Partial<EntryDraft> => ({
  disclosed: { note: name },
  terms: [{ kind: "person", value: name }],
});
/** Indexes of entries that still say something. */
async function speaking(log: DecisionLog): Promise<readonly number[]> {
  const all = await log.find({ order: "oldest", limit: 5000 });
  return all.flatMap(({ index, leaf, disclosed }) =>
    leaf.kind !== "redaction" && Object.values(disclosed).some((one) => one !== null) ? [index] : [],
  );
}

describe("retention", () => {
  it("by age erases what is older and nothing else, logged, with every proof as it was", async (context) => {
    const names = Array.from({ length: 100 }, (_, at) => `person-${at}`);
    const world = await daily(context, names.map(said));
    const before = await world.log.checkpoint();
    const proof = await world.log.inclusionProof(3, 100);
    assert.deepEqual((await world.log.find({ terms: [{ kind: "person", value: "person-3" }] })).length, 1);
    const { entries, values, redactions } = await retain(world.log, rule({ values: "60d" }), means(world));
    assert.deepEqual([entries, values, redactions], [40, 40, [100]]);
    assert.deepEqual((await speaking(world.log))[0], 40);
    const entry = await world.log.read(100);
    assert.deepEqual(
      ["by", "reason", "of", "through"].map((name) => entry.disclosed[name]?.value),
      ["retention", "log.retention: values older than 60d", "retention", 39],
    );
    assert.deepEqual(await world.log.find({ terms: [{ kind: "person", value: "person-3" }] }), []);
    assert.deepEqual(await world.log.inclusionProof(3, 100), proof);
    await world.log.close();
    const verification = await verifyLog(world.path, { keys: [KEY.vkey], known: [before.note] });
    assert.ok(verification.kind === "intact");
    assert.deepEqual([verification.redactions, verification.disclosures?.redacted], [[100], 40]);
    for (const file of readdirSync(dirname(world.path)))
      assert.ok(!readFileSync(join(dirname(world.path), file)).includes('"person-3"'), file);
  });

  it("goes on where it ended, also after a restart, and writes nothing where nothing is due", async (context) => {
    const world = await daily(context, ["a", "b", "c", "d"].map(said));
    world.now = BEGIN + 32 * DAY_MS;
    assert.equal((await retain(world.log, rule({ values: "30d" }), means(world))).entries, 2);
    assert.equal((await retain(world.log, rule({ values: "30d" }), means(world))).entries, 0);
    await world.log.close();
    const again = await openTestLog(world.path, { clock: () => world.now });
    context.after(() => again.close());
    assert.equal((await again.checkpoint()).size, 5);
    world.now += 2 * DAY_MS;
    assert.deepEqual((await retain(again, rule({ values: "30d" }), means(world))).redactions, [5]);
    assert.deepEqual(await speaking(again), []);
  });

  it("ends between two steps when it is told to, and is a step further", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path, { clock: () => BEGIN });
    context.after(() => log.close());
    await log.appendAll(Array.from({ length: 700 }, () => draft(said("a"))));
    const at = { clock: () => BEGIN + 90 * DAY_MS, room: () => null };
    let asked = 0;
    const first = await retain(log, rule({ values: "60d" }), { ...at, isStopped: () => asked++ > 0 });
    assert.equal(first.entries, 500);
    assert.equal((await retain(log, rule({ values: "60d" }), at)).entries, 200);
  });

  it("by free space erases the oldest first, no further than to the room it needs, and never the newest", async (context) => {
    const world = await daily(context, []);
    await world.log.appendAll(Array.from({ length: 1200 }, () => draft(said("a"))));
    world.now += 100 * DAY_MS;
    await world.log.append(draft(said("b")));
    const none = await retain(world.log, rule({ free: 5 }), means(world));
    assert.equal(none.entries, 0);
    const steps = [1, 4, 5];
    const some = await retain(world.log, rule({ free: 5 }), means(world, { room: () => (steps.shift() ?? 5) * GIB }));
    assert.equal(some.entries, 1000);
    const all = await retain(world.log, rule({ free: 5 }), means(world, { room: () => 0 }));
    assert.equal(all.entries, 200);
    assert.deepEqual(await speaking(world.log), [1200]);
  });

  it("spares what the gate goes on from until it does so no more, and genesis, releases and redactions", async (context) => {
    const hold: Partial<EntryDraft> = {
      kind: "hold",
      target: "prod",
      verdict: null,
      disclosed: { scope: "prod", by: "sam", reason: "r" },
      terms: [],
    };
    const genesis: Partial<EntryDraft> = { kind: "genesis", disclosed: { baseline: [] }, terms: [] };
    const world = await daily(context, [genesis, hold, said("a")]);
    world.now += 60 * DAY_MS;
    const first = await retain(world.log, rule({ values: "30d" }), means(world));
    assert.deepEqual([first.entries, first.needed], [1, 1]);
    assert.deepEqual(await speaking(world.log), [0, 1]);
    await world.log.append(draft({ ...hold, kind: "resume" }));
    const second = await retain(world.log, rule({ values: "30d" }), means(world));
    assert.deepEqual([second.entries, second.needed], [1, 0]);
  });

  it("in a dry run says what would go, and erases nothing", async (context) => {
    const world = await daily(context, [said("a")]);
    world.now += 60 * DAY_MS;
    const reader = await openTestReader(world.path);
    context.after(() => reader.close());
    const retained = await retain(reader, rule({ values: "30d" }), means(world, { dryRun: true }));
    assert.deepEqual([retained.entries, retained.redactions], [1, []]);
    assert.deepEqual(await speaking(world.log), [0]);
  });

  it("is refused where the store cannot, where it says nothing, and below thirty days", async (context) => {
    const world = await daily(context, []);
    const reader = await openTestReader(world.path);
    context.after(() => reader.close());
    await assert.rejects(retain(reader, rule({ free: 1 }), means(world)), { code: "not-supported" });
    for (const wrong of [{}, { values: "29d" }, { values: "forever" }, { free: 0 }])
      assert.throws(() => rule(wrong), JSON.stringify(wrong));
  });
});
