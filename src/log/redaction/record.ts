/** A redaction as its entry records it: who, why, and exactly which values. Never what they said. */
import type { JsonValue } from "../../lib/canonical.ts";
import { SluiceError } from "../../lib/errors.ts";
import { VERSION } from "../../lib/version.ts";
import type { DecisionLog } from "../decision-log.ts";
import type { EntryDraft, Erasure, LoggedEntry } from "../entry.ts";
import { type RedactionSubject, speaksOf } from "./subject.ts";

const PAGE_ENTRIES = 500;

export interface RedactionRequest {
  readonly by: string;
  readonly reason: string;
}

/** @throws SluiceError `redaction-unnamed`, `redaction-repeats` */
export function redactionDraft(
  { by, reason }: RedactionRequest,
  erasures: readonly Erasure[],
  subject: RedactionSubject | null,
): EntryDraft {
  if (by.trim() === "" || reason.trim() === "")
    throw new SluiceError("redaction-unnamed", "A redaction needs a person's name and a reason.");
  if (subject !== null && speaksOf(reason, subject))
    throw new SluiceError("redaction-repeats", "The reason says again what is to be erased.");
  const values = erasures.reduce((sum, { names }) => sum + names.length, 0);
  return {
    kind: "redaction",
    target: null,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: {},
    digests: { policies: null, trust: null, configuration: null, waivers: null, code: VERSION },
    disclosed: {
      by,
      reason,
      of: subject?.of ?? "values",
      values,
      erased: erasures.map(({ index, names }) => [index, [...names]]),
    },
    terms: [{ kind: "person", value: by }],
  };
}

/** The values that a redaction's entry says to have erased; null where the entry is not one, or does not say. */
export function erasedBy(kind: string, erased: JsonValue | undefined): readonly Erasure[] | null {
  if (kind !== "redaction" || !Array.isArray(erased)) return null;
  const isErasure = (one: JsonValue) =>
    Array.isArray(one) && typeof one[0] === "number" && Array.isArray(one[1]) && one.length === 2;
  if (!erased.every(isErasure)) return null;
  return (erased as [number, string[]][]).map(([index, names]) => ({ index, names }));
}

/** A redaction that took values of one entry away. */
export interface WithheldBy {
  readonly index: number;
  readonly time: string;
  readonly by: string | null;
  readonly reason: string | null;
  readonly names: readonly string[];
}

/** Oldest first. */
export async function redactionsOf(log: DecisionLog, entry: LoggedEntry): Promise<readonly WithheldBy[]> {
  if (Object.values(entry.disclosed).every((one) => one !== null)) return [];
  const found: WithheldBy[] = [];
  for (let after = entry.index; ; ) {
    const page = await log.find({ kinds: ["redaction"], order: "oldest", after, limit: PAGE_ENTRIES });
    for (const { index, leaf, disclosed } of page) {
      const own = erasedBy(leaf.kind, disclosed["erased"]?.value)?.find((one) => one.index === entry.index);
      const text = (value: JsonValue | undefined) => (typeof value === "string" ? value : null);
      const [by, reason] = [text(disclosed["by"]?.value), text(disclosed["reason"]?.value)];
      if (own !== undefined) found.push({ index, time: leaf.time, by, reason, names: own.names });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ENTRIES) return found;
    after = last.index;
  }
}
