/**
 * What masks take out of an entry before it is recorded. A masked text is replaced where it stands, so that the shape of a
 * value stays readable; the texts themselves become one more commitment, `masked-<name>`, whose value and salt are kept
 * nowhere; and the value `masks` says which mask withheld what. So nothing is ever dropped in silence:
 *
 *   findings       [{message: "[withheld by mask tokens]", ...}]
 *   masked-tokens  committed to: [["/findings/0/message", "the text"]]; not kept
 *   masks          [{mask: "tokens", at: ["/findings/0/message"], kept: []}]
 */
import type { JsonObject, JsonValue } from "../../lib/canonical.ts";
import { escapeToken } from "../../lib/json-pointer.ts";
import type { EntryDraft, EntryKind } from "../entry.ts";
import { termsLeft } from "../redaction/terms-left.ts";

/** Name of a value, then keys and indexes below it; it means every text there. `*` is any one key. */
export type Place = readonly string[];

export interface Mask {
  /** Small letters, digits and hyphens, 40 at most. */
  readonly name: string;
  /** Whether it could find anything, told from all values as one JSON text. Cheap: asked for every entry. */
  mayConcern(draft: EntryDraft, text: string): boolean;
  places(draft: EntryDraft): readonly Place[];
}

export const MASKS = "masks";
const MASKED = "masked-";

/** Of the gate's own records, byte for byte: what it reads back would no longer be what was recorded. */
const NEVER_MASKED: ReadonlySet<string> = new Set([
  ...["baseline", "commits", "decision", "digests", "erased", "manifestDigest", "manifests", "release", "report"],
  ...["former", "gate", "rollbackOf", "scope", "sequence", "target", MASKS],
]);
/** Of an operator's word: whoever could not be told apart from another would be two people, or review themselves. */
const NEVER_MASKED_IN: Readonly<Partial<Record<EntryKind, ReadonlySet<string>>>> = {
  emergency: new Set(["by", "reviewDue", "signers"]),
  bypass: new Set(["by"]),
};
/** The gate goes on from it: single texts may be taken out of it by what they say, never by where they stand. */
const EVIDENCE = "evidence";

/** Whether a place may be masked whatever stands there. */
export function isMaskable(name: string): boolean {
  return !NEVER_MASKED.has(name) && name !== EVIDENCE;
}

/** What one mask did, as the entry says it: JSON pointers to what it withheld, and to what it named and the gate needs. */
export interface MaskRecord {
  readonly mask: string;
  readonly at: readonly string[];
  readonly kept: readonly string[];
}

/** The draft itself where no mask finds anything. */
export function masked(draft: EntryDraft, masks: readonly Mask[]): EntryDraft {
  const text = JSON.stringify(draft.disclosed);
  const concerned = masks.filter((mask) => mask.mayConcern(draft, text));
  if (concerned.length === 0) return draft;
  const disclosed: Record<string, JsonValue> = { ...draft.disclosed };
  const records: MaskRecord[] = [];
  const withheld: string[] = [...(draft.withheld ?? [])];
  for (const mask of concerned) {
    const { kept, taken } = take(mask, disclosed, mask.places(draft), NEVER_MASKED_IN[draft.kind]);
    if (kept.length + taken.length === 0) continue;
    records.push({ mask: mask.name, at: taken.map(([pointer]) => pointer), kept });
    if (taken.length === 0) continue;
    disclosed[MASKED + mask.name] = taken.map((one) => [...one]);
    withheld.push(MASKED + mask.name);
  }
  if (records.length === 0) return draft;
  const said = Object.entries(disclosed).flatMap(([name, value]) => (withheld.includes(name) ? [] : [value]));
  const terms = termsLeft(draft.terms, [draft.subject, ...said]);
  return { ...draft, disclosed: { ...disclosed, [MASKS]: records as unknown as JsonValue }, terms, withheld };
}

type Taken = readonly [pointer: string, text: string];

/** Replaces the values of `disclosed` that something is taken out of. */
function take(
  { name: mask }: Mask,
  disclosed: Record<string, JsonValue>,
  places: readonly Place[],
  needed: ReadonlySet<string> = NEVER_MASKED,
): { readonly taken: readonly Taken[]; readonly kept: readonly string[] } {
  const taken: Taken[] = [];
  const kept: string[] = [];
  const placeholder = `[withheld by mask ${mask}]`;
  for (const [name = "", ...below] of places) {
    for (const one of name === "*" ? Object.keys(disclosed).sort() : [name]) {
      const value = Object.hasOwn(disclosed, one) ? disclosed[one] : undefined;
      if (value === undefined || one.startsWith(MASKED)) continue;
      if (NEVER_MASKED.has(one) || needed.has(one) || (one === EVIDENCE && below.length === 0))
        kept.push(pointerOf([one, ...below]));
      else disclosed[one] = withoutTexts(value, below, [one], placeholder, taken);
    }
  }
  return { taken, kept: kept.filter((pointer) => pointer !== `/${MASKS}`) };
}

function withoutTexts(value: JsonValue, below: Place, at: Place, placeholder: string, taken: Taken[]): JsonValue {
  const [key, ...further] = below;
  if (key === undefined && typeof value === "string") {
    if (value === "" || PLACEHOLDER.test(value)) return value;
    taken.push([pointerOf(at), value]);
    return placeholder;
  }
  if (typeof value !== "object" || value === null) return value;
  const isMeant = (name: string) => key === undefined || key === "*" || key === name;
  const inside = (one: JsonValue, name: string) =>
    isMeant(name) ? withoutTexts(one, further, [...at, name], placeholder, taken) : one;
  if (Array.isArray(value)) return value.map((one, index) => inside(one, String(index)));
  return Object.fromEntries(Object.entries(value as JsonObject).map(([name, one]) => [name, inside(one, name)]));
}

const PLACEHOLDER = /^\[withheld by mask [a-z0-9-]+\]$/;

/** RFC 6901. */
function pointerOf(place: Place): string {
  return place.map((part) => `/${escapeToken(part)}`).join("");
}

/** Whether a value is part of the masks' own record, not of what was recorded. */
export function isMaskValue(name: string): boolean {
  return name === MASKS || name.startsWith(MASKED);
}

/** By name of a value that was never kept: the mask that withheld it, as the entry's value `masks` says. */
export function maskedValues(masks: JsonValue | undefined): ReadonlyMap<string, MaskRecord> {
  const records = Array.isArray(masks) ? (masks as unknown as readonly (Partial<MaskRecord> | null)[]) : [];
  const found = new Map<string, MaskRecord>();
  for (const one of records) {
    const { mask, at, kept } = one ?? {};
    if (typeof mask === "string" && Array.isArray(at) && at.length > 0)
      found.set(MASKED + mask, { mask, at, kept: Array.isArray(kept) ? kept : [] });
  }
  return found;
}
