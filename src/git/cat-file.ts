/**
 * One long-lived `git cat-file --batch-command --buffer`: sizes are asked first, so that nothing too large is ever
 * inflated, then the bodies, many in one round trip. cat-file does not check hashes; objects.ts does.
 *
 *   request  info ID LF | info ID~N LF | contents ID LF | flush LF
 *   answer   ID SP TYPE SP SIZE LF [BODY LF] | NAME SP (missing|ambiguous) LF
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { SluiceError } from "../lib/errors.ts";
import { ANSWER_DEADLINE_MS, MAX_ANSWER_LINE_BYTES } from "./limits.ts";
import { isObjectId } from "./object.ts";
import type { ObjectType } from "./parse.ts";
import { gitFailed, type OwnStore, spawnFailure, startGit, stderrTail } from "./process.ts";

export interface ObjectInfo {
  readonly id: string;
  readonly type: ObjectType;
  readonly size: number;
}

export type InfoAnswer = ObjectInfo | "missing" | "ambiguous";

/** What one answer must be: a header alone, or the header that `info` gave before and then exactly that many bytes. */
type Expected =
  | {
      readonly kind: "info";
      readonly name: string;
      readonly isBelow?: true;
      readonly settle: (answer: InfoAnswer) => void;
    }
  | { readonly kind: "contents"; readonly info: ObjectInfo; readonly settle: (body: Buffer) => void };

const HEADER = /^([0-9a-f]{40}|[0-9a-f]{64}) (commit|tree|blob|tag) (0|[1-9]\d{0,14})$/;
const LF = 0x0a;

/** Restarts once after the child died; a second death is `git-failed` for this and every later question. */
export class CatFile {
  readonly #store: OwnStore;
  #session: Session | null = null;
  #starts = 0;
  #closed = false;

  constructor(store: OwnStore) {
    this.#store = store;
  }

  /** Starts the child before the first question, so that its start overlaps with other work. */
  warm(): void {
    this.#open();
  }

  /** Process id of the running child, null when none runs. */
  get pid(): number | null {
    return this.#session?.pid ?? null;
  }

  /** Answers in the order asked. A name is an id or an abbreviated id. @throws SluiceError `git-failed`, `git-missing` */
  info(names: readonly string[]): Promise<InfoAnswer[]> {
    return this.#ask((session) => session.info(names));
  }

  /** The object and its first `behind` first parents, as git walks them, without a check: a hint what to read next. */
  lineInfo(id: string, behind: number): Promise<InfoAnswer[]> {
    return this.#ask((session) => session.lineInfo(id, behind));
  }

  /** Bodies in the order asked, each of the size that its info says. @throws SluiceError `git-failed` */
  contents(infos: readonly ObjectInfo[]): Promise<Buffer[]> {
    return this.#ask((session) => session.contents(infos));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#session?.close();
  }

  async #ask<T>(question: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#open();
    try {
      return await question(session);
    } catch (error) {
      if (this.#session === session && this.#starts > 1) throw error;
      return question(this.#open());
    }
  }

  #open(): Session {
    if (this.#closed) throw gitFailed("cat-file", "was asked after it was closed", "");
    if (this.#session?.isAlive() === true) return this.#session;
    if (this.#session !== null && this.#starts > 1) throw this.#session.failure();
    this.#starts += 1;
    this.#session = new Session(this.#store);
    return this.#session;
  }
}

/** One life of the child: a queue of expected answers and a parser that takes nothing else. */
class Session {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #stderr: () => string;
  readonly #expected: Expected[] = [];
  readonly #rejections = new Set<(error: SluiceError) => void>();
  readonly #exited: Promise<void>;
  #head = 0;
  #failure: SluiceError | null = null;
  #line: Buffer = Buffer.alloc(0);
  #body: { readonly buffer: Buffer; filled: number } | null = null;
  #silence: NodeJS.Timeout | null = null;

  constructor(store: OwnStore) {
    const child = startGit(store, ["cat-file", "--batch-command", "--buffer"]);
    this.#child = child;
    this.#stderr = stderrTail(child);
    this.#exited = new Promise((resolve) => child.once("close", () => resolve()));
    child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stdin.on("error", () => {}); // a dead child also closes, which is handled below
    child.on("error", (cause) => this.#fail(spawnFailure(cause, store.folder)));
    child.on("close", () => this.#fail(gitFailed("cat-file", "ended unexpectedly", this.#stderr())));
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  isAlive(): boolean {
    return this.#failure === null;
  }

  failure(): SluiceError {
    return this.#failure ?? gitFailed("cat-file", "ended unexpectedly", "");
  }

  info(names: readonly string[]): Promise<InfoAnswer[]> {
    return this.#send(names, (name, settle) => [`info ${name}\n`, { kind: "info", name, settle }]);
  }

  lineInfo(id: string, behind: number): Promise<InfoAnswer[]> {
    const names = Array.from({ length: behind + 1 }, (_, step) => (step === 0 ? id : `${id}~${step}`));
    return this.#send(names, (name, settle) => {
      const expected: Expected = { kind: "info", name, settle };
      return [`info ${name}\n`, name === id ? expected : { ...expected, isBelow: true }];
    });
  }

  contents(infos: readonly ObjectInfo[]): Promise<Buffer[]> {
    return this.#send(infos, (info, settle) => [`contents ${info.id}\n`, { kind: "contents", info, settle }]);
  }

  close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 1_000);
    return this.#exited.finally(() => clearTimeout(timer));
  }

  #send<Q, A>(
    questions: readonly Q[],
    encode: (question: Q, settle: (answer: A) => void) => [string, Expected],
  ): Promise<A[]> {
    if (questions.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      this.#rejections.add(reject);
      const answers: A[] = [];
      const settle = (answer: A): void => {
        answers.push(answer);
        if (answers.length < questions.length) return;
        this.#rejections.delete(reject);
        resolve(answers);
      };
      let text = "";
      for (const question of questions) {
        const [line, expected] = encode(question, settle);
        text += line;
        this.#expected.push(expected);
      }
      this.#child.stdin.write(`${text}flush\n`, "latin1"); // ASCII alone, which needs no conversion
      this.#watchSilence();
    });
  }

