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
import { blobId, type CommitId, commitId } from "../git/object.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import type { Verification } from "../signature/verification.ts";
import type { Change } from "./change.ts";
import { governanceRule, type Judge } from "./judge.ts";
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
  const { current, outdated } = await withoutOutdated(subject, target, read.verified);
  const counted = countApprovals(current, target.approvals, content);
  const given = union(counted.given, carriedApprovals(subject, judge, services.clock()));
  return {
    given,
    ignored: [...read.malformed, ...outdated, ...counted.ignored],
    excluded,
    standIn: standIn(subject, change, range, judge, target, given),
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
    const bytes = await blobOrNull(subject, ref.id);
    const envelope = bytes === null ? null : readEnvelope(bytes);
    const outcome =
      envelope === null ? unreadable(sha256Hex(bytes ?? ref.id)) : await verifyApproval(envelope, range, services);
    if ("signer" in outcome) verified.push(outcome);
    else malformed.push(outcome);
  }
  return { verified, malformed };
}

/** null for what is no blob, or too large a one: whoever may write one reference must not stop every verdict with it. */
async function blobOrNull({ repository }: Subject, id: string): Promise<Uint8Array | null> {
  try {
    return await repository.blob(blobId(id));
  } catch (thrown) {
    if (thrown instanceof SluiceError) return null;
    throw thrown;
  }
}

interface Dated {
  readonly current: readonly VerifiedApproval[];
  readonly outdated: readonly IgnoredApproval[];
}

/**
 * A yes to a tree is a yes to it in place of what was released when it was given. Later the same tree takes back what
 * landed since, a removed key perhaps: so the judge must stand in the history that the approval was given on.
 */
async function withoutOutdated(
  subject: Subject,
  target: TargetFacts,
  verified: readonly VerifiedApproval[],
): Promise<Dated> {
  const current: VerifiedApproval[] = [];
  const outdated: IgnoredApproval[] = [];
  for (const one of verified) {
    const { base, head } = one.statement;
    const isCurrent =
      target.approvals.bind !== "tree" || (await knewJudge(subject, base)) || (await knewJudge(subject, head));
    if (isCurrent) current.push(one);
    else outdated.push(older(one));
  }
  return { current, outdated };
}

async function knewJudge({ repository, judge }: Subject, at: string): Promise<boolean> {
  try {
    return await repository.isAncestor(judge, commitId(at));
  } catch (thrown) {
    if (thrown instanceof SluiceError) return false; // a commit that is not here
    throw thrown;
  }
}

function older({ signer, envelope }: VerifiedApproval): IgnoredApproval {
  const message = `${signer.person} approved before the last release; the change would take back what was released since.`;
  return { person: signer.person, code: "approval-outdated", message, envelope };
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

/** What the proposal was given, without people who left and keys that ended since; a rollback keeps what was proven then. */
function carriedApprovals({ carried }: Subject, { trust }: Judge, now: Instant): readonly CountedApproval[] {
  if (carried === null || carried.carried.how === "rollback") return carried?.approvals ?? [];
  return carried.approvals.filter(({ person, key }) =>
    trust.keys.some(
      ({ fingerprint, owner, terms }) =>
        fingerprint === key && owner.id === person && isBefore(now, owner.left) && isBefore(now, terms.until),
    ),
  );
}

function isBefore(now: Instant, end: Instant | null): boolean {
  return end === null || now < end;
}

function union(counted: readonly CountedApproval[], carried: readonly CountedApproval[]): readonly CountedApproval[] {
  const people = new Map([...carried, ...counted].map((approval) => [approval.person, approval]));
  return [...people.values()].sort((a, b) => (a.person < b.person ? -1 : 1));
}

/**
 * Approvals over the landed tree that meet the rule stand in for signatures. A forge's signature says through whom the
 * commit came; where nobody trusted signed it, or it changes what judges, one more person has to stand behind it: else
 * one key would be both the author's and the other person's.
 */
function standIn(
  subject: Subject,
  change: Change,
  range: VerifiedRange,
  judge: Judge,
  target: TargetFacts,
  given: readonly CountedApproval[],
): readonly CommitId[] {
  if (subject.kind !== "landed" || target.approvals.bind !== "tree" || given.length === 0) return [];
  if (missingApprovals(target.approvals, given).length > 0) return [];
  const governed = change.governancePaths.length === 0 ? 0 : governanceRule(judge, subject.minimum).count;
  const isOneMore = given.length > Math.max(target.approvals.count, governed);
  const isForges = (one: Verification): boolean =>
    one.kind === "rejected" && one.reason === "forge-not-permitted" && governed === 0;
  return range.verifications
    .filter((one) => one.kind === "rejected" && (isOneMore || isForges(one)))
    .map((one) => one.commit);
}
