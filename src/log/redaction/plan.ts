/** Which values of which entries a redaction takes away, found by a look at every entry that it may concern. */
import type { JsonValue } from "../../lib/canonical.ts";
import { SluiceError } from "../../lib/errors.ts";
import type { DecisionLog } from "../decision-log.ts";
import type { EntryKind, EntryQuery, Erasure, LoggedEntry } from "../entry.ts";
import { MASKS } from "../masking/mask.ts";
import { holdsSubject, type RedactionSubject } from "./subject.ts";

const PAGE_ENTRIES = 500;
/** The entry that records a redaction names each of them. */
const MAXIMUM_REDACTED_ENTRIES = 100_000;
/** They say what was taken away, by whom and why. */
const KEPT_KINDS: readonly EntryKind[] = ["redaction"];

export interface RedactionWish {
  /** Entries are looked for by target, kinds, times and terms. */
  readonly query: Pick<EntryQuery, "target" | "kinds" | "from" | "to" | "terms">;
  /** One entry instead; null for the query's. */
  readonly entry: number | null;
  /** Names of values; null for those that hold the subject, or all where there is none. */
  readonly values: readonly string[] | null;
  readonly subject: RedactionSubject | null;
}

export interface RedactionPlan {
  /** Oldest first. */
  readonly erasures: readonly Erasure[];
  /** Entries that hold what is to be erased and are kept: those of earlier redactions. */
  readonly kept: readonly number[];
}

/** @throws SluiceError `entry-unknown`, `redaction-too-large` */
export async function planRedaction(log: DecisionLog, wish: RedactionWish): Promise<RedactionPlan> {
  const erasures: Erasure[] = [];
  const kept: number[] = [];
  for await (const entry of concerned(log, wish)) {
    const names = namesIn(entry, wish);
    if (names.length === 0) continue;
    if (KEPT_KINDS.includes(entry.leaf.kind)) kept.push(entry.index);
    else erasures.push({ index: entry.index, names });
    if (erasures.length > MAXIMUM_REDACTED_ENTRIES)
      throw new SluiceError("redaction-too-large", `More than ${MAXIMUM_REDACTED_ENTRIES} entries would be redacted.`, {
        fix: "redact a part: --from 2026-10-01 --to 2026-11-01",
      });
  }
  return { erasures, kept };
}

/** The term that belongs to a subject is not asked for: terms can be fewer than what the values say. */
async function* concerned(log: DecisionLog, { entry, query }: RedactionWish): AsyncGenerator<LoggedEntry> {
  if (entry !== null) {
    yield await log.read(entry);
    return;
  }
  for (let after = -1; ; ) {
    const page = await log.find({ ...query, order: "oldest", after, limit: PAGE_ENTRIES });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ENTRIES) return;
    after = last.index;
  }
}

function namesIn({ disclosed }: LoggedEntry, { values, subject }: RedactionWish): readonly string[] {
  const isMeant = (name: string, value: JsonValue): boolean => {
    if (values !== null && !values.includes(name)) return false;
    return subject === null || holdsSubject(value, subject);
  };
  const names = Object.entries(disclosed).flatMap(
    ([name, one]) => (one !== null && name !== MASKS && isMeant(name, one.value) ? [name] : []), // what masks did stays said
  );
  return names.sort();
}
