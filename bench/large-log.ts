/**
 * A log of a million entries: what an append costs at its end, how long each filter of `log list` takes, what verifying all
 * of it and proving one of it costs, and how many bytes an entry takes. Entries come through the real log, a thousand a
 * transaction; every query re-hashes what it answers against the signed head.
 */
import { statSync } from "node:fs";
import type { DecisionLog } from "../src/log/decision-log.ts";
import type { EntryDraft, EntryKind, EntryQuery } from "../src/log/entry.ts";
import { drawSample } from "../src/log/sample.ts";
import { openForReading } from "../src/log/stores/sqlite/database.ts";
import { SearchIndex, searchIndexPath } from "../src/log/stores/sqlite/search-index.ts";
import { verifyLog } from "../src/log/verify.ts";
import { draft, KEY, logPath, ORIGIN, openTestLog, openTestReader } from "../test/support/log.ts";
import { type BenchOptions, type Measurement, measurementOf, type Row } from "./measure.ts";

const AREA = "large log";
const ENTRIES = 1_000_000;
const ENTRIES_QUICK = 20_000;
const ENTRIES_A_TRANSACTION = 1000;
/** Parts of the log whose appends are shown one by one: the curve. */
const TENTHS = 10;
const INDEX_STEP = 20_000;
const DAY_SECONDS = 86_400;
const STATED_RATES = [1, 100, 1000];
const GIGABYTE = 1e9;
const PAGE = 50;
const CALLS = 60;
const SAMPLE = 25;
const MINUTE_MS = 60_000;
const BEGIN = Date.parse("2026-01-01T00:00:00Z");
const KINDS: readonly EntryKind[] = ["decision", "decision", "decision", "receipt", "release", "applied"];

export async function benchLargeLog({ scope, quick, progress }: BenchOptions): Promise<readonly Row[]> {
  const count = quick ? ENTRIES_QUICK : ENTRIES;
  const path = logPath(scope);
  progress(`large log: append ${counted(count)} entries`);
  const rows = await appended(path, count);
  progress("large log: its index");
  rows.push(followed(path, count));
  const reader = await openTestReader(path);
  progress("large log: queries");
  for (const [what, query] of Object.entries(queries(count))) rows.push(await asked(reader, what, query));
  rows.push(...(await tallied(reader)));
  rows.push(await proven(reader, count));
  rows.push(await sampled(reader, count));
  await reader.close();
  progress("large log: verify");
  rows.push(await verified(path, count));
  return rows;
}

async function appended(path: string, count: number): Promise<Row[]> {
  const clock = { now: BEGIN };
  const log = await openTestLog(path, { clock: () => clock.now });
  const rows: Row[] = [];
  for (let tenth = 0; tenth < TENTHS; tenth++) {
    const latencies: number[] = [];
    const start = performance.now();
    for (let at = (tenth * count) / TENTHS; at < ((tenth + 1) * count) / TENTHS; at += ENTRIES_A_TRANSACTION) {
      const before = performance.now();
      await log.appendAll(Array.from({ length: ENTRIES_A_TRANSACTION }, (_, n) => entryDraft(at + n)));
      latencies.push(performance.now() - before);
      clock.now += MINUTE_MS;
    }
    const measured = measurementOf(latencies, performance.now() - start, ENTRIES_A_TRANSACTION);
    const to = counted(((tenth + 1) * count) / TENTHS);
    rows.push(row(`append, 1,000 a transaction, up to ${to} entries`, measured));
  }
  await log.close();
  return rows;
}

/** The service does this when nothing else is to do. */
function followed(path: string, count: number): Row {
  const log = openForReading(path);
  const index = new SearchIndex(path, log);
  const latencies: number[] = [];
  const start = performance.now();
  for (let hasMore = true; hasMore; ) {
    const before = performance.now();
    hasMore = index.follow(INDEX_STEP) || index.followTexts(INDEX_STEP);
    latencies.push(performance.now() - before);
  }
  const elapsed = performance.now() - start;
  index.close();
  log.close();
  const [own = 0, search = 0] = [path, searchIndexPath(path)].map((file) => Math.round(statSync(file).size / count));
  const aDay = STATED_RATES.map((rate) => `${sizeOf(rate * DAY_SECONDS * (own + search))} a day at ${counted(rate)}/s`);
  const { p50, p99 } = measurementOf(latencies, elapsed);
  const measured = { perSecond: (count * 1000) / elapsed, p50, p99 };
  return row(
    `index, 20,000 a step (an entry takes ${counted(own)} bytes, ${counted(search)} in the index: ${aDay.join(", ")})`,
    measured,
  );
}

