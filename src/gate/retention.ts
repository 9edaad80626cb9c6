/** Retention of the values beside a gate's entries: by their age, and by the room that the log's volume has left. */
import type { RetentionRule } from "../config/log-yaml.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Clock, formatTime, type Instant, parseDuration } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { planRetention, type RetentionStep, retentionDraft, retentionPlace } from "../log/redaction/retention.ts";
import { neededValues } from "./needed.ts";

const GIB = 2 ** 30;

export interface Retained {
  /** Entries and values that were erased, or would be. */
  readonly entries: number;
  readonly values: number;
  /** Indexes of the redactions that say so. */
  readonly redactions: readonly number[];
  /** Entries whose values are older than they may be, and still needed. */
  readonly needed: number;
}

export interface RetentionMeans {
  readonly clock: Clock;
  /** Bytes that the log can still grow by; null where the system does not say. */
  readonly room: () => number | null | Promise<number | null>;
  /** Asked between two steps; the next run goes on there. */
  readonly isStopped?: () => boolean;
  /** Only looks. */
  readonly dryRun?: boolean;
}

/** @throws SluiceError `not-supported` for a store that cannot, and what appending throws */
export async function retain(log: DecisionLog, rule: RetentionRule, means: RetentionMeans): Promise<Retained> {
  if (log.redact === undefined && means.dryRun !== true)
    throw new SluiceError("not-supported", "Values in this store are not taken away by their age yet.");
  let place: Pick<RetentionStep, "through" | "kept"> = await retentionPlace(log);
  const done = { entries: 0, values: 0, redactions: [] as number[] };
  for (let isLast = false; !isLast && means.isStopped?.() !== true; ) {
    const due = await dueUntil(rule, means);
    if (due === null) break;
    const needed = await neededValues(log); // of now: somebody may have rolled back meanwhile
    const isNeeded = (index: number, name: string) =>
      needed.get(index) === null || needed.get(index)?.has(name) === true;
    const step = await planRetention(log, place, due.until, isNeeded);
    if (step.erasures.length > 0) {
      done.entries += step.erasures.length;
      done.values += step.erasures.reduce((sum, { names }) => sum + names.length, 0);
      if (means.dryRun !== true && log.redact !== undefined)
        done.redactions.push((await log.redact(retentionDraft(step, due.rule), step.erasures)).index);
    }
    place = step;
    isLast = step.isLast;
    await new Promise(setImmediate); // a long run lets others work
  }
  return { ...done, needed: place.kept.length };
}

/** Values of entries before `until` go, by `rule`; null where none has to. */
async function dueUntil(
  { values, free, always }: RetentionRule,
  { clock, room }: RetentionMeans,
): Promise<{ readonly until: Instant; readonly rule: string } | null> {
  const now = clock();
  const bytes = free === undefined ? null : await room();
  const isShort = free !== undefined && bytes !== null && bytes < free * GIB;
  if (isShort) {
    const until = now - (parseDuration(always) ?? 0);
    return {
      until,
      rule: `log.retention: less than ${free} GiB free; values before ${formatTime(until)}, oldest first`,
    };
  }
  const age = values === undefined ? null : parseDuration(values);
  if (age === null) return null;
  return { until: now - age, rule: `log.retention: values older than ${values}` };
}
