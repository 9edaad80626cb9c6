/** Takes disclosed values out of the tables, within the transaction that records it. */
import type { Client } from "pg";
import { SluiceError } from "../../../lib/errors.ts";
import type { Erasure } from "../../entry.ts";
import { type DisclosureRow, withhold } from "../../redaction/withhold.ts";
import { rows } from "./connection.ts";
import { insertKeys, keysIn, wordKeysIn } from "./search-index.ts";

const STEP_ENTRIES = 1000;

/** How many entries the search index has reached with their terms, and with their words. */
interface Progress {
  readonly size: string;
  readonly texts: string;
  readonly [column: string]: string;
}

/**
 * The search index is kept from following meanwhile, so that nothing which it read before comes back. PostgreSQL keeps
 * former rows until they are vacuumed, and what it logged of them as long as it keeps its own log.
 */
export async function erase(client: Client, erasures: readonly Erasure[]): Promise<void> {
  const [progress] = await rows<Progress>(client, "SELECT size, texts FROM search_progress FOR UPDATE");
  if (progress === undefined) throw new SluiceError("log-corrupt", "The log's index does not say how far it is.");
  for (let start = 0; start < erasures.length; start += STEP_ENTRIES)
    await eraseStep(client, erasures.slice(start, start + STEP_ENTRIES), progress);
}

async function eraseStep(client: Client, erasures: readonly Erasure[], { size, texts }: Progress): Promise<void> {
  const indexes = erasures.map(({ index }) => index);
  const found = await rows<DisclosureRow & { idx: string }>(
    client,
    "SELECT d.idx, d.terms, d.json, e.bytes FROM disclosures d JOIN entries e ON e.idx = d.idx WHERE d.idx = ANY($1::bigint[])",
    [indexes],
  );
  const byIndex = new Map(found.map((row) => [Number(row.idx), row]));
  const left = erasures.map((erasure) => withhold(byIndex.get(erasure.index), erasure));
  await rows(
    client,
    "UPDATE disclosures d SET terms = u.terms, json = u.json FROM unnest($1::bigint[], $2::text[], $3::text[]) u (idx, terms, json) WHERE d.idx = u.idx",
    [indexes, left.map(({ terms }) => terms), left.map(({ json }) => json)],
  );
  await rows(client, "DELETE FROM search_terms WHERE idx = ANY($1::bigint[])", [indexes]);
  const keysOf = ({ terms, json }: (typeof left)[number], index: number): readonly string[] => [
    ...(index < Number(size) ? keysIn(terms) : []),
    ...(index < Number(texts) ? wordKeysIn(json) : []),
  ];
  const pairs = left.flatMap((row, at) => {
    const index = indexes[at] as number;
    return keysOf(row, index).map((key) => [key, index] as const);
  });
  await insertKeys(client, pairs);
}

/** Gives the room of former rows back, as far as nobody still reads them. Never throws: it can be done at any time. */
export async function vacuum(client: Client): Promise<void> {
  await client.query("VACUUM disclosures, search_terms").catch(() => {});
}
