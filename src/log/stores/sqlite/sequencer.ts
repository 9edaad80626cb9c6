/**
 * The one writer of a log in SQLite. Lives in its own thread; everything in it is synchronous, so a batch is one
 * straight story. What arrives while a batch commits becomes the next batch.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { encodeBase64, equalBytes } from "../../../lib/bytes.ts";
import { SluiceError } from "../../../lib/errors.ts";
import { checkAnchor } from "../../anchor.ts";
import { signCheckpoint } from "../../checkpoint.ts";
import type { Checkpoint } from "../../decision-log.ts";
import { replaceFileSync } from "../../durable.ts";
import { ENTRY_KINDS, type Receipt, VERDICTS } from "../../entry.ts";
import type { PreparedEntry } from "../../leaf.ts";
import { emptyRoot, frontierRoot } from "../../merkle.ts";
import { type NoteSigner, type NoteVerifier, noteVerifier, unsignedBy } from "../../note.ts";
import { type End, type Stage, type StagedEntry, stageGroups } from "../../stage.ts";
import { checkNewestLeaves, newestTileStart, openOwnHead, ownSigner } from "../../stored.ts";
import { type HashSource, storedFrontier } from "../../tree.ts";
import {
  type InsertedRow,
  isSyncFailure,
  lockWriter,
  openForWriting,
  prepareFolder,
  rowsInto,
  storageFailure,
  storedHashes,
} from "./database.ts";
import { SearchIndex } from "./search-index.ts";

export interface WriterOptions {
  readonly path: string;
  readonly origin: string;
  /** Signing key in Go's form; its name is the origin. */
  readonly key: string;
  /** A file on another volume that always holds the newest checkpoint; null for none. */
  readonly anchor: string | null;
  /** A file to publish the newest checkpoint in, for whoever serves the log's folder; null for none. */
  readonly checkpointFile: string | null;
}

export type Outcome = readonly Receipt[] | SluiceError;

/** An open database with its statements and the end of the log as it stands there. */
interface Session {
  readonly db: DatabaseSync;
  readonly hashes: HashSource;
  readonly insert: Record<"entries" | "disclosures" | "hashes", ReturnType<typeof rowsInto>>;
  readonly setHead: StatementSync;
  readonly tails: Map<string, string>;
  end: End;
  head: Checkpoint;
  /** False from the commit until the checkpoint is where others read it. */
  published: boolean;
}

/** Of the search index, between two batches: some milliseconds. */
const INDEX_STEP_ENTRIES = 500;
/** How long a redaction waits for those who still read former pages. */
const LAST_READER_MS = 1000;
/** Whoever reads the anchor or the checkpoint is a process of its own, perhaps of another user; both are public. */
const CHECKPOINT_MODE = 0o644;

export class Sequencer {
  readonly #options: WriterOptions;
  readonly #signer: NoteSigner;
  readonly #keys: readonly NoteVerifier[];
  readonly #lock: DatabaseSync;
  /** null after a failure, until the next batch has recovered. */
  #session: Session | null = null;
  /** Opened when first needed; gone with the session that it reads from. */
  #index: SearchIndex | null = null;
  /** Set when only a new process may look at the files again. */
  #poisoned: SluiceError | null = null;

  /** @throws every refusal of DecisionLog's opening: see openLog() */
  constructor(options: WriterOptions) {
    this.#options = options;
    this.#signer = ownSigner(options.origin, options.key);
    this.#keys = this.#signer.vkeys.map(noteVerifier);
    prepareFolder(options.path);
    this.#lock = lockWriter(options.path);
    try {
      this.#session = this.#recover();
      this.#publish(this.#session);
    } catch (cause) {
      this.close();
      throw storageFailure(cause);
    }
  }

