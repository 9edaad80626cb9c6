/**
 * What the HTTP side may ask of the service, and what it may order. Routes know nothing else of it: no git, no policies,
 * no storage. Whoever calls has been let in by then: roles, targets and the rate limit are checked before any of this.
 *
 * Every method rejects with a SluiceError for what the caller can be told, by its code; whatever else is thrown is
 * answered as `internal`, without its text. What does not exist yet rejects with `not-supported`.
 */
import type { AdmissionRequest, AdmissionVerdict } from "../admission/review.ts";
import type { AdoptionWish } from "../gate/adopt.ts";
import type { DataAnswer, DataQuery } from "../gate/data.ts";
import type { AdoptionReport } from "../gate/json/adoption.ts";
import type { CheckReport } from "../gate/json/check.ts";
import type { landedReport } from "../gate/json/landed.ts";
import type { RedactionReport } from "../gate/json/redaction.ts";
import type { RedactionOrder } from "../gate/redacting.ts";
import type { ReviewState, ReviewWish } from "../gate/review.ts";
import type { RollbackWish } from "../gate/rollback.ts";
import type { Code } from "../lib/codes.ts";
import type { Instant } from "../lib/time.ts";
import type { EntryQuery, LoggedEntry, Verdict } from "../log/entry.ts";
import type { Hold, HoldRequest } from "../release/holds.ts";
import type { ForgeHint, SignedHint } from "./access/hints.ts";

/** The part that is read from the log alone; openLogView() gives it from a DecisionLog. */
export interface LogView {
  /** `targets`: only entries of these, and none of the whole gate; null for everything. */
  entries(query: EntryQuery, targets: readonly string[] | null): Promise<EntryPage>;
  /** null where there is none. */
  entry(name: EntryName): Promise<LoggedEntry | null>;
  /** C2SP tlog-proof under the newest checkpoint. @throws SluiceError `entry-unknown` */
  proof(index: number): Promise<string>;
  /** Newest first. */
  releases(query: ReleaseQuery): Promise<readonly ReleaseSummary[]>;
  /** How the review of a decision stands at `now`; null for an entry that owes none. */
  reviewState(entry: LoggedEntry, now: Instant): Promise<ReviewState | null>;
  /** Those in force, oldest first. */
  holds(): Promise<readonly Hold[]>;
  /** C2SP tlog-tiles, below the log's root: `checkpoint`, `tile/0/000.p/3`; null where there is none. */
  resource(path: string): Promise<Uint8Array | null>;
  /** MUST be durable before it resolves: an auditor sees nothing before it is logged that he looked. */
  recordRead(read: ReadRecord): Promise<void>;
}

