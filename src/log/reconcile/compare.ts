/**
 * The comparison itself: git's first-parent line of a branch beside what the log says of its target. Periods are told by
 * the log's own times, because a commit's date is whatever its author says: a period begins behind the last commit that was
 * decided before it, and ends with the last one that was decided in it. So each commit belongs to exactly one period, and an
 * undecided one is found as soon as a later commit was decided, or when the period is still open.
 */
import type { Instant } from "../../lib/time.ts";
import type { TargetFacts } from "./facts.ts";

export const DIFFERENCE_KINDS = [
  "adopted-not-on-branch",
  "commit-without-decision",
  "decision-without-commit",
  "release-without-applied",
  "write-outside-release",
  "audit-line-broken",
  "withheld",
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export interface Difference {
  readonly kind: DifferenceKind;
  readonly commit: string | null;
  /** Of an entry of the log. */
  readonly index: number | null;
  /** Of a release. */
  readonly sequence: number | null;
  /** In the audit log, from 1. */
  readonly line: number | null;
  /** One plain sentence. */
  readonly detail: string;
}

export interface Period {
  readonly from: Instant | null;
  readonly to: Instant | null;
}

/** The first-parent line of the branch, oldest first, without what was adopted. */
export interface BranchLine {
  readonly commits: readonly string[];
  /** Whether the line begins at the adopted commit. */
  readonly reachesAdopted: boolean;
}

export interface Comparison {
  readonly git: { readonly commits: number; readonly first: string | null; readonly last: string | null };
  readonly log: {
    /** Entries of kind decision on a landed commit. */
    readonly decisions: number;
    /** Commits of git's side that have one. */
    readonly decided: number;
    /** Commits of git's side that a released rollback left behind undecided. */
    readonly leftBehind: number;
    readonly releases: number;
    readonly applied: number;
    readonly rollbacks: number;
    /** Commits of git's side that two operators adopted undecided. */
    readonly passedOver: number;
    /** Decisions on commits that two operators left behind by adopting another state. */
    readonly replaced: number;
    readonly adoptedAgain: number;
    readonly emergencies: number;
  };
  readonly differences: readonly Difference[];
}

export function compareBranch(facts: TargetFacts, whole: BranchLine, period: Period): Comparison {
  const line = whole.reachesAdopted ? whole : behindAdoptedAgain(facts, whole);
  const decided = new Set(facts.decisions.map((one) => one.commit));
  const expected = commitsOf(facts, line, period);
  const undecided = expected.filter((commit) => !decided.has(commit));
  const left = undecidedUpTo(facts.abandoned, facts, line.commits);
  const again = facts.adoptedAgain.map(({ commit, index }) => [commit, index] as const);
  const passed = undecidedUpTo(again, facts, line.commits);
  const without = undecided.filter((commit) => !passed.has(commit) && !left.has(commit));
  const decisions = facts.decisions.filter((one) => isIn(one.at, period));
  const releases = facts.releases.filter((one) => isIn(one.at, period));
  const onBranch = new Set([...whole.commits, ...(facts.adopted === null ? [] : [facts.adopted])]);
  const replacing = Math.max(-1, ...again.flatMap(([commit, index]) => (onBranch.has(commit) ? [index] : [])));
  const off = decisions.filter((one) => !onBranch.has(one.commit));
  return {
    git: { commits: expected.length, first: expected[0] ?? null, last: expected.at(-1) ?? null },
    log: {
      decisions: decisions.length,
      decided: expected.filter((commit) => decided.has(commit)).length,
      leftBehind: undecided.filter((commit) => left.has(commit)).length,
      releases: releases.length,
      applied: releases.filter(({ sequence }) => sequence !== null && facts.applied.has(sequence)).length,
      rollbacks: facts.rollbacks.filter((one) => isIn(one.at, period)).length,
      passedOver: undecided.filter((commit) => passed.has(commit) && !left.has(commit)).length,
      replaced: off.filter(({ index }) => index < replacing).length,
      adoptedAgain: facts.adoptedAgain.filter((one) => isIn(one.at, period)).length,
      emergencies: facts.emergencies.filter((one) => isIn(one.at, period)).length,
    },
    differences: [
      ...(line.reachesAdopted ? [] : [notOnBranch(facts)]),
      ...without.map(notDecided),
      ...off.filter(({ index }) => index > replacing).map(uncommitted),
      ...releases.flatMap((release) => releaseDifferences(release, facts)),
      ...facts.appliedWithheld.map((index) => withheld(index, "which release was applied")),
    ],
  };
}

export function isIn(at: Instant, { from, to }: Period): boolean {
  return (from === null || at >= from) && (to === null || at < to);
}

export function difference(kind: DifferenceKind, detail: string, of: Partial<Difference>): Difference {
  return { commit: null, index: null, sequence: null, line: null, ...of, kind, detail };
}

export function withheld(index: number, what: string): Difference {
  return difference("withheld", `Entry ${index} no longer says ${what}: it was redacted, so it cannot be compared.`, {
    index,
  });
}

/** The part of the line that belongs to the period. */
function commitsOf({ decisions }: TargetFacts, { commits, reachesAdopted }: BranchLine, period: Period) {
  const place = new Map(commits.map((commit, at) => [commit, at]));
  const newestBefore = (bound: Instant) =>
    decisions
      .filter((one) => one.at < bound)
      .reduce((newest, { commit }) => Math.max(newest, place.get(commit) ?? -1), -1);
  const begin = reachesAdopted ? 0 : firstDecided(decisions, place);
  const start = period.from === null ? begin : Math.max(begin, newestBefore(period.from) + 1);
  const end = period.to === null ? commits.length : newestBefore(period.to) + 1;
  return commits.slice(start, end);
}

/** Of a line that was rewritten below the adopted commit only what follows a decision can be compared. */
function firstDecided(decisions: TargetFacts["decisions"], place: ReadonlyMap<string, number>): number {
  const places = decisions.flatMap(({ commit }) => place.get(commit) ?? []);
  return places.reduce((least, at) => Math.min(least, at), places[0] ?? 0);
}

/** A branch that was replaced begins behind the oldest state on it that two operators made the judge. */
function behindAdoptedAgain({ adoptedAgain }: TargetFacts, line: BranchLine): BranchLine {
  const [first] = adoptedAgain
    .map(({ commit }) => line.commits.indexOf(commit))
    .filter((at) => at >= 0)
    .sort((a, b) => a - b);
  return first === undefined ? line : { commits: line.commits.slice(first + 1), reachesAdopted: true };
}

/** What stood undecided on the branch, up to each tip, when its entry was written. */
function undecidedUpTo(
  tips: Iterable<readonly [string, number]>,
  { decisions }: TargetFacts,
  commits: readonly string[],
): ReadonlySet<string> {
  const place = new Map(commits.map((commit, at) => [commit, at]));
  const found = new Set<string>();
  for (const [tip, index] of tips) {
    const before = decisions.filter((one) => one.index < index).map(({ commit }) => place.get(commit) ?? -1);
    const newest = before.reduce((most, at) => Math.max(most, at), -1);
    for (const commit of commits.slice(newest + 1, (place.get(tip) ?? -1) + 1)) found.add(commit);
  }
  return found;
}

function notOnBranch({ adopted }: TargetFacts): Difference {
  return difference("adopted-not-on-branch", "The branch does not descend from the commit that was adopted.", {
    commit: adopted,
  });
}

function notDecided(commit: string): Difference {
  return difference("commit-without-decision", "The commit is on the branch; no entry of the log decides it.", {
    commit,
  });
}

function uncommitted({ commit, index }: { readonly commit: string; readonly index: number }): Difference {
  const detail = `Entry ${index} decides a commit that is not on the branch's first-parent line.`;
  return difference("decision-without-commit", detail, { commit, index });
}

function releaseDifferences({ index, sequence }: TargetFacts["releases"][number], facts: TargetFacts) {
  if (sequence === null) return [withheld(index, "which release it is")];
  if (facts.applied.has(sequence)) return [];
  const next = facts.releases.find((one) => one.index > index);
  const then = next === undefined ? "" : `; release ${next.sequence ?? "(withheld)"} followed it`;
  return [
    difference("release-without-applied", `No agent reported release ${sequence} as applied${then}.`, {
      index,
      sequence,
    }),
  ];
}
