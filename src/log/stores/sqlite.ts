/** The log in one SQLite file: a writing thread of its own, reading on the caller's. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { SluiceError } from "../../lib/errors.ts";
import { siblingModule } from "../../lib/sibling-module.ts";
import type { Clock } from "../../lib/time.ts";
import type { EntryDraft, Erasure, Receipt } from "../entry.ts";
import { type PreparedEntry, prepareEntry } from "../leaf.ts";
import { thrifty } from "../noise.ts";
import { noteSigner, noteVerifier } from "../note.ts";
import { SqliteReader } from "./sqlite/reader.ts";
import type { WriterOptions } from "./sqlite/sequencer.ts";
import type { FromWriter, Refusal, ToWriter } from "./sqlite/writer.ts";

export interface SqliteLogOptions extends WriterOptions {
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
}

/** The writer starts on so many while the next are still being hashed here; with fewer, it would sync more often. */
const GATHERED_GROUPS = 32;

/** A group that waits for its answer. */
interface Waiting {
  resolve(receipts: readonly Receipt[]): void;
  reject(refusal: SluiceError): void;
}

export class SqliteLog extends SqliteReader {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Uint8Array;
  /** In the order in which the writer answers. */
  readonly #waiting: Waiting[] = [];
  /** Groups of this turn of the event loop that have not gone to the writer yet. */
  #gathered: (readonly PreparedEntry[])[] = [];
  #ended: SluiceError | null = null;

  /** @throws every refusal of the writer's opening */
  static async open(options: SqliteLogOptions): Promise<SqliteLog> {
    const { clock, random, ...writerOptions } = options;
    const { vkeys } = noteSigner(options.key);
    const worker = new Worker(siblingModule(import.meta.url, "sqlite/writer"), {
      workerData: writerOptions,
      name: "log-writer",
    });
    const first = await firstMessage(worker);
    if (first.kind === "refused") throw errorOf(first.refusal);
    try {
      return new SqliteLog(options, worker, vkeys);
    } catch (cause) {
      await worker.terminate();
      throw cause;
    }
  }

  private constructor(options: SqliteLogOptions, worker: Worker, vkeys: readonly string[]) {
    super({ path: options.path, origin: options.origin, keys: vkeys.map(noteVerifier) });
    this.#worker = worker;
    this.#clock = options.clock;
    this.#random = thrifty(options.random);
    worker.on("message", (message: FromWriter) => this.#answer(message));
    worker.on("error", (cause) => this.#end(new SluiceError("log-failed", "The log's writer stopped.", { cause })));
    worker.on("exit", () => this.#end(new SluiceError("log-closed", "The log is closed.")));
    worker.unref(); // an open log alone keeps no process alive; one that owes an answer does
  }

  override async append(draft: EntryDraft): Promise<Receipt> {
    const [receipt] = await this.appendAll([draft]);
    return receipt as Receipt;
  }

  override async appendAll(drafts: readonly EntryDraft[]): Promise<readonly Receipt[]> {
    if (drafts.length === 0) return [];
    const group = drafts.map((draft) => prepareEntry(draft, this.#clock(), this.#random));
    if (this.#ended !== null) throw this.#ended;
    if (this.#gathered.length === 0) setImmediate(() => this.#send());
    this.#gathered.push(group);
    if (this.#gathered.length === GATHERED_GROUPS) this.#send();
    return this.#answered();
  }

  async redact(draft: EntryDraft, erasures: readonly Erasure[]): Promise<Receipt> {
    const entry = prepareEntry(draft, this.#clock(), this.#random);
    if (this.#ended !== null) throw this.#ended;
    this.#send();
    this.#worker.postMessage({ kind: "redact", entry, erasures } satisfies ToWriter);
    const [receipt] = await this.#answered();
    this.forgetIndex();
    return receipt as Receipt;
  }

  /** The answer to what was given to the writer last. */
  #answered(): Promise<readonly Receipt[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) this.#worker.ref();
    });
  }

  /** What was appended before is still recorded; what comes after is refused with `log-closed`. */
  override async close(): Promise<void> {
    if (this.#ended === null) {
      this.#send();
      this.#ended = new SluiceError("log-closed", "The log is closed.");
      const exit = new Promise((resolve) => this.#worker.once("exit", resolve));
      this.#worker.ref();
      await super.close(); // before the writer's connection, which, as the last one, empties the write-ahead log
      this.#worker.postMessage({ kind: "close" } satisfies ToWriter);
      await exit;
    }
    await super.close();
  }

  #send(): void {
    const groups = this.#gathered;
    this.#gathered = [];
    if (groups.length > 0) this.#worker.postMessage({ kind: "append", groups } satisfies ToWriter);
  }

  #answer(message: FromWriter): void {
    if (message.kind !== "done") return;
    for (const outcome of message.outcomes) {
      const waiting = this.#waiting.shift();
      if ("code" in outcome) waiting?.reject(errorOf(outcome));
      else waiting?.resolve(outcome);
    }
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  #end(reason: SluiceError): void {
    this.#ended ??= reason;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}

async function firstMessage(worker: Worker): Promise<FromWriter> {
  const listening = new AbortController();
  const options = { signal: listening.signal };
  const stopped = (cause?: unknown) => new SluiceError("log-failed", "The log's writer did not start.", { cause });
  try {
    return await Promise.race([
      once(worker, "message", options).then(([message]) => message as FromWriter),
      once(worker, "exit", options).then(() => Promise.reject(stopped())),
    ]);
  } catch (cause) {
    throw cause instanceof SluiceError ? cause : stopped(cause);
  } finally {
    listening.abort();
  }
}

function errorOf({ code, message, fix, retryable, cause }: Refusal): SluiceError {
  return new SluiceError(code, message, { fix, retryable, ...(cause === null ? {} : { cause: new Error(cause) }) });
}