  #take(chunk: Buffer): void {
    if (this.#failure !== null) return;
    this.#watchSilence();
    let at = 0;
    while (at < chunk.length && this.#failure === null)
      at = this.#body === null ? this.#takeLine(chunk, at) : this.#takeBody(chunk, at);
    this.#watchSilence();
  }

  #takeLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at);
    const part = chunk.subarray(at, end === -1 ? chunk.length : end);
    const line = this.#line.length === 0 ? part : Buffer.concat([this.#line, part]);
    if (line.length > MAX_ANSWER_LINE_BYTES) this.#refuse();
    if (end === -1) {
      this.#line = Buffer.from(line);
      return chunk.length;
    }
    this.#line = Buffer.alloc(0);
    this.#answerLine(line.toString("latin1"));
    return end + 1;
  }

  #answerLine(line: string): void {
    const expected = this.#expected[this.#head];
    if (expected?.kind === "contents" && line === headerOf(expected.info)) {
      this.#body = { buffer: bufferFor(expected.info), filled: 0 };
      return;
    }
    const match = HEADER.exec(line);
    const info = match === null ? null : { id: match[1] ?? "", type: match[2] as ObjectType, size: Number(match[3]) };
    if (expected?.kind === "info") {
      const answer = info ?? refusalOf(expected.name, line);
      const isOther = info !== null && expected.isBelow !== true && !info.id.startsWith(expected.name);
      if (answer === null || isOther) this.#refuse();
      else this.#settled(() => expected.settle(answer));
    } else {
      this.#refuse();
    }
  }

  #takeBody(chunk: Buffer, at: number): number {
    const body = this.#body;
    const expected = this.#expected[this.#head];
    if (body === null || expected?.kind !== "contents") throw new TypeError("no body is expected");
    const copied = chunk.copy(body.buffer, body.filled, at);
    body.filled += copied;
    if (body.filled < body.buffer.length) return at + copied;
    this.#body = null;
    if (body.buffer.at(-1) === LF) this.#settled(() => expected.settle(body.buffer.subarray(0, -1)));
    else this.#refuse();
    return at + copied;
  }

  #settled(settle: () => void): void {
    this.#head += 1;
    if (this.#head === this.#expected.length) {
      this.#expected.length = 0;
      this.#head = 0;
    }
    settle();
  }

  /** Kills a child that owes an answer and stays silent; a quiet child without questions may wait for ever. */
  #watchSilence(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = null;
    if (this.#expected.length === 0 || this.#failure !== null) return;
    this.#silence = setTimeout(() => this.#child.kill("SIGKILL"), ANSWER_DEADLINE_MS);
  }

  #refuse(): void {
    this.#child.kill("SIGKILL");
    this.#fail(gitFailed("cat-file", "answered something that was not asked", this.#stderr()));
  }

  #fail(error: SluiceError): void {
    this.#failure ??= error;
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#expected.length = 0;
    this.#head = 0;
    this.#body = null;
    for (const reject of this.#rejections) reject(this.#failure);
    this.#rejections.clear();
  }
}

/** Commits are small, many, and stay in this thread: they share memory. What goes to another never shows it a neighbour. */
function bufferFor({ type, size }: ObjectInfo): Buffer {
  return type === "commit" ? Buffer.allocUnsafe(size + 1) : Buffer.allocUnsafeSlow(size + 1);
}

/** What stands before a body: known whole, so that it is compared and not read. */
function headerOf({ id, type, size }: ObjectInfo): string {
  return `${id} ${type} ${size}`;
}

function refusalOf(name: string, line: string): "missing" | "ambiguous" | null {
  if (line === `${name} missing`) return "missing";
  return line === `${name} ambiguous` ? "ambiguous" : null;
}

/** Only ids and their beginnings may be written to cat-file; anything else could be a second command. */
export function isIdPrefix(text: string): boolean {
  return isObjectId(text) || /^[0-9a-f]{7,64}$/.test(text);
}
