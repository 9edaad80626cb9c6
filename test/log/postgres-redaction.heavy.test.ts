import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SluiceError } from "../../src/lib/errors.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { Receipt } from "../../src/log/entry.ts";
import { redactionDraft } from "../../src/log/redaction/record.ts";
import { verifyStore } from "../../src/log/verify.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { draft, KEY, openLogOf, openReaderOf } from "../support/log.ts";
import { databaseOf, POSTGRES_MISSING, POSTGRES_PORT, withPostgres } from "../support/postgres.ts";

const HIDDEN = "Hesekiel";
const REQUEST = { by: "lin", reason: "case 12" };
const named = () =>
  draft({ disclosed: { persons: [HIDDEN], note: "stays" }, terms: [{ kind: "person", value: HIDDEN }] });

describe(
  "a redaction of a log in PostgreSQL",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    it("takes the value, its salt and its terms out of every table, and the log stays whole", async (t) => {
      const store = await server().createStore();
      const log = await openLogOf(store);
      t.after(() => log.close());
      await log.appendAll([named(), draft(), named()]);
      await (await openLogOf(store)).close(); // brings the index up to date, with its words
      assert.deepEqual(await found(log, HIDDEN), [0, 2]);
      await log.append(named()); // which the index has not reached
      const erasures = [0, 2, 3].map((index) => ({ index, names: ["persons"] }));
      const others = Array.from({ length: 5 }, () => log.append(draft()));
      const receipt = await log.redact?.(redactionDraft(REQUEST, erasures, null), erasures);
      await Promise.all(others);
      for (const index of [0, 2, 3]) {
        const { disclosed } = await log.read(index);
        assert.deepEqual([disclosed["persons"], disclosed["note"]?.value], [null, "stays"]);
      }
      assert.deepEqual(await log.find({ terms: [{ kind: "person", value: HIDDEN }] }), []);
      assert.equal((await log.read(receipt?.index ?? -1)).leaf.kind, "redaction");
      assert.deepEqual(await found(log, HIDDEN), []);
      assert.deepEqual(await found(log, "stays"), [0, 2, 3], "what is left of them is still found");
      const client = await server().connect(databaseOf(store));
      for (const table of ["entries", "disclosures", "search_terms", "tails", "head"]) {
        const { rows } = await client.query(`SELECT 1 FROM sluice.${table} t WHERE t::text ILIKE '%${HIDDEN}%'`);
        assert.deepEqual(rows, [], table);
      }
      await client.end();
      await (await openLogOf(store)).close();
      assert.deepEqual(
        [await found(log, HIDDEN), await found(log, "stays")],
        [[], [0, 2, 3]],
        "nor when the index is ready",
      );
      const verified = await verifyStore({ store }, { keys: [KEY.vkey] });
      assert.deepEqual(
        [verified.kind, verified.kind === "intact" && verified.disclosures?.redacted],
        ["intact", 3],
        JSON.stringify(verified),
      );
    });

    it("is done with its entry or not at all, at whichever message the connection is cut", async (t) => {
      const store = await server().createStore();
      const proxy = await startCuttingProxy(t, join(server().folder, `.s.PGSQL.${POSTGRES_PORT}`));
      const log = await openLogOf(`postgres://postgres@127.0.0.1:${proxy.port}/${databaseOf(store)}`);
      t.after(() => log.close());
      const reader = await openReaderOf(store);
      t.after(() => reader.close());
      const seen = { done: 0, refused: 0 };
      for (let message = 1, isCut = true; isCut; message++) {
        const { index } = await log.append(named());
        const erasures = [{ index, names: ["persons"] }];
        proxy.cutBefore("client", message);
        const request = log.redact?.(redactionDraft(REQUEST, erasures, null), erasures) as Promise<Receipt>;
        const outcome: Receipt | SluiceError = await request.catch((refused) => refused);
        isCut = proxy.disarm();
        const isErased = (await reader.read(index)).disclosed["persons"] === null;
        const isRecorded = (await reader.checkpoint()).size === index + 2;
        assert.deepEqual(
          [isErased, isRecorded],
          "index" in outcome ? [true, true] : [false, false],
          `message ${message}`,
        );
        seen["index" in outcome ? "done" : "refused"]++;
      }
      assert.ok(seen.done > 0 && seen.refused > 5, JSON.stringify(seen));
      assert.equal((await verifyStore({ store }, { keys: [KEY.vkey] })).kind, "intact");
    });
  }),
);

async function found(log: DecisionLog, text: string): Promise<readonly number[]> {
  return (await log.find({ text, order: "oldest" })).map(({ index }) => index);
}
