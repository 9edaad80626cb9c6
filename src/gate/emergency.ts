/**
 * A release in an emergency: two operators stand in for missing approvals and for what policies found, never for a
 * signature, coverage, rendering, a Secret, a hold or the log, and never where files that judge are changed.
 *
 *   1 judge and log what landed, as ever      3 second operator: log the word, decide again, log that, release
 *   2 first operator: log the word, end here
 *
 * The words are in the log before the decision that rests on them. A decision that a crash kept from its release is
 * completed by whoever looks within 15 minutes; without a decision, or later, two operators say it again.
 */
import type { Decision } from "../decision/decision.ts";
import { beyondEmergency } from "../decision/emergency.ts";
import { SluiceError } from "../lib/errors.ts";
import { refuseHeld } from "../release/holds.ts";
import { judgeLandings, type Landed, type LandingWatch } from "./landing.ts";
import { entryDigests } from "./record.ts";
import { type OperatorAct, type OperatorWish, secondNeeded, wordOf } from "./two-operators.ts";
import type { Gate } from "./wiring.ts";

export interface EmergencyWish extends OperatorWish {
  readonly ticket: string;
}

/**
 * What is allowed without it is released without it, and nobody's word is logged.
 * @throws SluiceError `second-operator-needed` for the first word, `second-operator-same`, `operator-unnamed`,
 * `emergency-refused`, `release-held`, and what judging throws
 */
export async function releaseInEmergency(
  gate: Gate,
  wish: EmergencyWish,
  watch: LandingWatch = {},
): Promise<readonly Landed[]> {
  const landed = await judgeLandings(gate, wish.target, watch); //                                                    1
  const last = landed.at(-1);
  if (last === undefined) return landed;
  await refuseHeld(gate.log, wish.target, gate.target(wish.target).repository);
  const { decision } = last.admitted;
  if (decision.verdict === "allow") return landed;
  const act = actOn(decision);
  const now = gate.services.clock();
  const { first, draft } = await wordOf(gate.log, wish, act, now);
  const { index } = await gate.log.append(draft);
  if (first === null) throw secondNeeded(wish, act, index, now); //                                                   2
  const second = { person: wish.by, reason: wish.reason, ticket: wish.ticket, index };
  return judgeLandings(gate, wish.target, { ...watch, emergency: { operators: [first, second], of: decision.head } }); // 3
}

/** @throws SluiceError `emergency-refused` */
function actOn(decision: Decision): OperatorAct {
  const { reasons, head, tree, digests, target } = decision;
  const [beyond] = beyondEmergency(reasons, decision);
  if (beyond !== undefined || tree === null) {
    throw new SluiceError(
      "emergency-refused",
      `${head.slice(0, 7)} of ${target.name} cannot be released in an emergency (${beyond?.code ?? "no-tree"}): ${beyond?.message ?? ""}`,
    );
  }
  const standsInFor = [...new Set(reasons.map(({ code }) => code))].sort();
  return { kind: "emergency", commit: head, tree, digests: entryDigests(digests), disclosed: { standsInFor } };
}
