/** Where the bytes of a log come from: a database, or a folder in the layout of C2SP tlog-tiles. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseCheckpoint } from "./checkpoint.ts";
import { openForReading, storedHashes } from "./stores/sqlite/database.ts";
import { hashesAtLevel, readBundle, TILE_WIDTH, tilePath } from "./tile.ts";

export interface SourceEntry {
  readonly bytes: Uint8Array;
  /** JSON text of the values beside the entry; null where the source has none. */
  readonly disclosures: string | null;
  /** What queries go by; null where the source has no such thing. */
  readonly columns: Readonly<Record<"time" | "target" | "kind" | "verdict", unknown>> | null;
}

/** What a database and a folder have in common. */
export interface Source {
  readonly note: string;
  /** Entry `index`, or null when it is missing. In rising order only. */
  entry(index: number): SourceEntry | null;
  /** Whether anything lies behind the checkpoint's last entry. */
  hasMore(size: number): boolean;
  /** The stored hash `n` of level `level`, or null. */
  hash(level: number, n: number, size: number): Uint8Array | null;
  readonly hasDisclosures: boolean;
  close(): void;
}

export function databaseSource(path: string): Source {
  const db = openForReading(path);
  db.exec("BEGIN"); // one snapshot, whatever is appended meanwhile
  const note = String(db.prepare("SELECT note FROM head").get()?.["note"] ?? "");
  const hashes = storedHashes(db);
  const rows = db
    .prepare(
      "SELECT e.idx AS idx, bytes, json, time, target, kind, verdict FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx ORDER BY e.idx",
    )
    .iterate();
  return {
    note,
    hasDisclosures: true,
    entry(index) {
      const { done, value: row } = rows.next();
      if (done === true || row["idx"] !== index) return null;
      const { bytes, json, time, target, kind, verdict } = row as Record<string, unknown>;
      return { bytes: bytes as Uint8Array, disclosures: String(json), columns: { time, target, kind, verdict } };
    },
    hasMore: () => rows.next().done !== true,
    hash: (level, n) => hashes(level, n, 1)[0] ?? null,
    close: () => db.close(),
  };
}

/** `given` is the size of a tree whose checkpoint is not written yet. */
export function folderSource(folder: string, given?: number): Source {
  const read = (path: string) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : null);
  const tiles = new Map<number, { position: number; bytes: Uint8Array | null }>();
  let bundle: { position: number; entries: readonly Uint8Array[] | null } = { position: -1, entries: null };
  const size = given ?? parseCheckpoint(read("checkpoint")?.toString("utf8") ?? "")?.size ?? 0;
  const tileAt = (level: number | "entries", position: number) => {
    const width = Math.min(TILE_WIDTH, hashesAtLevel(level, size) - position * TILE_WIDTH);
    return { width, bytes: read(tilePath({ level, position, width })) };
  };
  return {
    note: read("checkpoint")?.toString("utf8") ?? "",
    hasDisclosures: false,
    entry(index) {
      const position = Math.floor(index / TILE_WIDTH);
      if (bundle.position !== position) {
        const { width, bytes } = tileAt("entries", position);
        bundle = { position, entries: bytes === null ? null : readBundle(bytes, width) };
      }
      const bytes = bundle.entries?.[index % TILE_WIDTH];
      return bytes === undefined ? null : { bytes, disclosures: null, columns: null };
    },
    hasMore: () => false,
    hash(level, n) {
      const position = Math.floor(n / TILE_WIDTH);
      if (tiles.get(level)?.position !== position) {
        const { width, bytes } = tileAt(level, position);
        tiles.set(level, { position, bytes: bytes?.byteLength === width * 32 ? bytes : null });
      }
      const start = (n % TILE_WIDTH) * 32;
      return tiles.get(level)?.bytes?.subarray(start, start + 32) ?? null;
    },
    close() {},
  };
}
