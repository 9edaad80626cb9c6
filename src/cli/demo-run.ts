/** Runs one command of the demo as a child process: its words are shown, its exit code and JSON are checked. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { World } from "./demo-world.ts";

export interface DemoCommand {
  /** After `sluice`. */
  readonly argv: readonly string[];
  readonly folder: string;
  /** Exit code that it must have. */
  readonly expected: number;
  /** What is seen, in a few words. */
  readonly shows: string;
  /** Whether the JSON answer says so; null = the command gave none. */
  readonly holds: (report: Report) => boolean;
}

/** Whatever JSON said; checks look only at what they need, and what is not there is not as expected. */
// biome-ignore lint/suspicious/noExplicitAny: the demo reads the public JSON as a stranger's script would
export type Report = any;

export interface Ran {
  readonly exitCode: number | null;
  readonly text: string;
  readonly report: Report;
}

const DEADLINE_MS = 60_000;

export async function runCommand(world: World, start: readonly string[], command: DemoCommand): Promise<Ran> {
  const answer = join(world.folder, "answer.json");
  rmSync(answer, { force: true });
  const [program = "", ...before] = start;
  const argv = [...before, ...command.argv, "--format", "text", "--format", "json", "--output", answer];
  const { exitCode, text } = await collect(program, argv, command.folder, world);
  return { exitCode, text, report: existsSync(answer) ? parse(readFileSync(answer, "utf8")) : null };
}

function parse(text: string): Report {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function collect(
  program: string,
  argv: readonly string[],
  folder: string,
  world: World,
): Promise<Pick<Ran, "exitCode" | "text">> {
  const child = spawn(program, argv, {
    cwd: folder,
    env: world.environment,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MS,
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((fulfil, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => fulfil({ exitCode, text: Buffer.concat(chunks).toString("utf8") }));
  });
}
