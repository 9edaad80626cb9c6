/**
 * What one operator alone may not do, but where gate.yaml lets one. Each says it by himself, for the same commit, the
 * second within 15 minutes of the first; each word is an entry of its own before anything rests on it. The leaf alone
 * tells them apart: a first word has verdict `wait`, a second `allow`, one that counts alone also the reason `review-due`.
 */
import type { OperatorWord } from "../decision/decision.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDraft, LoggedEntry } from "../log/entry.ts";
import { terms } from "./record.ts";

const SECOND_WORD_MS = 15 * 60_000;
const PAGE = 100;

export interface OperatorWish {
  readonly target: string;
  readonly reason: string;
  readonly ticket: string | null;
  /** The named person, as a token proves it. */
  readonly by: string;
}

export interface OperatorAct {
  readonly kind: "emergency" | "bypass";
  readonly commit: string;
  readonly tree: string;
  readonly digests: EntryDraft["digests"];
  /** What the entry of the word that does it says beside who, why and what for. */
  readonly disclosed: EntryDraft["disclosed"];
  /** Where the word counts alone: until when another person reviews it. */
  readonly reviewDue?: string;
}

/** Who said it first, and the entry that is to be logged for this word. */
export interface Word {
  readonly first: OperatorWord | null;
  readonly draft: EntryDraft;
}

/** @throws SluiceError `operator-unnamed`, `second-operator-same` where this person said it within 15 minutes already */
export async function wordOf(log: DecisionLog, wish: OperatorWish, act: OperatorAct, now: Instant): Promise<Word> {
  if (wish.by.trim() === "" || wish.reason.trim() === "" || wish.ticket?.trim() === "")
    throw new SluiceError("operator-unnamed", "What needs two operators needs a name, a reason and a ticket of each.");
  const said = await firstWords(log, wish.target, act, now);
  const first = said.find(({ person }) => person !== wish.by) ?? null;
  const own = said.find(({ person }) => person === wish.by);
  if (first === null && own !== undefined && act.reviewDue === undefined) {
    throw new SluiceError(
      "second-operator-same",
      `${wish.by} said this for ${act.commit.slice(0, 7)} already, in entry ${own.index}; the second word is another person's.`,
    );
  }
  return { first, draft: draftOf(wish, act, first) };
}

/**
 * Words of these 15 minutes for exactly this commit, newest first. One that a second word has answered is used up, so that
 * a third person alone does nothing; one that was erased since is nobody's.
 */
async function firstWords(
  log: DecisionLog,
  target: string,
  { kind, commit }: OperatorAct,
  now: Instant,
): Promise<readonly OperatorWord[]> {
  const found = await log.find({
    target,
    kinds: [kind],
    verdict: "wait",
    terms: terms("commit", [commit]),
    order: "newest",
    limit: PAGE,
  });
  const [done] = await log.find({ target, kinds: [kind], verdict: "allow", order: "newest", limit: 1 });
  return found
    .filter(({ index }) => done === undefined || index > done.index)
    .filter(({ leaf }) => leaf.subject["commit"] === commit && isFresh(leaf.time, now))
    .flatMap((entry) => readWord(entry) ?? []);
}

/** A word of the future is none either: the clock was set back. */
export function isFresh(time: string, now: Instant): boolean {
  const at = parseTime(time);
  return at !== null && at <= now && now - at <= SECOND_WORD_MS;
}

function readWord({ index, disclosed }: LoggedEntry): OperatorWord | null {
  const [person, reason, ticket] = ["by", "reason", "ticket"].map((name) => disclosed[name]?.value);
  if (typeof person !== "string" || typeof reason !== "string") return null;
  return { person, reason, ticket: typeof ticket === "string" ? ticket : null, index };
}

function draftOf(wish: OperatorWish, act: OperatorAct, first: OperatorWord | null): EntryDraft {
  const { target, reason, ticket, by } = wish;
  const { kind, commit, tree, digests, disclosed } = act;
  const reviewDue = first === null ? (act.reviewDue ?? null) : null; // two are reviewed by nobody
  const isFirst = first === null && reviewDue === null;
  return {
    kind,
    target,
    purpose: "gate",
    verdict: isFirst ? "wait" : "allow",
    reasons: reviewDue === null ? [] : ["review-due"],
    subject: { commit, tree },
    digests,
    disclosed: {
      by,
      reason,
      ticket,
      first: first?.index ?? null,
      ...(isFirst ? {} : disclosed),
      ...(reviewDue === null ? {} : { reviewDue }),
    },
    terms: [
      ...terms("person", [by]),
      ...terms("commit", [commit]),
      ...terms("subject", kind === "bypass" && first !== null ? ["adopted"] : []),
    ],
  };
}

/** What is said to the first of the two: exit 4, nothing was done yet. */
export function secondNeeded(wish: OperatorWish, act: OperatorAct, index: number, now: Instant): SluiceError {
  const until = formatTime(now + SECOND_WORD_MS).slice(11, 19);
  return new SluiceError(
    "second-operator-needed",
    `${wish.by}'s word for ${act.commit.slice(0, 7)} of ${wish.target} is log ${index}; it counts until ${until} UTC.`,
  );
}
