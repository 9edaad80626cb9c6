/** Reading a log in PostgreSQL: any number of processes, while others write. */
import { utf8 } from "../../../lib/bytes.ts";
import { SluiceError } from "../../../lib/errors.ts";
import type { Instant } from "../../../lib/time.ts";
import type { Checkpoint, DecisionLog } from "../../decision-log.ts";
import type { EntryDraft, EntryQuery, LoggedEntry, Receipt } from "../../entry.ts";
import { consistencyRanges, HASH_BYTES, type Range } from "../../merkle.ts";
import {
  type Bounds,
  countStatements,
  findStatements,
  inOrder,
  type Lane,
  lanesStatement,
  narrowed,
  numbered,
  type Statement,
  type TermLanguage,
} from "../../query.ts";
import {
  type HeadExpectation,
  openStoredHead,
  requireFollowing,
  requireSize,
  type StoredRow,
  storedEntry,
} from "../../stored.ts";
import { parseTilePath, TILE_WIDTH, type Tile, tileExists, writeBundle } from "../../tile.ts";
import { MAXIMUM_PROVEN_AT_ONCE, TileTrees } from "../../tile-trees.ts";
import { consistencyProof, inclusionProof, pathOf, type SubtreeSource } from "../../tree.ts";
import { askedWords } from "../../words.ts";
import { openPool, type PostgresPlace, type PostgresPool, rows } from "./connection.ts";
import { fetchTiles } from "./hashes.ts";
import { requireLayout } from "./layout.ts";
import { postgresTerms, waitingTexts } from "./search-index.ts";

export interface PostgresReaderOptions extends HeadExpectation {
  readonly place: PostgresPlace;
}

export class PostgresReader implements DecisionLog {
  readonly #options: PostgresReaderOptions;
  readonly #pool: PostgresPool;
  /** Filled before it is asked: the functions of tree.ts do not wait. */
  readonly #trees = new TileTrees(() => new Uint8Array(0));
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
    return this.#entries(await this.#indexes(query, head.size), head);
  }

  async findIndexes(query: EntryQuery): Promise<readonly number[]> {
    return this.#indexes(query, (await this.checkpoint()).size);
  }

  async #indexes(query: EntryQuery, size: number): Promise<readonly number[]> {
    const bounds = await this.#bounds(query, size);
    const statements = findStatements(query, bounds, true, await this.#language(query, bounds));
    const found: (readonly number[])[] = [];
    for (const one of statements) found.push((await this.#ask<{ idx: string }>(one)).map(({ idx }) => Number(idx)));
    return inOrder(query, found);
  }

  async count(query: EntryQuery): Promise<number> {
    const bounds = await this.#bounds(query, (await this.checkpoint()).size);
    let count = 0;
    for (const one of countStatements(query, bounds, true, await this.#language(query, bounds)))
      count += Number((await this.#ask<{ n: string }>(one))[0]?.n);
    return count;
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
    return this.#withTiles(pathOf(index, size), size, (subtrees) => inclusionProof(subtrees, index, size));
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]> {
    requireSize(newSize, await this.checkpoint());
    requireFollowing(oldSize, newSize);
    const ranges = consistencyRanges(oldSize, newSize);
    return this.#withTiles(ranges, newSize, (subtrees) => consistencyProof(subtrees, oldSize, newSize));
  }

  /** `prove` runs while all that these ranges need is kept: whoever asks meanwhile may put other tiles in their place. */
  async #withTiles<T>(ranges: readonly Range[], size: number, prove: (subtrees: SubtreeSource) => T): Promise<T> {
    for (;;) {
      const tiles = this.#trees.missing(ranges, size);
      if (tiles.length === 0) return prove(this.#trees.subtrees(size));
      const hashes = await fetchTiles(this.#pool, tiles);
      for (const [at, tile] of tiles.entries()) this.#trees.keep(tile, hashes[at] as Uint8Array);
    }
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
    const [hashes] = await fetchTiles(this.#pool, [{ level, position, width }]);
    if (hashes?.byteLength === width * HASH_BYTES) return new Uint8Array(hashes);
    throw new SluiceError("log-corrupt", `Hashes of the tree are missing at level ${level}.`);
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
    const paths = indexes.map((index) => pathOf(index, head.size));
    const found = await rows<{ idx: string; bytes: Buffer; json: string | null }>(
      this.#pool,
      "SELECT e.idx, e.bytes, d.json FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx WHERE e.idx = ANY($1::bigint[])",
      [indexes],
    );
    const byIndex = new Map(found.map((row) => [Number(row.idx), row]));
    const entries: LoggedEntry[] = [];
    for (let start = 0; start < indexes.length; start += MAXIMUM_PROVEN_AT_ONCE) {
      const some = indexes.slice(start, start + MAXIMUM_PROVEN_AT_ONCE);
      const ranges = paths.slice(start, start + MAXIMUM_PROVEN_AT_ONCE).flat();
      await this.#withTiles(ranges, head.size, (subtrees) => {
        for (const index of some) entries.push(this.#entry(index, byIndex.get(index), head, subtrees));
      });
    }
    return entries;
  }

  #entry(index: number, row: StoredRow | undefined, head: Checkpoint, subtrees: SubtreeSource): LoggedEntry {
    try {
      return storedEntry(index, row, head, inclusionProof(subtrees, index, head.size));
    } catch (cause) {
      this.#trees.forget();
      throw cause;
    }
  }

  async #bounds(query: EntryQuery, size: number): Promise<Bounds> {
    const { from, to } = query;
    const asked = lanesStatement(query);
    const lanes = asked === null ? null : await this.#ask<Lane & Record<string, unknown>>(asked);
    const start = from === undefined ? 0 : await this.#firstSince(from, size);
    const end = to === undefined ? size : await this.#firstSince(to, size);
    return { ...narrowed(query, start, end), lanes };
  }

  async #language({ text }: EntryQuery, bounds: Bounds): Promise<TermLanguage> {
    return text === undefined
      ? postgresTerms()
      : postgresTerms(await waitingTexts(this.#pool, askedWords(text), bounds));
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
