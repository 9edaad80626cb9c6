import { describe } from "node:test";
import { verifyStore } from "../../src/log/verify.ts";
import { logStoreContract, type TestStore } from "../contract/log-store.ts";
import { KEY, openLogOf, openReaderOf } from "../support/log.ts";
import { databaseOf, POSTGRES_MISSING, withPostgres } from "../support/postgres.ts";

describe(
  "PostgreSQL",
  { skip: POSTGRES_MISSING },
  withPostgres((server) => {
    const POSTGRES: TestStore = {
      name: "postgres",
      writers: "several",
      place: () => server().createStore(),
      openWriter: openLogOf,
      openReader: openReaderOf,
      copy: async (_context, place) => server().createStore(databaseOf(place)),
      insert: async (place, rows) => {
        const client = await server().connect(databaseOf(place));
        for (const { table, columns } of rows) {
          const [names, values] = [Object.keys(columns), Object.values(columns)];
          const places = names.map((_, at) => `$${at + 1}`);
          const text =
            table === "head"
              ? `UPDATE sluice.head SET ${names.map((name, at) => `${name} = $${at + 1}`)}`
              : `INSERT INTO sluice.${table} (${names}) VALUES (${places})`;
          await client.query(text, values);
        }
        await client.end();
      },
      verify: (store) => verifyStore({ store }, { keys: [KEY.vkey] }),
    };
    logStoreContract(POSTGRES);
  }),
);
