/** Retention of a log in PostgreSQL by the room that it may take there, which is counted by its rows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retentionSchema } from "../../src/config/log-yaml.ts";
import { retain } from "../../src/gate/retention.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import { bytesInUse as bytesOf } from "../../src/log/stores/postgres/usage.ts";
import { bytesInUse, postgresPlace } from "../../src/log/stores.ts";
import { verifyStore } from "../../src/log/verify.ts";
import { growingRoom } from "../../src/server/free-space.ts";
import { draft, fill, KEY, openLogOf } from "../support/log.ts";
import { POSTGRES_MISSING, withPostgres } from "../support/postgres.ts";

const DAY_MS = 86_400_000;
const BEGIN = Date.parse("2024-01-01T00:00:00Z");
const GIB = 2 ** 30;
const MIB = 2 ** 20;
const VALUE_BYTES = 4000;
const ENTRIES = 1200;

describe(
  "retention of a log in PostgreSQL",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    it("by the room that is left of its size erases the oldest, sees that it did, and stops", async (context) => {
      const store = await server().createStore();
      let now = BEGIN;
      const log = await openLogOf(store, { clock: () => now });
      context.after(() => log.close());
      const empty = (await bytesInUse({ store })) ?? 0;
      for (let at = 0; at < ENTRIES; at += 300)
        await log.appendAll(
          Array.from({ length: 300 }, () => draft({ disclosed: { note: "n".repeat(VALUE_BYTES) }, terms: [] })),
        );
      now += 100 * DAY_MS;
      const full = (await bytesInUse({ store })) ?? 0;
      const values = ENTRIES * VALUE_BYTES;
      assert.ok(full - empty > values && full - empty < 2 * values, `${empty} ${full}`);

      const rule = retentionSchema.parse({ free: 1, size: 2, always: "90d" });
      // as if the size were a little less than what it takes, and that free GiB on top of it
      const allowed = full - MIB;
      const room = async () => GIB + allowed - ((await bytesInUse({ store })) ?? 0);
      const means = { clock: () => now, room };
      const done = await retain(log, rule, means);
      assert.equal(done.entries, 500, "one step is enough");
      assert.ok(((await bytesInUse({ store })) ?? 0) < allowed);
      assert.equal(
        (await retain(log, rule, means)).entries,
        0,
        "the files are as long as before, and nothing more goes",
      );
      assert.equal(await firstThatSpeaks(log), 500);
      const all = await retain(log, rule, { ...means, room: () => 0 });
      assert.equal(all.entries, ENTRIES - 500);
      await log.append(draft({ disclosed: { note: "young" } }));
      assert.equal((await retain(log, rule, { ...means, room: () => 0 })).entries, 0, "what is young is always kept");
      assert.equal((await verifyStore({ store }, { keys: [KEY.vkey] })).kind, "intact");
    });

    it("counts what the log leaves of its size, and nothing where gate.yaml gives it none", async () => {
      const store = await filled(1);
      const used = (await bytesInUse({ store })) ?? 0;
      assert.ok(used > 0 && used < MIB, `${used}`);
      assert.equal(await growingRoom("/nowhere", { store }, 2), 2 * GIB - used);
      assert.equal(await growingRoom("/nowhere", { store }, undefined), null);
    });

    it("counts a part of a large table for the rest", async () => {
      const store = await filled(5000);
      const place = postgresPlace({ store });
      assert.ok(place !== null);
      const [whole, part] = [await bytesOf(place), await bytesOf(place, 200)];
      // each page is taken or not: the deviation is 4 %, eight of them are allowed
      assert.ok(Math.abs(part / whole - 1) < 0.3, `${part} for ${whole}`);
    });

    async function filled(size: number): Promise<string> {
      const store = await server().createStore();
      const log = await openLogOf(store);
      await fill(log, size);
      await log.close(); // an open one would go on with its index
      return store;
    }
  }),
);

async function firstThatSpeaks(log: DecisionLog): Promise<number | undefined> {
  const all = await log.find({ order: "oldest", limit: 2 * ENTRIES });
  return all.find(({ disclosed }) => Object.values(disclosed).some((one) => one !== null))?.index;
}
