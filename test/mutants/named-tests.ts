/** Runs tests of one file by their exact names, in a process group of its own that is ended with everything it started. */
import { type ChildProcess, spawn } from "node:child_process";

export interface TestRun {
  /** Name of each test that ran -> whether it passed each time; a skipped one counts as not run. */
  readonly passed: ReadonlyMap<string, boolean>;
  readonly output: string;
  readonly ranOut: boolean;
}

/** What a line of the Test Anything Protocol says of a test, at any depth; `\\`, `\#` and `\n` stand for themselves. */
const TAP_LINE = /^ *(not )?ok \d+ - (.*?)(?: (# (?:SKIP|TODO)).*)?$/;
const MAXIMUM_OUTPUT_CHARACTERS = 4_000_000;

/** Where and for how long tests may run. */
export interface Bounds {
  readonly root: string;
  readonly deadlineMs: number;
  /** Aborted when somebody stops the run. */
  readonly stop: AbortSignal;
}

/** @throws the signal's reason where the run was stopped */
export async function runNamedTests(file: string, names: readonly string[], bounds: Bounds): Promise<TestRun> {
  const { root, stop } = bounds;
  stop.throwIfAborted();
  const patterns = names.map((name) => `--test-name-pattern=^${escapePattern(name)}$`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--test-reporter=tap", ...patterns, file], {
    cwd: root,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    if (output.length < MAXIMUM_OUTPUT_CHARACTERS) output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ranOut = await ended(child, bounds);
  stop.throwIfAborted();
  return { passed: readTap(output), output, ranOut };
}

/** Whether the deadline came first. The test process alone is awaited: what it left behind is ended with its group. */
function ended(child: ChildProcess, { deadlineMs, stop }: Bounds): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let ranOut = false;
    const deadline = setTimeout(() => {
      ranOut = true;
      endGroup(child);
    }, deadlineMs);
    const end = (): void => endGroup(child);
    stop.addEventListener("abort", end);
    child.once("error", reject);
    child.once("exit", end);
    child.once("close", () => {
      clearTimeout(deadline);
      stop.removeEventListener("abort", end);
      resolve(ranOut);
    });
  });
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of the group is left
  }
}

function readTap(output: string): ReadonlyMap<string, boolean> {
  const passed = new Map<string, boolean>();
  for (const line of output.split("\n")) {
    const [, failed, text, mark] = TAP_LINE.exec(line) ?? [];
    if (text === undefined || mark !== undefined) continue;
    const name = text.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
    passed.set(name, failed === undefined && passed.get(name) !== false);
  }
  return passed;
}

function escapePattern(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
