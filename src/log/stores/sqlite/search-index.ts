/**
 * The search index beside a log: which entries carry which term, and which words stand beside them. It follows the log at its own pace and is never
 * believed about what is in the log; what it has not reached yet is read from the log itself.
 */
import { existsSync, rmSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { equalBytes } from "../../../lib/bytes.ts";
import { HASH_BYTES } from "../../merkle.ts";
import { TILE_WIDTH } from "../../tile.ts";
import { groupsOf } from "../../tile-groups.ts";
import { disclosedWords } from "../../words.ts";
import { openSearchFile, rowsInto, storedLeaves } from "./database.ts";

export function searchIndexPath(path: string): string {
  return `${path}.index`;
}

/** The writing side. Two threads may follow one log: each step starts from where the file says it ends. */
export class SearchIndex {
  readonly #db: DatabaseSync;
  readonly #waiting: StatementSync;
  readonly #hash: StatementSync;
  readonly #insert: ReturnType<typeof rowsInto>;
  readonly #setProgress: StatementSync;
  readonly #wordless: StatementSync;
  readonly #insertWords: StatementSync;
  readonly #setTexts: StatementSync;
  readonly #leaves: ReturnType<typeof storedLeaves>;
  readonly #insertGroups: StatementSync;

  /** `log` is an open connection to the log at `path`. An index that is damaged, or of another log, is made anew. */
  constructor(path: string, log: DatabaseSync) {
    this.#db = openOrRenew(searchIndexPath(path), log);
    this.#waiting = log.prepare("SELECT idx, terms FROM disclosures WHERE idx >= ? ORDER BY idx LIMIT ?");
    this.#hash = log.prepare("SELECT hash FROM entries WHERE idx = ?");
    this.#insert = rowsInto(this.#db, "INSERT OR IGNORE INTO terms (kind, value, idx)");
    this.#setProgress = this.#db.prepare("UPDATE progress SET size = ?, hash = ?");
    this.#wordless = log.prepare("SELECT idx, json FROM disclosures WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?");
    this.#insertWords = this.#db.prepare("INSERT INTO texts (rowid, words) VALUES (?, ?)");
    this.#setTexts = this.#db.prepare("UPDATE progress SET texts = ?");
    this.#leaves = storedLeaves(log);
    this.#insertGroups = this.#db.prepare("INSERT OR REPLACE INTO groups (tile, hashes) VALUES (?, ?)");
  }

  /** One step of at most `limit` entries; true when more wait. Throws what SQLite says; then nothing of it is there. */
  follow(limit: number): boolean {
    return this.#inTransaction(({ size }) => {
      const waiting = this.#waiting.all(size, limit);
      const last = waiting.at(-1)?.["idx"];
      this.#insert(rowsOf(waiting));
      if (last !== undefined) this.#setProgress.run(Number(last) + 1, this.#hash.get(last)?.["hash"] ?? null);
      return waiting.length === limit;
    });
  }

  /** The same for the words beside entries and the groups of tiles, as far as the terms have come: `hash` speaks for all. */
  followTexts(limit: number): boolean {
    return this.#inTransaction(({ size, texts }) => {
      const waiting = this.#wordless.all(texts, size, limit);
      const last = waiting.at(-1)?.["idx"];
      for (const { idx, json } of waiting) this.#insertWords.run(Number(idx), [...disclosedWords(json)].join(" "));
      if (last !== undefined) {
        this.#setTexts.run(Number(last) + 1);
        this.#keepGroups(texts, Number(last) + 1);
      }
      return waiting.length === limit;
    });
  }

  /** Of the tiles that become complete between the two sizes. */
  #keepGroups(from: number, to: number): void {
    for (let tile = Math.floor(from / TILE_WIDTH); (tile + 1) * TILE_WIDTH <= to; tile++) {
      const leaves = this.#leaves(tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH);
      if (leaves.byteLength === TILE_WIDTH * HASH_BYTES) this.#insertGroups.run(tile, groupsOf(leaves));
    }
  }

  #inTransaction(work: (progress: { readonly size: number; readonly texts: number }) => boolean): boolean {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const { size, texts } = this.#db.prepare("SELECT size, texts FROM progress").get() ?? {};
      const hasMore = work({ size: Number(size), texts: Number(texts) });
      this.#db.exec("COMMIT");
      return hasMore;
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw cause;
    }
  }

  close(): void {
    this.#db.close();
  }
}

/**
 * Makes the index readable on a reading connection, as the schema `search`. False when there is none, or none of this log:
 * then every term is looked for in the log itself.
 */
export function attachSearchIndex(db: DatabaseSync, path: string): boolean {
  const file = searchIndexPath(path);
  if (!existsSync(file)) return false;
  try {
    db.prepare("ATTACH ? AS search").run(file);
  } catch {
    return false;
  }
  try {
    if (isIndexOf(db, "search.", db)) return true;
  } catch {
    // what cannot be read is as good as absent
  }
  db.exec("DETACH search");
  return false;
}

function openOrRenew(file: string, log: DatabaseSync): DatabaseSync {
  if (existsSync(file)) {
    const db = tryOpen(file);
    if (db !== null && isIndexOf(db, "", log)) return db;
    db?.close();
    for (const suffix of ["-wal", "-shm", ""]) rmSync(file + suffix, { force: true });
  }
  return openSearchFile(file);
}

function tryOpen(file: string): DatabaseSync | null {
  try {
    return openSearchFile(file);
  } catch {
    return null;
  }
}

function isIndexOf(db: DatabaseSync, schema: string, log: DatabaseSync): boolean {
  const { size, hash } = db.prepare(`SELECT size, hash FROM ${schema}progress`).get() ?? {};
  if (size === 0) return true;
  const stored = log.prepare("SELECT hash FROM entries WHERE idx = ?").get(Number(size) - 1)?.["hash"];
  return stored instanceof Uint8Array && hash instanceof Uint8Array && equalBytes(stored, hash);
}

/** Neighbours in the index are written together: four times as fast as in the order of arrival. */
function rowsOf(waiting: readonly Readonly<Record<string, unknown>>[]): readonly (readonly [string, string, number])[] {
  const rows = waiting.flatMap(({ idx, terms }) =>
    (JSON.parse(String(terms)) as [string, string][]).map(([kind, value]) => [kind, value, Number(idx)] as const),
  );
  return rows.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]) || a[2] - b[2]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
