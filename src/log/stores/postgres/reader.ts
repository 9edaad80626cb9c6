/** Reading a log in PostgreSQL: any number of processes, while others write. */
import { utf8 } from "../../../lib/bytes.ts";
import { SluiceError } from "../../../lib/errors.ts";
import type { Instant } from "../../../lib/time.ts";
import type { Checkpoint, DecisionLog } from "../../decision-log.ts";
import type { EntryDraft, EntryQuery, LoggedEntry, Receipt } from "../../entry.ts";
import {
  type Bounds,
  countStatement,
  findStatement,
  narrowed,
  needsTargets,
  numbered,
  type Statement,
  TARGETS_SQL,
} from "../../query.ts";
import { type HeadExpectation, openStoredHead, requireFollowing, requireSize, storedEntry } from "../../stored.ts";
import { parseTilePath, TILE_WIDTH, type Tile, tileExists, writeBundle } from "../../tile.ts";
import { consistencyProof, inclusionProof, type SubtreeMemory } from "../../tree.ts";
import { openPool, type PostgresPlace, type PostgresPool, rows } from "./connection.ts";
import { fetchHashes, runsOfConsistency, runsOfInclusion } from "./hashes.ts";
import { requireLayout } from "./layout.ts";
import { POSTGRES_TERMS } from "./search-index.ts";

export interface PostgresReaderOptions extends HeadExpectation {
  readonly place: PostgresPlace;
}

export class PostgresReader implements DecisionLog {
  readonly #options: PostgresReaderOptions;
  readonly #pool: PostgresPool;
  #head: Checkpoint;

  /** @throws `log-missing`, `log-version-unknown`, `log-origin-mismatch`, `log-corrupt`, `log-failed` */
  static async open(options: PostgresReaderOptions): Promise<PostgresReader> {
    const pool = openPool(options.place);
    try {
      return new PostgresReader(options, pool, await firstHead(pool, options));
    } catch (cause) {
      await pool.end();
      throw cause;
    }
  }

  protected constructor(options: PostgresReaderOptions, pool: PostgresPool, head: Checkpoint) {
    this.#options = options;
    this.#pool = pool;
    this.#head = head;
  }

  get origin(): string {
    return this.#head.origin;
  }

  async append(_draft: EntryDraft): Promise<Receipt> {
    throw new SluiceError("log-read-only", "The log is open for reading only.");
  }

  async appendAll(_drafts: readonly EntryDraft[]): Promise<readonly Receipt[]> {
    throw new SluiceError("log-read-only", "The log is open for reading only.");
  }

  async read(index: number): Promise<LoggedEntry> {
    const [entry] = await this.#entries([index], await this.checkpoint());
    return entry as LoggedEntry;
  }

  async find(query: EntryQuery): Promise<readonly LoggedEntry[]> {
    const head = await this.checkpoint();
    const statement = findStatement(query, await this.#bounds(query, head.size), true, POSTGRES_TERMS);
    const found = await this.#ask<{ idx: string }>(statement);
    return this.#entries(
      found.map(({ idx }) => Number(idx)),
      head,
    );
  }

  async count(query: EntryQuery): Promise<number> {
    const bounds = await this.#bounds(query, (await this.checkpoint()).size);
    const [row] = await this.#ask<{ n: string }>(countStatement(query, bounds, true, POSTGRES_TERMS));
    return Number(row?.n);
  }

  async latest(target: string, kinds: readonly EntryDraft["kind"][]): Promise<LoggedEntry | null> {
    return (await this.find({ target, kinds, limit: 1 }))[0] ?? null;
  }

