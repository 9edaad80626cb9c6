/**
 * What readHistory() said last of each target, for as long as the log says nothing newer of what it rests on: proposals
 * come by the hundred between two landings, and each would read the same entries and check their proofs.
 */
import { openLatest } from "../lib/latest.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryKind } from "../log/entry.ts";
import { readHistory, type TargetHistory } from "./history.ts";
import { terms } from "./record.ts";

export interface Histories {
  /** Of all that was in the log when it is called. @throws what readHistory() throws */
  of(target: string): Promise<TargetHistory>;
}

/** One holds the newest landed decision, and so the name of every object of the target. */
const KEPT_TARGETS = 16;
/** Of any target; a redaction takes away what was read of older entries. */
const MOVING: readonly EntryKind[] = ["genesis", "bypass", "release", "redaction"];

interface Kept {
  /** Entries of the log that it is known to hold for. */
  readonly size: number;
  readonly history: TargetHistory;
}

export function openHistories(log: DecisionLog): Histories {
  const kept = openLatest<string, Kept>(KEPT_TARGETS);
  return {
    async of(target) {
      const { size } = await log.checkpoint(); // what is appended while it is read is looked at the next time
      const before = kept.get(target);
      const isCurrent = before !== undefined && !(await hasMoved(log, target, before.size));
      const history = isCurrent ? before.history : await readHistory(log, target);
      kept.set(target, { size, history });
      return history;
    },
  };
}

async function hasMoved(log: DecisionLog, target: string, size: number): Promise<boolean> {
  const since = { after: size - 1, order: "oldest", limit: 1 } as const;
  const moved = await log.find({ ...since, kinds: MOVING });
  if (moved.length > 0) return true;
  const landed = await log.find({ ...since, target, kinds: ["decision"], terms: terms("subject", ["landed"]) });
  return landed.length > 0;
}
