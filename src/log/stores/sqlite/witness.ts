/** What a witness remembers, in one SQLite file: one row a log, replaced only by what continues it. */
import type { Seen, WitnessStore } from "../../witness/add-checkpoint.ts";
import { lockWriter, openWitnessFile, prepareFolder, storageFailure } from "./database.ts";

export interface OpenWitnessStore extends WitnessStore {
  close(): void;
}

/** @throws `log-busy`, `log-readable-by-others`, `log-on-network-storage`, `log-version-unknown`, `log-failed`, `log-full` */
export function openWitnessStore(path: string): OpenWitnessStore {
  prepareFolder(path);
  const lock = lockWriter(path);
  try {
    const db = openWitnessFile(path);
    const select = db.prepare("SELECT size, root, note FROM seen WHERE origin = ?");
    const insert = db.prepare("INSERT OR IGNORE INTO seen (origin, size, root, note) VALUES (?, ?, ?, ?)");
    const update = db.prepare("UPDATE seen SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ?");
    const seen = (origin: string): Seen | null => {
      const row = select.get(origin);
      if (row === undefined) return null;
      return { size: Number(row["size"]), root: row["root"] as Uint8Array, note: String(row["note"]) };
    };
    const replace = (origin: string, oldSize: number, { size, root, note }: Seen): boolean => {
      const first = oldSize === 0 && seen(origin) === null;
      const run = first ? insert.run(origin, size, root, note) : update.run(size, root, note, origin, oldSize);
      return Number(run.changes) === 1;
    };
    return {
      seen: guarded(seen),
      replace: guarded(replace),
      close: () => {
        db.close();
        lock.close();
      },
    };
  } catch (cause) {
    lock.close();
    throw storageFailure(cause);
  }
}

/** Each statement is a transaction of its own, synced before it returns. */
function guarded<A extends unknown[], R>(work: (...given: A) => R): (...given: A) => R {
  return (...given) => {
    try {
      return work(...given);
    } catch (cause) {
      throw storageFailure(cause);
    }
  };
}
