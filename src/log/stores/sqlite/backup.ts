/** A copy of a log in SQLite while it is written: one snapshot, taken by SQLite's own backup. */
import { backup, DatabaseSync } from "node:sqlite";
import { openForReading } from "./database.ts";

/** 4 MB of pages of 4 KiB; between two steps others get the processor. */
const PAGES_A_STEP = 1000;

/**
 * Copies the log at `path` into the file `to`, which is empty. The open read transaction keeps the source as it is, so
 * that a busy writer neither waits nor makes the copy begin again. The copy is one file, which can be read where
 * nothing can be written; the search index is not copied, because it is made anew from the log.
 */
export async function copyDatabase(path: string, to: string): Promise<void> {
  const db = openForReading(path);
  try {
    db.exec("BEGIN");
    db.prepare("SELECT size FROM head").get(); // the snapshot begins with the first read
    await backup(db, to, { rate: PAGES_A_STEP });
  } finally {
    db.close();
  }
  const copy = new DatabaseSync(to, { allowExtension: false });
  try {
    copy.exec("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
}
