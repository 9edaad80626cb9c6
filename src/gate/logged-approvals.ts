/** Approvals that were handed to the service and lie in the log; those that may not be over yet. */
import { APPROVAL_LIFETIME_MS, type Envelope, readEnvelope } from "../decision/envelope.ts";
import { utf8 } from "../lib/bytes.ts";
import type { Clock, Instant } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import type { ApprovalBook } from "./services.ts";

/** Of one target, in the time that an approval lasts. */
export const MAXIMUM_GIVEN = 1000;

export interface LoggedApproval {
  readonly entry: LoggedEntry;
  readonly envelope: Envelope;
}

export function loggedApprovals(log: DecisionLog, clock: Clock): ApprovalBook {
  return {
    given: async (target) => (await givenApprovals(log, target, clock())).map(({ envelope }) => envelope),
  };
}

/** Newest first; what was redacted is not there. */
export async function givenApprovals(
  log: DecisionLog,
  target: string,
  now: Instant,
): Promise<readonly LoggedApproval[]> {
  const from = now - APPROVAL_LIFETIME_MS;
  const entries = await log.find({ target, kinds: ["approval"], from, order: "newest", limit: MAXIMUM_GIVEN });
  return entries.flatMap((entry) => {
    const text = entry.disclosed["envelope"]?.value;
    const envelope = typeof text === "string" ? readEnvelope(utf8(text)) : null;
    return envelope === null ? [] : [{ entry, envelope }];
  });
}
