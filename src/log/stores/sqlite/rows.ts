/** A log in SQLite as rows, and a database made of rows: for copies from one store to the other. */
import { DatabaseSync } from "node:sqlite";
import { parseCheckpoint } from "../../checkpoint.ts";
import type { EntryRow, HashRow, LogRows } from "../../rows.ts";
import { openForReading } from "./database.ts";
import { SCHEMA } from "./schema.ts";

const STEP_ENTRIES = 500;
const STEP_HASHES = 5000;

/** One snapshot, whatever is appended meanwhile. @throws as openForReading() */
export async function withDatabaseRows<T>(path: string, work: (rows: LogRows) => Promise<T>): Promise<T> {
  const db = openForReading(path);
  try {
    db.exec("BEGIN");
    const head = db.prepare("SELECT note, anchored FROM head").get();
    return await work({
      note: String(head?.["note"] ?? ""),
      anchored: head?.["anchored"] === 1,
      entries: entriesOf(db),
      hashes: hashesOf(db),
    });
  } finally {
    db.close();
  }
}

async function* entriesOf(db: DatabaseSync): AsyncGenerator<readonly EntryRow[]> {
  const select = db.prepare(
    'SELECT e.idx AS "index", time, target, kind, verdict, hash, bytes, terms, json FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx WHERE e.idx > ? ORDER BY e.idx LIMIT ?',
  );
  for (let last = -1; ; ) {
    const step = select.all(last, STEP_ENTRIES) as unknown as readonly EntryRow[];
    if (step.length > 0) yield step;
    if (step.length < STEP_ENTRIES) return;
    last = (step.at(-1) as EntryRow).index;
  }
}

async function* hashesOf(db: DatabaseSync): AsyncGenerator<readonly HashRow[]> {
  const select = db.prepare("SELECT level, n, hash FROM hashes WHERE (level, n) > (?, ?) ORDER BY level, n LIMIT ?");
  for (let last = { level: 0, n: -1 }; ; ) {
    const step = select.all(last.level, last.n, STEP_HASHES) as unknown as readonly HashRow[];
    if (step.length > 0) yield step;
    if (step.length < STEP_HASHES) return;
    last = step.at(-1) as HashRow;
  }
}

/**
 * Makes the empty file `to` a log of these rows: one file, with nothing beside it. Neither journalled nor synced: whoever
 * asks throws it away when it breaks off, and syncs it when it is whole.
 */
export async function writeDatabase(to: string, { note, anchored, entries, hashes }: LogRows): Promise<void> {
  const db = new DatabaseSync(to, { allowExtension: false });
  try {
    db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; ${SCHEMA}`);
    const entry = db.prepare(
      "INSERT INTO entries (idx, time, target, kind, verdict, hash, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    const disclosure = db.prepare("INSERT INTO disclosures (idx, terms, json) VALUES (?, ?, ?)");
    for await (const step of entries)
      for (const { index, time, target, kind, verdict, hash, bytes, terms, json } of step) {
        entry.run(index, time, target, kind, verdict, hash, bytes);
        if (terms !== null && json !== null) disclosure.run(index, terms, json);
      }
    const inner = db.prepare("INSERT INTO hashes (level, n, hash) VALUES (?, ?, ?)");
    for await (const step of hashes) for (const { level, n, hash } of step) inner.run(level, n, hash);
    const size = parseCheckpoint(note)?.size ?? 0;
    db.prepare("INSERT INTO head (one, size, note, anchored) VALUES (1, ?, ?, ?)").run(size, note, anchored ? 1 : 0);
    db.exec("COMMIT");
  } finally {
    db.close();
  }
}
