/** An entry of the log as a line. */
import { printable } from "../../lib/printable.ts";
import { ENTRY_KINDS, type LoggedEntry } from "../../log/entry.ts";

const LONGEST_KIND = Math.max(...ENTRY_KINDS.map((kind) => kind.length));

export function entryLine({ index, leaf }: LoggedEntry): string {
  const { commit, head, judge } = leaf.subject;
  const about = commit ?? head ?? judge ?? "";
  const parts = [
    String(index).padStart(6),
    leaf.time.slice(0, 19).replace("T", " "),
    leaf.kind.padEnd(LONGEST_KIND),
    (leaf.target ?? "-").padEnd(10),
    (leaf.verdict ?? "").padEnd(6),
    about.slice(0, 7).padEnd(7),
    leaf.reasons.join(" "),
  ];
  return printable(parts.join("  ").trimEnd());
}
