/** Approvals that were handed to the service instead of pushed: kept in the log, and counted by the same rules. */
import { APPROVAL_NAMESPACE, type Envelope, readEnvelope } from "../decision/envelope.ts";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import { openVerifier } from "../signature/verify.ts";
import { readHistory } from "./history.ts";
import { readJudgeTrust } from "./judge.ts";
import { givenApprovals, MAXIMUM_GIVEN } from "./logged-approvals.ts";
import { entryDigests, terms } from "./record.ts";
import type { Gate } from "./wiring.ts";

export interface TakenApproval {
  /** Of its entry: of the first, where the same was handed in before. */
  readonly index: number;
  readonly envelope: Envelope;
}

/** @throws SluiceError `approval-malformed` */
export function readGivenApproval(bytes: Uint8Array): Envelope {
  const envelope = readEnvelope(bytes);
  if (envelope !== null) return envelope;
  throw new SluiceError("approval-malformed", "This is not one signed statement of an approval.");
}

/**
 * Logged before it is answered. Whether it counts for a change is said by each decision; here only what can never count
 * is turned away. @throws SluiceError `target-unknown`, `approval-expired`, `approval-signature`, `too-many-requests`
 */
export function takeApproval(gate: Gate, bytes: Uint8Array): Promise<TakenApproval> {
  const envelope = readGivenApproval(bytes);
  return gate.turns.take(`approvals ${envelope.statement.target}`, () => takeInTurn(gate, bytes, envelope));
}

async function takeInTurn(gate: Gate, bytes: Uint8Array, envelope: Envelope): Promise<TakenApproval> {
  const { statement } = envelope;
  const { target, approver, tree, base, head, judge } = statement;
  const now = gate.services.clock();
  if (gate.target(target).repository !== statement.repository) {
    throw new SluiceError("target-unknown", `${target} is no target of repository ${statement.repository}.`);
  }
  if (now >= (parseTime(statement.expiresAt) ?? 0)) {
    throw new SluiceError("approval-expired", `This approval ended at ${statement.expiresAt}.`);
  }
  await refuseSignature(gate, envelope, now);
  const before = await givenApprovals(gate.log, target, now);
  const same = before.find((one) => one.envelope.digest === envelope.digest);
  if (same !== undefined) return { index: same.entry.index, envelope };
  if (before.length >= MAXIMUM_GIVEN) {
    throw new SluiceError("too-many-requests", `${target} was given ${MAXIMUM_GIVEN} approvals in a week.`);
  }
  const { index } = await gate.log.append({
    kind: "approval",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { base, head, judge, tree },
    digests: entryDigests({}),
    disclosed: { approver, envelope: decodeUtf8(bytes) ?? "" },
    terms: [...terms("person", [approver]), ...terms("tree", [tree]), ...terms("commit", [head])],
  });
  return { index, envelope };
}

/** By the trust of the target's judge, now; a later decision asks again, with its own. */
async function refuseSignature(gate: Gate, envelope: Envelope, now: Instant): Promise<void> {
  const { target, approver } = envelope.statement;
  const repository = await gate.repository(target);
  const trust = await readJudgeTrust(
    repository,
    (await readHistory(gate.log, target)).judge,
    gate.configuration.gate.revoked,
  );
  const verifier = await openVerifier(trust, repository.objectFormat);
  const { format, signature, signed } = envelope;
  const outcome = await verifier.verifyDetached(
    { format, signature, namespace: APPROVAL_NAMESPACE, payload: signed },
    { instant: now, basis: "now" },
  );
  if (outcome.kind === "verified" && outcome.signer.class === "person" && outcome.signer.person === approver) return;
  const why =
    outcome.kind === "verified" ? `${outcome.signer.person} signed it, and it says ${approver}.` : outcome.detail;
  throw new SluiceError("approval-signature", why);
}
