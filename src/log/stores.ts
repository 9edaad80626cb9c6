/** Where a log can live. One line a store; `stores/` holds one file for each. */
import { SluiceError } from "../lib/errors.ts";
import type { Clock } from "../lib/time.ts";
import type { DecisionLog } from "./decision-log.ts";
import type { Mask } from "./masking/mask.ts";
import { maskedLog } from "./masking/masked-log.ts";
import { noteVerifier } from "./note.ts";
import type { PostgresPlace } from "./stores/postgres/connection.ts";
import { copyDatabase } from "./stores/sqlite/backup.ts";
import { SqliteReader } from "./stores/sqlite/reader.ts";
import { withDatabaseRows, writeDatabase } from "./stores/sqlite/rows.ts";
import { SqliteLog } from "./stores/sqlite.ts";

/** Where a log is. */
export interface LogPlace {
  /** `sqlite:PATH` or `postgres://USER@HOST:PORT/DATABASE`. */
  readonly store: string;
  /** Of the store's user; null where it asks for none. */
  readonly password?: string | null;
  /** Certificates in PEM that the store's own is verified against; null for the system's. */
  readonly ca?: string | null;
}

export interface LogOptions extends LogPlace {
  /** Name of the log, a schema-less URL; the signing key bears it too. */
  readonly origin: string;
  /** Signing key, `PRIVATE+KEY+<name>+<hex>+<base64>`. */
  readonly key: string;
  /** File on another volume that remembers the newest checkpoint. */
  readonly anchor?: string | null;
  /** File in which the newest checkpoint is published, for whoever serves the log's folder. */
  readonly checkpointFile?: string | null;
  /** What is taken out of an entry before it is recorded; none when absent. */
  readonly masks?: readonly Mask[];
  readonly clock: Clock;
  /** Cryptographically strong random bytes. */
  readonly random: (bytes: number) => Uint8Array;
}

export interface LogReaderOptions extends LogPlace {
  /** When given, a log of another origin is refused. */
  readonly origin?: string;
  /** Verifier keys of the log; without them the head's signature is not looked at. */
  readonly keys?: readonly string[];
}

interface Store {
  readonly scheme: string;
  openWriter(path: string, options: LogOptions): Promise<DecisionLog>;
  openReader(path: string, options: LogReaderOptions): Promise<DecisionLog>;
  /** Makes the empty file `to` a log in SQLite: this one as it is at one moment, while others read and write it. */
  copy(path: string, to: string, place: LogPlace): Promise<void>;
  /** Puts the log in SQLite at `from` into this store, which holds none; null where that is a matter of a file. */
  readonly load: ((path: string, from: string, place: LogPlace) => Promise<void>) | null;
}

export const STORES: readonly Store[] = [
  {
    scheme: "sqlite",
    openWriter: (path, { anchor = null, checkpointFile = null, ...options }) =>
      SqliteLog.open({ ...options, path, anchor, checkpointFile }),
    openReader: async (path, { origin = null, keys }) =>
      new SqliteReader({ path, origin, keys: keys?.map(noteVerifier) ?? null }),
    copy: copyDatabase,
    load: null,
  },
  {
    scheme: "postgres",
    openWriter: async (path, { anchor = null, checkpointFile = null, ...options }) =>
      (await import("./stores/postgres.ts")).PostgresLog.openForWriting({
        ...options,
        place: placeOf(path, options),
        anchor,
        checkpointFile,
      }),
    openReader: async (path, options) => {
      const { origin = null, keys } = options;
      const { PostgresReader } = await import("./stores/postgres/reader.ts");
      return PostgresReader.open({
        place: placeOf(path, options),
        origin,
        keys: keys?.map(noteVerifier) ?? null,
      });
    },
    copy: async (path, to, place) => {
      const { withPostgresRows } = await import("./stores/postgres/rows.ts");
      await withPostgresRows(placeOf(path, place), (rows) => writeDatabase(to, rows));
    },
    load: async (path, from, place) => {
      const { loadRows } = await import("./stores/postgres/rows.ts");
      await withDatabaseRows(from, (rows) => loadRows(placeOf(path, place), rows));
    },
  },
];

function placeOf(path: string, { password = null, ca = null }: LogPlace): PostgresPlace {
  return { path, password, ca };
}

/**
 * Opens the log for writing, and begins it where there is none. One process at a time, of PostgreSQL several; storage,
 * head, newest entries and anchor are checked first.
 * @throws `log-busy`, `log-corrupt`, `log-rolled-back`, `log-forked`, `log-anchor-missing`, `log-origin-mismatch`,
 * `log-version-unknown`, `log-readable-by-others`, `log-on-network-storage`, `log-unpublished`, `log-failed`, `log-full`,
 * `log-store-unknown`, `log-not-durable`, `note-key-invalid`
 */
export async function openLog(options: LogOptions): Promise<DecisionLog> {
  const { masks = [], ...own } = options;
  const { store, path } = locate(options.store);
  return maskedLog(await store.openWriter(path, own), masks);
}

/** Opens the log for reading, also while another process writes it; append() rejects with `log-read-only`. @throws `log-missing` */
export async function openLogReader(options: LogReaderOptions): Promise<DecisionLog> {
  const { store, path } = locate(options.store);
  return store.openReader(path, options);
}

/** @throws `log-missing`, and what the system says */
export async function copyStore(place: LogPlace, to: string): Promise<void> {
  const { store, path } = locate(place.store);
  await store.copy(path, to, place);
}

/** Of a store that a copy is loaded into; null for one that is a file itself. @throws `log-store-unknown` */
export function storeLoader(place: LogPlace): ((from: string) => Promise<void>) | null {
  const { store, path } = locate(place.store);
  return store.load === null ? null : (from) => (store.load as NonNullable<Store["load"]>)(path, from, place);
}

/** Of a store that is a file. @throws `log-store-unknown` */
export function sqlitePath(text: string): string {
  const { store, path } = locate(text);
  if (store.scheme === "sqlite") return path;
  throw new SluiceError("log-store-unknown", "A log in PostgreSQL is no file.");
}

/** Bytes that a log in PostgreSQL holds there; null for a store that is a file. @throws `log-missing`, `log-failed` */
export async function bytesInUse(place: LogPlace): Promise<number | null> {
  const postgres = postgresPlace(place);
  return postgres === null ? null : (await import("./stores/postgres/usage.ts")).bytesInUse(postgres);
}

/** How PostgreSQL is reached; null for another store. @throws `log-store-unknown` */
export function postgresPlace(place: LogPlace): PostgresPlace | null {
  const { store, path } = locate(place.store);
  return store.scheme === "postgres" ? placeOf(path, place) : null;
}

function locate(text: string): { store: Store; path: string } {
  const scheme = text.slice(0, Math.max(0, text.indexOf(":")));
  const store = STORES.find((each) => each.scheme === scheme);
  const path = text.slice(scheme.length + 1);
  if (store === undefined || path === "")
    throw new SluiceError(
      "log-store-unknown",
      "The log's store is not of the form sqlite:PATH or postgres://USER@HOST/DATABASE.",
    );
  return { store, path };
}
