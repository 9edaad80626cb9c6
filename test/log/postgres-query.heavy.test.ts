/** In PostgreSQL too every filter has an index to walk, and a log of an older layout is read before it is brought to the newest. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "pg";
import type { EntryQuery } from "../../src/log/entry.ts";
import {
  countStatements,
  findStatements,
  type Lane,
  lanesStatement,
  numbered,
  type Statement,
} from "../../src/log/query.ts";
import { connect, hangUp, type PostgresPlace } from "../../src/log/stores/postgres/connection.ts";
import { migrate } from "../../src/log/stores/postgres/layout.ts";
import { MIGRATIONS } from "../../src/log/stores/postgres/schema.ts";
import { postgresTerms } from "../../src/log/stores/postgres/search-index.ts";
import { postgresPlace } from "../../src/log/stores.ts";
import { COUNT, fillMixed, findsAll, QUERIES } from "../contract/log-query.ts";
import { draft, fill, openLogOf, openReaderOf } from "../support/log.ts";
import { databaseOf, POSTGRES_MISSING, withPostgres } from "../support/postgres.ts";

const WHOLE = `DELETE FROM search_terms WHERE idx >= ${COUNT}`;
/** An index that has reached so many entries with their terms, and so many with their words. */
const reach = (terms: number, words: number) =>
  `DELETE FROM search_terms WHERE idx >= CASE WHEN term LIKE 'word:%' THEN ${words} ELSE ${terms} END; UPDATE search_progress SET size = ${terms}, texts = ${words}`;
/** Back to the layouts before: the migrations undone. */
const TO_LAYOUT_3 = `${reach(COUNT, 0)}; ALTER TABLE search_progress DROP COLUMN texts; DROP INDEX search_terms_entry; DELETE FROM layout WHERE version > 3`;
const TO_LAYOUT_2 = `${TO_LAYOUT_3}; DROP INDEX entries_search; CREATE INDEX entries_search ON entries (target, kind, idx) INCLUDE (verdict); DELETE FROM layout WHERE version > 2`;

const FORMS: Readonly<Record<string, string>> = {
  "with its index": WHOLE,
  "with an index that has not reached the end": reach(23, 20),
  "with an index without words": reach(COUNT, 0),
  "without an index": reach(0, 0),
  "in the layout before words were looked for": TO_LAYOUT_3,
  "in the oldest layout that is read": TO_LAYOUT_2,
};

