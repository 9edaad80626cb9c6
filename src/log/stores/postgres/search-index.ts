/**
 * The terms of entries [0, progress) in a table of their own, so that queries find them. It follows the log at its own
 * pace, written by whichever replica has time; what it has not reached yet is read from the log itself.
 */
import { sha256Hex } from "../../../lib/digest.ts";
import type { Term } from "../../entry.ts";
import type { Clue, TermLanguage } from "../../query.ts";
import { type PostgresPool, rows, storageFailure } from "./connection.ts";

/** A row of an index has to fit into a third of a page; a longer term is found by its hash. */
const LONGEST_TERM_CHARACTERS = 400;

/** JSON text: in the list of an entry's terms it occurs exactly where the entry has the term, as quotes are escaped. */
function termText({ kind, value }: Term): string {
  return JSON.stringify([kind, value]);
}

function termKey(text: string): string {
  return text.length <= LONGEST_TERM_CHARACTERS ? text : `sha256:${sha256Hex(text)}`;
}

/** The beginning of the text of every commit that begins so. */
function prefixText(prefix: string): string {
  return `["commit","${prefix}`;
}

export const POSTGRES_TERMS: TermLanguage = {
  terms: "search_terms",
  progress: "search_progress",
  said: (clue: Clue) => ({
    sql: "strpos(d.terms, ?) > 0",
    parameters: ["prefix" in clue ? prefixText(clue.prefix) : termText(clue)],
  }),
  indexed: (clue: Clue, name: string) => {
    if (!("prefix" in clue)) return { sql: `${name}.term = ?`, parameters: [termKey(termText(clue))] };
    const text = prefixText(clue.prefix); // every digit sorts before g
    return { sql: `${name}.term >= ? AND ${name}.term < ?`, parameters: [text, `${text}g`] };
  },
};

/** One step of at most `limit` entries; true when more wait. False where another replica is at it. */
export async function followTerms(pool: PostgresPool, limit: number): Promise<boolean> {
  const client = await pool.connect().catch((cause) => {
    throw storageFailure(cause);
  });
  try {
    await rows(client, "BEGIN ISOLATION LEVEL READ COMMITTED");
    const [progress] = await rows<{ size: string }>(client, "SELECT size FROM search_progress FOR UPDATE SKIP LOCKED");
    const waiting = progress === undefined ? [] : await readTerms(client, Number(progress.size), limit);
    const pairs = waiting.flatMap(({ idx, terms }) => keysIn(terms).map((key) => [key, idx] as const));
    const last = waiting.at(-1);
    if (last !== undefined) {
      await rows(
        client,
        "INSERT INTO search_terms (term, idx) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING",
        [pairs.map(([key]) => key), pairs.map(([, idx]) => idx)],
      );
      await rows(client, "UPDATE search_progress SET size = $1", [Number(last.idx) + 1]);
    }
    await rows(client, "COMMIT");
    client.release();
    return waiting.length === limit;
  } catch (cause) {
    client.release(true);
    throw cause;
  }
}

function readTerms(client: Parameters<typeof rows>[0], from: number, limit: number) {
  return rows<{ idx: string; terms: string }>(
    client,
    "SELECT idx, terms FROM disclosures WHERE idx >= $1 ORDER BY idx LIMIT $2",
    [from, limit],
  );
}

/** Of the terms of an entry as its row holds them. */
export function keysIn(terms: string): readonly string[] {
  return (JSON.parse(terms) as readonly unknown[]).map((pair) => termKey(JSON.stringify(pair)));
}
