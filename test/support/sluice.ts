/** Runs the command line as a process of its own, in surroundings that hold nothing of whoever runs the tests. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
/** The command line to test: the sources, or what `SLUICE_BIN` names, a built command for example. */
export const sluiceCommand = (): string => process.env["SLUICE_BIN"] ?? join(ROOT, "src/cli/start.ts");
/** Compiled sources between runs: each process starts in half the time. Node checks every entry against its source. */
const COMPILE_CACHE = join(ROOT, "node_modules/.cache/sluice-tests");

export interface SluiceOptions {
  /** Folder that the command runs in; the system's temporary folder when absent. */
  readonly cwd?: string;
  /** Added to the surroundings; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What stands on standard input; nothing when absent. */
  readonly input?: string | Uint8Array;
}

export interface SluiceRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runSluice(args: readonly string[], options: SluiceOptions = {}): Promise<SluiceRun> {
  const home = mkdtempSync(join(tmpdir(), "sluice-home-"));
  try {
    return await run([sluiceCommand(), ...args], home, options);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function run(args: readonly string[], home: string, { cwd, env, input }: SluiceOptions): Promise<SluiceRun> {
  const surroundings = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...env,
  };
  const child = spawn(process.execPath, args, { cwd: cwd ?? tmpdir(), env: surroundings, stdio: "pipe" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined); // a command that reads no input may be gone before it is written
  child.stdin.end(input ?? "");
  return new Promise((fulfil, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      fulfil({ code, signal, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
