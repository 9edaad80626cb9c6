/** A log in PostgreSQL for who verifies it: one snapshot, read run by run. */
import { utf8 } from "../../../lib/bytes.ts";
import { parseCheckpoint } from "../../checkpoint.ts";
import type { Source, SourceEntry } from "../../source.ts";
import { TILE_WIDTH } from "../../tile.ts";
import type { HashRun, HashSource } from "../../tree.ts";
import { type RangeVerification, verifyRange } from "../../verify-range.ts";
import { connect, drop, type PostgresPlace, rows } from "./connection.ts";
import { fetchHashes, runsOfRoots } from "./hashes.ts";
import { requireLayout } from "./layout.ts";

/** Whole tiles; some megabytes. */
const RANGE_ENTRIES = 8 * TILE_WIDTH;
/** Hashes of this level and above are kept: of a thousand million entries some fifteen thousand. */
const KEPT_LEVEL = 2;

export interface PostgresSource extends Source {
  /** Every entry of a tree of `size`, in order. */
  ranges(size: number): AsyncGenerator<RangeVerification>;
  end(): Promise<void>;
}

interface Row {
  readonly idx: string;
  readonly hash: Buffer;
  readonly bytes: Buffer;
  readonly json: string | null;
  readonly time: string;
  readonly target: string | null;
  readonly kind: string;
  readonly verdict: string | null;
}

/** `known`: signed checkpoints whose roots will be asked for. @throws `log-missing`, `log-version-unknown`, `log-failed` */
export async function openPostgresSource(place: PostgresPlace, known: readonly string[]): Promise<PostgresSource> {
  const client = await connect(place);
  try {
    await rows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await rows(client, "SET LOCAL idle_in_transaction_session_timeout = 0"); // it holds no lock, and hashing takes its time
    await requireLayout(client);
    const [head] = await rows<{ note: string }>(client, "SELECT note FROM head");
    const note = head?.note ?? "";
    const size = parseCheckpoint(note)?.size ?? 0;
    const above = await rows<{ level: number; n: string; hash: Buffer }>(
      client,
      "SELECT level, n, hash FROM hashes WHERE level >= $1",
      [KEPT_LEVEL],
    );
    const upper = new Map(above.map(({ level, n, hash }) => [`${level} ${n}`, hash]));
    const sizes = known.map((text) => parseCheckpoint(text)?.size ?? 0).filter((one) => one <= size);
    const roots = await fetchHashes(client, runsOfRoots(sizes));
    const [more] = await rows(client, "SELECT 1 FROM entries WHERE idx < 0 OR idx >= $1 LIMIT 1", [size]);
    let window: { start: number; entries: readonly SourceEntry[]; hashes: HashSource } | null = null;
    const hashes: HashSource = (level, start, count) => {
      const kept = upper.get(`${level} ${start}`);
      if (count === 1 && kept !== undefined) return [kept];
      const near = window?.hashes(level, start, count) ?? [];
      return near.length === count ? near : roots(level, start, count);
    };
    const source: Source = {
      note,
      hasDisclosures: true,
      entries: (start, end) => (window === null ? [] : window.entries.slice(start - window.start, end - window.start)),
      hasMore: () => more !== undefined,
      hashes: () => hashes,
      close: () => {},
    };
    return {
      ...source,
      async *ranges(total) {
        for (let start = 0; start < total; start += RANGE_ENTRIES) {
          const end = Math.min(start + RANGE_ENTRIES, total);
          window = { start, entries: await fetchEntries(client, start, end), hashes: await tileHashes(start, end) };
          yield verifyRange(source, start, end, total);
        }
      },
      end: async () => drop(client),
    };
    async function tileHashes(start: number, end: number): Promise<HashSource> {
      const first = start / TILE_WIDTH;
      const runs = Array.from({ length: Math.floor(end / TILE_WIDTH) - first }, (_, at) => run(1, first + at));
      return fetchHashes(client, runs);
    }
  } catch (cause) {
    drop(client);
    throw cause;
  }
}

function run(level: number, start: number): HashRun {
  return { level, start, count: 1 };
}

/** Up to the first one that is missing. */
async function fetchEntries(
  client: Parameters<typeof rows>[0],
  start: number,
  end: number,
): Promise<readonly SourceEntry[]> {
  const found = await rows<Row & Record<string, unknown>>(
    client,
    "SELECT e.idx, hash, bytes, json, time, target, kind, verdict FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx",
    [start, end],
  );
  const entries: SourceEntry[] = [];
  for (const { idx, hash, bytes, json, time, target, kind, verdict } of found) {
    if (Number(idx) !== start + entries.length) break;
    entries.push({
      bytes,
      hash,
      disclosures: json === null ? null : utf8(json),
      columns: { time: Number(time), target, kind, verdict },
    });
  }
  return entries;
}
