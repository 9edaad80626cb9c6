/**
 * Retention: takes disclosed values away that are older than they may be, oldest first, a step at a time. Each step is a
 * redaction like any other, its entry and its erasures in one transaction, so that a restart goes on where the last step
 * ended: the entry says how far it came (`through`) and which values it had to leave for now (`kept`).
 */
import type { JsonValue } from "../../lib/canonical.ts";
import type { Instant } from "../../lib/time.ts";
import type { DecisionLog } from "../decision-log.ts";
import { ENTRY_KINDS, type EntryDraft, type EntryKind, type Erasure, type LoggedEntry } from "../entry.ts";
import { MASKS } from "../masking/mask.ts";
import { redactionDraft } from "./record.ts";

/** Some ten milliseconds of the writer's time. */
const STEP_ENTRIES = 500;
const RETENTION = "retention";
/** What a target began from, what was released, and what was taken away by whom: the spine of every later answer. */
const SPARED_KINDS: readonly EntryKind[] = ["genesis", "release", "redaction"];
const KINDS = ENTRY_KINDS.filter((kind) => !SPARED_KINDS.includes(kind));

export interface RetentionStep {
  readonly erasures: readonly Erasure[];
  /** Entries up to this one were looked at. */
  readonly through: number;
  /** Entries up to there whose values are still needed. */
  readonly kept: readonly number[];
  /** Whether nothing older than asked for is left to look at. */
  readonly isLast: boolean;
}

/** Where the last step of all ended. */
type RetentionPlace = Pick<RetentionStep, "through" | "kept">;

export async function retentionPlace(log: DecisionLog): Promise<RetentionPlace> {
  for (let after: number | undefined; ; ) {
    const page = await log.find({
      kinds: ["redaction"],
      limit: STEP_ENTRIES,
      ...(after === undefined ? {} : { after }),
    });
    for (const { disclosed } of page) {
      const [through, kept] = [disclosed["through"]?.value, disclosed["kept"]?.value];
      if (disclosed["of"]?.value === RETENTION && typeof through === "number" && Array.isArray(kept))
        return { through, kept: kept.filter((one): one is number => typeof one === "number") };
    }
    after = page.at(-1)?.index;
    if (after === undefined || page.length < STEP_ENTRIES) return { through: -1, kept: [] };
  }
}

/** The next values to go, of entries before `until`. `isNeeded` names what the gate goes on from. */
export async function planRetention(
  log: DecisionLog,
  place: RetentionPlace,
  until: Instant,
  isNeeded: (index: number, name: string) => boolean,
): Promise<RetentionStep> {
  const again = await Promise.all(place.kept.map((index) => log.read(index)));
  const page = await log.find({ kinds: KINDS, to: until, order: "oldest", after: place.through, limit: STEP_ENTRIES });
  const erasures: Erasure[] = [];
  const kept: number[] = [];
  for (const entry of [...again, ...page]) {
    const { index } = entry;
    const names = namesOf(entry);
    const free = names.filter((name) => !isNeeded(index, name));
    if (free.length > 0) erasures.push({ index, names: free });
    if (free.length < names.length) kept.push(index);
  }
  const through = page.at(-1)?.index ?? place.through;
  return { erasures, through, kept, isLast: page.length < STEP_ENTRIES };
}

function namesOf({ disclosed }: LoggedEntry): readonly string[] {
  return Object.keys(disclosed)
    .filter((name) => name !== MASKS && disclosed[name] !== null)
    .sort();
}

/** `rule` says by which words of gate.yaml. */
export function retentionDraft({ erasures, through, kept }: RetentionStep, rule: string): EntryDraft {
  const draft = redactionDraft({ by: RETENTION, reason: rule }, erasures, null);
  const place: Record<string, JsonValue> = { of: RETENTION, through, kept: [...kept] };
  return { ...draft, disclosed: { ...draft.disclosed, ...place } };
}
