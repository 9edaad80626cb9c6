/** Step 10: who said yes to exactly this content, as carried by the repository below refs/sluice/approvals/. */
import {
  type ApprovalSubject,
  type CountedApproval,
  changeDigest,
  coAuthors,
  countApprovals,
  excludedPersons,
  type IgnoredApproval,
  missingApprovals,
  type VerifiedApproval,
} from "../decision/approval.ts";
import type { TargetFacts } from "../decision/decision.ts";
import { APPROVAL_NAMESPACE, type Envelope, readEnvelope } from "../decision/envelope.ts";
import { APPROVAL_REFS } from "../git/approval-ref.ts";
import { blobId, type CommitId } from "../git/object.ts";
import { sha256Hex } from "../lib/digest.ts";
import type { Change } from "./change.ts";
import type { Judge } from "./judge.ts";
import type { Services } from "./services.ts";
import type { VerifiedRange } from "./signatures.ts";
import type { Subject } from "./subject.ts";

const MAXIMUM_APPROVALS = 1000;

export interface CollectedApprovals {
  readonly given: readonly CountedApproval[];
  readonly ignored: readonly IgnoredApproval[];
  /** Landed commits whose missing signature these approvals replace. */
  readonly standIn: readonly CommitId[];
  readonly excluded: ReadonlySet<string>;
}

export async function collectApprovals(
  subject: Subject,
  change: Change,
  range: VerifiedRange,
  judge: Judge,
  target: TargetFacts,
  services: Services,
): Promise<CollectedApprovals> {
  const excluded = whoHadAHand(range, judge);
  const content: ApprovalSubject = {
    repository: subject.repositoryName,
    target: target.name,
    tree: change.tree ?? "",
    changeDigest: changeDigest(change.paths),
    excluded,
    at: services.clock(),
  };
  const read = await readApprovals(subject, range, services);
  const counted = countApprovals(read.verified, target.approvals, content);
  const given = union(counted.given, subject.carried?.approvals ?? []);
  return {
    given,
    ignored: [...read.malformed, ...counted.ignored],
    excluded,
    standIn: standIn(subject, range, target, given),
  };
}

function whoHadAHand(range: VerifiedRange, judge: Judge): ReadonlySet<string> {
  const emails = range.commits.flatMap((commit) => [
    commit.author.email,
    commit.committer.email,
    ...coAuthors(commit.message),
  ]);
  const signers = range.verifications.flatMap((one) => (one.signer === null ? [] : [one.signer]));
  return excludedPersons(emails, signers, judge.trust);
}

interface ReadApprovals {
  readonly verified: readonly VerifiedApproval[];
  readonly malformed: readonly IgnoredApproval[];
}

async function readApprovals(subject: Subject, range: VerifiedRange, services: Services): Promise<ReadApprovals> {
  const verified: VerifiedApproval[] = [];
  const malformed: IgnoredApproval[] = [];
  const refs = await subject.repository.refs(APPROVAL_REFS, MAXIMUM_APPROVALS);
  for (const ref of refs) {
    const bytes = await subject.repository.blob(blobId(ref.id));
    const envelope = readEnvelope(bytes);
    const outcome = envelope === null ? unreadable(sha256Hex(bytes)) : await verifyApproval(envelope, range, services);
    if ("signer" in outcome) verified.push(outcome);
    else malformed.push(outcome);
  }
  return { verified, malformed };
}

function unreadable(envelope: string): IgnoredApproval {
  const message = "an approval is not one signed statement of the right form.";
  return { person: null, code: "approval-malformed", message, envelope };
}

async function verifyApproval(
  envelope: Envelope,
  range: VerifiedRange,
  services: Services,
): Promise<VerifiedApproval | IgnoredApproval> {
  const { format, signature, signed, statement, digest } = envelope;
  const outcome = await range.verifier.verifyDetached(
    { format, signature, namespace: APPROVAL_NAMESPACE, payload: signed },
    { instant: services.clock(), basis: "now" },
  );
  if (outcome.kind === "verified") return { statement, signer: outcome.signer, envelope: digest };
  return { person: statement.approver, code: "approval-signature", message: outcome.detail, envelope: digest };
}

function union(counted: readonly CountedApproval[], carried: readonly CountedApproval[]): readonly CountedApproval[] {
  const people = new Map([...carried, ...counted].map((approval) => [approval.person, approval]));
  return [...people.values()].sort((a, b) => (a.person < b.person ? -1 : 1));
}

/** An approval over the landed tree that meets the target's rule, by one person at least, stands in for signatures. */
function standIn(
  subject: Subject,
  range: VerifiedRange,
  target: TargetFacts,
  given: readonly CountedApproval[],
): readonly CommitId[] {
  if (subject.kind !== "landed" || target.approvals.bind !== "tree" || given.length === 0) return [];
  if (missingApprovals(target.approvals, given).length > 0) return [];
  return range.verifications.filter((one) => one.kind === "rejected").map((one) => one.commit);
}
