/**
 * Decisions per second through the whole log, acknowledged after the durable, published checkpoint, next to what this
 * machine can do at best in the same run: an fsync of an appended kilobyte, SQLite with synchronous=FULL, a signature.
 */
import { hash, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { DecisionLog } from "../src/log/decision-log.ts";
import type { EntryDraft } from "../src/log/entry.ts";
import { noteSigner } from "../src/log/note.ts";
import { verifyLog } from "../src/log/verify.ts";
import { draft, fill, KEY, logPath, ORIGIN, openTestLog } from "../test/support/log.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";
import { type BenchOptions, type Beside, type Measurement, measurementOf, type Row, repeatedly } from "./measure.ts";

const AREA = "log";
export const CLIENTS = [1, 16, 256] as const;
const STEADY_PER_SECOND = 1000;
/** The longer one is shared among threads. */
const VERIFIED_ENTRIES = [10_000, 100_000] as const;
const LEAF_BYTES = 1024;
/** Of each measurement, before it counts: compiled code and a log of some size. */
const WARM_UP_SHARE = 0.25;

export async function benchLog(options: BenchOptions): Promise<readonly Row[]> {
  const { scope, seconds, progress } = options;
  const rows: Row[] = [];
  progress("log: the machine's limits");
  const limits = [benchSync(scope, seconds / 2), benchSign(seconds / 4)];
  const log = await openTestLog(logPath(scope));
  for (const clients of CLIENTS) {
    progress(`log: ${counted(clients, "client")}`);
    const measured = await saturated(log, clients, seconds);
    const beside = [benchInsert(scope, seconds / 2, clients), ...limits];
    rows.push({ area: AREA, what: `decisions, ${counted(clients, "client")}`, measured, beside });
  }
  progress("log: a steady rate");
  rows.push(await benchSteady(log, seconds, limits.slice(0, 1)));
  await log.close();
  progress("log: 16 clients with an anchor file");
  rows.push(await benchAnchored(options, limits.slice(0, 1)));
  for (const entries of VERIFIED_ENTRIES) {
    progress(`log: verify ${entries.toLocaleString("en-US")} entries`);
    rows.push(await benchVerify(options, entries));
  }
  return rows;
}

export interface Latencies {
  /** Milliseconds, each of one decision. */
  readonly latencies: readonly number[];
  /** Milliseconds from the first that counts to the last answer. */
  readonly elapsed: number;
}

async function saturated(log: DecisionLog, clients: number, seconds: number): Promise<Measurement> {
  const { latencies, elapsed } = await closedLoop(log, clients, seconds);
  return measurementOf(latencies, elapsed);
}

/** Every client asks again as soon as it is answered: saturation. */
export async function closedLoop(log: DecisionLog, clients: number, seconds: number): Promise<Latencies> {
  const latencies: number[] = [];
  const start = performance.now();
  const counting = start + seconds * 1000 * WARM_UP_SHARE;
  const end = start + seconds * 1000 * (1 + WARM_UP_SHARE);
  let sent = 0;
  const client = async () => {
    for (let asked = performance.now(); asked < end; asked = performance.now()) {
      await log.append(varied(sent++));
      if (asked >= counting) latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { latencies, elapsed: performance.now() - counting };
}

/** Asks come when they come, answered or not; the wait counts from when an ask was due, not from when it was sent. */
async function benchSteady(log: DecisionLog, seconds: number, beside: readonly Beside[]): Promise<Row> {
  const latencies: number[] = [];
  const answers: Promise<void>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < STEADY_PER_SECOND * seconds; sent++) {
    const due = start + (sent * 1000) / STEADY_PER_SECOND;
    while (performance.now() < due) await sleep(1);
    answers.push(log.append(varied(sent)).then(() => void latencies.push(performance.now() - due)));
  }
  await Promise.all(answers);
  const measured = measurementOf(latencies, performance.now() - start);
  return { area: AREA, what: `decisions, ${STEADY_PER_SECOND.toLocaleString("en-US")} due a second`, measured, beside };
}

async function benchAnchored({ scope, seconds }: BenchOptions, beside: readonly Beside[]): Promise<Row> {
  const log = await openTestLog(logPath(scope), { anchor: join(tempFolder(scope), "anchor") });
  const measured = await saturated(log, 16, seconds);
  await log.close();
  return { area: AREA, what: "decisions, 16 clients, with an anchor file", measured, beside };
}

/** Every byte of the log against its signed head: leaves, tree, chains, values, columns. */
async function benchVerify({ scope, seconds, quick }: BenchOptions, entries: number): Promise<Row> {
  const count = quick ? entries / 10 : entries;
  const path = logPath(scope);
  const log = await openTestLog(path);
  await fill(log, count);
  await log.close();
  const latencies: number[] = [];
  const start = performance.now();
  for (let at = 0; at < 3; at++) {
    const before = performance.now();
    const verification = await verifyLog(path, { keys: [KEY.vkey], origin: ORIGIN });
    if (verification.kind !== "intact") throw new Error(`the log is ${verification.kind}: ${verification.detail}`);
    latencies.push(performance.now() - before);
  }
  const measured = measurementOf(latencies, performance.now() - start, count);
  const leaf = randomBytes(LEAF_BYTES);
  const limit = repeatedly(seconds / 8, 1, () => void hash("sha256", leaf));
  const beside: Beside[] = [{ kind: "limit", what: "SHA-256 of 1 KB", measured: limit }];
  return { area: AREA, what: `verify, entries of a log of ${count.toLocaleString("en-US")}`, measured, beside };
}

/** Many resources, some people, each commit new: what a search index has to bear. */
function varied(at: number): EntryDraft {
  return draft({
    terms: [
      { kind: "resource", value: `Deployment/apps/web-${at % 500}` },
      { kind: "person", value: `person-${at % 41}` },
      { kind: "commit", value: at.toString(16).padStart(40, "0") },
    ],
  });
}

export function benchSync(scope: Scope, seconds: number): Beside {
  const file = openSync(join(tempFolder(scope), "appended"), "w");
  const kilobyte = randomBytes(LEAF_BYTES);
  const measured = repeatedly(seconds, 1, () => {
    writeSync(file, kilobyte);
    fsyncSync(file);
  });
  closeSync(file);
  return { kind: "limit", what: "append 1 KB + fsync", measured };
}

function benchInsert(scope: Scope, seconds: number, batch: number): Beside {
  const db = new DatabaseSync(join(tempFolder(scope), "limit.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE rows (n INTEGER PRIMARY KEY, bytes BLOB)");
  const insert = db.prepare("INSERT INTO rows (bytes) VALUES (?)");
  const kilobyte = randomBytes(LEAF_BYTES);
  const measured = repeatedly(seconds, batch, () => {
    db.exec("BEGIN IMMEDIATE");
    for (let at = 0; at < batch; at++) insert.run(kilobyte);
    db.exec("COMMIT");
  });
  db.close();
  return { kind: "limit", what: `SQLite FULL, ${counted(batch, "row")} of 1 KB a transaction`, measured };
}

function benchSign(seconds: number): Beside {
  const signer = noteSigner(KEY.skey);
  const measured = repeatedly(seconds, 1, () => void signer.sign("gate.example/log\n1\nAAAA\n"));
  return { kind: "limit", what: "Ed25519 signature of a checkpoint", measured };
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
