/** An entry of the log as a line. */
import { printable } from "../../lib/printable.ts";
import type { LoggedEntry } from "../../log/entry.ts";

export function entryLine({ index, leaf }: LoggedEntry): string {
  const commit = leaf.subject["commit"] ?? leaf.subject["head"] ?? null;
  const parts = [
    String(index).padStart(6),
    leaf.time.slice(0, 19).replace("T", " "),
    leaf.kind.padEnd(9),
    (leaf.target ?? "-").padEnd(10),
    (leaf.verdict ?? "").padEnd(6),
    commit === null ? "       " : commit.slice(0, 7),
    leaf.reasons.join(" "),
  ];
  return printable(parts.join("  ").trimEnd());
}
