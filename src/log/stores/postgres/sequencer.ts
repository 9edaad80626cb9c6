/**
 * One replica's turns at a log in PostgreSQL. Whoever holds the lock of the head's row sequences; there is no leader.
 * Nothing of the log's end is remembered from one turn to the next but what a restored backup is told by.
 */
import { type Client, escapeLiteral } from "pg";
import { encodeBase64, equalBytes } from "../../../lib/bytes.ts";
import { SluiceError } from "../../../lib/errors.ts";
import { checkContinues, readAnchor } from "../../anchor.ts";
import { signCheckpoint } from "../../checkpoint.ts";
import type { Checkpoint } from "../../decision-log.ts";
import { replaceFile } from "../../durable.ts";
import type { Erasure, Receipt } from "../../entry.ts";
import type { PreparedEntry } from "../../leaf.ts";
import { decompose, emptyRoot, type Frontier, frontierRoot, HASH_BYTES } from "../../merkle.ts";
import { type NoteSigner, type NoteVerifier, noteVerifier } from "../../note.ts";
import type { EntryRow } from "../../rows.ts";
import { type End, type Stage, type StagedEntry, stageGroups } from "../../stage.ts";
import { checkNewestLeaves, newestTileStart, openOwnHead, ownSigner } from "../../stored.ts";
import { storedFrontier, storedRoot } from "../../tree.ts";
import {
  connect,
  DURABILITY_COLUMNS,
  drop,
  hangUp,
  isBrokenConnection,
  type PostgresPlace,
  requireDurable,
  results,
  rows,
  sendWithCopies,
  storageFailure,
} from "./connection.ts";
import { copyRows, int4, int8 } from "./copy.ts";
import { erase, vacuum } from "./erase.ts";
import { fetchHashes, runsOfRoots } from "./hashes.ts";
import { migrate } from "./layout.ts";
import { COPY_ENTRIES, copiedEntries } from "./rows.ts";

export interface SequencerOptions {
  readonly place: PostgresPlace;
  readonly origin: string;
  /** Signing key in Go's form; its name is the origin. */
  readonly key: string;
  /** This replica's own file on another volume that holds a newest checkpoint it saw; null for none. */
  readonly anchor: string | null;
  /** A file to publish the newest checkpoint in; null for none. */
  readonly checkpointFile: string | null;
}

export type Outcome = readonly Receipt[] | SluiceError;

/** The end of the log as it stands while this replica holds the head. */
interface Turn {
  readonly head: Checkpoint;
  readonly end: End;
  readonly tails: ReadonlyMap<string, string>;
}

/** How often, and how long apart, PostgreSQL is asked whether a commit happened of which the answer was lost. */
const QUESTIONS = 9;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2000;
const CHECKPOINT_MODE = 0o644;

const HEAD_COLUMNS = "size, time, encode(frontier, 'base64') AS frontier, note";

interface HeadRow {
  readonly size: string;
  readonly time: string;
  readonly frontier: string;
  readonly note: string;
}

export class PostgresSequencer {
  readonly #options: SequencerOptions;
  readonly #signer: NoteSigner;
  readonly #keys: readonly NoteVerifier[];
  /** null until the next turn connects. */
  #client: Client | null = null;
  /** The newest head that this replica saw; every later one contains it. */
  #seen: Checkpoint | null = null;
  /** The head that still has to be written to the anchor. */
  #unpublished: Checkpoint | null = null;

  /** @throws every refusal of openLog() */
  static async open(options: SequencerOptions): Promise<PostgresSequencer> {
    const sequencer = new PostgresSequencer(options);
    try {
      await sequencer.#ready();
      sequencer.#keepAlive(false);
      return sequencer;
    } catch (cause) {
      await sequencer.close();
      throw storageFailure(cause);
    }
  }

  private constructor(options: SequencerOptions) {
    this.#options = options;
    this.#signer = ownSigner(options.origin, options.key);
    this.#keys = this.#signer.vkeys.map(noteVerifier);
  }

