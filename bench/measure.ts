/** What one row of the table is, and the two ways to fill it: the same thing again and again, or each call timed. */
import type { Scope } from "../test/support/temp.ts";

export interface Measurement {
  /** Of what the row counts: decisions, signatures, documents, runs. */
  readonly perSecond: number;
  /** Milliseconds of one call; a call may be of many (a transaction, a batch). */
  readonly p50: number;
  readonly p99: number;
}

/** The same work done by somebody else, or what the machine can do at best, measured in the same run. */
export interface Beside {
  readonly kind: "peer" | "limit";
  readonly what: string;
  /** null where it could not run here: the row then has no ratio. */
  readonly measured: Measurement | null;
}

export interface Row {
  readonly area: string;
  readonly what: string;
  readonly measured: Measurement;
  readonly beside: readonly Beside[];
}

export interface BenchOptions {
  /** How long each measurement lasts that can last as long as one likes. */
  readonly seconds: number;
  /** Smaller numbers of everything, to see that it runs. */
  readonly quick: boolean;
  /** Cleans up when the area is done. */
  readonly scope: Scope;
  /** Says what is being measured now. */
  progress(what: string): void;
}

/** Runs for `seconds` and at least twice; each call counts for `each`. The first call is not counted. */
export function repeatedly(seconds: number, each: number, run: () => void): Measurement {
  run();
  const latencies: number[] = [];
  const start = performance.now();
  while (latencies.length < 2 || performance.now() < start + seconds * 1000) {
    const before = performance.now();
    run();
    latencies.push(performance.now() - before);
  }
  return measurementOf(latencies, performance.now() - start, each);
}

const TURN_MS = 20;

/**
 * Several ways to do one thing, in turns of some milliseconds, `seconds` for each: whatever else the machine does then
 * takes from all of them alike.
 */
export function alternately(seconds: number, ways: readonly (() => void)[]): readonly Measurement[] {
  const all = ways.map((run) => ({ run, latencies: [] as number[], elapsed: 0 }));
  const turns = Math.ceil((seconds * 1000) / TURN_MS);
  for (const { run } of all) run();
  for (let turn = 0; turn < turns; turn++) {
    for (const one of all) {
      const start = performance.now();
      let now = start;
      while (now < start + TURN_MS) {
        one.run();
        const after = performance.now();
        one.latencies.push(after - now);
        now = after;
      }
      one.elapsed += now - start;
    }
  }
  return all.map(({ latencies, elapsed }) => measurementOf(latencies, elapsed));
}

/** `times` calls of something that takes its time, one after the other; the first counts too. */
export async function timed(times: number, each: number, run: () => unknown): Promise<Measurement> {
  const latencies: number[] = [];
  const start = performance.now();
  for (let at = 0; at < times; at++) {
    const before = performance.now();
    await run();
    latencies.push(performance.now() - before);
  }
  return measurementOf(latencies, performance.now() - start, each);
}

export function measurementOf(latencies: readonly number[], elapsedMs: number, each = 1): Measurement {
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { perSecond: (sorted.length * each * 1000) / elapsedMs, p50: quantile(0.5), p99: quantile(0.99) };
}

/** How many times as fast as what stands beside it; null where that did not run. */
export function timesAsFast(measured: Measurement, { measured: other }: Beside): number | null {
  return other === null ? null : measured.perSecond / other.perSecond;
}
