/**
 * npm test [-- suite...]           every suite but the heavy ones; a suite is a folder or a file of test/
 * npm run test:heavy [-- suite...] the heavy ones: files that end in .heavy.test.ts, and the invariants
 *
 * Failures are shown as they happen, then one line a suite. A file that failed is run once more alone: one that passes then
 * is named as unsteady and counts as passed (docs/decisions/051). A skipped test must stand with its reason in
 * test/skips.json, else the run fails. Exit 0 all passed, 1 something failed, 2 nothing to run or nothing built.
 */
import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { isBuilt } from "./build.ts";
import { PACKAGE_ROOT } from "./root.ts";
import { type Skips, Tally } from "./tally.ts";

/** The invariants start some four hundred processes of the command line: minutes, where all else takes three. */
const HEAVY = /\.heavy\.test\.ts$|^test\/invariants\//;

/**
 * Runs the test files of a folder that holds `test/`, prints failures and one line a suite, and answers whether all
 * passed. Files run in processes of their own, as many at once as the machine has processors.
 */
export async function runTests(
  root: string,
  files: readonly string[],
  write: (text: string) => void,
): Promise<boolean> {
  const tally = await runFiles(root, files, availableParallelism(), write);
  for (const file of tally.worthAnotherTry.filter((failed) => files.includes(failed))) {
    write(`\nonce more, alone: ${file}\n`);
    const alone = await runFiles(root, [file], 1, write);
    if (alone.finish([file])) tally.unsteady(file);
  }
  return tally.finish(files);
}

async function runFiles(
  root: string,
  files: readonly string[],
  concurrency: number,
  write: (text: string) => void,
): Promise<Tally> {
  const skips = JSON.parse(readFileSync(join(root, "test", "skips.json"), "utf8")) as Skips;
  const tally = new Tally(root, skips, write);
  const stream = run({
    cwd: root,
    files: files.map((file) => join(root, file)),
    concurrency,
  });
  stream.on("test:pass", (test) => tally.passed(test));
  stream.on("test:fail", (test) => tally.failed(test));
  stream.on("test:stderr", ({ file, message }) => tally.said(file, message));
  for await (const _ of stream) showProgress(tally);
  showProgress(null);
  return tally;
}

/** On a terminal only, and on one line that is written over. */
function showProgress(tally: Tally | null): void {
  if (process.stderr.isTTY) process.stderr.write(tally === null ? "\r\x1b[K" : `\r\x1b[K${tally.ran} tests ran `);
}

function testFiles(isHeavy: boolean, suites: readonly string[]): readonly string[] {
  return globSync("test/**/*.test.ts", { cwd: PACKAGE_ROOT })
    .sort()
    .filter((file) => HEAVY.test(file) === isHeavy)
    .filter((file) => suites.length === 0 || suites.includes(Tally.suiteOf(file)));
}

async function main(args: readonly string[]): Promise<number> {
  const isHeavy = args[0] === "--heavy";
  const suites = isHeavy ? args.slice(1) : args;
  const files = testFiles(isHeavy, suites);
  if (files.length === 0) {
    process.stderr.write(`There is no ${isHeavy ? "heavy " : ""}test in ${suites.join(", ") || "test/"}.\n`);
    return 2;
  }
  if (!(await isBuilt())) return 2;
  // Hundreds of processes read the same modules: their types are stripped, and they are compiled, once.
  process.env["NODE_COMPILE_CACHE"] ??= join(PACKAGE_ROOT, "node_modules", ".cache", "sluice-tests");
  // The command line is tested as it is shipped; a file run by itself tests the sources.
  process.env["SLUICE_BIN"] ??= join(PACKAGE_ROOT, "bin", "sluice.cjs");
  return (await runTests(PACKAGE_ROOT, files, (text) => process.stdout.write(text))) ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
