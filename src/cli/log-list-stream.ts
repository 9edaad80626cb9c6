/** `sluice log list --format ndjson`: an entry a line, page by page, so that a log of any length goes through a pipe. */
import { entrySummary } from "../gate/json/entry.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryQuery, LoggedEntry } from "../log/entry.ts";
import { type Invocation, isSet, listOption, textOption } from "./command.ts";
import { withLines } from "./line-stream.ts";

const PAGE_ENTRIES = 500;

/** @throws SluiceError `usage` where ndjson is asked for together with what is no stream */
export function isStream(invocation: Invocation): boolean {
  const formats = listOption(invocation, "format");
  if (!formats.includes("ndjson")) return false;
  if (formats.length === 1 && !isSet(invocation, "count")) return true;
  throw new SluiceError("usage", "ndjson is a format by itself, and no count.", { fix: "--format ndjson" });
}

/** Every entry that the query finds, or so many as --limit says; what is appended meanwhile below the cursor is not missed. */
export function streamEntries(invocation: Invocation, log: DecisionLog, query: EntryQuery): Promise<number> {
  const hasLimit = textOption(invocation, "limit") !== undefined;
  let left = hasLimit ? (query.limit ?? 0) : Number.POSITIVE_INFINITY;
  return withLines(invocation, async (write) => {
    for (let { after } = query; left > 0; ) {
      const limit = Math.min(PAGE_ENTRIES, left);
      const page = await log.find({ ...query, limit, ...(after === undefined ? {} : { after }) });
      write(page.map((entry) => `${JSON.stringify(lineOf(entry, isSet(invocation, "disclosed")))}\n`).join(""));
      left -= page.length;
      after = page.at(-1)?.index;
      if (page.length < limit) break;
    }
    return 0;
  });
}

function lineOf(entry: LoggedEntry, isDisclosed: boolean) {
  const summary = entrySummary(entry);
  if (!isDisclosed) return summary;
  const values = Object.entries(entry.disclosed).map(([name, one]) => [name, one === null ? null : one.value]);
  return { ...summary, disclosed: Object.fromEntries(values) };
}