/** Every filter that is documented. */
function queries(count: number): Readonly<Record<string, EntryQuery>> {
  const commit = (count / 2).toString(16).padStart(40, "0");
  const release = String(Math.floor(count / 12) * KINDS.length + KINDS.indexOf("release"));
  const middle = BEGIN + (count / ENTRIES_A_TRANSACTION / 2) * MINUTE_MS;
  return {
    everything: {},
    "a time range": { from: middle, to: middle + 5 * MINUTE_MS },
    "a target": { target: "staging" },
    "a repository's targets": { targets: ["prod", "staging"] },
    "a whole commit": { terms: [{ kind: "commit", value: commit }] },
    "a commit's first digits": { commitPrefix: commit.slice(0, 38) },
    "a person": { terms: [{ kind: "person", value: "person-7" }] },
    "a key": { terms: [{ kind: "key", value: "SHA256:key-7" }] },
    "a verdict": { verdict: "deny" },
    "a verdict of most decisions": { verdict: "allow" },
    "a verdict of a target": { verdict: "deny", target: "staging" },
    "a verdict that nothing has": { verdict: "error" },
    "a rule": { terms: [{ kind: "rule", value: "rule-30" }] },
    "a resource": { terms: [{ kind: "resource", value: "Deployment/apps/web-7" }] },
    "a kind": { kinds: ["release"] },
    "a release": { terms: [{ kind: "release", value: release }] },
    "a waiver": { terms: [{ kind: "waiver", value: "waiver-100" }] },
    "a rare word": { text: "ticket-77" },
    "a word of every entry": { text: "kustomization" },
    "a person, a rule, a target, a kind": {
      target: "prod",
      kinds: ["decision"],
      terms: [
        { kind: "person", value: "person-7" },
        { kind: "rule", value: "rule-30" },
      ],
    },
    "a target, oldest first, from the middle on": { target: "prod", order: "oldest", after: count / 2 },
  };
}

/** Page after page, so that each call proves entries that the one before did not. */
async function asked(log: DecisionLog, what: string, query: EntryQuery): Promise<Row> {
  let place: EntryQuery = {};
  const measured = await timed(async () => {
    const page = await log.find({ ...query, ...place, limit: PAGE });
    const last = page.at(-1);
    place = last === undefined || page.length < PAGE ? {} : { after: last.index };
  });
  return row(`${PAGE} entries by ${what}`, measured);
}

/** Of filters that concern few entries and many. */
async function tallied(log: DecisionLog): Promise<Row[]> {
  const filters: Readonly<Record<string, EntryQuery>> = {
    everything: {},
    "a verdict": { verdict: "deny" },
    "a target": { target: "staging" },
    "a person": { terms: [{ kind: "person", value: "person-7" }] },
    "a kind": { kinds: ["release"] },
  };
  const rows: Row[] = [];
  for (const [what, query] of Object.entries(filters))
    rows.push(row(`the count of ${what}`, await timed(() => log.count(query))));
  return rows;
}

async function proven(log: DecisionLog, count: number): Promise<Row> {
  const { size } = await log.checkpoint();
  let at = 0;
  const measured = await timed(() => {
    at = (at + 7919) % count; // a prime: another tile each time
    return log.inclusionProof(at, size);
  });
  return row("inclusion proofs", measured);
}

async function sampled(log: DecisionLog, count: number): Promise<Row> {
  const before = performance.now();
  const { entries } = await drawSample(log, {}, SAMPLE, "bench");
  if (entries.length !== SAMPLE) throw new Error(`drew ${entries.length}`);
  const elapsed = performance.now() - before;
  return row(`a sample of ${SAMPLE}, drawn from ${counted(count)}`, measurementOf([elapsed], elapsed));
}

async function timed(run: () => Promise<unknown>): Promise<Measurement> {
  await run();
  const latencies: number[] = [];
  const start = performance.now();
  for (let at = 0; at < CALLS; at++) {
    const before = performance.now();
    await run();
    latencies.push(performance.now() - before);
  }
  return measurementOf(latencies, performance.now() - start);
}

async function verified(path: string, count: number): Promise<Row> {
  const before = performance.now();
  const { kind } = await verifyLog(path, { keys: [KEY.vkey], origin: ORIGIN });
  if (kind !== "intact") throw new Error(`the log is ${kind}`);
  const elapsed = performance.now() - before;
  return row(`verify, entries of a log of ${counted(count)}`, measurementOf([elapsed], elapsed, count));
}

function entryDraft(at: number): EntryDraft {
  const kind = KINDS[at % KINDS.length] as EntryKind;
  const { disclosed } = draft();
  return draft({
    kind,
    target: at % 10 === 0 ? "staging" : "prod",
    verdict: kind !== "decision" ? null : at % 97 === 0 ? "deny" : "allow",
    disclosed: { ...disclosed, title: `bump image of web-${at % 500}, ticket-${at % 9973}` },
    terms: [
      { kind: "resource", value: `Deployment/apps/web-${at % 500}` },
      { kind: "person", value: `person-${at % 41}` },
      { kind: "key", value: `SHA256:key-${at % 61}` },
      { kind: "commit", value: at.toString(16).padStart(40, "0") },
      ...(at % 10 === 0 ? [{ kind: "rule", value: `rule-${at % 40}` } as const] : []),
      ...(at % 100 === 0 ? [{ kind: "waiver", value: `waiver-${at % 700}` } as const] : []),
      ...(kind === "release" ? [{ kind: "release", value: String(at) } as const] : []),
    ],
  });
}

function row(what: string, measured: Measurement): Row {
  return { area: AREA, what, measured, beside: [] };
}

function sizeOf(bytes: number): string {
  return `${(bytes / GIGABYTE).toPrecision(3)} GB`;
}

function counted(count: number): string {
  return count.toLocaleString("en-US");
}
