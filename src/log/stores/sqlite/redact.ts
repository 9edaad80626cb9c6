/** Takes disclosed values out of a database so that no file of the log holds their bytes any more. */
import { existsSync, rmSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Erasure, Receipt } from "../../entry.ts";
import type { PreparedEntry } from "../../leaf.ts";
import { type DisclosureRow, withhold } from "../../redaction/withhold.ts";
import { searchIndexPath } from "./search-index.ts";
import { Sequencer, type WriterOptions } from "./sequencer.ts";

export interface Redacted {
  readonly receipt: Receipt;
  /** False while a reader of another process keeps the former pages: they go when the log is next written alone. */
  readonly isPurged: boolean;
}

/**
 * Holds the log's lock from the plan to the end. `plan` reads the log and answers the entry that records the redaction,
 * with what it takes away. In order: (1) lock and recover, (2) plan, (3) remove the search index, (4) the entry and the
 * erasures in one transaction, pages overwritten, (5) publish, (6) empty the write-ahead log. A crash before 4 has erased
 * nothing; after it, the next writer empties the write-ahead log.
 * @throws every refusal of openLog(), and what `plan` throws
 */
export async function redactDatabase(
  options: WriterOptions,
  plan: () => Promise<{ readonly entry: PreparedEntry; readonly erasures: readonly Erasure[] }>,
): Promise<Redacted> {
  const { path } = options;
  const sequencer = new Sequencer(options);
  let receipt: Receipt;
  try {
    const { entry, erasures } = await plan();
    receipt = redactWith(sequencer, path, entry, erasures);
  } finally {
    sequencer.close();
    removeIndex(path);
  }
  return { receipt, isPurged: !existsSync(`${path}-wal`) || statSync(`${path}-wal`).size === 0 };
}

/** Steps 3 to 6. @throws as append() rejects */
export function redactWith(
  sequencer: Sequencer,
  path: string,
  entry: PreparedEntry,
  erasures: readonly Erasure[],
): Receipt {
  sequencer.forgetIndex();
  removeIndex(path);
  return sequencer.redact(entry, (db) => erase(db, erasures));
}

/** It is made anew from what the log still holds. */
function removeIndex(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(searchIndexPath(path) + suffix, { force: true });
}

function erase(db: DatabaseSync, erasures: readonly Erasure[]): void {
  const select = db.prepare(
    "SELECT terms, json, bytes FROM disclosures d JOIN entries e ON e.idx = d.idx WHERE d.idx = ?",
  );
  const update = db.prepare("UPDATE disclosures SET terms = ?, json = ? WHERE idx = ?");
  for (const erasure of erasures) {
    const { terms, json } = withhold(select.get(erasure.index) as DisclosureRow | undefined, erasure);
    update.run(terms, json, erasure.index);
  }
}
