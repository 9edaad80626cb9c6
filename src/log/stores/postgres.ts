/** The log in PostgreSQL, for several replicas on one log: any of them may append, none leads. */
import { asSluiceError, SluiceError } from "../../lib/errors.ts";
import type { Clock } from "../../lib/time.ts";
import type { EntryDraft, Erasure, Receipt } from "../entry.ts";
import { type PreparedEntry, prepareEntry } from "../leaf.ts";
import { thrifty } from "../noise.ts";
import { noteSigner, noteVerifier } from "../note.ts";
import { openPool, type PostgresPool } from "./postgres/connection.ts";
import { firstHead, PostgresReader, type PostgresReaderOptions } from "./postgres/reader.ts";
import { followTerms, followTexts } from "./postgres/search-index.ts";
import { type Outcome, PostgresSequencer, type SequencerOptions } from "./postgres/sequencer.ts";

export interface PostgresLogOptions extends SequencerOptions {
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
}

/** A batch takes what waits, up to one of these: the other replicas wait as long as it is being written. */
const MAXIMUM_BATCH_ENTRIES = 1000;
const MAXIMUM_BATCH_CHARACTERS = 16 * 2 ** 20;

/** How long nothing must arrive before the index is brought up to date. */
const IDLE_MS = 20;
/** Without a pause it is brought up to date between batches: queries read what waits for it one by one. */
const MAXIMUM_WAITING_GROUPS = 10_000;
const INDEX_STEP_ENTRIES = 2000;
const TEXT_STEP_ENTRIES = 500;
/** Whoever ends waits for so many steps; the words of the rest are read from the log until the next idle moment. */
const CLOSING_TEXT_STEPS = 4;

/** A group that waits for its answer. */
interface Waiting {
  readonly group: readonly PreparedEntry[];
  /** What its one entry takes away; null where it is no redaction. */
  readonly erasures: readonly Erasure[] | null;
  resolve(receipts: readonly Receipt[]): void;
  reject(refusal: SluiceError): void;
}

export class PostgresLog extends PostgresReader {
  readonly #sequencer: PostgresSequencer;
  readonly #pool: PostgresPool;
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Uint8Array;
  #waiting: Waiting[] = [];
  /** Settles when nothing waits any more; null while nothing does. */
  #running: Promise<void> | null = null;
  #indexing: Promise<void> | null = null;
  #idle: NodeJS.Timeout | undefined;
  #unindexed = 0;
  #isClosed = false;

  /** @throws every refusal of openLog() */
  static async openForWriting(options: PostgresLogOptions): Promise<PostgresLog> {
    const sequencer = await PostgresSequencer.open(options);
    const pool = openPool(options.place);
    try {
      const keys = noteSigner(options.key).vkeys.map(noteVerifier);
      const expected = { place: options.place, origin: options.origin, keys };
      return new PostgresLog(options, expected, sequencer, pool, await firstHead(pool, expected));
    } catch (cause) {
      await sequencer.close();
      await pool.end();
      throw cause;
    }
  }

  private constructor(
    options: PostgresLogOptions,
    expected: PostgresReaderOptions,
    sequencer: PostgresSequencer,
    pool: PostgresPool,
    head: Awaited<ReturnType<typeof firstHead>>,
  ) {
    super(expected, pool, head);
    this.#sequencer = sequencer;
    this.#pool = pool;
    this.#clock = options.clock;
    this.#random = thrifty(options.random);
  }

  override async append(draft: EntryDraft): Promise<Receipt> {
    const [receipt] = await this.appendAll([draft]);
    return receipt as Receipt;
  }

  override async appendAll(drafts: readonly EntryDraft[]): Promise<readonly Receipt[]> {
    if (drafts.length === 0) return [];
    const group = drafts.map((draft) => prepareEntry(draft, this.#clock(), this.#random));
    return this.#enqueue(group, null);
  }

  async redact(draft: EntryDraft, erasures: readonly Erasure[]): Promise<Receipt> {
    const [receipt] = await this.#enqueue([prepareEntry(draft, this.#clock(), this.#random)], erasures);
    return receipt as Receipt;
  }

  async #enqueue(group: readonly PreparedEntry[], erasures: Waiting["erasures"]): Promise<readonly Receipt[]> {
    if (this.#isClosed) throw new SluiceError("log-closed", "The log is closed.");
    const answer = new Promise<readonly Receipt[]>((resolve, reject) => {
      this.#waiting.push({ group, erasures, resolve, reject });
    });
    this.#running ??= this.#run();
    return answer;
  }

  /** What was appended before is still recorded; what comes after is refused with `log-closed`. */
  override async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      await this.#running;
      clearTimeout(this.#idle);
      await this.#indexing;
      await this.#follow((steps) => steps < CLOSING_TEXT_STEPS);
      await this.#sequencer.close();
    }
    await super.close();
  }

  /** What arrives while a batch commits becomes the next batch. */
  async #run(): Promise<void> {
    clearTimeout(this.#idle);
    await new Promise(setImmediate); // what is appended in this turn of the event loop goes together
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      const outcomes = await this.#record(batch);
      for (const [at, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[at] as (typeof outcomes)[number];
        if (outcome instanceof SluiceError) reject(outcome);
        else resolve(outcome);
      }
      this.#unindexed += batch.length;
      if (this.#unindexed > MAXIMUM_WAITING_GROUPS) this.#startIndexing();
    }
    this.#running = null;
    this.#idle = setTimeout(() => this.#startIndexing(), IDLE_MS).unref();
  }

  async #record(batch: readonly Waiting[]): Promise<readonly Outcome[]> {
    const [
      {
        group: [entry],
        erasures,
      } = { group: [], erasures: null },
    ] = batch;
    if (entry === undefined || erasures === null) return this.#sequencer.commit(batch.map(({ group }) => group));
    return [await this.#sequencer.redact(entry, erasures).then((receipt) => [receipt], asSluiceError)];
  }

  /** A redaction is a batch of its own. */
  #nextBatch(): readonly Waiting[] {
    let [count, entries, characters] = [0, 0, 0];
    for (const { group, erasures } of this.#waiting) {
      if (erasures !== null) return this.#waiting.splice(0, Math.max(count, 1));
      entries += group.length;
      for (const { disclosed, terms } of group) characters += disclosed.length + terms.length;
      if (count > 0 && (entries > MAXIMUM_BATCH_ENTRIES || characters > MAXIMUM_BATCH_CHARACTERS)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #startIndexing(): void {
    this.#unindexed = 0;
    const isIdle = () => this.#running === null && !this.#isClosed;
    this.#indexing ??= this.#follow(isIdle).finally(() => {
      this.#indexing = null;
    });
  }

  /** The words come after the terms, while there is time. Never throws: the index is only an index. */
  async #follow(hasTime: (steps: number) => boolean): Promise<void> {
    try {
      while (await followTerms(this.#pool, INDEX_STEP_ENTRIES));
      for (let steps = 0; hasTime(steps) && (await followTexts(this.#pool, TEXT_STEP_ENTRIES)); steps++);
    } catch {
      // queries read what it has not reached
    }
  }
}