  /**
   * Records groups of entries, each group whole or not at all, in one transaction. Crash order:
   *   1 recover, if the last batch failed      2 stage: place, time, previous, hashes
   *   3 compute the root                       4 sign the checkpoint, kept in this function until the commit
   *   5 write entries, hashes, head; COMMIT    <- point of no return
   *   6 publish the checkpoint                 7 acknowledge, by returning
   * A crash before 5 leaves nothing; between 5 and 6, the next opening publishes by the same function.
   */
  commit(groups: readonly (readonly PreparedEntry[])[]): readonly Outcome[] {
    let stage: Stage;
    try {
      const session = this.#ready(); //                                                  1
      stage = stageGroups(session.end, groups, (target) => tailOf(session, target)); //  2
      if (stage.entries.length === 0) return stage.outcomes;
      const { frontier } = stage.end;
      const root = frontierRoot(frontier); //                                            3
      const checkpoint = signCheckpoint(this.#options.origin, frontier.size, root, this.#signer); // 4
      this.#write(session, stage, checkpoint); //                                        5
      this.#publish(this.#ready()); //                                                   6
    } catch (cause) {
      const failure = storageFailure(cause);
      return groups.map(() => failure);
    }
    return stage.outcomes; //                                                            7
  }

  /**
   * Records one entry and, in the same transaction, takes away what `erase` takes away beside the tree, in the steps of
   * commit(). Freed bytes are overwritten, and the write-ahead log, which still holds the former pages, is emptied as far
   * as no reader needs it. @throws as append() rejects
   */
  redact(entry: PreparedEntry, erase: (db: DatabaseSync) => void): Receipt {
    try {
      const session = this.#ready();
      const stage = stageGroups(session.end, [[entry]], (target) => tailOf(session, target));
      const [outcome = []] = stage.outcomes;
      if (outcome instanceof SluiceError) throw outcome;
      const { frontier } = stage.end;
      const checkpoint = signCheckpoint(this.#options.origin, frontier.size, frontierRoot(frontier), this.#signer);
      requireSecureDelete(session.db);
      this.#write(session, stage, checkpoint, erase);
      this.#publish(this.#ready());
      this.#session?.db.exec(`PRAGMA busy_timeout = ${LAST_READER_MS}; PRAGMA wal_checkpoint(TRUNCATE)`);
      return outcome[0] as Receipt;
    } catch (cause) {
      throw storageFailure(cause);
    }
  }

  /** Brings the search index a step closer; true when more waits. Never throws: the index is only an index. */
  indexTerms(): boolean {
    return this.#followWith((index) => index.follow(INDEX_STEP_ENTRIES));
  }

  /** The same for the words of texts, which come after the terms. */
  indexTexts(): boolean {
    return this.#followWith((index) => index.followTexts(INDEX_STEP_ENTRIES));
  }

  #followWith(step: (index: SearchIndex) => boolean): boolean {
    const session = this.#session;
    if (session === null) return false;
    try {
      this.#index ??= new SearchIndex(this.#options.path, session.db);
      return step(this.#index);
    } catch {
      return false;
    }
  }

  /** It is opened again when next needed, and made anew where its file is gone. */
  forgetIndex(): void {
    this.#index?.close();
    this.#index = null;
  }

  /** Moves the write-ahead log into the database; for idle time. */
  checkpointStorage(): void {
    try {
      this.#session?.db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // it is tried again later; the write-ahead log holds everything meanwhile
    }
  }

  close(): void {
    this.forgetIndex();
    this.#session?.db.close();
    this.#lock.close();
  }

  #ready(): Session {
    if (this.#poisoned !== null) throw this.#poisoned;
    this.#session ??= this.#recover();
    if (!this.#session.published) this.#publish(this.#session);
    return this.#session;
  }

  /** Opening and recovering are one thing: only what storage proves is believed. */
  #recover(): Session {
    const db = openForWriting(this.#options.path);
    try {
      const session = this.#load(db);
      this.#checkAnchor(session);
      this.#signAnew(session);
      return session;
    } catch (cause) {
      db.close();
      throw cause;
    }
  }

  /** The end of the log, its head verified and its newest tile re-hashed; bounded work whatever the size. */
  #load(db: DatabaseSync): Session {
    const row = db.prepare("SELECT size, note FROM head").get();
    if (row === undefined) this.#begin(db);
    const note = String(row?.["note"] ?? db.prepare("SELECT note FROM head").get()?.["note"]);
    const head = openOwnHead(note, this.#options.origin, this.#keys);
    const hashes = storedHashes(db);
    const frontier = storedFrontier(hashes, head.size);
    if (!equalBytes(frontierRoot(frontier), head.root) || count(db) !== head.size)
      throw new SluiceError("log-corrupt", "The stored entries do not agree with the log's signed head.");
    checkNewestTile(db, hashes, head.size);
    const time = Number(db.prepare("SELECT time FROM entries ORDER BY idx DESC LIMIT 1").get()?.["time"] ?? 0);
    return {
      db,
      hashes,
      insert: {
        entries: rowsInto(db, "INSERT INTO entries (idx, time, target, kind, verdict, hash, bytes)"),
        disclosures: rowsInto(db, "INSERT INTO disclosures (idx, terms, json)"),
        hashes: rowsInto(db, "INSERT INTO hashes (level, n, hash)"),
      },
      setHead: db.prepare("UPDATE head SET size = ?, note = ?, anchored = max(anchored, ?)"),
      tails: new Map(),
      end: { frontier, time },
      head,
      published: false,
    };
  }

  /** An empty log is signed too: from its first moment it belongs to one origin and one key. */
  #begin(db: DatabaseSync): void {
    if (count(db) > 0) throw new SluiceError("log-corrupt", "The log has entries but no signed head.");
    const { note } = signCheckpoint(this.#options.origin, 0, emptyRoot(), this.#signer);
    db.prepare("INSERT INTO head (one, size, note, anchored) VALUES (1, 0, ?, 0)").run(note);
  }

  /** A head that a new key has not signed yet is signed by all of them: from now on either convinces whoever knows it. */
  #signAnew(session: Session): void {
    const { size, root, note } = session.head;
    if (unsignedBy(note, this.#signer)?.length === 0) return;
    session.head = signCheckpoint(this.#options.origin, size, root, this.#signer);
    session.db.prepare("UPDATE head SET note = ? WHERE size = ?").run(session.head.note, size);
  }

  #checkAnchor({ db, head, hashes }: Session): void {
    const { anchor } = this.#options;
    if (anchor === null) return;
    const anchored = db.prepare("SELECT anchored FROM head").get()?.["anchored"] === 1;
    checkAnchor(anchor, head, anchored, hashes, this.#keys);
  }

  #write(session: Session, stage: Stage, checkpoint: Checkpoint, more: (db: DatabaseSync) => void = () => {}): void {
    const { db, insert } = session;
    try {
      db.exec("BEGIN IMMEDIATE");
      insert.entries(stage.entries.map(entryRow));
      insert.disclosures(stage.entries.map(({ index, prepared: { terms, disclosed } }) => [index, terms, disclosed]));
      insert.hashes(stage.hashes.map(({ level, n, hash }) => [level, n, hash]));
      session.setHead.run(checkpoint.size, checkpoint.note, this.#options.anchor === null ? 0 : 1);
      more(db);
      db.exec("COMMIT");
    } catch (cause) {
      if (this.#isCommitted(session, checkpoint, cause)) return;
      throw cause;
    }
    session.end = stage.end;
    session.head = checkpoint;
    session.published = false;
    for (const [target, hash] of stage.tails) session.tails.set(target, hash);
  }

  /** A failed commit may have happened all the same. Nothing in memory is believed: storage says which it was. */
  #isCommitted({ db }: Session, checkpoint: Checkpoint, cause: unknown): boolean {
    this.#session = null;
    this.forgetIndex();
    db.close();
    if (isSyncFailure(cause)) this.#poisoned = storageFailure(cause);
    if (this.#poisoned !== null) return false;
    try {
      this.#session = this.#recover();
    } catch (again) {
      const message =
        "The log could not be written, and storage does not answer whether the last entries were recorded.";
      throw new SluiceError("log-failed", message, { retryable: true, cause: again }); // the next batch recovers
    }
    return this.#session.head.note === checkpoint.note;
  }

  /** Idempotent: writes the head that storage holds to where others read it. @throws `log-unpublished` */
  #publish(session: Session): void {
    try {
      for (const file of [this.#options.anchor, this.#options.checkpointFile])
        if (file !== null) replaceFileSync(file, session.head.note, CHECKPOINT_MODE);
    } catch (cause) {
      const message = "The log's checkpoint could not be published; entries that are recorded do not count yet.";
      throw new SluiceError("log-unpublished", message, { retryable: true, cause });
    }
    session.published = true;
  }
}

function entryRow({ index, time, hash, bytes, prepared }: StagedEntry): InsertedRow {
  return [index, time, prepared.target, prepared.kind, prepared.verdict, hash, bytes];
}

/** Set and read back: with FAST, whole pages that are freed would keep what they held. */
function requireSecureDelete(db: DatabaseSync): void {
  const { secure_delete: mode } = db.prepare("PRAGMA secure_delete = ON").get() ?? {};
  if (mode !== 1) throw new SluiceError("log-failed", "SQLite does not overwrite what is erased.");
}

function checkNewestTile(db: DatabaseSync, hashes: HashSource, size: number): void {
  const start = newestTileStart(size);
  const rows = db.prepare("SELECT bytes FROM entries WHERE idx >= ? ORDER BY idx").all(start);
  const leaves = rows.map(({ bytes }) => bytes as Uint8Array);
  checkNewestLeaves(start, leaves, hashes(0, start, size - start));
}

function count(db: DatabaseSync): number {
  const last = db.prepare("SELECT max(idx) AS entry FROM entries").get()?.["entry"] ?? null;
  return last === null ? 0 : Number(last) + 1;
}

function tailOf({ db, hashes, tails }: Session, target: string): string | null {
  const known = tails.get(target);
  if (known !== undefined) return known;
  const newest = db.prepare("SELECT max(idx) AS idx FROM entries WHERE target = ? AND kind = ? AND verdict IS ?");
  const lanes = ENTRY_KINDS.flatMap((kind) => [...VERDICTS, null].map((verdict) => [kind, verdict] as const));
  const indexes = lanes.map(([kind, verdict]) => Number(newest.get(target, kind, verdict)?.["idx"] ?? -1));
  const [hash] = hashes(0, Math.max(...indexes), 1);
  return hash === undefined ? null : encodeBase64(hash);
}