export interface ServiceView extends LogView {
  /** Every configured target, sorted by name. */
  targets(): Promise<readonly TargetState[]>;
  /** What judges a target; `asOf` null for now. @throws `target-unknown`, `target-not-adopted`, and what an unusable judge throws */
  rules(target: string, asOf: Instant | null): Promise<RulesState>;
  /** As they stand in each target's judge, those that ended too. */
  waivers(targets: readonly string[]): Promise<readonly WaiverState[]>;
  /** A file of the target's channel, `head.json`, `releases/3/release.json`; null where there is none. */
  releaseFile(target: string, path: string): Promise<Uint8Array | null>;
  /** Judges a head that the service fetches itself; logged. Resolves when it is decided. @throws `target-unknown`, `busy` */
  check(request: CheckRequest): Promise<CheckReport>;
  /** Logged, and in the heads, before it resolves. @throws `hold-scope`, `target-unknown` */
  hold(request: HoldRequest): Promise<Holding>;
  /** As hold(). */
  resume(request: HoldRequest): Promise<Holding>;
  /**
   * Judges whatever landed and releases what is allowed; in an emergency also what operators stand for.
   * @throws SluiceError `second-operator-needed` for the first word, and what releaseInEmergency() throws
   */
  release(request: ReleaseRequest): Promise<Landings>;
  /** What another person says of what one operator alone released. @throws SluiceError what reviewEmergency() throws */
  review(wish: ReviewWish): Promise<ReviewState>;
  /** A first approved state, or, by two operators, another judge. @throws what adoptTarget() and adoptAgain() throw */
  adopt(request: AdoptRequest): Promise<AdoptionReport>;
  /** Erases disclosed values. @throws SluiceError what redactOpenLog() throws */
  redact(order: RedactionOrder): Promise<RedactionReport>;
  /** One admission request, by policies alone. MUST reject, never allow, where it cannot be judged. */
  admit(request: AdmissionRequest, signal: AbortSignal): Promise<AdmissionVerdict>;
  /** Which target an approval is for, by what it says itself. @throws SluiceError `approval-malformed` */
  approvalTarget(envelope: Uint8Array): Promise<string>;
  /** Logged, and what waits for it is judged again. @throws what takeApproval() throws */
  approve(envelope: Uint8Array): Promise<GivenApproval>;
  /** An agent's signed note. @throws SluiceError what readReport() rejects it with */
  report(target: string, note: Uint8Array): Promise<{ readonly index: number | null }>;
  /** In the target's turn among its landings. @throws SluiceError `release-unknown` */
  rollback(wish: RollbackWish): Promise<Landings>;
  /** The value of a configured entrypoint; `targets` are those that the caller may ask. @throws `route-unknown`, `entrypoint-undefined` */
  data(query: DataQuery & { readonly targets: readonly string[] | null }): Promise<DataAnswer>;
  /** Looks at a repository at once. @throws SluiceError what Hints.check() throws: then nothing is looked at */
  hint(hint: SignedHint | ForgeHint): Promise<void>;
  readiness(): Promise<Readiness>;
  metrics(): Promise<MetricFacts>;
}

/** By its place in the log, or by its ULID. */
export type EntryName = { readonly index: number } | { readonly id: string };

export interface EntryPage {
  readonly entries: readonly LoggedEntry[];
  /** How many there are in all. */
  readonly count: number;
}

export interface ReleaseQuery {
  /** null for every target. */
  readonly targets: readonly string[] | null;
  /** Only those whose entry stands below this index. */
  readonly after: number | null;
  readonly limit: number;
}

export interface ReleaseSummary {
  readonly target: string;
  readonly sequence: number;
  readonly commit: string;
  readonly tree: string;
  readonly rollbackOf: number | null;
  /** How many. */
  readonly objects: number;
  readonly manifestDigest: string;
  /** Of the `release` entry. */
  readonly index: number;
  readonly time: string;
}

export interface ReadRecord {
  /** Who read. */
  readonly person: string;
  /** `GET /v1/decisions`, without values from the request's path. */
  readonly route: string;
  /** Path and query as asked, at most 2,000 characters. */
  readonly asked: string;
  /** null where it is not about one target. */
  readonly target: string | null;
}

export interface TargetState {
  readonly target: string;
  readonly repository: string;
  readonly branch: string;
  /** What sluice.yaml at the judge says; null before the target is adopted. */
  readonly mode: "observe" | "warn" | "enforce" | null;
  readonly adopted: boolean;
  /** null before the first release. */
  readonly released: { readonly sequence: number; readonly commit: string; readonly time: string } | null;
  /** The newest signed head; null before the first. */
  readonly head: { readonly issuedAt: string; readonly notAfter: string } | null;
  /** The oldest hold that stands over it. */
  readonly hold: Hold | null;
  /** The oldest that another person still owes. */
  readonly review: ReviewState | null;
  /** Proposals and landings that are not decided yet. */
  readonly waiting: number;
}

export interface WaiverState {
  readonly id: string;
  readonly target: string;
  readonly rule: string;
  readonly resource: string;
  readonly reason: string;
  readonly ticket: string | null;
  readonly owner: string;
  /** First day on which it no longer counts, `2027-02-28`. */
  readonly until: string;
}

