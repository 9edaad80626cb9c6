/** Brings the tables to the layout that this version knows, whatever is there; any number of replicas at once. */
import type { Client, QueryConfig } from "pg";
import { SluiceError } from "../../../lib/errors.ts";
import { type Asked, rows, storageFailure } from "./connection.ts";
import { MIGRATION_LOCK, MIGRATIONS, OLDEST_READABLE_LAYOUT, SCHEMA_NAME } from "./schema.ts";

const MIGRATION_DEADLINE_MS = 24 * 60 * 60 * 1000;

/** One transaction: all of what is missing, or nothing. @throws `log-version-unknown`, `log-failed` */
export async function migrate(client: Client, migrations: readonly string[] = MIGRATIONS): Promise<void> {
  await requireUtf8(client);
  await rows(client, "BEGIN");
  try {
    await rows(client, "SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await rows(client, "SET LOCAL statement_timeout = 0"); // an index of a large log takes its time
    const present = await layoutVersion(client);
    if (present > migrations.length) throw unknownLayout(present);
    // looked for first: IF NOT EXISTS asks for the right to make a schema even where it is there
    if (present === 0) await rows(client, `CREATE SCHEMA ${SCHEMA_NAME}`);
    if (present === 0) await rows(client, "CREATE TABLE layout (version int PRIMARY KEY, since timestamptz NOT NULL)");
    for (const [at, migration] of migrations.entries()) {
      if (at < present) continue;
      await makeLayout(client, migration);
      await rows(client, "INSERT INTO layout (version, since) VALUES ($1, now())", [at + 1]);
    }
    await rows(client, "COMMIT");
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => {});
    throw cause;
  }
}

/** With a deadline of its own: pg gives up on a statement that takes longer than others may. */
async function makeLayout(client: Client, text: string): Promise<void> {
  const config: QueryConfig & { readonly query_timeout: number } = { text, query_timeout: MIGRATION_DEADLINE_MS };
  await client.query(config).catch((cause) => {
    throw storageFailure(cause);
  });
}

/** For a reader, which changes nothing. @throws `log-missing`, `log-version-unknown` */
export async function requireLayout(asked: Asked): Promise<void> {
  const present = await layoutVersion(asked);
  if (present === 0) throw new SluiceError("log-missing", "There is no log in this PostgreSQL database.");
  if (present < OLDEST_READABLE_LAYOUT || present > MIGRATIONS.length) throw unknownLayout(present);
}

/** 0 where there is no log. */
async function layoutVersion(asked: Asked): Promise<number> {
  const [found] = await rows<{ layout: string | null }>(asked, "SELECT to_regclass($1) AS layout", [
    `${SCHEMA_NAME}.layout`,
  ]);
  if ((found?.layout ?? null) === null) return 0;
  const [newest] = await rows<{ version: number }>(asked, "SELECT max(version) AS version FROM layout");
  return newest?.version ?? 0;
}

function unknownLayout(present: number): SluiceError {
  return new SluiceError(
    "log-version-unknown",
    `The log in PostgreSQL has layout ${present}; this version of Sluice knows ${MIGRATIONS.length}.`,
  );
}

/** Any text can be in an entry; another encoding would refuse some of them. */
async function requireUtf8(client: Client): Promise<void> {
  const [found] = await rows<{ encoding: string }>(client, "SELECT current_setting('server_encoding') AS encoding");
  if (found?.encoding === "UTF8") return;
  throw new SluiceError("log-failed", `The database's encoding is ${found?.encoding}; a log needs UTF8.`, {
    fix: "createdb --encoding UTF8 --template template0 NAME",
  });
}
