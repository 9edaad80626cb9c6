/** What is to be judged: everything a door has to find out before the judge is called; nothing after it knows which door it was. */

import type { CountedApproval } from "../decision/approval.ts";
import type { Carried, Decision, Emergency } from "../decision/decision.ts";
import type { CommitId } from "../git/object.ts";
import type { GitRepository } from "../git/repository.ts";
import type { Resource } from "../render/resource.ts";
import type { Verification } from "../signature/verification.ts";

/** What the operator demands beside the repository; the stricter side wins. Previews have none. */
export interface Minimum {
  readonly mode?: "observe" | "warn" | "enforce" | undefined;
  readonly signatures?: "every-commit" | "merge-and-head" | "head" | "none" | undefined;
  readonly approvals?: number | undefined;
  readonly change?: number | undefined;
}

export interface Subject {
  readonly kind: "proposed" | "landed";
  readonly authority: "gate" | "preview";
  readonly target: string;
  /** The name people and approvals call the repository. */
  readonly repositoryName: string;
  readonly repository: GitRepository;
  /** proposed: tip of the target branch; landed: the last decided commit, null for none. */
  readonly base: CommitId;
  readonly head: CommitId;
  /** Where configuration, trust, policies and waivers are read. */
  readonly judge: CommitId;
  /** The branch that the operator watches; null in a preview. */
  readonly branch: string | null;
  /** The last released commit, whose objects the change is compared with; null = the base's tree. */
  readonly released: CommitId | null;
  /** The signature range is what is reachable from head and from none of these. */
  readonly excluded: readonly CommitId[];
  readonly minimum: Minimum;
  /** Fingerprints that the operator took away. */
  readonly revokedKeys: readonly string[];
  /** Keys of findings that existed at adoption. */
  readonly baseline: ReadonlySet<string>;
  /** Set where the signatures were judged before: a rollback, or (offered, see carrying.ts) a landing of an allowed proposal. */
  readonly carried: CarriedEvidence | null;
  /** Operators who stand in for approvals and findings of this landed commit. */
  readonly emergency?: Emergency;
}

/** What an earlier, logged decision lends to this one. */
export interface CarriedEvidence {
  readonly carried: Carried;
  readonly approvals: readonly CountedApproval[];
  /** What judged it, and whose signatures it rests on; null for a rollback, which the present judge judges anew. */
  readonly judged: Pick<Decision, "digests" | "verifications"> | null;
  /** A forge's rebase of several commits only: all of them, the head last. */
  readonly rebased?: readonly CommitId[];
  /** Rollback only: the signatures as they were judged then. */
  readonly verifications: readonly Verification[] | null;
  /** Rollback only: the commits that had to be signed then. */
  readonly requiredCommits: readonly CommitId[] | null;
  /** Rollback only: the released objects themselves; they are judged again, never rendered again. */
  readonly resources: readonly Resource[] | null;
}
