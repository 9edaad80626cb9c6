/** A client of the toolchain's protocol just large enough to test the process itself, hostile bytes included. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Scope } from "../support/temp.ts";

const HEADER_BYTES = 4;

// biome-ignore lint/suspicious/noExplicitAny: a test reads answers of every shape, and an absent key fails its assertion.
export type Answer = { id: number; ok: boolean; result: any; errors: any[] };

export class ToolchainClient {
  readonly child: ChildProcess;
  #buffer = Buffer.alloc(0);
  #answers: Answer[] = [];
  #waiting: ((answer: Answer | null) => void)[] = [];
  #lastId = 0;
  readonly #closed: Promise<number | null>;

  constructor(binary: string, scope: Scope, args: readonly string[] = []) {
    this.child = spawn(binary, args, { stdio: ["pipe", "pipe", "ignore"], env: {} });
    this.#closed = once(this.child, "close").then(([code]) => {
      for (const give of this.#waiting.splice(0)) give(null);
      return code as number | null;
    });
    this.child.stdin?.on("error", () => undefined);
    this.child.stdout?.on("data", (chunk: Buffer) => this.#receive(chunk));
    scope.after(() => this.child.kill("SIGKILL"));
  }

  /** Sends one request and resolves with its answer, or null when the process ended instead. */
  async ask(op: string, body: object = {}): Promise<Answer | null> {
    return await this.send(JSON.stringify({ ...body, id: ++this.#lastId, op }));
  }

  /** Sends any bytes as a frame; `length` is what the header claims. */
  async send(text: string, length = Buffer.byteLength(text)): Promise<Answer | null> {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(length);
    this.child.stdin?.write(Buffer.concat([header, Buffer.from(text)]));
    return await this.next();
  }

  next(): Promise<Answer | null> {
    const ready = this.#answers.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.child.exitCode !== null) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The exit code once the process is gone; null when a signal ended it. */
  exit(): Promise<number | null> {
    return this.#closed;
  }

  #receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#buffer.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#buffer.readUInt32BE();
      if (this.#buffer.length < end) return;
      const answer = JSON.parse(this.#buffer.toString("utf8", HEADER_BYTES, end)) as Answer;
      this.#buffer = this.#buffer.subarray(end);
      const give = this.#waiting.shift();
      if (give === undefined) this.#answers.push(answer);
      else give(answer);
    }
  }
}
