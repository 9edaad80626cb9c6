/** The JSON of entries of the log. */
import type { LoggedEntry } from "../../log/entry.ts";

export function entrySummary({ index, leaf, leafHash }: LoggedEntry) {
  const { kind, id, time, target, purpose, verdict, reasons, subject, digests, previous } = leaf;
  return { index, id, time, kind, target, purpose, verdict, reasons, subject, digests, previous, leafHash };
}

/** One entry with everything that it discloses; null where a value was erased. */
export function entryReport(entry: LoggedEntry) {
  const disclosed = Object.fromEntries(
    Object.entries(entry.disclosed).map(([name, one]) => [name, one === null ? null : one.value]),
  );
  const { commitments } = entry.leaf;
  return { apiVersion: "sluice/v1", kind: "Entry", entry: entrySummary(entry), commitments, disclosed } as const;
}
