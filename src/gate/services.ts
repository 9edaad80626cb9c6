/** What the judge needs from outside: made once in wiring.ts, given to every step as an argument. */
import type { Digests } from "../decision/decision.ts";
import type { Envelope } from "../decision/envelope.ts";
import type { CommitId } from "../git/object.ts";
import type { Memo } from "../lib/memo.ts";
import type { Clock, Instant } from "../lib/time.ts";
import type { CompiledCache } from "../policy/compiled-cache.ts";
import type { ExternalSources } from "../policy/external.ts";
import type { PolicyEngine, PolicySet } from "../policy/policy-set.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import type { TimeBasis } from "../signature/verification.ts";
import type { VerificationMemory } from "../signature/verification-memo.ts";
import type { JudgeMemory } from "./judge-memory.ts";

/** When the gate first saw each commit; a preview says "now" for all. */
export interface ReceiptBook {
  /** MUST be durable for every commit before it resolves, where there is a log. */
  receive(target: string, commits: readonly CommitId[]): Promise<ReadonlyMap<CommitId, ReceivedAt>>;
}

export interface ReceivedAt {
  readonly instant: Instant;
  readonly basis: TimeBasis;
}

/** What the gate said of commits when they landed; a preview knows nothing of that. */
export interface LandingBook {
  /** What judged the commit where it landed, was allowed, and carried a proposal's verdict; null where it did not. */
  carried(target: string, commit: CommitId): Promise<Digests | null>;
  /** Another branch of the repository on which the commit was seen to land; null where it was not. */
  elsewhere(repository: string, branch: string, commit: CommitId): Promise<string | null>;
}

/** Approvals that nobody pushed; a preview has none. */
export interface ApprovalBook {
  /** Newest first, of those that may not be over yet. */
  given(target: string): Promise<readonly Envelope[]>;
}

/** Reports how long each step took, for `timings` and progress. */
export type StepListener = (step: string, milliseconds: number) => void;

export interface Services {
  readonly clock: Clock;
  /** `count` random bytes. */
  readonly random: (count: number) => Uint8Array;
  readonly toolchain: Toolchain;
  readonly compiledCache: CompiledCache;
  readonly engine: PolicyEngine;
  /** What policies may be given from outside of the repository. */
  readonly external: ExternalSources;
  /** Asked in place of the judge's own policies: what they would say. For a replayer only; no door of a gate sets it. */
  readonly policies?: PolicySet;
  /** Who judged before. */
  readonly judges: JudgeMemory;
  readonly receipts: ReceiptBook;
  readonly landings: LandingBook;
  readonly approvals?: ApprovalBook;
  /** What signatures were worth before. */
  readonly verifications: VerificationMemory;
  /** What manifest files gave before. */
  readonly renderMemo: Memo;
  readonly onStep: StepListener;
  /** Aborted with a SluiceError, it ends a judgement at its next step: a newer head came, or time is up. */
  readonly signal?: AbortSignal;
}