describe(
  "a log in PostgreSQL",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    async function mixed(form = WHOLE): Promise<{ store: string; client: Client }> {
      const store = await server().createStore();
      await fillMixed((change) => openLogOf(store, change));
      const client = await server().connect(databaseOf(store));
      await client.query(`SET search_path = sluice; ${form}`);
      return { store, client };
    }

    for (const [form, change] of Object.entries(FORMS))
      it(`finds what a look at every entry finds, ${form}`, async () => {
        const { store, client } = await mixed(change);
        const reader = await openReaderOf(store);
        await findsAll(reader).finally(() => reader.close());
        await client.end();
      });

    it("walks an index, whatever it is filtered by", async () => {
      const { client } = await mixed();
      await client.query("SET enable_seqscan = off");
      for (const [name, query] of Object.entries(QUERIES)) {
        const asked = lanesStatement(query);
        const lanes = asked === null ? null : await ask<Lane>(client, asked);
        const bounds = { start: 0, end: COUNT, lanes };
        const language = postgresTerms({ reached: COUNT - 3, said: [COUNT - 1] });
        const statements = [
          ...(asked === null ? [] : [asked]),
          ...findStatements(query, bounds, true, language),
          ...countStatements(query, bounds, true, language),
        ];
        for (const { sql, parameters } of statements) {
          const plan = await ask<{ "QUERY PLAN": string }>(client, { sql: `EXPLAIN ${sql}`, parameters });
          const lines = plan.map((row) => row["QUERY PLAN"]);
          const scans = lines.filter((line) => /Seq Scan on (?:entries|disclosures|search_terms)/.test(line));
          assert.deepEqual(scans, [], `${name}: ${lines.join("\n")}`);
          if (
            query.text !== undefined &&
            asked === null &&
            query.terms === undefined &&
            query.commitPrefix === undefined
          )
            assert.ok(
              lines.some((line) => /search_terms_pkey on search_terms/.test(line)),
              `${name}: ${lines.join("\n")}`,
            );
        }
      }
      await client.end();
    });

    it("takes the newest from the index in their order, and sorts no more than it shows", async () => {
      const store = await server().createStore();
      const log = await openLogOf(store);
      await fill(log, 2000, { disclosed: { note: "common ground" } });
      await log.close();
      await (await openLogOf(store)).close(); // the rest of the words
      const client = await server().connect(databaseOf(store));
      await client.query("SET search_path = sluice; ANALYZE");
      const bounds = { start: 0, end: 2000, lanes: null };
      const queries: readonly EntryQuery[] = [
        { text: "common", limit: 5 },
        { text: "common", target: "prod", limit: 5 },
        { terms: [{ kind: "person", value: "ada" }], limit: 5 },
      ];
      for (const query of queries) {
        const [statement] = findStatements(query, bounds, true, postgresTerms({ reached: 2000, said: [] }));
        const { sql, parameters } = statement as Statement;
        const plan = await ask<{ "QUERY PLAN": string }>(client, { sql: `EXPLAIN ${sql}`, parameters });
        const lines = plan.map((row) => row["QUERY PLAN"]).join("\n");
        assert.match(lines, /Index Only Scan Backward using search_terms_pkey/, lines);
      }
      await client.end();
    });

    it("of an older layout finds the same once it has the newest, and its words then have their index", async () => {
      for (const change of [TO_LAYOUT_3, TO_LAYOUT_2]) {
        const { store, client } = await mixed(change);
        await (await openLogOf(store)).close();
        const reader = await openReaderOf(store);
        await findsAll(reader).finally(() => reader.close());
        const { rows } = await client.query(
          "SELECT max(version) AS version, max(texts) AS texts FROM layout, search_progress",
        );
        assert.deepEqual(rows[0], { version: MIGRATIONS.length, texts: `${COUNT}` });
        const log = await openLogOf(store);
        assert.equal((await log.append(draft())).index, COUNT);
        await log.close();
        await client.end();
      }
    });

    it("has all the time that a newer layout takes", async () => {
      const store = await server().createStore();
      await (await openLogOf(store)).close();
      const client = await connect(postgresPlace({ store }) as PostgresPlace);
      const deadline = async (from: string) =>
        (await client.query(`SELECT setting FROM ${from} WHERE setting IS NOT NULL`)).rows[0]?.setting;
      const asOf = "CREATE TABLE said AS SELECT current_setting('statement_timeout') AS setting";
      await migrate(client, [...MIGRATIONS, asOf]);
      assert.equal(await deadline("said"), "0");
      assert.equal(await deadline("(SELECT current_setting('statement_timeout') AS setting) now"), "25s");
      await hangUp(client);
    });

    it("brings the index up to date with words that two replicas write, each entry once", async () => {
      const store = await server().createStore();
      const logs = [await openLogOf(store), await openLogOf(store)];
      await Promise.all(logs.map((log) => fill(log, 700, { disclosed: { note: "common ground" } })));
      await Promise.all(logs.map((log) => log.close()));
      await (await openLogOf(store)).close(); // whoever closed first may have left some to the other
      const client = await server().connect(databaseOf(store));
      const { rows } = await client.query(
        "SELECT count(*) AS n, (SELECT texts FROM sluice.search_progress) AS texts FROM sluice.search_terms WHERE term = 'word:ground'",
      );
      assert.deepEqual(rows[0], { n: "1400", texts: "1400" });
      await client.end();
    });
  }),
);

async function ask<R>(client: Client, statement: Statement): Promise<R[]> {
  const { sql, parameters } = numbered(statement);
  return (await client.query(sql, [...parameters])).rows as R[];
}
