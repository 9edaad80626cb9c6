/**
 * The only place that starts git. A child gets nothing of our environment: no configuration but the one Sluice wrote into
 * the bare repository, no attributes, no replace objects, no lazy fetch, no prompts, and a PATH that no repository can change.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { SluiceError } from "../lib/errors.ts";
import { MAX_STDERR_BYTES, MAX_VERSION_BYTES, QUICK_DEADLINE_MS } from "./limits.ts";
import type { ObjectFormat } from "./object.ts";

/** Where distributions put git; the caller's PATH is never used, since a checkout may stand on it. */
const FIXED_PATH = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/opt/homebrew/bin",
  "/run/current-system/sw/bin",
].join(":");

const EMPTY_TREE: Readonly<Record<ObjectFormat, string>> = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
};

/** The first release of each line that carries the fixes of May 2024; lines after the last one all carry them. */
const PATCHED_LINES: readonly (readonly [minor: number, patch: number])[] = [
  [39, 4],
  [40, 2],
  [41, 1],
  [42, 2],
  [43, 4],
  [44, 1],
  [45, 1],
];

/** A bare repository that Sluice created; nothing else may ever stand here. */
export interface OwnStore {
  readonly folder: string;
  readonly objectFormat: ObjectFormat;
}

export interface GitRun {
  readonly args: readonly string[];
  readonly input?: string;
  readonly maxOutputBytes: number;
  readonly deadlineMs: number;
  /** Aborted, it ends the child at once. */
  readonly signal?: AbortSignal;
  /** Added to the environment of this one child, for credentials. Never printed. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** The end of standard error: for an error's cause, never for people (it may quote the repository). */
  readonly stderr: string;
}

function childEnvironment(store: OwnStore | null): Record<string, string> {
  const fixed = {
    PATH: FIXED_PATH,
    HOME: store?.folder ?? "/nonexistent",
    XDG_CONFIG_HOME: store?.folder ?? "/nonexistent",
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_EDITOR: "/bin/false",
    GIT_PAGER: "cat",
    GIT_ADVICE: "0",
  };
  if (store === null) return fixed;
  return { ...fixed, GIT_DIR: store.folder, GIT_ATTR_SOURCE: EMPTY_TREE[store.objectFormat] };
}

/** A long-lived child in one of our own repositories; the caller ends it. */
export function startGit(store: OwnStore, args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn("git", [...args], { cwd: store.folder, env: childEnvironment(store), stdio: "pipe" });
}

/**
 * Runs git once and waits for it; any exit code is an answer.
 * @throws SluiceError `git-missing`, `git-failed` (deadline passed, too much output, ended by a signal)
 */
export function runGit(store: OwnStore | null, run: GitRun): Promise<GitAnswer> {
  const env = { ...childEnvironment(store), ...run.environment };
  // A session of its own: no terminal to ask for passwords on, and a deadline that ends ssh and index-pack too.
  const folder = store?.folder ?? "/";
  const child = spawn("git", [...run.args], { cwd: folder, env, stdio: "pipe", detached: true });
  return collect(child, folder, run);
}

function collect(child: ChildProcessWithoutNullStreams, folder: string, run: GitRun): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    let bytes = 0;
    let broken: string | null = null;
    const stderr = stderrTail(child);
    const stop = (why: string): void => {
      broken ??= why;
      killGroup(child);
    };
    const timer = setTimeout(() => stop("ran longer than it may"), run.deadlineMs);
    const interrupt = (): void => stop("was interrupted");
    if (run.signal?.aborted === true) interrupt();
    run.signal?.addEventListener("abort", interrupt, { once: true });
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > run.maxOutputBytes) stop("answered more than it may");
      else output.push(chunk);
    });
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(spawnFailure(cause, folder));
    });
    child.on("close", (exitCode, signal) => {
      clearTimeout(timer);
      run.signal?.removeEventListener("abort", interrupt);
      if (broken === null && exitCode !== null) {
        return resolve({ exitCode, stdout: Buffer.concat(output), stderr: stderr() });
      }
      reject(gitFailed(run.args[0] ?? "", broken ?? `ended by ${signal}`, stderr()));
    });
    child.stdin.on("error", () => {}); // the child may end before it reads everything; its exit code tells
    child.stdin.end(run.input ?? "");
  });
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // the group is gone already
  }
  child.stdout.destroy();
  child.stderr.destroy();
}

/** Keeps reading standard error, so that a child never blocks on it, and remembers the end. */
export function stderrTail(child: ChildProcessWithoutNullStreams): () => string {
  let tail = Buffer.alloc(0);
  child.stderr.on("data", (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-MAX_STDERR_BYTES);
  });
  return () => tail.toString("utf8");
}

export function gitFailed(command: string, why: string, stderr: string): SluiceError {
  return new SluiceError("git-failed", `git ${command} ${why}.`, { retryable: true, cause: new Error(stderr) });
}

/** ENOENT means a missing program only while the folder to start in is still there. */
export function spawnFailure(cause: Error, folder: string): SluiceError {
  const missing = (cause as NodeJS.ErrnoException).code === "ENOENT" && existsSync(folder);
  if (!missing) return gitFailed("itself", "could not be started", cause.message);
  return new SluiceError("git-missing", "git is not installed in any of the folders that Sluice looks in.", { cause });
}

/**
 * The version of git, for example "2.39.5".
 * @throws SluiceError `git-missing`, `git-too-old`
 */
export async function requireGit(): Promise<string> {
  const answer = await runGit(null, {
    args: ["version"],
    maxOutputBytes: MAX_VERSION_BYTES,
    deadlineMs: QUICK_DEADLINE_MS,
  });
  return checkedVersion(answer.stdout.toString("utf8"));
}

/** @throws SluiceError `git-too-old` for what `git version` printed, also when it is not understood. */
export function checkedVersion(printed: string): string {
  const match = /^git version ((\d+)\.(\d+)(?:\.(\d+))?)/.exec(printed);
  const version = match?.[1];
  if (version !== undefined && isPatched(Number(match?.[2]), Number(match?.[3]), Number(match?.[4] ?? 0)))
    return version;
  throw new SluiceError(
    "git-too-old",
    `git ${version ?? "of an unknown version"} is too old: 2.39.4 or a later patched line is needed.`,
  );
}

function isPatched(major: number, minor: number, patch: number): boolean {
  if (major !== 2) return major > 2;
  const line = PATCHED_LINES.find(([known]) => known === minor);
  return line === undefined ? minor > 45 : patch >= line[1];
}