  async checkpoint(): Promise<Checkpoint> {
    const note = await storedNote(this.#pool);
    if (note !== this.#head.note) this.#head = openStoredHead(note, this.#options);
    return this.#head;
  }

  async inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]> {
    requireSize(size, await this.checkpoint());
    return inclusionProof(await fetchHashes(this.#pool, runsOfInclusion([index], size)), index, size);
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]> {
    requireSize(newSize, await this.checkpoint());
    requireFollowing(oldSize, newSize);
    const hashes = await fetchHashes(this.#pool, runsOfConsistency(oldSize, newSize));
    return consistencyProof(hashes, oldSize, newSize);
  }

  async resource(path: string): Promise<Uint8Array | null> {
    const head = await this.checkpoint();
    if (path === "checkpoint") return utf8(head.note);
    const tile = parseTilePath(path);
    if (tile === null || !tileExists(tile, head.size)) return null;
    return tile.level === "entries" ? this.#bundle(tile) : this.#tile(tile.level, tile);
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #tile(level: number, { position, width }: Tile): Promise<Uint8Array> {
    const run = { level, start: position * TILE_WIDTH, count: width };
    const hashes = (await fetchHashes(this.#pool, [run]))(level, run.start, width);
    if (hashes.length !== width)
      throw new SluiceError("log-corrupt", `Hashes of the tree are missing at level ${level}.`);
    return new Uint8Array(Buffer.concat(hashes));
  }

  async #bundle({ position, width }: Tile): Promise<Uint8Array> {
    const start = position * TILE_WIDTH;
    const found = await rows<{ bytes: Buffer }>(
      this.#pool,
      "SELECT bytes FROM entries WHERE idx >= $1 AND idx < $2 ORDER BY idx",
      [start, start + width],
    );
    if (found.length !== width) throw new SluiceError("log-corrupt", `Entries are missing after ${start}.`);
    return writeBundle(found.map(({ bytes }) => bytes));
  }

  /** Each proven, in the order of the indexes. @throws `entry-unknown`, `log-corrupt` */
  async #entries(indexes: readonly number[], head: Checkpoint): Promise<readonly LoggedEntry[]> {
    if (indexes.length === 0) return [];
    const hashes = await fetchHashes(this.#pool, runsOfInclusion(indexes.filter(isIndex), head.size));
    const memory: SubtreeMemory = new Map();
    const proofs = indexes.map((index) => inclusionProof(hashes, index, head.size, memory));
    const found = await rows<{ idx: string; bytes: Buffer; json: string | null }>(
      this.#pool,
      "SELECT e.idx, e.bytes, d.json FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx WHERE e.idx = ANY($1::bigint[])",
      [indexes],
    );
    const byIndex = new Map(found.map((row) => [Number(row.idx), row]));
    return indexes.map((index, at) => storedEntry(index, byIndex.get(index), head, proofs[at] ?? []));
  }

  async #bounds(query: EntryQuery, size: number): Promise<Bounds> {
    const { from, to } = query;
    const targets = needsTargets(query) ? await this.#targets() : [];
    const start = from === undefined ? 0 : await this.#firstSince(from, size);
    const end = to === undefined ? size : await this.#firstSince(to, size);
    return { ...narrowed(query, start, end), targets };
  }

  async #targets(): Promise<Bounds["targets"]> {
    return (await rows<{ target: string | null }>(this.#pool, TARGETS_SQL)).map(({ target }) => target);
  }

  /** Number of the first entry at or after `at`: time never decreases, so it is found by halving. */
  async #firstSince(at: Instant, size: number): Promise<number> {
    let [low, high] = [0, size];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [row] = await rows<{ time: string }>(this.#pool, "SELECT time FROM entries WHERE idx = $1", [middle]);
      if (Number(row?.time ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #ask<R extends Record<string, unknown>>(statement: Statement): Promise<readonly R[]> {
    const { sql, parameters } = numbered(statement);
    return rows<R>(this.#pool, sql, parameters);
  }
}

/** Of a log that is there, in a layout that is known. */
export async function firstHead(pool: PostgresPool, expected: HeadExpectation): Promise<Checkpoint> {
  await requireLayout(pool);
  return openStoredHead(await storedNote(pool), expected);
}

async function storedNote(pool: PostgresPool): Promise<string> {
  const [row] = await rows<{ note: string }>(pool, "SELECT note FROM head");
  if (row === undefined) throw new SluiceError("log-corrupt", "The log has no signed head.");
  return row.note;
}

function isIndex(index: number): boolean {
  return Number.isSafeInteger(index) && index >= 0;
}
