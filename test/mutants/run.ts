/**
 * npm run test:mutants [-- area...]   every mutant of list/, or those of some areas
 *
 * A mutant is a patch of one place that takes one refusal away; the test it names must fail on the patched copy and pass
 * on the other. Exit 0 every mutant was killed, 1 one survived or the list no longer fits the sources, 2 no such area.
 *
 *   killed    the named test failed
 *   survived  the named test passed: nothing notices that the refusal is gone
 *   broken    the patch does not fit, the named test is not there or fails without it, or the patched copy does not run
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../../scripts/root.ts";
import { AREAS } from "./areas.ts";
import type { Mutant } from "./mutant.ts";
import { type Bounds, runNamedTests } from "./named-tests.ts";

/** One named test on a patched copy, where the patch does not make it wait for ever; only a broken machine meets it. */
const DEADLINE_MS = 300_000;
/** The same where it does: then the deadline is the answer. */
const HANGING_DEADLINE_MS = 60_000;
/** All named tests of one file together, unpatched. */
const UNPATCHED_DEADLINE_MS = 900_000;
const WORKERS = Math.min(2, availableParallelism());
const COPIED = ["src", "test", "policies", "scripts", "bin", "package.json", "package-lock.json", "tsconfig.json"];
const LINKED = ["node_modules", "toolchain", "docs", "examples"];
/** A patch that is not a program, or that names what does not exist, says nothing about the tests. */
const NOT_A_PROGRAM = /\b(?:SyntaxError|ReferenceError|ERR_INVALID_TYPESCRIPT_SYNTAX)\b/;

interface Placed {
  readonly area: string;
  readonly mutant: Mutant;
}

interface Outcome extends Placed {
  readonly kind: "killed" | "survived" | "broken";
  readonly why: string;
  readonly seconds: number;
}

/** A folder with what the tests need, gone when `use` ends. */
async function withCopy<T>(use: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), "sluice-mutants-"));
  try {
    for (const name of COPIED) cpSync(join(PACKAGE_ROOT, name), join(root, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(PACKAGE_ROOT, name), join(root, name));
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Hands the items out to the workers, each with a copy of its own; answers in the order of the items. */
async function inCopies<I, O>(items: readonly I[], work: (root: string, item: I) => Promise<O>): Promise<O[]> {
  const answers: O[] = [];
  const open = items.entries();
  const worker = (): Promise<void> =>
    withCopy(async (root) => {
      for (const [index, item] of open) answers[index] = await work(root, item);
    });
  // All are awaited, so that each takes its copy away also when the run is stopped.
  const ended = await Promise.allSettled(Array.from({ length: WORKERS }, worker));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return answers;
}

/** Why the patch does not fit the file; null when it does. */
function misfit({ file, find, replace }: Mutant): string | null {
  const times = readFileSync(join(PACKAGE_ROOT, file), "utf8").split(find).length - 1;
  if (times !== 1) return `the text to find occurs ${times} times in ${file}`;
  return find === replace ? "the patch changes nothing" : null;
}

/** For each named test that does not hold unpatched: `file: name` -> why. */
async function unfitTests(mutants: readonly Mutant[], stop: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const byFile = [...Map.groupBy(mutants, (mutant) => mutant.test)];
  const found = await inCopies(byFile, async (root, [file, group]) => {
    const names = [...new Set(group.map((mutant) => mutant.named))];
    const { passed, output, ranOut } = await runNamedTests(file, names, {
      root,
      deadlineMs: UNPATCHED_DEADLINE_MS,
      stop,
    });
    const unfit = names.filter((name) => ranOut || passed.get(name) !== true);
    if (unfit.length > 0) process.stdout.write(`${file}, unpatched:\n${output}\n`);
    return unfit.map((name) => [testKey({ test: file, named: name }), whyUnfit(passed.get(name))] as const);
  });
  return new Map(found.flat());
}

function testKey({ test, named }: Pick<Mutant, "test" | "named">): string {
  return `${test}: ${named}`;
}

function whyUnfit(passed: boolean | undefined): string {
  return passed === undefined ? "the named test is not there, or did not run" : "the named test fails unpatched";
}

async function judge(root: string, { area, mutant }: Placed, stop: AbortSignal): Promise<Outcome> {
  const path = join(root, mutant.file);
  const whole = readFileSync(path, "utf8");
  const started = performance.now();
  writeFileSync(
    path,
    whole.replace(mutant.find, () => mutant.replace),
  );
  try {
    const deadlineMs = mutant.hangs === true ? HANGING_DEADLINE_MS : DEADLINE_MS;
    const [kind, why] = await verdict(mutant, { root, deadlineMs, stop });
    return { area, mutant, kind, why, seconds: (performance.now() - started) / 1000 };
  } finally {
    writeFileSync(path, whole);
  }
}

async function verdict(mutant: Mutant, bounds: Bounds): Promise<[Outcome["kind"], string]> {
  const { passed, output, ranOut } = await runNamedTests(mutant.test, [mutant.named], bounds);
  if (ranOut) return mutant.hangs === true ? ["killed", ""] : ["broken", "the test ran out of time"];
  if (NOT_A_PROGRAM.test(output)) return ["broken", `the patched copy does not run:\n${output}`];
  switch (passed.get(mutant.named)) {
    case false:
      return ["killed", ""];
    case true:
      return ["survived", `${testKey(mutant)} still passes`];
    case undefined:
      return ["broken", `the named test did not run:\n${output}`];
  }
}

function row({ area, mutant, kind, seconds }: Outcome): string {
  return `${kind.padEnd(8)}  ${area.padEnd(9)}  ${seconds.toFixed(1).padStart(5)} s  ${mutant.name}\n`;
}

async function main(areas: readonly string[], stop: AbortSignal): Promise<number> {
  const chosen = Object.entries(AREAS).filter(([area]) => areas.length === 0 || areas.includes(area));
  if (chosen.length === 0) {
    process.stderr.write(`There are no mutants of ${areas.join(", ")}. Areas: ${Object.keys(AREAS).join(", ")}\n`);
    return 2;
  }
  const placed = chosen.flatMap(([area, mutants]) => mutants.map((mutant) => ({ area, mutant })));
  const unfit = await unfitTests(
    placed.map(({ mutant }) => mutant),
    stop,
  );
  const outcomes = await inCopies(placed, async (root, one): Promise<Outcome> => {
    const why = misfit(one.mutant) ?? unfit.get(testKey(one.mutant));
    const outcome =
      why === undefined ? await judge(root, one, stop) : { ...one, kind: "broken" as const, why, seconds: 0 };
    process.stdout.write(row(outcome));
    return outcome;
  });
  return report(outcomes);
}

function report(outcomes: readonly Outcome[]): number {
  const failed = outcomes.filter(({ kind }) => kind !== "killed");
  for (const { mutant, kind, why } of failed) process.stdout.write(`\n${kind}: ${mutant.name}\n  ${why}\n`);
  const count = (kind: Outcome["kind"]): number => outcomes.filter((one) => one.kind === kind).length;
  process.stdout.write(`\n${count("killed")} killed, ${count("survived")} survived, ${count("broken")} broken\n`);
  process.stdout.write(`${count("killed")} passed, ${failed.length} failed, 0 skipped\n`);
  return failed.length === 0 ? 0 : 1;
}

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)));
process.exitCode = await main(process.argv.slice(2), stopping.signal);
