/**
 * A release in an emergency: two operators stand in for missing approvals and for what policies found, never for a
 * signature, coverage, rendering, a Secret, a hold or the log, and never where files that judge are changed. Where
 * gate.yaml lets one operator do it alone, another person reviews it afterwards (review.ts), and until that is done the next
 * one takes two.
 *
 *   1 judge and log what landed, as ever      3 second operator, or one alone: log the word, decide again, log that, release
 *   2 first operator: log the word, end here
 *
 * The words are in the log before the decision that rests on them. A decision that a crash kept from its release is
 * completed by whoever looks within 15 minutes; without a decision, or later, the operators say it again.
 */
import type { Decision } from "../decision/decision.ts";
import { beyondEmergency } from "../decision/emergency.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, parseDuration } from "../lib/time.ts";
import { refuseHeld } from "../release/holds.ts";
import { judgeLandings, type Landed, type LandingWatch } from "./landing.ts";
import { entryDigests } from "./record.ts";
import { refuseUnreviewed } from "./review.ts";
import { type OperatorAct, type OperatorWish, secondNeeded, wordOf } from "./two-operators.ts";
import type { Gate } from "./wiring.ts";

export interface EmergencyWish extends OperatorWish {
  readonly ticket: string;
  /** Nobody else is there: gate.yaml must let one do it. */
  readonly alone?: boolean;
}

/**
 * What is allowed without it is released without it, and nobody's word is logged.
 * @throws SluiceError `second-operator-needed` for the first word, `second-operator-same`, `operator-unnamed`,
 * `emergency-not-alone`, `review-open`, `emergency-refused`, `release-held`, and what judging throws
 */
export async function releaseInEmergency(
  gate: Gate,
  wish: EmergencyWish,
  watch: LandingWatch = {},
): Promise<readonly Landed[]> {
  const reviewWithinMs = wish.alone === true ? reviewTime(gate, wish.target) : null;
  const landed = await judgeLandings(gate, wish.target, watch); //                                                    1
  const last = landed.at(-1);
  if (last === undefined) return landed;
  await refuseHeld(gate.log, wish.target, gate.target(wish.target).repository);
  const { decision } = last.admitted;
  if (decision.verdict === "allow") return landed;
  const now = gate.services.clock();
  const reviewed = reviewWithinMs === null ? {} : { reviewDue: formatTime(now + reviewWithinMs) };
  const act = { ...actOn(decision, reviewWithinMs !== null), ...reviewed };
  const { first, draft } = await wordOf(gate.log, wish, act, now);
  const isAlone = first === null && reviewWithinMs !== null;
  if (isAlone) await refuseUnreviewed(gate.log, wish.target, act.commit, now);
  const { index } = await gate.log.append(draft);
  if (first === null && !isAlone) throw secondNeeded(wish, act, index, now); //                                       2
  const word = { person: wish.by, reason: wish.reason, ticket: wish.ticket, index };
  const said = first === null ? { operators: [word], ...reviewed } : { operators: [first, word] };
  return judgeLandings(gate, wish.target, { ...watch, emergency: { ...said, of: decision.head } }); //                  3
}

/** How long another person has to look at it. @throws SluiceError `emergency-not-alone` */
function reviewTime(gate: Gate, target: string): number {
  const { emergency } = gate.target(target);
  const within = emergency.operators === 1 ? parseDuration(emergency.review) : null;
  if (within !== null) return within;
  throw new SluiceError("emergency-not-alone", `gate.yaml lets nobody alone release ${target} in an emergency.`);
}

/** One who is alone says also who signed it: they do not review it. @throws SluiceError `emergency-refused` */
function actOn(decision: Decision, isAlone: boolean): OperatorAct {
  const { reasons, head, tree, digests, target, verifications } = decision;
  const [beyond] = beyondEmergency(reasons, decision);
  if (beyond !== undefined || tree === null) {
    throw new SluiceError(
      "emergency-refused",
      `${head.slice(0, 7)} of ${target.name} cannot be released in an emergency (${beyond?.code ?? "no-tree"}): ${beyond?.message ?? ""}`,
    );
  }
  const standsInFor = [...new Set(reasons.map(({ code }) => code))].sort();
  const people = verifications.flatMap(({ signer }) => (signer === null ? [] : [signer.person]));
  const disclosed = { standsInFor, ...(isAlone ? { signers: [...new Set(people)].sort() } : {}) };
  return { kind: "emergency", commit: head, tree, digests: entryDigests(digests), disclosed };
}
