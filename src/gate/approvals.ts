/** Step 10: who said yes to exactly this content, as carried by the repository below refs/sluice/approvals/. */
import {
  type ApprovalRule,
  type ApprovalSubject,
  type CountedApproval,
  changeDigest,
  coAuthors,
  couldCount,
  countApprovals,
  excludedPersons,
  type IgnoredApproval,
  missingApprovals,
  type PossibleApprover,
  readCertification,
  type VerifiedApproval,
} from "../decision/approval.ts";
import type { TargetFacts } from "../decision/decision.ts";
import { APPROVAL_NAMESPACE, type Envelope } from "../decision/envelope.ts";
import { type Commit, type CommitId, commitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Instant, parseTime } from "../lib/time.ts";
import { objectionToCertified, objectionToKey } from "../signature/key-use.ts";
import type { Trust } from "../signature/trust.ts";
import type { Verification } from "../signature/verification.ts";
import { findEnvelopes, unread } from "./approval-refs.ts";
import { possibleApprovers } from "./approvers.ts";
import type { Change } from "./change.ts";
import { governanceRule, type Judge } from "./judge.ts";
import type { Services } from "./services.ts";
import type { VerifiedRange } from "./signatures.ts";
import type { Subject } from "./subject.ts";

/** Signatures of approvals that name this content. */
const MAXIMUM_VERIFIED = 1000;
/** Of each kind of what cannot count: enough to say to somebody why theirs does not. */
const MAXIMUM_TOLD = 100;

export interface CollectedApprovals {
  readonly given: readonly CountedApproval[];
  readonly ignored: readonly IgnoredApproval[];
  /** Landed commits whose missing signature these approvals replace. */
  readonly standIn: readonly CommitId[];
  readonly excluded: ReadonlySet<string>;
  readonly able?: readonly PossibleApprover[];
}

export async function collectApprovals(
  subject: Subject,
  change: Change,
  range: VerifiedRange,
  judge: Judge,
  target: TargetFacts,
  services: Services,
): Promise<CollectedApprovals> {
  const excluded = whoHadAHand(range.commits, range.verifications, judge.trust);
  const content: ApprovalSubject = {
    repository: subject.repositoryName,
    target: target.name,
    tree: change.tree ?? "",
    changeDigest: changeDigest(change.paths),
    excluded,
    at: services.clock(),
  };
  const read = await readApprovals(subject, range, content, target.approvals, services);
  const { current, outdated } = await withoutOutdated(subject, target, read.verified);
  const counted = countApprovals(current, target.approvals, content);
  const given = union(counted.given, carriedApprovals(subject, judge, services.clock()));
  return {
    given,
    ignored: [...read.rejected, ...outdated, ...counted.ignored],
    excluded,
    standIn: standIn(subject, change, range, judge, target, given),
    ...whoIsAble(change, judge, target, given, content),
  };
}

/** Only where somebody may be waited for: a trust folder can list thousands, and most changes need nobody more. */
function whoIsAble(
  change: Change,
  judge: Judge,
  target: TargetFacts,
  given: readonly CountedApproval[],
  { excluded, at }: ApprovalSubject,
): Pick<CollectedApprovals, "able"> {
  const isWaiting = change.governancePaths.length > 0 || missingApprovals(target.approvals, given).length > 0;
  if (!isWaiting) return {};
  const people = possibleApprovers(judge.trust, at).filter(
    ({ id }) => !excluded.has(id) && !given.some((one) => one.person === id),
  );
  return { able: people.map(({ id, roles }) => ({ person: id, roles: [...roles].sort() })) };
}

/** Ids of the people behind any author, committer, signer or Co-authored-by of these commits. */
export function whoHadAHand(
  commits: readonly Commit[],
  verifications: readonly Verification[],
  trust: Trust,
): ReadonlySet<string> {
  const emails = commits.flatMap((commit) => [
    commit.author.email,
    commit.committer.email,
    ...coAuthors(commit.message),
  ]);
  const signers = verifications.flatMap((one) => (one.signer === null ? [] : [one.signer]));
  return excludedPersons(emails, signers, trust);
}

interface ReadApprovals {
  readonly verified: readonly VerifiedApproval[];
  readonly rejected: readonly IgnoredApproval[];
}

/** Those of this content first: nobody can crowd out an approval with others, and old ones cost next to nothing. */
async function readApprovals(
  subject: Subject,
  range: VerifiedRange,
  content: ApprovalSubject,
  rule: ApprovalRule,
  services: Services,
): Promise<ReadApprovals> {
  const handed = (await services.approvals?.given(subject.target)) ?? [];
  const found = await findEnvelopes(subject.repository, undefined, handed);
  const isOfThis = ({ statement }: Envelope): boolean => couldCount(statement, rule, content);
  const named = found.envelopes.filter(isOfThis);
  const others = found.envelopes.filter((one) => !isOfThis(one));
  const verified: VerifiedApproval[] = [];
  const rejected: IgnoredApproval[] = found.malformed.slice(0, MAXIMUM_TOLD);
  for (const envelope of [...named.slice(0, MAXIMUM_VERIFIED), ...others.slice(0, MAXIMUM_TOLD)]) {
    const outcome = await verifyApproval(envelope, range, services);
    if ("signer" in outcome) verified.push(outcome);
    else rejected.push(outcome);
  }
  rejected.push(...found.unread);
  const passedOver = [
    [named.length - MAXIMUM_VERIFIED, "approvals of this content were not looked at: there are too many"],
    [others.length - MAXIMUM_TOLD, "approvals of other content, or over, were not looked at"],
    [found.malformed.length - MAXIMUM_TOLD, "approvals are not of the right form"],
  ] as const;
  rejected.push(...passedOver.filter(([count]) => count > 0).map(([count, what]) => unread(`${count} more ${what}`)));
  return { verified, rejected };
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
  if (outcome.kind === "verified") {
    return { statement, signer: outcome.signer, envelope: digest, certification: outcome.certification };
  }
  return { person: statement.approver, code: "approval-signature", message: outcome.detail, envelope: digest };
}

/** What the proposal was given and is not over, by keys that may still approve; a rollback keeps what was proven then. */
function carriedApprovals({ carried }: Subject, { trust }: Judge, now: Instant): readonly CountedApproval[] {
  if (carried === null || carried.carried.how === "rollback") return carried?.approvals ?? [];
  return carried.approvals.filter((one) => now < (parseTime(one.expiresAt) ?? 0) && mayStillApprove(one, trust, now));
}

function mayStillApprove({ person, key, certification }: CountedApproval, trust: Trust, now: Instant): boolean {
  if (certification !== undefined) {
    const read = readCertification(certification);
    const certified = { owner: person, fingerprint: key };
    return read !== null && objectionToCertified(certified, read, trust, now, APPROVAL_NAMESPACE) === null;
  }
  const listed = trust.keys.find((one) => one.fingerprint === key && one.owner.id === person);
  return listed !== undefined && objectionToKey(listed, trust, now, APPROVAL_NAMESPACE) === null;
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
