/** The verdict for one change and one target, with all the evidence it rests on. */
import type { CommitId, TreeId } from "../git/object.ts";
import type { ExternalRecord } from "../policy/external.ts";
import type { Finding, NotEvaluated } from "../policy/finding.ts";
import type { SubjectKind, TargetMode } from "../policy/input.ts";
import type { RenderFailure, ResourceAction, ResourceId } from "../render/resource.ts";
import type { SignatureRule } from "../signature/requirement.ts";
import type { Verification } from "../signature/verification.ts";
import type { ApprovalRule, CountedApproval, IgnoredApproval, PossibleApprover } from "./approval.ts";
import type { AppliedWaiver } from "./waiver.ts";

export type Verdict = "allow" | "deny" | "wait" | "error";

/** One reason of a verdict: a published code and plain sentences. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly fix: string | null;
}

/** Why a stage could not do its work; becomes an error, or a deny where another commit can cure it (by the code's class). */
export interface StageFailure {
  readonly stage: "git" | "signature" | "render" | "policy" | "approvals" | "gate";
  readonly code: string;
  readonly message: string;
  readonly fix: string | null;
}

export interface Digests {
  readonly policies: string | null;
  readonly trust: string | null;
  readonly configuration: string | null;
  readonly waivers: string | null;
  /** SHA-256 over the sorted [identity, sha256] of all resources: what a release would carry. */
  readonly manifests: string | null;
  /** SHA-256 over all policy input documents. */
  readonly input: string | null;
}

/** One object as evidence: digest only, never its content. */
export interface ObjectEvidence {
  readonly id: ResourceId;
  readonly action: ResourceAction;
  /** null on delete. */
  readonly sha256: string | null;
}

export interface TargetFacts {
  readonly name: string;
  readonly repository: string;
  readonly branch: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mode: TargetMode;
  readonly signatures: SignatureRule;
  readonly approvals: ApprovalRule;
  readonly unruled: "report" | "deny";
}

/** The judge's change to itself: governance files touched by this change, and what the rule about them found. */
export interface GovernanceEvidence {
  readonly paths: readonly string[];
  readonly rule: ApprovalRule;
  readonly given: readonly CountedApproval[];
  /** Why the new files could not judge, or null (`new-judge-unusable`). */
  readonly unusable: string | null;
  /**
   * What judges once this is released: so the entry of a landed change says which policies it puts in force, beside who
   * signed and approved it. null where they cannot be read; absent in decisions of before it was recorded.
   */
  readonly becomes?: Pick<Digests, "policies" | "trust" | "configuration" | "waivers"> | null;
}

/** How a forge's landing commit stands in for an allowed proposal. */
export interface Carried {
  readonly proposal: string;
  readonly index: number;
  readonly how: "squash" | "merge" | "rebase" | "rollback";
}

/** What an API server asked about, where that is the subject; who asked it is what the server says. */
export interface AdmissionFacts {
  readonly uid: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly user: string;
  /** `Kind.version.group` of what is judged, `resource/subresource` as it was addressed. */
  readonly kind: string;
  readonly resource: string;
  readonly dryRun: boolean;
}

/** One operator's word, as its entry says it. */
export interface OperatorWord {
  readonly person: string;
  readonly reason: string;
  readonly ticket: string | null;
  /** Of the entry. */
  readonly index: number;
}

/** Operators who said the same of one commit, each by a token of their own; the first one's word comes first. */
export interface Emergency {
  readonly operators: readonly OperatorWord[];
  /** Set where gate.yaml let one operator do it alone: until when another person reviews it (RFC 3339). */
  readonly reviewDue?: string;
}

/** Everything decide() may look at. Frozen before it is decided on; a gate logs all of it. */
export interface Evidence {
  readonly subject: SubjectKind;
  readonly authority: "gate" | "preview";
  readonly target: TargetFacts;
  readonly base: CommitId | null;
  readonly head: CommitId;
  readonly judge: CommitId | null;
  /** Tree of the merge result; null when there is none. */
  readonly tree: TreeId | null;
  readonly receivedAt: string;
  /** After the target's signature rule was applied, in range order. */
  readonly verifications: readonly Verification[];
  /** Commits whose rejection denies (by `signatures.require`). */
  readonly requiredCommits: readonly CommitId[];
  /** Landed only: commits for whose rejected signature an approval over the landed tree stands in. */
  readonly standIn: readonly CommitId[];
  /** Changed paths that neither a target nor `ignore` covers. */
  readonly uncovered: readonly string[];
  readonly ignored: readonly string[];
  readonly renderFailures: readonly RenderFailure[];
  readonly objects: readonly ObjectEvidence[];
  readonly findings: readonly Finding[];
  readonly waivers: readonly AppliedWaiver[];
  readonly rulesExpected: number;
  readonly rulesEvaluated: number;
  readonly unruled: readonly string[];
  readonly notEvaluated: readonly NotEvaluated[];
  readonly approvals: {
    readonly given: readonly CountedApproval[];
    readonly ignored: readonly IgnoredApproval[];
    /** Who could still give one, sorted; absent where none is missing. For the words of a reason, never for the verdict. */
    readonly able?: readonly PossibleApprover[];
  };
  readonly governance: GovernanceEvidence | null;
  readonly carried: Carried | null;
  /** Operators who stand in for approvals and for what policies found; absent in every other decision. */
  readonly emergency?: Emergency;
  /** Reasons found before judging: merge-conflict, not-fast-forward, empty range, ... */
  readonly refusals: readonly Reason[];
  readonly digests: Digests;
  readonly failure: StageFailure | null;
  /** What sources outside of the repository gave, byte for byte; absent where no policy reads any. */
  readonly external?: readonly ExternalRecord[];
  /** Subject `admission` only; there `head` and `tree` are those of the judge, and nothing is signed or approved. */
  readonly request?: AdmissionFacts;
}

export interface Decision extends Evidence {
  /** ULID. */
  readonly id: string;
  readonly verdict: Verdict;
  /** Sorted by code and message; empty for an allow, but for one in an emergency: there it is what was stood in for. */
  readonly reasons: readonly Reason[];
  readonly decidedAt: string;
}
