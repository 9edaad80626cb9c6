/** In PostgreSQL too every filter has an index to walk, and a log of an older layout is read before it is brought to the newest. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
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
import { MIGRATIONS } from "../../src/log/stores/postgres/schema.ts";
import { POSTGRES_TERMS } from "../../src/log/stores/postgres/search-index.ts";
import { draft, fill, openLogOf, openReaderOf } from "../support/log.ts";
import { databaseOf, POSTGRES_MISSING, type PostgresServer, startPostgres } from "../support/postgres.ts";

const QUERIES: Readonly<Record<string, EntryQuery>> = {
  everything: {},
  "a target": { target: "prod" },
  "a kind": { kinds: ["hold"] },
  "a verdict": { verdict: "deny" },
  "a verdict of a target": { verdict: "allow", target: "prod" },
  "a person": { terms: [{ kind: "person", value: "ada" }] },
  "a person and a verdict": { verdict: "deny", terms: [{ kind: "person", value: "ada" }] },
  "a commit's first digits": { commitPrefix: "5d2c" },
};

describe("a log in PostgreSQL", { skip: POSTGRES_MISSING }, () => {
  let server: PostgresServer;
  const cleanups: (() => unknown)[] = [];
  before(async () => {
    server = await startPostgres({ after: (cleanup) => void cleanups.push(cleanup) });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  async function mixed(): Promise<string> {
    const store = await server.createStore();
    const log = await openLogOf(store);
    await fill(log, 300);
    await fill(log, 20, { verdict: "deny", target: "staging" });
    await fill(log, 20, { verdict: null, kind: "hold", target: null });
    await log.close();
    return store;
  }

  it("walks an index, whatever it is filtered by", async () => {
    const store = await mixed();
    const client = await server.connect(databaseOf(store));
    await client.query("SET search_path = sluice; SET enable_seqscan = off");
    for (const [name, query] of Object.entries(QUERIES)) {
      const asked = lanesStatement(query);
      const lanes = asked === null ? null : await ask<Lane>(client, asked);
      const bounds = { start: 0, end: 340, lanes };
      const statements = [
        ...(asked === null ? [] : [asked]),
        ...findStatements(query, bounds, true, POSTGRES_TERMS),
        ...countStatements(query, bounds, true, POSTGRES_TERMS),
      ];
      for (const { sql, parameters } of statements) {
        const plan = await ask<{ "QUERY PLAN": string }>(client, { sql: `EXPLAIN ${sql}`, parameters });
        const lines = plan.map((row) => row["QUERY PLAN"]);
        assert.deepEqual(
          lines.filter((line) => /Seq Scan on (?:entries|disclosures|search_terms)/.test(line)),
          [],
          name,
        );
      }
    }
    await client.end();
  });

  it("of the layout before is read as it stands, and finds the same once it has the newest", async () => {
    const store = await mixed();
    const client = await server.connect(databaseOf(store));
    await client.query(
      "SET search_path = sluice; DROP INDEX entries_search; CREATE INDEX entries_search ON entries (target, kind, idx) INCLUDE (verdict); DELETE FROM layout WHERE version > 2",
    );
    const found = async () => {
      const reader = await openReaderOf(store);
      const counts: number[] = [];
      for (const query of Object.values(QUERIES)) counts.push(await reader.count(query));
      await reader.close();
      return counts;
    };
    const before = await found();
    assert.deepEqual(before.slice(0, 5), [340, 300, 20, 20, 300]);
    const log = await openLogOf(store);
    assert.equal((await log.append(draft())).index, 340);
    await log.close();
    assert.deepEqual((await found()).slice(0, 5), [341, 301, 20, 20, 301]);
    const { rows } = await client.query("SELECT max(version) AS version FROM layout");
    assert.equal(rows[0]?.version, MIGRATIONS.length);
    await client.end();
  });
});

async function ask<R>(client: Client, statement: Statement): Promise<R[]> {
  const { sql, parameters } = numbered(statement);
  return (await client.query(sql, [...parameters])).rows as R[];
}
