/** Opening the database file: who may read it, where it may lie, how it syncs, and that one process writes. */
import { chmodSync, closeSync, existsSync, openSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type ErrorDetails, SluiceError } from "../../../lib/errors.ts";
import { makeFolderSync, syncFolderSync } from "../../durable.ts";
import { SAYS_WORDS } from "../../query.ts";
import { TILE_WIDTH } from "../../tile.ts";
import type { TileSource } from "../../tile-trees.ts";
import type { HashSource } from "../../tree.ts";
import { saysAll } from "../../words.ts";
import {
  APPLICATION_ID,
  MIGRATION,
  OLDEST_SCHEMA_VERSION,
  SCHEMA,
  SCHEMA_VERSION,
  SEARCH_APPLICATION_ID,
  SEARCH_SCHEMA,
  SEARCH_SCHEMA_VERSION,
  WITNESS_APPLICATION_ID,
  WITNESS_SCHEMA,
  WITNESS_SCHEMA_VERSION,
} from "./schema.ts";

/**
 * 10 MB. A commit that overwrites the write-ahead log is synced in half the time of one that makes the file longer, so the
 * file shall be long enough soon: with 32 MB the first second of a burst was slower by half, and later ones no faster. The
 * batch that empties it waits some milliseconds: of those of 16 clients one in 150, with 4 MB it was one in 60.
 */
const WAL_AUTOCHECKPOINT_PAGES = 2500;
const FULL = 2;
const SQLITE_BUSY = 5;
const SQLITE_IOERR_FSYNC = 1034;
/** The index of the write-ahead log, which every reader needs, found no room. */
const SQLITE_IOERR_SHMSIZE = 4874;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
/** Without a result code of its own. */
const DAMAGED_FORMAT = "unsupported file format";

/** File systems that other machines write too, or whose locks and syncs are somebody else's program (statfs(2) types). */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x00c36400, "Ceph"],
  [0x65735546, "FUSE"],
  [0x01021997, "9p"],
  [0x5346414f, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
  [0x47504653, "GPFS"],
]);

/** The name of a network file system, or null for a local one. */
export function networkFileSystem(type: number): string | null {
  return NETWORK_FILE_SYSTEMS.get(type) ?? null;
}

/** @throws `log-failed`, `log-on-network-storage`, `log-readable-by-others` */
export function prepareFolder(path: string, typeOf = (folder: string): number => statfsSync(folder).type): void {
  const folder = dirname(path);
  makeFolderSync(folder);
  const network = networkFileSystem(typeOf(folder));
  if (network !== null)
    throw new SluiceError("log-on-network-storage", `The folder ${folder} is on ${network}; a log needs a local disk.`);
  refuseOtherReaders(folder, "chmod 700");
}

/** Held for the life of the process that writes; the system drops it when the process dies. @throws `log-busy` */
export function lockWriter(path: string): DatabaseSync {
  const lockPath = `${path}.lock`;
  createPrivately(lockPath);
  const lock = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock.close();
    if ((sqliteCode(cause) ?? 0) % 256 !== SQLITE_BUSY) throw storageFailure(cause);
    throw new SluiceError("log-busy", `Another process is writing the log ${path}.`, { retryable: true, cause });
  }
}

/** The database with every setting that durability rests on, set and read back, in the newest layout. */
export function openForWriting(path: string): DatabaseSync {
  return openDurable(path, SCHEMA, (db) => {
    checkVersion(db, path, APPLICATION_ID, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION);
    if (pragma(db, "user_version") === SCHEMA_VERSION) return;
    db.exec(`BEGIN IMMEDIATE; ${MIGRATION} COMMIT`);
  });
}

/** As durable as a log. */
export function openWitnessFile(path: string): DatabaseSync {
  return openDurable(path, WITNESS_SCHEMA, (db) => {
    checkVersion(db, path, WITNESS_APPLICATION_ID, WITNESS_SCHEMA_VERSION);
  });
}

