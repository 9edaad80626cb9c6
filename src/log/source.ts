/** Where the bytes of a log come from: a database, or a folder in the layout of C2SP tlog-tiles. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCheckpoint } from "./checkpoint.ts";
import { openForReading, readFailure, storedHashes } from "./stores/sqlite/database.ts";
import { hashesAtLevel, readBundle, TILE_WIDTH, tilePath } from "./tile.ts";
import type { HashSource } from "./tree.ts";

export interface SourceEntry {
  readonly bytes: Uint8Array;
  /** The hash that the source holds for it, or null. */
  readonly hash: Uint8Array | null;
  /** JSON text, in UTF-8, of the values beside the entry; null where the source has none. */
  readonly disclosures: Uint8Array | null;
  /** What queries go by; null where the source has no such thing. */
  readonly columns: Readonly<Record<"time" | "target" | "kind" | "verdict", unknown>> | null;
}

/** What a database and a folder have in common. */
export interface Source {
  readonly note: string;
  /** Entries [start, end), at most a tile, up to the first one that is missing. */
  entries(start: number, end: number): readonly SourceEntry[];
  /** Whether anything lies outside of the checkpoint's entries. */
  hasMore(size: number): boolean;
  /** Stored hashes of a tree of so many entries: fewer than asked for where one is missing. */
  hashes(size: number): HashSource;
  readonly hasDisclosures: boolean;
  close(): void;
}

/** A folder also answers for single ones, in any order. */
export interface FolderSource extends Source {
  /** Entry `index`, or null when it is missing. */
  entry(index: number): SourceEntry | null;
  /** The stored hash `n` of level `level`, or null. */
  hash(level: number, n: number, size: number): Uint8Array | null;
}

type Row = readonly [
  idx: number,
  hash: Uint8Array,
  bytes: Uint8Array,
  json: Uint8Array | null,
  ...columns: readonly unknown[],
];

/** @throws as openForReading() */
export function databaseSource(path: string): Source {
  const db = openForReading(path);
  try {
    return sourceOf(db);
  } catch (cause) {
    db.close();
    throw readFailure(cause);
  }
}

function sourceOf(db: ReturnType<typeof openForReading>): Source {
  db.exec("BEGIN"); // one snapshot, whatever is appended meanwhile
  const note = String(db.prepare("SELECT note FROM head").get()?.["note"] ?? "");
  const hashes = storedHashes(db);
  const select = db.prepare(
    "SELECT e.idx, hash, bytes, CAST(json AS BLOB), time, target, kind, verdict FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx",
  );
  select.setReturnArrays(true); // half the price of objects
  const strangers = db.prepare("SELECT 1 FROM entries WHERE idx < 0 OR idx >= ? LIMIT 1");
  return {
    note,
    hasDisclosures: true,
    entries(start, end) {
      const entries: SourceEntry[] = [];
      for (const [idx, hash, bytes, json, ...rest] of select.all(start, end) as unknown as Row[]) {
        if (idx !== start + entries.length) break;
        const [time, target, kind, verdict] = rest;
        entries.push({ bytes, hash, disclosures: json, columns: { time, target, kind, verdict } });
      }
      return entries;
    },
    hasMore: (size) => strangers.get(size) !== undefined,
    hashes: () => hashes,
    close: () => db.close(),
  };
}

/** `given` is the size of a tree whose checkpoint is not written yet. */
export function folderSource(folder: string, given?: number): FolderSource {
  const read = (path: string) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : null);
  const tiles = new Map<number, { position: number; bytes: Uint8Array | null }>();
  let bundle: { position: number; entries: readonly Uint8Array[] | null } = { position: -1, entries: null };
  const size = given ?? parseCheckpoint(read("checkpoint")?.toString("utf8") ?? "")?.size ?? 0;
  const tileAt = (level: number | "entries", position: number) => {
    const width = Math.min(TILE_WIDTH, hashesAtLevel(level, size) - position * TILE_WIDTH);
    return { width, bytes: read(tilePath({ level, position, width })) };
  };
  const hash = (level: number, n: number): Uint8Array | null => {
    const position = Math.floor(n / TILE_WIDTH);
    if (tiles.get(level)?.position !== position) {
      const { width, bytes } = tileAt(level, position);
      tiles.set(level, { position, bytes: bytes?.byteLength === width * 32 ? bytes : null });
    }
    const start = (n % TILE_WIDTH) * 32;
    return tiles.get(level)?.bytes?.subarray(start, start + 32) ?? null;
  };
  const entry = (index: number): SourceEntry | null => {
    const position = Math.floor(index / TILE_WIDTH);
    if (bundle.position !== position) {
      const { width, bytes } = tileAt("entries", position);
      bundle = { position, entries: bytes === null ? null : readBundle(bytes, width) };
    }
    const bytes = bundle.entries?.[index % TILE_WIDTH];
    return bytes === undefined ? null : { bytes, hash: hash(0, index), disclosures: null, columns: null };
  };
  return {
    note: read("checkpoint")?.toString("utf8") ?? "",
    hasDisclosures: false,
    entry,
    entries: (start, end) => untilNull(start, end - start, entry),
    hasMore: () => false,
    hash,
    hashes: () => (level, start, count) => untilNull(start, count, (n) => hash(level, n)),
    close() {},
  };
}

function untilNull<T>(start: number, count: number, read: (n: number) => T | null): readonly T[] {
  const found: T[] = [];
  for (let n = start; n < start + count; n++) {
    const one = read(n);
    if (one === null) break;
    found.push(one);
  }
  return found;
}
