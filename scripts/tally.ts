/** Counts what node:test reports, suite by suite, and holds skipped tests against the list of allowed skips. */
import { basename, relative, sep } from "node:path";
import { inspect } from "node:util";

/** test/skips.json: test file -> name of a test in it -> why it may be skipped. */
export type Skips = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What is read of node:test's `test:pass` and `test:fail` events. */
export interface TestEvent {
  readonly name: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  /** 0 for a test or a suite that stands in its file by itself. */
  readonly nesting?: number | undefined;
  readonly details: { readonly type?: string | undefined; readonly duration_ms: number; readonly error?: unknown };
}

interface Count {
  ran: number;
  skipped: number;
  failed: number;
}

/** More files than these do not fail by chance. */
const TRIED_AGAIN_MAX = 3;
/** What fast-check says of an input it found: another run draws other inputs, so its passing would prove nothing. */
const DRAWN_INPUT = "Counterexample:";
const MS_PER_S = 1000;
/** So many are named at the end, for whoever wonders where the time went. */
const SLOWEST = 5;
const LAST_WORDS_BYTES = 4000;

export class Tally {
  readonly #root: string;
  readonly #skips: Skips;
  readonly #write: (text: string) => void;
  readonly #counts = new Map<string, Count>();
  readonly #seen = new Set<string>();
  readonly #standardError = new Map<string, string>();
  readonly #failures = new Map<string, string[]>();
  readonly #unsteady: string[] = [];
  readonly #milliseconds = new Map<string, number>();
  readonly #started = performance.now();

  constructor(root: string, skips: Skips, write: (text: string) => void) {
    this.#root = root;
    this.#skips = skips;
    this.#write = write;
  }

  /** The folder of test/ that a file lies in, or the name of a file that lies in test/ itself. */
  static suiteOf(file: string): string {
    const [, first = "", second] = file.split(sep);
    return second === undefined ? basename(first, ".test.ts") : first;
  }

  get ran(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count.ran, 0);
  }

  passed(test: TestEvent): void {
    const { file, count } = this.#place(test);
    if (isSkipped(test)) {
      count.skipped++;
      if (this.#skips[file]?.[test.name] === undefined)
        this.#fail(file, `${file}: skipped and not listed in test/skips.json: ${test.name}`);
      return;
    }
    if (test.details.type === "suite") return;
    if (test.name === test.file) this.#fail(file, `${file}: has no test in it`);
    else count.ran++;
  }

  /** A suite whose test failed is not counted again; one that failed by itself is. */
  failed(test: TestEvent): void {
    const { file, count } = this.#place(test);
    const error = test.details.error as { failureType?: string; cause?: unknown } | undefined;
    if (error?.failureType === "subtestsFailed") return;
    if (test.details.type !== "suite" && test.name !== test.file) count.ran++;
    const reason = test.name === test.file ? this.#standardError.get(test.name) : undefined;
    this.#fail(file, `${file}:${test.line ?? 1}: ${test.name}\n${indented(reason ?? error?.cause ?? error)}`);
  }

  /** Remembers the end of what a test file wrote to standard error: the only reason there is when it cannot be loaded. */
  said(file: string, text: string): void {
    this.#standardError.set(file, ((this.#standardError.get(file) ?? "") + text).slice(-LAST_WORDS_BYTES));
  }

  /** The files whose failure may have been the moment's; none where too many failed, or an input was found that fails. */
  get worthAnotherTry(): readonly string[] {
    const drawn = [...this.#failures.values()].flat().some((text) => text.includes(DRAWN_INPUT));
    return drawn || this.#failures.size > TRIED_AGAIN_MAX ? [] : [...this.#failures.keys()];
  }

  /** Takes a file's failures back, for it passed when it was run again alone, and names it at the end. */
  unsteady(file: string): void {
    this.#countOf(Tally.suiteOf(file)).failed -= this.#failures.get(file)?.length ?? 0;
    this.#failures.delete(file);
    this.#unsteady.push(file);
  }

  /** Prints one line a suite and a total; answers whether everything passed. `files` are the test files that were run. */
  finish(files: readonly string[]): boolean {
    this.#refuseStaleSkips(files);
    const total: Count = { ran: 0, skipped: 0, failed: 0 };
    this.#write("\n");
    for (const [suite, count] of [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      for (const key of ["ran", "skipped", "failed"] as const) total[key] += count[key];
      this.#write(line(suite, count));
    }
    for (const file of this.#unsteady) this.#write(`UNSTEADY ${file}: failed, and passed when run again alone\n`);
    const seconds = ((performance.now() - this.#started) / MS_PER_S).toFixed(1);
    this.#write(`slowest        ${this.#slowest()}\n`);
    this.#write(`${line("total", total).trimEnd()} in ${seconds} s\n`);
    return total.failed === 0 && total.ran > 0;
  }

  #slowest(): string {
    const files = [...this.#milliseconds].sort(([, a], [, b]) => b - a).slice(0, SLOWEST);
    return files
      .map(([file, ms]) => `${file.replace(/^test\/|\.test\.ts$/g, "")} ${Math.round(ms / MS_PER_S)} s`)
      .join(", ");
  }

  #place(test: TestEvent): { file: string; count: Count } {
    const file = relative(this.#root, test.file ?? test.name)
      .split(sep)
      .join("/");
    this.#seen.add(`${file}\0${test.name}`);
    if (test.nesting === 0)
      this.#milliseconds.set(file, (this.#milliseconds.get(file) ?? 0) + test.details.duration_ms);
    return { file, count: this.#countOf(Tally.suiteOf(file)) };
  }

  #countOf(suite: string): Count {
    const count = this.#counts.get(suite) ?? { ran: 0, skipped: 0, failed: 0 };
    this.#counts.set(suite, count);
    return count;
  }

  #fail(file: string, text: string): void {
    this.#countOf(Tally.suiteOf(file)).failed++;
    this.#failures.set(file, [...(this.#failures.get(file) ?? []), text]);
    this.#write(`FAILED ${text}\n`);
  }

  /** A line of the list that names no test any more would hide the next skip of that name. */
  #refuseStaleSkips(files: readonly string[]): void {
    for (const [file, tests] of Object.entries(this.#skips)) {
      if (!files.includes(file)) continue;
      for (const name of Object.keys(tests)) {
        if (this.#seen.has(`${file}\0${name}`)) continue;
        this.#fail(file, `test/skips.json names no test: ${file}: ${name}`);
      }
    }
  }
}

function isSkipped(test: TestEvent): boolean {
  return [test.skip, test.todo].some((mark) => mark !== undefined && mark !== false);
}

function line(suite: string, { ran, skipped, failed }: Count): string {
  return `${suite.padEnd(14)} ${String(ran).padStart(5)} ran / ${skipped} skipped / ${failed} failed\n`;
}

function indented(error: unknown): string {
  const text =
    error instanceof Error ? (error.stack ?? error.message) : typeof error === "string" ? error : inspect(error);
  return text.replace(/^/gm, "    ");
}