  /**
   * Records groups of entries, each group whole or not at all, in one transaction. Crash order:
   *   1 lock the head: its end is where the next entry goes       2 stage: place, time, previous, hashes
   *   3 compute the root                                          4 sign the checkpoint
   *   5 write entries, hashes, head; COMMIT                       <- point of no return, and the head's readers see it
   *   6 write the anchor, where there is one                      7 acknowledge, by returning
   * A crash before 5 leaves nothing: PostgreSQL ends the transaction with its connection. When the answer to 5 is lost,
   * the head is locked again, which waits for the end of that transaction, and its first entry tells which end it was.
   */
  async commit(groups: readonly (readonly PreparedEntry[])[]): Promise<readonly Outcome[]> {
    this.#keepAlive(true);
    try {
      const { stage, checkpoint } = await this.#stage(groups); //    1 to 4
      if (stage.entries.length === 0) return stage.outcomes;
      await this.#write(stage, checkpoint); //                       5
      await this.#publish(); //                                      6
      return stage.outcomes; //                                      7
    } catch (cause) {
      const failure = storageFailure(cause);
      return groups.map(() => failure);
    } finally {
      this.#keepAlive(false);
    }
  }

  /** Records one entry and takes away what it erases, in one transaction and in the steps of commit(). @throws as append() rejects */
  async redact(entry: PreparedEntry, erasures: readonly Erasure[]): Promise<Receipt> {
    this.#keepAlive(true);
    try {
      const { stage, checkpoint } = await this.#stage([[entry]]);
      const [outcome = []] = stage.outcomes;
      if (outcome instanceof SluiceError) throw outcome;
      await this.#erase(erasures);
      await this.#write(stage, checkpoint);
      await this.#publish();
      if (this.#client !== null) await vacuum(this.#client);
      return outcome[0] as Receipt;
    } catch (cause) {
      throw storageFailure(cause);
    } finally {
      this.#keepAlive(false);
    }
  }

  async #erase(erasures: readonly Erasure[]): Promise<void> {
    try {
      await erase(await this.#ready(), erasures);
    } catch (cause) {
      this.#disconnect(); // and with it the transaction
      throw cause;
    }
  }

  /** An open log alone keeps no process alive; one that owes an answer does. */
  #keepAlive(isNeeded: boolean): void {
    const client = this.#client as (Client & { ref(): void; unref(): void }) | null;
    if (isNeeded) client?.ref();
    else client?.unref();
  }

  async close(): Promise<void> {
    this.#keepAlive(true); // or the process ends while it says farewell
    const client = this.#client;
    this.#client = null;
    if (client !== null) await hangUp(client);
  }

  async #stage(groups: readonly (readonly PreparedEntry[])[]): Promise<{ stage: Stage; checkpoint: Checkpoint }> {
    const targets = new Set(groups.flatMap((group) => group.flatMap(({ target }) => target ?? [])));
    const turn = await this.#takeTurn([...targets]);
    try {
      const stage = stageGroups(turn.end, groups, (target) => turn.tails.get(target) ?? null);
      if (stage.entries.length === 0) this.#disconnect();
      const { frontier } = stage.end;
      const root = frontierRoot(frontier);
      return { stage, checkpoint: signCheckpoint(this.#options.origin, frontier.size, root, this.#signer) };
    } catch (cause) {
      this.#disconnect();
      throw cause;
    }
  }

  /** A connection that broke since the last turn is found out here, before anything was sent: once more on a new one. */
  async #takeTurn(targets: readonly string[]): Promise<Turn> {
    const isFresh = this.#client === null;
    try {
      return await this.#lock(await this.#ready(), targets);
    } catch (cause) {
      this.#disconnect();
      if (isFresh || !isBrokenConnection(cause)) throw cause;
    }
    try {
      return await this.#lock(await this.#ready(), targets);
    } catch (cause) {
      this.#disconnect();
      throw cause;
    }
  }

