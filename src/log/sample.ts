/**
 * A sample that anybody can draw again: entries are ranked by SHA-256(seed || 0x0A || base64 leaf hash), and the first ones
 * in that order are taken. Whoever writes the log cannot know the ranks as long as the seed is chosen afterwards.
 */
import { sha256Hex } from "../lib/digest.ts";
import type { DecisionLog } from "./decision-log.ts";
import type { EntryQuery, LoggedEntry } from "./entry.ts";

const ENTRIES_A_STEP = 500;

export interface Sample {
  /** In the order of the log. */
  readonly entries: readonly LoggedEntry[];
  /** How many entries the query finds. */
  readonly population: number;
  /** Entries from this index on did not take part: with it the same sample is drawn from a log that has grown. */
  readonly below: number;
}

/** At most `size` entries; `query.after` is where the population ends, the end of the log when absent. */
export async function drawSample(log: DecisionLog, query: EntryQuery, size: number, seed: string): Promise<Sample> {
  const below = query.after ?? (await log.checkpoint()).size;
  let drawn: readonly (readonly [rank: string, entry: LoggedEntry])[] = [];
  let population = 0;
  for (let after = below; ; ) {
    const found = await log.find({ ...query, after, order: "newest", limit: ENTRIES_A_STEP });
    population += found.length;
    const ranked = found.map((entry) => [sha256Hex(`${seed}\n${entry.leafHash}`), entry] as const);
    drawn = [...drawn, ...ranked].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, size);
    const last = found.at(-1);
    if (last === undefined || found.length < ENTRIES_A_STEP) break;
    after = last.index;
  }
  const entries = drawn.map(([, entry]) => entry).sort((a, b) => a.index - b.index);
  return { entries, population, below };
}
