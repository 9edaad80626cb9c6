/** A log as it was before one of its entries: what came later is not there, and nothing can be added. */
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "./decision-log.ts";
import type { EntryQuery } from "./entry.ts";

type PastLog = Pick<DecisionLog, "origin" | "append" | "find" | "latest">;

/** What was there when entry `index` was about to be made. */
export function asOf(log: DecisionLog, index: number): PastLog {
  const find = async (query: EntryQuery) => {
    if (query.order === "oldest") return (await log.find(query)).filter((entry) => entry.index < index);
    return log.find({ ...query, after: Math.min(query.after ?? index, index) });
  };
  return {
    origin: log.origin,
    find,
    latest: async (target, kinds) => (await find({ target, kinds, order: "newest", limit: 1 }))[0] ?? null,
    append: () => Promise.reject(new SluiceError("log-read-only", "The past of a log cannot be added to.")),
  };
}
