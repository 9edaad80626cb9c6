/** How much room a log takes in PostgreSQL, by what its rows hold: a file there never becomes shorter, only empty inside. */
import type { Client } from "pg";
import { connect, hangUp, type PostgresPlace, rows } from "./connection.ts";
import { requireLayout } from "./layout.ts";

/** So many pages of a table are looked at; of a larger one they stand for the rest. */
const LOOKED_AT_PAGES = 10_000;

/**
 * Tables that are only ever added to, by their files; of the two that a redaction takes from, the rows: the bytes of each
 * value, with what PostgreSQL keeps beside it in the table (header, number, alignment) and in the indexes.
 */
const WHOLE =
  "SELECT pg_total_relation_size('entries') + pg_total_relation_size('hashes') + pg_total_relation_size('tails') AS bytes";
const BY_ROWS = {
  disclosures: "sum(octet_length(json) + octet_length(terms) + 70)",
  search_terms: "sum(2 * octet_length(term) + 76)",
} as const;

/** @throws `log-missing`, `log-version-unknown`, `log-failed` */
export async function bytesInUse(place: PostgresPlace, pages = LOOKED_AT_PAGES): Promise<number> {
  const client = await connect(place);
  try {
    await requireLayout(client);
    const [whole] = await rows<{ bytes: string }>(client, WHOLE);
    let bytes = Number(whole?.bytes ?? 0);
    for (const table of ["disclosures", "search_terms"] as const) bytes += await bytesOfRows(client, table, pages);
    return bytes;
  } finally {
    await hangUp(client);
  }
}

async function bytesOfRows(client: Client, table: keyof typeof BY_ROWS, pages: number): Promise<number> {
  const [size] = await rows<{ pages: string }>(
    client,
    `SELECT pg_relation_size('${table}') / current_setting('block_size')::int AS pages`,
  );
  const percent = Math.min(100, (100 * pages) / Math.max(1, Number(size?.pages)));
  const [found] = await rows<{ bytes: string | null }>(
    client,
    `SELECT ${BY_ROWS[table]} AS bytes FROM ${table} TABLESAMPLE SYSTEM (${percent})`,
  );
  return Math.round((Number(found?.bytes ?? 0) * 100) / percent);
}
