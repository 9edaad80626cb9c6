/**
 * A review: another person looks at what one operator alone released in an emergency. It is owed to the operator's word, an
 * entry of kind `emergency` with the reason `review-due`, and to the decision that rests on it; it is given by the first
 * entry of kind `review` after it about the same commit of the same target. Leaves alone say so, found by target, kind
 * and verdict: neither an erased value nor a search term that storage keeps back makes anything look reviewed.
 */

import { commitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { Leaf, LoggedEntry } from "../log/entry.ts";
import { findDecision, redacted } from "./history.ts";
import { disclosedDecision, entryDigests, terms } from "./record.ts";
import type { Gate } from "./wiring.ts";

const REVIEW_DUE = "review-due";
/** One is owed at a time, but for words about the same commit, so that a page is more than enough. */
const PAGE = 100;

export const OUTCOMES = ["accepted", "contested"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** How the review of an emergency stands. */
export interface ReviewState {
  readonly target: string;
  /** Index of the decision; of the word itself where no decision rests on it. */
  readonly entry: number;
  readonly commit: string;
  /** Who released it alone; null where that was erased. */
  readonly operator: string | null;
  /** Until when it is to be reviewed (RFC 3339); null where that was erased. */
  readonly due: string | null;
  /** `overdue` also where nobody can tell any more until when. */
  readonly state: "due" | "overdue" | Outcome;
  /** null until it is reviewed; names and words in it are null where they were erased. */
  readonly review: {
    readonly index: number;
    readonly at: string;
    readonly by: string | null;
    readonly reason: string | null;
  } | null;
}

/** The word of one operator alone, and a decision that rests on it. */
export function owesReview({ kind, verdict, purpose, reasons, target }: Leaf): boolean {
  const isOne = (kind === "decision" || kind === "emergency") && purpose === "gate" && target !== null;
  return isOne && verdict === "allow" && reasons.includes(REVIEW_DUE);
}

/** null for an entry that owes none. */
export async function reviewState(log: DecisionLog, entry: LoggedEntry, now: Instant): Promise<ReviewState | null> {
  const { index, leaf } = entry;
  if (!owesReview(leaf)) return null;
  const { operator, due } = actOf(entry);
  const given = await reviewOf(log, entry);
  return {
    target: leaf.target ?? "",
    entry: index,
    commit: leaf.subject["commit"] ?? "",
    operator,
    due,
    state: given === null ? dueOrOver(due, now) : outcomeOf(given.leaf),
    review: given === null ? null : reviewSaid(given),
  };
}

function actOf(entry: LoggedEntry): Pick<ReviewState, "operator" | "due"> {
  if (entry.leaf.kind === "emergency") return { operator: said(entry, "by"), due: said(entry, "reviewDue") };
  const emergency = disclosedDecision(entry.disclosed)?.emergency;
  return { operator: emergency?.operators[0]?.person ?? null, due: emergency?.reviewDue ?? null };
}

function reviewSaid(given: LoggedEntry): NonNullable<ReviewState["review"]> {
  return { index: given.index, at: given.leaf.time, by: said(given, "by"), reason: said(given, "reason") };
}

function dueOrOver(due: string | null, now: Instant): "due" | "overdue" {
  const until = due === null ? null : parseTime(due);
  return until !== null && now <= until ? "due" : "overdue";
}

function outcomeOf({ verdict }: Leaf): Outcome {
  return verdict === "allow" ? "accepted" : "contested";
}

function said({ disclosed }: LoggedEntry, name: string): string | null {
  const value = disclosed[name]?.value;
  return typeof value === "string" ? value : null;
}

async function reviewOf(log: DecisionLog, { index, leaf }: LoggedEntry): Promise<LoggedEntry | null> {
  const { target, subject } = leaf;
  if (target === null) return null;
  const found = await log.find({ target, kinds: ["review"], after: index, order: "oldest", limit: PAGE });
  return found.find((one) => one.leaf.subject["commit"] === subject["commit"]) ?? null;
}

/** Words of one operator alone, newest first. */
async function lonelyWords(log: DecisionLog, target: string): Promise<readonly LoggedEntry[]> {
  const found = await log.find({ target, kinds: ["emergency"], verdict: "allow", order: "newest", limit: PAGE });
  return found.filter(({ leaf }) => owesReview(leaf));
}

/** Words of a target that nobody has reviewed yet, oldest first. */
export async function unreviewed(log: DecisionLog, target: string): Promise<readonly LoggedEntry[]> {
  const words = await lonelyWords(log, target);
  const reviews = await Promise.all(words.map((word) => reviewOf(log, word)));
  return words.filter((_, at) => reviews[at] === null).toReversed();
}

/** Of the oldest word that is not reviewed yet; null where none is owed. */
export async function openReview(log: DecisionLog, target: string, now: Instant): Promise<ReviewState | null> {
  const [word] = await unreviewed(log, target);
  const state = word === undefined ? null : await reviewState(log, word, now);
  if (state === null) return null;
  const decision = (await findDecision(log, target, "landed", commitId(state.commit)))?.entry;
  const isOn = decision !== undefined && decision.index > state.entry && owesReview(decision.leaf);
  return isOn ? { ...state, entry: decision.index } : state;
}

/**
 * The next emergency takes two operators again; one about the same commit is the same emergency, which a crash cut off.
 * @throws SluiceError `review-open`
 */
export async function refuseUnreviewed(log: DecisionLog, target: string, commit: string, now: Instant): Promise<void> {
  const open = await openReview(log, target, now);
  if (open === null || open.commit === commit) return;
  const { entry, due, state, operator } = open;
  const when = state === "due" ? `due by ${due}` : `overdue since ${due ?? "nobody knows when"}`;
  throw new SluiceError(
    "review-open",
    `What ${operator ?? "one operator"} released alone (log ${entry}) is not reviewed; the review is ${when}.`,
    {
      fix: `another person: sluice review ${entry} --accept --reason TEXT; or two operators, without --alone`,
    },
  );
}

export interface ReviewWish {
  /** Index of the decision, or of the word. */
  readonly entry: number;
  readonly outcome: Outcome;
  readonly reason: string;
  /** The named person, as a token proves it. */
  readonly by: string;
}

/** @throws SluiceError `entry-unknown`, `review-not-owed`, `review-own`, `review-done`, `entry-redacted` */
export async function reviewEmergency({ log, services }: Gate, wish: ReviewWish): Promise<ReviewState> {
  const entry = await log.read(wish.entry);
  const before = await reviewState(log, entry, services.clock());
  const word = before === null ? null : await wordBehind(log, entry);
  if (before === null || word === null) {
    const message = `Entry ${wish.entry} is nothing by which one operator alone released.`;
    throw new SluiceError("review-not-owed", message);
  }
  refuseOwn(word, wish.by);
  if (before.review !== null) {
    const { by, index, at } = before.review;
    throw new SluiceError("review-done", `${by ?? "Somebody"} reviewed it at ${at}, log ${index}.`);
  }
  const { by, reason, outcome } = wish;
  const { index, time } = await log.append({
    kind: "review",
    target: before.target,
    purpose: "gate",
    verdict: outcome === "accepted" ? "allow" : "deny",
    reasons: [],
    subject: { commit: before.commit, tree: entry.leaf.subject["tree"] ?? null },
    digests: entryDigests({}),
    disclosed: { by, outcome, reason, entry: wish.entry, due: before.due, late: before.state === "overdue" },
    terms: [...terms("person", [by]), ...terms("commit", [before.commit])],
  });
  return { ...before, state: outcome, review: { index, at: time, by, reason } };
}

async function wordBehind(log: DecisionLog, entry: LoggedEntry): Promise<LoggedEntry | null> {
  const { kind, target, subject } = entry.leaf;
  if (kind === "emergency" || target === null) return entry;
  const words = await lonelyWords(log, target);
  return words.find(({ index, leaf }) => index < entry.index && leaf.subject["commit"] === subject["commit"]) ?? null;
}

/** Nor does whoever signed what was released: their approval would not have counted either. */
function refuseOwn(word: LoggedEntry, by: string): void {
  const operator = said(word, "by");
  const signers = word.disclosed["signers"]?.value;
  if (operator === null || !Array.isArray(signers)) throw redacted(word, "the word that is to be reviewed");
  const part = operator === by ? "released it" : signers.includes(by) ? "signed what was released" : null;
  if (part === null) return;
  throw new SluiceError("review-own", `${by} ${part}, says log ${word.index}, and does not review it.`);
}
