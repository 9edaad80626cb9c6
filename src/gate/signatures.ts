/** Step 4: every commit of the range against current trust, at the instant the gate first saw it. */
import type { Evidence, TargetFacts } from "../decision/decision.ts";
import type { Commit, CommitId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import { formatTime } from "../lib/time.ts";
import { withPool } from "../signature/mathematics.ts";
import { applySignatureRule, type RuleInput } from "../signature/requirement.ts";
import type { ChangeKind } from "../signature/trust.ts";
import type { Verification } from "../signature/verification.ts";
import { openVerifier, type Verifier } from "../signature/verify.ts";
import { verifyEach } from "../signature/verify-each.ts";
import { carriedCommits } from "./carrying.ts";
import type { Change } from "./change.ts";
import { type Judge, trustFor } from "./judge.ts";
import type { ReceivedAt, Services } from "./services.ts";
import type { Subject } from "./subject.ts";

export interface VerifiedRange {
  readonly commits: readonly Commit[];
  readonly verifications: readonly Verification[];
  readonly requiredCommits: readonly CommitId[];
  /** RFC 3339: when the newest commit of the range was first seen. */
  readonly receivedAt: string;
  readonly verifier: Verifier;
}

/** What each signature is worth by itself; what the target asks of the range is applied by ruleRange(). */
export async function verifyRange(
  subject: Subject,
  change: Change,
  judge: Judge,
  services: Services,
): Promise<VerifiedRange> {
  const { commits } = change;
  const received = await services.receipts.receive(
    subject.target,
    commits.map((commit) => commit.id),
  );
  const verifier = await openRemembering(judge, subject, services);
  const receivedAt = formatTime(received.get(subject.head)?.instant ?? services.clock());
  const earlier = subject.carried?.verifications ?? null;
  const judged =
    earlier === null ? commits : await Promise.all(earlier.map((one) => subject.repository.commit(one.commit)));
  const verifications = earlier ?? (await verifyAll(commits, received, verifier));
  return {
    commits: judged,
    verifications,
    requiredCommits: subject.carried?.requiredCommits ?? judged.map((commit) => commit.id),
    receivedAt,
    verifier,
  };
}

/** The target's rule: who a commit names, what forges may carry, what kinds of change a robot may make. */
export async function ruleRange(
  subject: Subject,
  change: Change,
  range: VerifiedRange,
  judge: Judge,
  target: TargetFacts,
  kinds: readonly ChangeKind[],
  services: Services,
): Promise<VerifiedRange> {
  if (subject.carried?.verifications != null) return range;
  const ruled = applySignatureRule({
    commits: range.commits,
    verifications: range.verifications,
    rule: target.signatures,
    trust: judge.trust,
    head: subject.head,
    remerges: await remergeAll(range.commits, subject.repository),
    carried: await carriedCommits(subject, range.verifications, judge, services),
    rebased: new Set(subject.carried?.rebased ?? []),
    kinds,
    isGovernance: change.governancePaths.length > 0,
  });
  return { ...range, verifications: ruled.verifications, requiredCommits: [...ruled.required] };
}

/** What it says of a commit does not depend on what it remembers. */
async function openRemembering(judge: Judge, { repository, target }: Subject, { verifications }: Services) {
  const { objectFormat } = repository;
  const trust = trustFor(judge, target);
  return verifications.remembering(await openVerifier(trust, objectFormat, withPool()), trust, objectFormat);
}

async function verifyAll(
  commits: readonly Commit[],
  received: ReadonlyMap<CommitId, ReceivedAt>,
  verifier: Verifier,
): Promise<readonly Verification[]> {
  return verifyEach(commits, async (commit) => {
    const at = received.get(commit.id);
    if (at === undefined) throw new Error(`no receipt for ${commit.id}`);
    return verifier.verify(commit, at);
  });
}

/** Merge commits whose tree is not what merging their parents gives hide content. */
async function remergeAll(commits: readonly Commit[], repository: GitRepository): Promise<RuleInput["remerges"]> {
  const found = new Map<CommitId, "equal" | "differs" | "unrelated">();
  for (const commit of commits.filter((one) => one.parents.length === 2)) {
    const merge = await repository.remerge(commit);
    const isEqual = merge?.kind === "merged" && merge.tree === commit.tree;
    found.set(commit.id, isEqual ? "equal" : merge?.kind === "unrelated" ? "unrelated" : "differs");
  }
  return found;
}

export function signatureEvidence({
  verifications,
  requiredCommits,
}: VerifiedRange): Pick<Evidence, "verifications" | "requiredCommits"> {
  return { verifications, requiredCommits };
}
