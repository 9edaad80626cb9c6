/**
 * The compiler process (toolchain/cmd/rego): started at the first request, locked by itself before it reads it, killed
 * at a deadline, and replaced after any error and every `maxRequests`. The only file that starts a process besides git/.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { JsonObject } from "../lib/canonical.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import { encodeFrame, FrameReader, malformed } from "./frames.ts";

export type ToolchainOp = "hello" | "inspect" | "check" | "compile" | "test" | "fmt" | "eval" | "yaml" | "selftest";

/** One thing wrong with the files of a request; line and column count from 1, null where the compiler names none. */
export interface ToolchainProblem {
  readonly code: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

export type ToolchainAnswer =
  | { readonly ok: true; readonly result: JsonObject }
  | { readonly ok: false; readonly errors: readonly ToolchainProblem[] };

export interface ToolchainOptions {
  /** Absolute path of the compiler. */
  readonly binary: string;
  /** `none` only where `toolchain.sandbox: none` says so; it marks every decision. */
  readonly sandbox: "seccomp" | "none";
  /** Milliseconds that one request may take, start included. */
  readonly deadlineMs: number;
  /** Requests after which the process is replaced. */
  readonly maxRequests: number;
}

export interface Toolchain {
  /** Processes started so far: a run served by caches leaves it at 0. */
  readonly starts: number;
  /**
   * Requests run one after the other. What is wrong with the given files is an answer (`ok: false`).
   * @throws SluiceError `toolchain-missing`, `toolchain-deadline`, `toolchain-failed`, `sandbox-unavailable`.
   */
  request(op: ToolchainOp, body: JsonObject): Promise<ToolchainAnswer>;
  close(): Promise<void>;
}

/** The optional package for this platform when installed, else what `npm run build` leaves under the package's root. */
export function locateToolchain(root: string): string {
  try {
    const found = createRequire(join(root, "package.json")).resolve(
      `@sluice/toolchain-${process.platform}-${process.arch}/package.json`,
    );
    return join(found, "..", "bin", "rego");
  } catch {
    return join(root, "toolchain", "bin", "rego");
  }
}

export function openToolchain(options: ToolchainOptions): Toolchain {
  let current: CompilerProcess | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let starts = 0;

  async function run(op: ToolchainOp, body: JsonObject): Promise<ToolchainAnswer> {
    if (current === null || current.ended) {
      current = startCompiler(options);
      starts++;
    }
    const compiler = current;
    try {
      const answer = await compiler.ask(op, body, options.deadlineMs);
      if (!answer.ok || compiler.asked >= options.maxRequests) await retire(compiler);
      return answer;
    } catch (thrown) {
      await retire(compiler);
      throw asSluiceError(thrown);
    }
  }

  async function retire(compiler: CompilerProcess): Promise<void> {
    current = null;
    await compiler.kill();
  }

  return {
    get starts() {
      return starts;
    },
    request(op, body) {
      const answer = tail.then(() => run(op, body));
      tail = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      await tail;
      if (current !== null) await retire(current);
    },
  };
}

interface CompilerProcess {
  /** Requests sent to this process. */
  readonly asked: number;
  readonly ended: boolean;
  ask(op: ToolchainOp, body: JsonObject, deadlineMs: number): Promise<ToolchainAnswer>;
  kill(): Promise<void>;
}

interface Waiting {
  readonly id: number;
  resolve(answer: ToolchainAnswer): void;
  reject(error: SluiceError): void;
}

/** Nothing of this process's environment is passed on, and it stands in the root folder. */
function startCompiler(options: ToolchainOptions): CompilerProcess {
  if (!existsSync(options.binary)) throw missing(options.binary);
  const child = spawn(options.binary, options.sandbox === "none" ? ["--sandbox=none"] : [], {
    cwd: "/",
    env: {},
    stdio: ["pipe", "pipe", "ignore"],
  });
  const reader = new FrameReader();
  let waiting: Waiting | null = null;
  let ended: SluiceError | null = null;
  let asked = 0;

  function fail(error: SluiceError): void {
    ended ??= error;
    waiting?.reject(ended);
    waiting = null;
    child.kill("SIGKILL");
  }

  function receive(chunk: Uint8Array): void {
    try {
      for (const frame of reader.push(chunk)) {
        const answer = readAnswer(frame, waiting?.id ?? null);
        waiting?.resolve(answer);
        waiting = null;
      }
    } catch (thrown) {
      fail(asSluiceError(thrown));
    }
  }

  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout?.on("data", receive);
  child.stdin?.on("error", () => undefined);
  child.once("error", (cause) => fail(missing(options.binary, cause)));
  child.once("close", (code, signal) => fail(endedEarly(code, signal)));
  keepAlive(child, false);

  return {
    get asked() {
      return asked;
    },
    get ended() {
      return ended !== null;
    },
    async ask(op, body, deadlineMs) {
      if (ended !== null) throw ended;
      const id = ++asked;
      const frame = encodeFrame({ ...body, id, op });
      keepAlive(child, true);
      const timer = setTimeout(() => fail(deadline(op, deadlineMs)), deadlineMs);
      try {
        return await new Promise<ToolchainAnswer>((resolve, reject) => {
          waiting = { id, resolve, reject };
          child.stdin?.write(frame);
        });
      } finally {
        clearTimeout(timer);
        keepAlive(child, false);
      }
    },
    async kill() {
      child.kill("SIGKILL");
      keepAlive(child, true);
      if (child.pid !== undefined) await gone;
    },
  };
}

/** An idle compiler never keeps this process from ending; it ends itself when its standard input closes. */
function keepAlive(child: ChildProcess, alive: boolean): void {
  for (const handle of [child, child.stdin as Socket | null, child.stdout as Socket | null]) {
    if (alive) handle?.ref();
    else handle?.unref();
  }
}

/** Answers come one per request under its id; id 0 is only for what stops the compiler before its first request. */
function readAnswer(frame: JsonObject, expected: number | null): ToolchainAnswer {
  const { id, ok, result, errors } = frame;
  if (ok === false && Array.isArray(errors)) {
    const problems = errors.map(readProblem);
    const first = problems[0];
    if (first?.code === "sandbox-unavailable") {
      throw new SluiceError("sandbox-unavailable", `The policy compiler could not lock itself away: ${first.message}`);
    }
    if (first !== undefined && id === expected) return { ok: false, errors: problems };
  }
  if (expected === null || id !== expected) throw malformed("an answer that nobody asked for");
  if (ok !== true || !isObject(result)) throw malformed("an answer without a result");
  return { ok: true, result };
}

function readProblem(value: unknown): ToolchainProblem {
  if (!isObject(value)) throw malformed("an error that is not an object");
  const { code, message, file, line, column } = value;
  if (typeof code !== "string" || typeof message !== "string") throw malformed("an error without code and message");
  return {
    code,
    message,
    file: typeof file === "string" && file !== "" ? file : null,
    line: typeof line === "number" && line > 0 ? line : null,
    column: typeof column === "number" && column > 0 ? column : null,
  };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function missing(binary: string, cause?: unknown): SluiceError {
  return new SluiceError("toolchain-missing", `The policy compiler ${binary} is not there or does not start.`, {
    fix: "npm run build",
    cause,
  });
}

function deadline(op: ToolchainOp, deadlineMs: number): SluiceError {
  return new SluiceError("toolchain-deadline", `The policy compiler did not finish \`${op}\` within ${deadlineMs} ms.`);
}

function endedEarly(code: number | null, signal: string | null): SluiceError {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return new SluiceError("toolchain-failed", `The policy compiler ended ${how} before it answered.`);
}
