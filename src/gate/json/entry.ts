/** The JSON of entries of the log. */
import type { LoggedEntry } from "../../log/entry.ts";

export function entrySummary({ index, leaf, leafHash }: LoggedEntry) {
  const { kind, id, time, target, purpose, verdict, reasons, subject, digests, previous } = leaf;
  return { index, id, time, kind, target, purpose, verdict, reasons, subject, digests, previous, leafHash };
}
