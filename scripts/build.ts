/**
 * npm run build: the toolchain, then dist/, each only when its sources have changed.
 *
 *   exit 0 built or up to date, 1 something does not compile, 2 Go is missing or `npm ci` was not run
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BuildFailure, buildToolchain, progressLine } from "./build-toolchain.ts";
import { PACKAGE_ROOT } from "./root.ts";

const DIST = join(PACKAGE_ROOT, "dist");
/** Names what dist/ was made from; not part of the published package. */
const KEY_FILE = "build.key";
const COMPILER = join(PACKAGE_ROOT, "node_modules", "typescript", "bin", "tsc");
/** Beside the sources: what decides the emitted bytes. The lock names the compiler's version. */
const SETTINGS = ["package-lock.json", "tsconfig.json", "tsconfig.build.json"];

/** Brings toolchain/bin and dist/ up to date, with progress on standard error. @throws BuildFailure */
export async function build(): Promise<void> {
  const toolchain = await buildToolchain({ onProgress: progressLine(process.stderr) });
  const key = sourceKey();
  const isCurrent = isUpToDate(key);
  if (!isCurrent) await compile(key);
  const state = (built: boolean): string => (built ? "built" : "up to date");
  process.stderr.write(`toolchain: ${state(toolchain.built)}, dist: ${state(!isCurrent)}\n`);
}

/** As build(), for a script: a failure becomes its sentence and an exit code. Answers whether all is built. */
export async function isBuilt(): Promise<boolean> {
  try {
    await build();
    return true;
  } catch (failure) {
    if (!(failure instanceof BuildFailure)) throw failure;
    process.stderr.write(`${process.stderr.isTTY ? "\n" : ""}${failure.message}\n`);
    process.exitCode = failure.exitCode;
    return false;
  }
}

/** Compiles beside dist/ and puts the finished folder in its place, so that nothing ever sees half of it or a stale file. */
async function compile(key: string): Promise<void> {
  if (!existsSync(COMPILER)) throw new BuildFailure("The compiler is missing: run `npm ci` first.", 2);
  const finished = `${DIST}.${process.pid}.tmp`;
  const former = `${DIST}.${process.pid}.old`;
  process.stderr.write("dist: compiling\n");
  try {
    const code = await run([COMPILER, "-p", "tsconfig.build.json", "--outDir", finished]);
    if (code !== 0) throw new BuildFailure("dist: src/ does not compile, see above.", 1);
    writeFileSync(join(finished, KEY_FILE), `${key}\n`);
    if (existsSync(DIST)) renameSync(DIST, former);
    renameSync(finished, DIST);
  } finally {
    for (const folder of [finished, former]) rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: PACKAGE_ROOT, stdio: ["ignore", 2, 2] });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

function isUpToDate(key: string): boolean {
  const file = join(DIST, KEY_FILE);
  return existsSync(file) && readFileSync(file, "utf8").trim() === key;
}

function sourceKey(): string {
  const hash = createHash("sha256");
  for (const file of [...globSync("src/**/*.ts", { cwd: PACKAGE_ROOT }).sort(), ...SETTINGS]) {
    const content = readFileSync(join(PACKAGE_ROOT, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

if (import.meta.main) await isBuilt();
