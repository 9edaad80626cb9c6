/** Several threads that verify runs of entries of one database, each over a connection of its own. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { siblingModule } from "../../../lib/sibling-module.ts";
import type { RangeVerification } from "../../verify-range.ts";

const MAXIMUM_THREADS = 8;

export interface ToVerifier {
  readonly start: number;
  readonly end: number;
}

export interface VerifierOptions {
  readonly path: string;
  /** Entries of the log under the head that is verified: what is appended meanwhile is not looked at. */
  readonly size: number;
}

/** Runs of `length` entries, in order. Rejects with what a thread throws; no thread is left when it ends. */
export async function* verifyInThreads(path: string, size: number, length: number): AsyncGenerator<RangeVerification> {
  const count = Math.min(MAXIMUM_THREADS, availableParallelism(), Math.ceil(size / length));
  const threads = Array.from({ length: count }, () => new VerifierThread({ path, size }));
  try {
    const waiting: Promise<RangeVerification>[] = [];
    let next = 0;
    const ask = (thread: VerifierThread) => {
      const answer = thread.verify({ start: next, end: Math.min(next + length, size) });
      answer.catch(() => undefined); // it is awaited in its turn
      waiting.push(answer);
      next += length;
    };
    // Each thread has one run at work and one waiting, and the runs go round, so that answers come in order.
    for (let at = 0; at < 2 * count && next < size; at++) ask(threads[at % count] as VerifierThread);
    for (let at = 0; waiting.length > 0; at++) {
      yield await (waiting.shift() as Promise<RangeVerification>);
      if (next < size) ask(threads[at % count] as VerifierThread);
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

class VerifierThread {
  readonly #worker: Worker;
  readonly #waiting: { resolve(range: RangeVerification): void; reject(cause: unknown): void }[] = [];

  constructor(options: VerifierOptions) {
    this.#worker = new Worker(siblingModule(import.meta.url, "verifier"), {
      workerData: options,
      name: "log-verifier",
    });
    this.#worker.on("message", (range: RangeVerification) => this.#waiting.shift()?.resolve(range));
    this.#worker.on("error", (cause) => this.#fail(cause));
    this.#worker.on("exit", () => this.#fail(new Error("the thread has ended")));
  }

  verify(range: ToVerifier): Promise<RangeVerification> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(range);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(cause: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(cause);
  }
}