export interface RulesState {
  readonly target: string;
  readonly mode: "observe" | "warn" | "enforce";
  /** The judge, and since which entry it is one. */
  readonly commit: string;
  readonly since: string;
  readonly index: number;
  readonly signatures: string;
  readonly approvals: { readonly count: number; readonly roles: readonly string[] };
  /** People who could approve. */
  readonly approvers: readonly string[];
  readonly rules: readonly {
    readonly id: string;
    readonly title: string;
    readonly description: string;
    readonly level: string;
    readonly mode: string;
    readonly controls: readonly string[];
    readonly waivable: boolean;
    /** Decisions in which it spoke, and those of them that were denials. */
    readonly spoke: number;
    readonly denied: number;
  }[];
  readonly waivers: readonly (WaiverState & { readonly isOver: boolean })[];
  readonly people: readonly {
    readonly id: string;
    readonly class: "person" | "robot" | "forge";
    readonly roles: readonly string[];
    readonly keys: number;
    readonly usable: number;
    readonly hasLeft: boolean;
  }[];
}

export interface CheckRequest {
  /** Name under `repositories:` of gate.yaml. */
  readonly repository: string;
  /** Whole commit id. */
  readonly head: string;
  /** Empty for every target of the repository. */
  readonly targets: readonly string[];
  /** Who asks, as recorded. */
  readonly by: string;
}

export interface ReleaseRequest {
  readonly target: string;
  /** The named person. */
  readonly by: string;
  /** The person's word: as one of two operators, or `alone` where gate.yaml allows it. */
  readonly emergency?: { readonly reason: string; readonly ticket: string; readonly alone: boolean };
}

export interface GivenApproval {
  /** Of the entry. */
  readonly index: number;
  readonly target: string;
  readonly approver: string;
  readonly tree: string;
  readonly head: string;
}

export interface AdoptRequest extends AdoptionWish {
  /** The person's word as one of two operators who repair a judge. */
  readonly again: boolean;
}

export interface Holding {
  /** Of the entry. */
  readonly index: number;
  /** Whose heads say so now. */
  readonly targets: readonly string[];
}

export type Landings = ReturnType<typeof landedReport>;

export interface Readiness {
  readonly ready: boolean;
  /** What was looked at: `log`, `disk`, `repository shop`; `code` is null where all is well. */
  readonly facts: readonly {
    readonly what: string;
    readonly code: Code | null;
    readonly message: string;
  }[];
}

/** What /metrics shows of the service; counts are since the process began. */
export interface MetricFacts {
  readonly startedAt: Instant;
  readonly logSize: number;
  /** Of the volume that holds the log; null where it is not known. */
  readonly freeBytes: number | null;
  readonly queue: { readonly proposals: number; readonly landings: number; readonly running: number };
  readonly polls: readonly {
    readonly repository: string;
    readonly succeeded: number;
    readonly failed: number;
    /** null before the first success. */
    readonly lastSuccessAt: Instant | null;
  }[];
  readonly decisions: readonly {
    readonly target: string;
    /** `emergency`: a landed commit for which operators stood in. */
    readonly subject: "proposed" | "landed" | "emergency" | "admission";
    readonly verdict: Verdict;
    readonly count: number;
  }[];
  readonly targets: readonly {
    readonly target: string;
    /** 0 before the first release. */
    readonly sequence: number;
    readonly held: boolean;
    /** null where no review is owed. */
    readonly review: ReviewState["state"] | null;
    /** Until when its newest head counts; null before the first. */
    readonly headNotAfter: Instant | null;
  }[];
  /** Seconds from the sight of a landed commit to its new head, each once: sum, count, and how many took at most `le`. */
  readonly landingToRelease: {
    readonly sum: number;
    readonly count: number;
    readonly buckets: readonly { readonly le: number; readonly count: number }[];
  };
}
