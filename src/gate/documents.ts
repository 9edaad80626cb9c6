/** Step 7: what the policies see, and the digests of what was judged. */
import type { ObjectEvidence, TargetFacts } from "../decision/decision.ts";
import type { Commit } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { buildDocuments } from "../policy/documents.ts";
import type { InputChange, InputCommit, PolicyInput } from "../policy/input.ts";
import { manifestsDigest, releaseObjects } from "../release/manifests.ts";
import type { Resource, ResourceChange } from "../render/resource.ts";
import type { ChangeKind } from "../signature/trust.ts";
import type { Verification } from "../signature/verification.ts";
import type { CollectedApprovals } from "./approvals.ts";
import type { Change } from "./change.ts";
import type { VerifiedRange } from "./signatures.ts";
import type { Subject } from "./subject.ts";

interface Described {
  readonly subject: Subject;
  readonly change: Change;
  readonly range: VerifiedRange;
  readonly target: TargetFacts;
  readonly changes: readonly ResourceChange[];
  readonly kinds: readonly ChangeKind[];
  readonly approvals: CollectedApprovals;
  readonly receivedAt: string;
}

export function describe({
  subject,
  change,
  range,
  target,
  changes,
  kinds,
  approvals,
  receivedAt,
}: Described): readonly PolicyInput[] {
  const { name, repository, branch, path, labels, mode } = target;
  return buildDocuments({
    subject: { kind: subject.kind, target: { name, repository, branch, path, labels, mode }, time: receivedAt },
    change: describeChange(subject, change, range, changes, kinds),
    changes,
    commits: range.commits.map((commit, index) => describeCommit(commit, range.verifications[index])),
    approvals: approvals.given.map(({ person, roles, at, via }) => ({ person, roles, at, via })),
    checks: [],
  });
}

function describeChange(
  subject: Subject,
  change: Change,
  range: VerifiedRange,
  changes: readonly ResourceChange[],
  kinds: readonly ChangeKind[],
): InputChange {
  const changed = changes.filter((one) => one.action !== "unchanged");
  return {
    base: subject.base,
    head: subject.head,
    tree: change.tree ?? "",
    author: authorOf(range),
    kinds,
    paths: change.paths.map((one) => one.path),
    resources: changed.map(({ id, action }) => ({ id, action })),
    pullRequest: null,
  };
}

function describeCommit(commit: Commit, verification: Verification | undefined): InputCommit {
  if (verification === undefined) throw new SluiceError("internal", `no verification for ${commit.id}`);
  const { name, email } = commit.author;
  return {
    id: commit.id,
    author: { name, email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    message: commit.message,
    verification: {
      kind: verification.kind,
      reason: verification.kind === "rejected" ? verification.reason : null,
      format: verification.format,
      signer: verification.signer,
      timeBasis: verification.timeBasis,
    },
  };
}

/** The person behind the newest verified commit; empty where nobody is. */
function authorOf(range: VerifiedRange): string {
  return range.verifications.findLast((one) => one.kind === "verified")?.signer?.person ?? "";
}

export function objectEvidence(changes: readonly ResourceChange[]): readonly ObjectEvidence[] {
  return changes.map(({ id, action, resource }) => ({ id, action, sha256: resource?.sha256 ?? null }));
}

/** SHA-256 over the sorted [file of the identity, sha256] of all objects: what a release of them carries, and what an agent computes. */
export function digestManifests(resources: readonly Resource[]): string {
  return manifestsDigest(releaseObjects(resources));
}
