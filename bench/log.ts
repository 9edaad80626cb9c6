/**
 * Decisions per second through the whole log, next to what this machine can do at best in the same run: an fsync of an
 * appended kilobyte, SQLite with synchronous=FULL, an Ed25519 signature.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EntryDraft } from "../src/log/entry.ts";
import { noteSigner } from "../src/log/note.ts";
import { draft, KEY, logPath, openTestLog } from "../test/support/log.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";

export interface LogRow {
  readonly what: string;
  readonly perSecond: number;
  /** Milliseconds: of one decision, or of one transaction, sync or signature. */
  readonly p50: number;
  readonly p99: number;
}

const CLIENTS = [1, 16, 256] as const;
const BATCHES = [1, 16, 256] as const;

/** Closed loop, `seconds` for each row. */
export async function benchLog({ seconds }: { readonly seconds: number }): Promise<readonly LogRow[]> {
  const cleanups: (() => void)[] = [];
  const scope: Scope = { after: (cleanup) => cleanups.push(cleanup) };
  try {
    return [
      ...(await benchDecisions(scope, seconds)),
      benchSync(scope, seconds),
      ...BATCHES.map((batch) => benchInsert(scope, seconds, batch)),
      benchSign(seconds),
    ];
  } finally {
    for (const cleanup of cleanups) cleanup();
  }
}

async function benchDecisions(scope: Scope, seconds: number): Promise<readonly LogRow[]> {
  const rows: LogRow[] = [];
  for (const anchor of [null, join(tempFolder(scope), "anchor")]) {
    const log = await openTestLog(logPath(scope), { anchor });
    for (const clients of CLIENTS) {
      await log.appendAll([draft()]);
      const what = `log: decisions, ${clients} client${clients === 1 ? "" : "s"}${anchor === null ? "" : ", with anchor file"}`;
      const latencies: number[] = [];
      const start = performance.now();
      const end = start + seconds * 1000;
      const client = async () => {
        for (let asked = performance.now(); asked < end; asked = performance.now()) {
          await log.append(varied(latencies.length));
          latencies.push(performance.now() - asked);
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      rows.push(rowOf(what, latencies, performance.now() - start));
    }
    await log.close();
  }
  return rows;
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

function benchSync(scope: Scope, seconds: number): LogRow {
  const file = openSync(join(tempFolder(scope), "appended"), "w");
  const kilobyte = randomBytes(1024);
  const row = repeat("limit: append 1 KB + fsync", seconds, 1, () => {
    writeSync(file, kilobyte);
    fsyncSync(file);
  });
  closeSync(file);
  return row;
}

function benchInsert(scope: Scope, seconds: number, batch: number): LogRow {
  const db = new DatabaseSync(join(tempFolder(scope), "limit.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16000");
  db.exec("CREATE TABLE rows (n INTEGER PRIMARY KEY, bytes BLOB)");
  const insert = db.prepare("INSERT INTO rows (bytes) VALUES (?)");
  const kilobyte = randomBytes(1024);
  const row = repeat(`limit: SQLite FULL, 1 KB rows, ${batch} a transaction`, seconds, batch, () => {
    db.exec("BEGIN IMMEDIATE");
    for (let at = 0; at < batch; at++) insert.run(kilobyte);
    db.exec("COMMIT");
  });
  db.close();
  return row;
}

function benchSign(seconds: number): LogRow {
  const signer = noteSigner(KEY.skey);
  return repeat("limit: Ed25519 checkpoint signature", seconds, 1, () => signer.sign("gate.example/log\n1\nAAAA\n"));
}

function repeat(what: string, seconds: number, each: number, run: () => void): LogRow {
  const latencies: number[] = [];
  const start = performance.now();
  while (performance.now() < start + seconds * 1000) {
    const before = performance.now();
    run();
    latencies.push(performance.now() - before);
  }
  return rowOf(what, latencies, performance.now() - start, each);
}

function rowOf(what: string, latencies: number[], elapsedMs: number, each = 1): LogRow {
  latencies.sort((a, b) => a - b);
  const quantile = (share: number) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(3));
  const perSecond = Math.round((latencies.length * each * 1000) / elapsedMs);
  return { what, perSecond, p50: quantile(0.5), p99: quantile(0.99) };
}
