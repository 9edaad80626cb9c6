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
  };
  readonly differences: readonly Difference[];
}

export function compareBranch(facts: TargetFacts, line: BranchLine, period: Period): Comparison {
  const decided = new Set(facts.decisions.map((one) => one.commit));
  const expected = commitsOf(facts, line, period);
  const left = leftBehind(facts, line.commits);
  const without = expected.filter((commit) => !decided.has(commit) && !left.has(commit));
  const decisions = facts.decisions.filter((one) => isIn(one.at, period));
  const releases = facts.releases.filter((one) => isIn(one.at, period));
  const onBranch = new Set([...line.commits, ...(facts.adopted === null ? [] : [facts.adopted])]);
  return {
    git: { commits: expected.length, first: expected[0] ?? null, last: expected.at(-1) ?? null },
    log: {
      decisions: decisions.length,
      decided: expected.filter((commit) => decided.has(commit)).length,
      leftBehind: expected.filter((commit) => !decided.has(commit) && left.has(commit)).length,
      releases: releases.length,
      applied: releases.filter(({ sequence }) => sequence !== null && facts.applied.has(sequence)).length,
      rollbacks: facts.rollbacks.filter((one) => isIn(one.at, period)).length,
    },
    differences: [
      ...(line.reachesAdopted ? [] : [notOnBranch(facts)]),
      ...without.map(undecided),
      ...decisions.filter((one) => !onBranch.has(one.commit)).map(uncommitted),
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

/** What stood undecided on the branch, up to the tip of that moment, when a rollback was released. */
function leftBehind({ abandoned, decisions }: TargetFacts, commits: readonly string[]): ReadonlySet<string> {
  const place = new Map(commits.map((commit, at) => [commit, at]));
  const left = new Set<string>();
  for (const [tip, index] of abandoned) {
    const before = decisions.filter((one) => one.index < index).map(({ commit }) => place.get(commit) ?? -1);
    const newest = before.reduce((most, at) => Math.max(most, at), -1);
    for (const commit of commits.slice(newest + 1, (place.get(tip) ?? -1) + 1)) left.add(commit);
  }
  return left;
}

function notOnBranch({ adopted }: TargetFacts): Difference {
  return difference("adopted-not-on-branch", "The branch does not descend from the commit that was adopted.", {
    commit: adopted,
  });
}

function undecided(commit: string): Difference {
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
