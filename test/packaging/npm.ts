/** npm as a newcomer runs it, in folders of its own. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { type Scope, tempFolder } from "../support/temp.ts";

export const ROOT = resolve(import.meta.dirname, "../..");
/** Only a machine that hangs meets it: a build of a fresh clone may compile all of OPA. */
const DEADLINE_MS = 1_200_000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a clone of the present sources holds: files that git knows or would take, nothing built, nothing installed. */
export function cleanClone(scope: Scope): string {
  const folder = join(tempFolder(scope), "clone");
  const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const file of listed.stdout.toString("utf8").split("\0")) {
    if (file === "" || !existsSync(join(ROOT, file))) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file), { verbatimSymlinks: true });
  }
  return folder;
}

/** PATH without what npm put there for the run of our tests: the Node that a newcomer has. */
export function systemPath(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.filter((folder) => !/node_modules|node-gyp-bin/.test(folder)).join(delimiter);
}

/** PATH with the Node that runs this test first. */
export function newestPath(): string {
  return `${dirname(process.execPath)}${delimiter}${systemPath()}`;
}

/** Runs a program to its end; nothing that npm said to our own test run reaches it. */
export function run(
  folder: string,
  path: string,
  [program = "", ...args]: readonly string[],
  more: NodeJS.ProcessEnv = {},
): Ended {
  const mine = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(?:registry|cache|userconfig)$)|^NODE_|^INIT_CWD$/.test(name),
  );
  const env = { ...Object.fromEntries(mine), PATH: path, ...more };
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    env,
    encoding: "utf8",
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** As run(), for a step that has to succeed. */
export function must(folder: string, path: string, command: readonly string[], more: NodeJS.ProcessEnv = {}): string {
  const { code, stdout, stderr } = run(folder, path, command, more);
  if (code !== 0) throw new Error(`${command.join(" ")} exits ${code}\n${stdout}${stderr}`);
  return stdout;
}
