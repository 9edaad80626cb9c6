/** Step 4: every commit of the range against current trust, at the instant the gate first saw it. */
import type { TargetFacts } from "../decision/decision.ts";
import type { Commit, CommitId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import { formatTime } from "../lib/time.ts";
import { applySignatureRule } from "../signature/requirement.ts";
import type { Verification } from "../signature/verification.ts";
import { openVerifier, type Verifier } from "../signature/verify.ts";
import type { Change } from "./change.ts";
import type { Judge } from "./judge.ts";
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

export async function verifyRange(
  subject: Subject,
  change: Change,
  judge: Judge,
  target: TargetFacts,
  services: Services,
): Promise<VerifiedRange> {
  const { commits } = change;
  const received = await services.receipts.receive(
    target.name,
    commits.map((commit) => commit.id),
  );
  const verifier = await openVerifier(judge.trust, subject.repository.objectFormat);
  const receivedAt = formatTime(received.get(subject.head)?.instant ?? services.clock());
  const earlier = subject.carried?.verifications ?? null;
  if (earlier !== null) {
    const judged = await Promise.all(earlier.map((one) => subject.repository.commit(one.commit)));
    return {
      commits: judged,
      verifications: earlier,
      requiredCommits: earlier.map((one) => one.commit),
      receivedAt,
      verifier,
    };
  }
  const raw = await verifyAll(commits, received, verifier);
  const ruled = applySignatureRule({
    commits,
    verifications: raw,
    rule: target.signatures,
    trust: judge.trust,
    head: subject.head,
    remerges: await remergeAll(commits, subject.repository),
    carried: subject.carried === null ? new Set() : new Set([subject.head]),
  });
  return { commits, verifications: ruled.verifications, requiredCommits: [...ruled.required], receivedAt, verifier };
}

async function verifyAll(
  commits: readonly Commit[],
  received: ReadonlyMap<CommitId, ReceivedAt>,
  verifier: Verifier,
): Promise<readonly Verification[]> {
  const verifications: Verification[] = [];
  for (const commit of commits) {
    const at = received.get(commit.id);
    if (at === undefined) throw new Error(`no receipt for ${commit.id}`);
    verifications.push(await verifier.verify(commit, at));
  }
  return verifications;
}

/** Merge commits whose tree is not what merging their parents gives hide content. */
async function remergeAll(
  commits: readonly Commit[],
  repository: GitRepository,
): Promise<ReadonlyMap<CommitId, "equal" | "differs">> {
  const found = new Map<CommitId, "equal" | "differs">();
  for (const commit of commits.filter((one) => one.parents.length === 2)) {
    const merge = await repository.remerge(commit);
    found.set(commit.id, merge?.kind === "merged" && merge.tree === commit.tree ? "equal" : "differs");
  }
  return found;
}