/** `check` is told a database with tables. */
function openDurable(path: string, schema: string, check: (db: DatabaseSync) => void): DatabaseSync {
  createPrivately(path);
  refuseOtherReaders(path, "chmod 600");
  const db = new DatabaseSync(path, { timeout: 5000, allowExtension: false });
  try {
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    db.exec(`PRAGMA wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`);
    db.exec("PRAGMA trusted_schema = OFF");
    db.exec("PRAGMA secure_delete = FAST"); // a page that is split keeps no copy of what a redaction may have to erase
    // a database that is opened again runs with the compiled-in default: set on every open, and not believed unseen
    if (pragma(db, "journal_mode") !== "wal" || pragma(db, "synchronous") !== FULL)
      throw new SluiceError("log-failed", "SQLite does not sync every commit, so no answer would be durable.");
    if (isNew(db)) db.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`);
    check(db);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

export type InsertedRow = readonly SQLInputValue[];

/** Each call of a statement costs half as much as a row that it writes. */
const ROWS_A_STATEMENT = 8;

/** Inserts rows, several with one statement; `insert` is `INSERT INTO table (its columns)`. */
export function rowsInto(db: DatabaseSync, insert: string): (rows: readonly InsertedRow[]) => void {
  const row = `(${insert.split(",").map(() => "?")})`;
  const one = db.prepare(`${insert} VALUES ${row}`);
  const several = db.prepare(`${insert} VALUES ${Array.from({ length: ROWS_A_STATEMENT }, () => row)}`);
  return (rows) => {
    let at = 0;
    for (; at + ROWS_A_STATEMENT <= rows.length; at += ROWS_A_STATEMENT)
      several.run(...rows.slice(at, at + ROWS_A_STATEMENT).flat());
    for (; at < rows.length; at++) one.run(...(rows[at] as InsertedRow));
  };
}

/** The file of a search index, made where there is none. Never waits for another that writes it. */
export function openSearchFile(path: string): DatabaseSync {
  createPrivately(path);
  const db = new DatabaseSync(path, { timeout: 0, allowExtension: false });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF");
    if (isNew(db)) db.exec(`BEGIN IMMEDIATE; ${SEARCH_SCHEMA} COMMIT`);
    checkVersion(db, path, SEARCH_APPLICATION_ID, SEARCH_SCHEMA_VERSION);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** @throws `log-missing`, `log-version-unknown`, and what readFailure() names */
export function openForReading(path: string): DatabaseSync {
  if (!existsSync(path)) throw new SluiceError("log-missing", `There is no log at ${path}.`);
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000, allowExtension: false });
  try {
    db.exec("PRAGMA trusted_schema = OFF");
    if (isNew(db)) throw new SluiceError("log-corrupt", `${path} is empty: no log begins in it.`);
    checkVersion(db, path, APPLICATION_ID, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION);
    const says = (json: unknown, words: unknown) => Number(saysAll(json, String(words).split(" ")));
    db.function(SAYS_WORDS, { deterministic: true }, says);
    return db;
  } catch (cause) {
    db.close();
    throw readFailure(cause);
  }
}

/** The pages of the database do not hold together any more, or its first one is not that of a database. */
export function isStorageDamage(cause: unknown): boolean {
  const code = sqliteCode(cause);
  if (code === null) return false;
  return code % 256 === SQLITE_CORRUPT || code === SQLITE_NOTADB || (cause as Error).message === DAMAGED_FORMAT;
}

/** What a failure of SQLite is called where nothing was to be written. What is none stays what it is. */
export function readFailure(cause: unknown): unknown {
  if (sqliteCode(cause) === null) return cause;
  if (isStorageDamage(cause)) return storageFailure(cause);
  const details: ErrorDetails = { retryable: true, cause };
  if (isFull(cause))
    return new SluiceError("log-full", "There is no space left beside the log; reading it needs a little.", details);
  return new SluiceError("log-unreadable", `The log could not be read: ${(cause as Error).message}.`, details);
}

export function storedHashes(db: DatabaseSync): HashSource {
  const leaves = db.prepare("SELECT hash FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx");
  const subtrees = db.prepare("SELECT hash FROM hashes WHERE level = ? AND n >= ? AND n < ? ORDER BY n");
  for (const select of [leaves, subtrees]) select.setReturnArrays(true);
  return (level, start, count) => {
    const end = start + count;
    const rows = level === 0 ? leaves.all(start, end) : subtrees.all(level, start, end);
    return (rows as unknown as [Uint8Array][]).map(([hash]) => hash);
  };
}

const JOINED_HASHES = "SELECT unhex(group_concat(hex(hash), '')) AS hashes FROM";

/** Hashes of leaves [start, end), one after the other. */
export function storedLeaves(db: DatabaseSync): (start: number, end: number) => Uint8Array {
  const select = db.prepare(`${JOINED_HASHES} (SELECT hash FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx)`);
  return (start, end) => (select.get(start, end)?.["hashes"] ?? new Uint8Array(0)) as Uint8Array;
}

/** A row a tile: 256 rows of their own take twice as long to hand over. */
export function storedTiles(db: DatabaseSync): TileSource {
  const leaves = storedLeaves(db);
  const subtrees = db.prepare(
    `${JOINED_HASHES} (SELECT hash FROM hashes WHERE level = ? AND n >= ? AND n < ? ORDER BY n)`,
  );
  return ({ level, position, width }) => {
    const [start, end] = [position * TILE_WIDTH, position * TILE_WIDTH + width];
    if (level === 0) return leaves(start, end);
    return (subtrees.get(level, start, end)?.["hashes"] ?? new Uint8Array(0)) as Uint8Array;
  };
}

/** Bytes inside the file that are written again before it grows. */
export function reusableBytes(path: string): number {
  const db = openForReading(path);
  try {
    return Number(pragma(db, "freelist_count")) * Number(pragma(db, "page_size"));
  } finally {
    db.close();
  }
}

/** What a failure of SQLite or of the file system is called. */
export function storageFailure(cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const details: ErrorDetails = { retryable: true, cause };
  if (isFull(cause))
    return new SluiceError("log-full", "There is no space left to record a decision; nothing was recorded.", details);
  if (isStorageDamage(cause))
    return new SluiceError("log-corrupt", "The log's database is damaged: bytes are missing or changed.", { cause });
  return new SluiceError("log-failed", "The log could not be written; nothing was recorded.", details);
}

function isFull(cause: unknown): boolean {
  const code = sqliteCode(cause) ?? 0;
  const errno = (cause as NodeJS.ErrnoException | null)?.code;
  return code % 256 === SQLITE_FULL || code === SQLITE_IOERR_SHMSIZE || errno === "ENOSPC" || errno === "EDQUOT";
}

/** After a failed fsync the kernel may have dropped the pages: only a new process may look at the file again. */
export function isSyncFailure(cause: unknown): boolean {
  return sqliteCode(cause) === SQLITE_IOERR_FSYNC;
}

function sqliteCode(cause: unknown): number | null {
  const code = (cause as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code : null;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function isNew(db: DatabaseSync): boolean {
  return pragma(db, "user_version") === 0 && db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] === 0;
}

function checkVersion(db: DatabaseSync, path: string, application: number, oldest: number, newest = oldest): void {
  const version = Number(pragma(db, "user_version"));
  if (pragma(db, "application_id") !== application || version < oldest || version > newest)
    throw new SluiceError("log-version-unknown", `${path} is not a log in a layout that this version of Sluice knows.`);
}

function refuseOtherReaders(path: string, command: string): void {
  if ((statSync(path).mode & 0o077) === 0) return;
  throw new SluiceError("log-readable-by-others", `${path} can be read or written by other users.`, {
    fix: `${command} ${path}`,
  });
}

/** SQLite gives its -wal and -shm files the mode of the database. Never opens a file that is there: see the locks of POSIX. */
function createPrivately(path: string): void {
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, "wx", 0o600));
    chmodSync(path, 0o600);
    syncFolderSync(dirname(path));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw storageFailure(cause);
  }
}