  /** Each statement sees what was committed before it: the tails are those of the head that was waited for. */
  async #lock(client: Client, targets: readonly string[]): Promise<Turn> {
    const names = targets.map((target) => escapeLiteral(target)).join(", ");
    const [, head, tails] = await results(
      client,
      `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ${HEAD_COLUMNS}, ${DURABILITY_COLUMNS} FROM head FOR UPDATE; SELECT target, hash FROM tails WHERE target IN (${names || "NULL"})`,
    );
    const row = head?.rows[0];
    if (row === undefined) throw new SluiceError("log-corrupt", "The log has no signed head.");
    requireDurable(row);
    const checkpoint = this.#openHead(row);
    this.#noteSeen(checkpoint);
    const end = { frontier: frontierOf(row, checkpoint), time: Number(row.time) };
    return { head: checkpoint, end, tails: new Map(tails?.rows.map(({ target, hash }) => [target, hash])) };
  }

  #openHead({ note, size }: HeadRow): Checkpoint {
    const seen = this.#seen;
    const head = seen?.note === note ? seen : openOwnHead(note, this.#options.origin, this.#keys);
    if (head.size !== Number(size)) throw new SluiceError("log-corrupt", "The log's head contradicts its own note.");
    return head;
  }

  /** A log that became shorter is an older copy. What else may have changed, a new connection looks for. */
  #noteSeen(head: Checkpoint): void {
    const seen = this.#seen;
    if (seen !== null) checkContinues(seen, head, (size) => (size === head.size ? head : seen).root, "this replica");
    this.#seen = head;
  }

  async #write(stage: Stage, checkpoint: Checkpoint): Promise<void> {
    const client = await this.#ready();
    const { entries, hashes, tails, end } = stage;
    const isAnchored = this.#options.anchor !== null;
    const first = entries[0]?.index ?? 0;
    const levels = hashes.map(({ level, n, hash }) => [int4(level), int8(n), hash] as const);
    const newest = [...tails].map(([target, hash]) => `(${escapeLiteral(target)}, ${escapeLiteral(hash)})`);
    const statements = [
      ...COPY_ENTRIES,
      ...(levels.length === 0 ? [] : ["COPY hashes (level, n, hash) FROM STDIN (FORMAT binary)"]),
      ...(newest.length === 0
        ? []
        : [
            `INSERT INTO tails (target, hash) VALUES ${newest} ON CONFLICT (target) DO UPDATE SET hash = excluded.hash`,
          ]),
      `WITH swapped AS (UPDATE head SET ${headValues(end, checkpoint)}, anchored = anchored OR ${isAnchored} WHERE size = ${first} RETURNING 1) SELECT 1 / count(*) FROM swapped`, // divides by zero unless it is that head
      "COMMIT",
    ];
    const copies = [...copiedEntries(entries.map(entryRow)), ...(levels.length === 0 ? [] : [copyRows(levels)])];
    try {
      const tag = await sendWithCopies(client, statements.join("; "), copies);
      if (tag !== "COMMIT") throw new SluiceError("log-failed", "PostgreSQL did not commit.");
    } catch (cause) {
      if (!(await this.#isCommitted(stage))) throw cause;
    }
    this.#seen = checkpoint;
    this.#unpublished = checkpoint;
  }

  /** Nothing in memory is believed: storage says which it was. The first entry's salted leaf occurs nowhere else. */
  async #isCommitted({ entries }: Stage): Promise<boolean> {
    const [first] = entries;
    let lost: unknown = null;
    for (let question = 0, pause = FIRST_PAUSE_MS; question < QUESTIONS; question++) {
      this.#disconnect();
      try {
        const client = await this.#connected();
        await rows(client, "BEGIN ISOLATION LEVEL READ COMMITTED");
        await rows(client, "SELECT size FROM head FOR UPDATE"); // whoever holds it is done then
        const [found] = await rows<{ hash: Buffer }>(client, "SELECT hash FROM entries WHERE idx = $1", [first?.index]);
        await rows(client, "ROLLBACK");
        return found !== undefined && first !== undefined && equalBytes(found.hash, first.hash);
      } catch (cause) {
        lost = cause;
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
    const message = "PostgreSQL does not answer whether the last entries were recorded.";
    throw new SluiceError("log-failed", message, { retryable: true, cause: lost });
  }

  /** Idempotent. @throws `log-unpublished` */
  async #publish(): Promise<void> {
    const head = this.#unpublished;
    if (head === null) return;
    try {
      for (const file of [this.#options.anchor, this.#options.checkpointFile])
        if (file !== null) await replaceFile(file, head.note, CHECKPOINT_MODE);
    } catch (cause) {
      const message = "The log's checkpoint could not be published; entries that are recorded do not count yet.";
      throw new SluiceError("log-unpublished", message, { retryable: true, cause });
    }
    this.#unpublished = null;
  }

  /** Nothing more is recorded while something is still to be published. */
  async #ready(): Promise<Client> {
    const client = await this.#connected();
    await this.#publish();
    return client;
  }

  /** A connection on which the whole end of the log was checked. */
  async #connected(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    const client = await connect(this.#options.place);
    try {
      await this.#recover(client);
    } catch (cause) {
      drop(client);
      throw cause;
    }
    this.#client = client;
    return client;
  }

  /** With whatever it was doing: PostgreSQL ends the transaction. */
  #disconnect(): void {
    if (this.#client !== null) drop(this.#client);
    this.#client = null;
  }

  /** Only what storage proves is believed; bounded work whatever the size. */
  async #recover(client: Client): Promise<void> {
    const [settings] = await rows<Record<string, unknown>>(client, `SELECT ${DURABILITY_COLUMNS}`);
    requireDurable(settings as Parameters<typeof requireDurable>[0]);
    await migrate(client);
    await this.#begin(client);
    await rows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); // one snapshot, whatever others append
    const head = await this.#checkEnd(client);
    await rows(client, "COMMIT");
    this.#seen = head;
    if (this.#options.anchor !== null || this.#options.checkpointFile !== null) this.#unpublished = head;
  }

  /** An empty log is signed too: from its first moment it belongs to one origin and one key. */
  async #begin(client: Client): Promise<void> {
    const { note } = signCheckpoint(this.#options.origin, 0, emptyRoot(), this.#signer);
    await rows(
      client,
      "INSERT INTO head (one, size, time, frontier, note, anchored) SELECT 1, 0, 0, '', $1, false WHERE NOT EXISTS (SELECT FROM entries) ON CONFLICT DO NOTHING",
      [note],
    );
  }

  async #checkEnd(client: Client): Promise<Checkpoint> {
    const [row] = await rows<HeadRow & { anchored: boolean }>(client, `SELECT ${HEAD_COLUMNS}, anchored FROM head`);
    if (row === undefined) throw new SluiceError("log-corrupt", "The log has entries but no signed head.");
    const head = this.#openHead(row);
    const start = newestTileStart(head.size);
    const newest = { level: 0, start, count: head.size - start };
    const hashes = await fetchHashes(client, [...runsOfRoots([head.size]), newest]);
    const leaves = await rows<{ bytes: Buffer }>(client, "SELECT bytes FROM entries WHERE idx >= $1 ORDER BY idx", [
      start,
    ]);
    const [last] = await rows<{ size: string }>(client, "SELECT coalesce(max(idx) + 1, 0) AS size FROM entries");
    const root = frontierRoot(storedFrontier(hashes, head.size));
    if (!equalBytes(root, head.root) || Number(last?.size) !== head.size)
      throw new SluiceError("log-corrupt", "The stored entries do not agree with the log's signed head.");
    checkNewestLeaves(
      start,
      leaves.map(({ bytes }) => bytes),
      hashes(0, start, newest.count),
    );
    frontierOf(row, head);
    await this.#checkEarlier(client, head, row.anchored);
    return head;
  }

  /** What the anchor and this process remember: a restored backup has less, or other. */
  async #checkEarlier(client: Client, head: Checkpoint, isAnchored: boolean): Promise<void> {
    const { anchor } = this.#options;
    const remembered = anchor === null ? null : readAnchor(anchor, head.origin, isAnchored, this.#keys);
    for (const [earlier, whose] of [[remembered, "its anchor"] as const, [this.#seen, "this replica"] as const]) {
      if (earlier === null) continue;
      const hashes = await fetchHashes(client, runsOfRoots(earlier.size > head.size ? [] : [earlier.size]));
      checkContinues(earlier, head, (size) => storedRoot(hashes, size), whose);
    }
  }
}

/** @throws `log-corrupt` unless it is the right edge of the tree that the head signs */
function frontierOf({ frontier }: HeadRow, head: Checkpoint): Frontier {
  const bytes = Buffer.from(frontier, "base64");
  const hashes = decompose(0, head.size).map(
    (_, at) => new Uint8Array(bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
  );
  const found = { size: head.size, hashes };
  if (bytes.byteLength === hashes.length * HASH_BYTES && equalBytes(frontierRoot(found), head.root)) return found;
  throw new SluiceError("log-corrupt", "The log's head holds other hashes than it signs.");
}

function headValues({ frontier, time }: End, { size, note }: Checkpoint): string {
  const hashes = encodeBase64(Buffer.concat(frontier.hashes));
  return `size = ${size}, time = ${time}, frontier = decode('${hashes}', 'base64'), note = ${escapeLiteral(note)}`;
}

function entryRow({ index, time, hash, bytes, prepared }: StagedEntry): EntryRow {
  const { target, kind, verdict, terms, disclosed: json } = prepared;
  return { index, time, target, kind, verdict, hash, bytes, terms, json };
}
