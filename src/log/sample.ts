/**
 * A sample that anybody can draw again: entries are ranked by SHA-256(seed || 0x0A || base64 leaf hash), and the first ones
 * in that order are taken. Whoever writes the log cannot know the ranks as long as the seed is chosen afterwards.
 */
import { encodeBase64 } from "../lib/bytes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseTime } from "../lib/time.ts";
import type { DecisionLog } from "./decision-log.ts";
import type { EntryQuery, LoggedEntry } from "./entry.ts";
import { leafHashes } from "./leaf-hashes.ts";
import { HASH_BYTES } from "./merkle.ts";

const ENTRIES_A_STEP = 20_000;

export interface Sample {
  /** In the order of the log. */
  readonly entries: readonly LoggedEntry[];
  /** How many entries the query finds. */
  readonly population: number;
  /** Entries from this index on did not take part: with it the same sample is drawn from a log that has grown. */
  readonly below: number;
}

interface Ranked {
  readonly rank: string;
  readonly index: number;
  readonly leafHash: string;
}

/**
 * At most `size` entries; `query.after` is where the population ends, the end of the log when absent. Nothing unproven
 * ranks: in order, (1) every leaf hash of the log is read and held against the signed root, (2) what the query finds is
 * ranked by these, (3) what is drawn is read and proven, and has to be what was ranked and what the query asks for.
 * @throws SluiceError `log-corrupt`
 */
export async function drawSample(log: DecisionLog, query: EntryQuery, size: number, seed: string): Promise<Sample> {
  const head = await log.checkpoint();
  const below = Math.min(query.after ?? head.size, head.size);
  const hashes = await leafHashes(log, head);
  let drawn: readonly Ranked[] = [];
  let population = 0;
  for (let after = below; ; ) {
    const found = await log.findIndexes({ ...query, after, order: "newest", limit: ENTRIES_A_STEP });
    population += found.length;
    const last = drawn.length < size ? "g" : (drawn.at(-1) as Ranked).rank; // every digit sorts before g
    const ranked = found.map((index) => rankOf(hashes, index, seed)).filter(({ rank }) => rank < last);
    drawn = [...drawn, ...ranked].sort((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, size);
    if (found.length < ENTRIES_A_STEP) break;
    after = found.at(-1) as number;
    await new Promise(setImmediate); // others get the processor
  }
  const order = [...drawn].sort((a, b) => a.index - b.index);
  const entries: LoggedEntry[] = [];
  for (const one of order) entries.push(await readDrawn(log, one, query));
  return { entries, population, below };
}

function rankOf(hashes: Uint8Array, index: number, seed: string): Ranked {
  const leafHash = encodeBase64(hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
  return { rank: sha256Hex(`${seed}\n${leafHash}`), index, leafHash };
}

async function readDrawn(log: DecisionLog, { index, leafHash }: Ranked, query: EntryQuery): Promise<LoggedEntry> {
  const entry = await log.read(index);
  if (entry.leafHash === leafHash && isAskedFor(entry, query)) return entry;
  throw new SluiceError("log-corrupt", `Entry ${index} is not what the log's tables say of it.`);
}

/** By its leaf: what stands in the tables beside it, which queries go by, is not in the tree. */
function isAskedFor({ leaf }: LoggedEntry, { target, targets, kinds, verdict, from, to }: EntryQuery): boolean {
  const time = parseTime(leaf.time) ?? 0;
  return (
    (target === undefined || leaf.target === target) &&
    (targets === undefined || (leaf.target !== null && targets.includes(leaf.target))) &&
    (kinds === undefined || kinds.includes(leaf.kind)) &&
    (verdict === undefined || leaf.verdict === verdict) &&
    (from === undefined || time >= from) &&
    (to === undefined || time < to)
  );
}
