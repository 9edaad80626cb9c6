/** Reading a log in SQLite: any number of processes, while another writes. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { utf8 } from "../../../lib/bytes.ts";
import { SluiceError } from "../../../lib/errors.ts";
import type { Instant } from "../../../lib/time.ts";
import type { Checkpoint, DecisionLog } from "../../decision-log.ts";
import type { EntryDraft, EntryQuery, LoggedEntry, Receipt } from "../../entry.ts";
import { HASH_BYTES } from "../../merkle.ts";
import {
  type Bounds,
  countStatements,
  findStatements,
  inOrder,
  type Lane,
  lanesStatement,
  narrowed,
  type Statement,
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
import { GROUP_WIDTH, TileGroups } from "../../tile-groups.ts";
import { type TileSource, TileTrees } from "../../tile-trees.ts";
import { consistencyProof, inclusionProof } from "../../tree.ts";
import { openForReading, readFailure, storedLeaves, storedTiles } from "./database.ts";
import { attachSearchIndex } from "./search-index.ts";

export interface ReaderOptions extends HeadExpectation {
  readonly path: string;
}

interface Row extends StoredRow {
  readonly idx: number;
}

export class SqliteReader implements DecisionLog {
  readonly origin: string;
  readonly #db: DatabaseSync;
  readonly #tiles: TileSource;
  readonly #trees: TileTrees;
  readonly #options: ReaderOptions;
  /** Null once it said something wrong. */
  #groups: TileGroups | null;
  #select: StatementSync | null = null;
  #selectGroups: StatementSync | null = null;
  #hasIndex = false;
  #head: Checkpoint;

  /** @throws as openForReading(), `log-origin-mismatch`, `log-corrupt`, and what openCheckpoint() throws */
  constructor(options: ReaderOptions) {
    this.#db = openForReading(options.path);
    this.#options = options;
    try {
      this.#tiles = storedTiles(this.#db);
      this.#trees = new TileTrees(this.#tiles);
      const leaves = storedLeaves(this.#db);
      this.#groups = new TileGroups(this.#trees, {
        groups: (position) => this.#storedGroups(position),
        leaves: (start) => leaves(start, start + GROUP_WIDTH),
      });
      this.#head = openStoredHead(this.#storedNote(), options);
      this.origin = this.#head.origin;
    } catch (cause) {
      this.#db.close();
      throw readFailure(cause);
    }
  }

  async append(_draft: EntryDraft): Promise<Receipt> {
    throw new SluiceError("log-read-only", "The log is open for reading only.");
  }

  async appendAll(_drafts: readonly EntryDraft[]): Promise<readonly Receipt[]> {
    throw new SluiceError("log-read-only", "The log is open for reading only.");
  }

  async read(index: number): Promise<LoggedEntry> {
    return whole(() => this.#read(index, this.#newestHead()));
  }

  async find(query: EntryQuery): Promise<readonly LoggedEntry[]> {
    return whole(() => {
      const head = this.#newestHead();
      const indexes = this.#indexes(query, head.size);
      const rows = new Map(this.#rows(indexes).map((row) => [row.idx, row]));
      return indexes.map((index) => this.#entry(index, rows.get(index), head));
    });
  }

  async findIndexes(query: EntryQuery): Promise<readonly number[]> {
    return whole(() => this.#indexes(query, this.#newestHead().size));
  }

  async count(query: EntryQuery): Promise<number> {
    return whole(() => {
      const bounds = this.#bounds(query, this.#newestHead().size);
      const counts = countStatements(query, bounds, this.#searchable(query)).flatMap((one) => this.#ask(one));
      return counts.reduce((sum, { n }) => sum + Number(n), 0);
    });
  }

  async latest(target: string, kinds: readonly EntryDraft["kind"][]): Promise<LoggedEntry | null> {
    return (await this.find({ target, kinds, limit: 1 }))[0] ?? null;
  }

  async checkpoint(): Promise<Checkpoint> {
    return whole(() => this.#newestHead());
  }

  async inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]> {
    return whole(() => {
      requireSize(size, this.#newestHead());
      return inclusionProof(this.#trees.subtrees(size), index, size);
    });
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]> {
    return whole(() => {
      requireSize(newSize, this.#newestHead());
      requireFollowing(oldSize, newSize);
      return consistencyProof(this.#trees.subtrees(newSize), oldSize, newSize);
    });
  }

  async resource(path: string): Promise<Uint8Array | null> {
    return whole(() => {
      const head = this.#newestHead();
      if (path === "checkpoint") return utf8(head.note);
      const tile = parseTilePath(path);
      if (tile === null || !tileExists(tile, head.size)) return null;
      return tile.level === "entries" ? this.#bundle(tile) : this.#tile(tile.level, tile);
    });
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }

  /** Looked for when terms are asked for: most readers never do, and that of a new log appears after its first entries. */
  #searchable({ terms, commitPrefix, text }: EntryQuery): boolean {
    if (commitPrefix === undefined && text === undefined && (terms === undefined || terms.length === 0)) return false;
    return this.#attachIndex();
  }

  #attachIndex(): boolean {
    this.#hasIndex ||= attachSearchIndex(this.#db, this.#options.path);
    return this.#hasIndex;
  }

  /** Null where there is no index, or an older one. */
  #storedGroups(position: number): Uint8Array | null {
    if (!this.#attachIndex()) return null;
    try {
      this.#selectGroups ??= this.#db.prepare("SELECT hashes FROM search.groups WHERE tile = ?");
      return (this.#selectGroups.get(position)?.["hashes"] ?? null) as Uint8Array | null;
    } catch {
      return null;
    }
  }

  /** Its file was taken away with what it said: the next search looks for a new one. */
  protected forgetIndex(): void {
    this.#selectGroups = null;
    if (this.#hasIndex) this.#db.exec("DETACH search");
    this.#hasIndex = false;
  }

  #tile(level: number, { position, width }: Tile): Uint8Array {
    const hashes = this.#tiles({ level, position, width });
    if (hashes.byteLength === width * HASH_BYTES) return hashes;
    throw new SluiceError("log-corrupt", `Hashes of the tree are missing at level ${level}.`);
  }

  #bundle({ position, width }: Tile): Uint8Array {
    const start = position * TILE_WIDTH;
    const select = this.#db.prepare("SELECT bytes FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx");
    const rows = select.all(start, start + width);
    if (rows.length !== width) throw new SluiceError("log-corrupt", `Entries are missing after ${start}.`);
    return writeBundle(rows.map(({ bytes }) => bytes as Uint8Array));
  }

  #storedNote(): string {
    const row = this.#db.prepare("SELECT note FROM head").get();
    if (row === undefined) throw new SluiceError("log-corrupt", "The log has no signed head.");
    return String(row["note"]);
  }

  #newestHead(): Checkpoint {
    const note = this.#storedNote();
    if (note !== this.#head.note) this.#head = openStoredHead(note, this.#options);
    return this.#head;
  }

  #read(index: number, head: Checkpoint): LoggedEntry {
    return this.#entry(index, this.#rows([index])[0], head);
  }

  /** Of a whole page at once, in any order. */
  #rows(indexes: readonly number[]): readonly Row[] {
    this.#select ??= this.#db.prepare(
      "SELECT e.idx, e.bytes, d.json FROM json_each(?) j CROSS JOIN entries e ON e.idx = j.value LEFT JOIN disclosures d ON d.idx = e.idx",
    );
    return this.#select.all(JSON.stringify(indexes)) as unknown as readonly Row[];
  }

  #entry(index: number, row: Row | undefined, head: Checkpoint): LoggedEntry {
    try {
      const subtrees = (this.#groups ?? this.#trees).subtrees(head.size);
      return storedEntry(index, row, head, inclusionProof(subtrees, index, head.size));
    } catch (cause) {
      this.#trees.forget();
      if (this.#groups === null) throw cause;
      this.#groups = null; // the index is not believed about what is in the log: the log itself says
      return this.#entry(index, row, head);
    }
  }

  #bounds(query: EntryQuery, size: number): Bounds {
    const { from, to } = query;
    const asked = lanesStatement(query);
    const lanes = asked === null ? null : (this.#ask(asked) as unknown as readonly Lane[]);
    const start = from === undefined ? 0 : this.#firstSince(from, size);
    const end = to === undefined ? size : this.#firstSince(to, size);
    return { ...narrowed(query, start, end), lanes };
  }

  #indexes(query: EntryQuery, size: number): readonly number[] {
    const statements = findStatements(query, this.#bounds(query, size), this.#searchable(query));
    return inOrder(
      query,
      statements.map((statement) => this.#ask(statement).map(({ idx }) => Number(idx))),
    );
  }

  #ask({ sql, parameters }: Statement): readonly Record<string, SQLOutputValue>[] {
    return this.#db.prepare(sql).all(...parameters);
  }

  /** Number of the first entry at or after `at`: time never decreases, so it is found by halving. */
  #firstSince(at: Instant, size: number): number {
    const select = this.#db.prepare("SELECT time FROM entries WHERE idx = ?");
    let [low, high] = [0, size];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (Number(select.get(middle)?.["time"] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What is read of damaged pages is nothing, and is called so. @throws what readFailure() names, and what `read` throws */
function whole<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw readFailure(thrown);
  }
}
