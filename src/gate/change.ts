/** Step 3: the range of commits, the merged tree, and which of the changed paths belong to whom. */

import type { Reason, TargetFacts } from "../decision/decision.ts";
import type { Commit, CommitId, PathChange, TreeFile, TreeId } from "../git/object.ts";
import { comparePaths } from "../git/repository.ts";
import type { Code } from "../lib/codes.ts";
import { type Coverage, openCoverage } from "../render/coverage.ts";
import type { Judge } from "./judge.ts";
import type { LandingBook, Services } from "./services.ts";
import type { Subject } from "./subject.ts";

export interface Change {
  /** Commits whose signatures count, parents before children. */
  readonly commits: readonly Commit[];
  readonly headCommit: Commit;
  /** null when there is no merge result. */
  readonly tree: TreeId | null;
  readonly files: readonly TreeFile[];
  /** Of the state that the change is compared with. */
  readonly baseFiles: readonly TreeFile[];
  /** From that state's tree to the merged tree. */
  readonly paths: readonly PathChange[];
  readonly governancePaths: readonly string[];
  readonly uncovered: readonly string[];
  readonly ignored: readonly string[];
  readonly refusals: readonly Reason[];
}

export async function readChange(
  subject: Subject,
  judge: Judge,
  target: TargetFacts,
  { landings }: Pick<Services, "landings">,
): Promise<Change> {
  const { repository, head } = subject;
  const headCommit = await repository.commit(head);
  const range = await repository.range(subject.excluded, head);
  const refusals = [...(await fastForwardRefusal(subject, target, landings))];
  // What is older than the release is in no range; its signature is looked at all the same, as that of any tip.
  const commits = range.length === 0 && refusals.length > 0 ? [headCommit] : range;
  const merged = await mergedTree(subject, headCommit);
  if (merged.refusal !== null) refusals.push(merged.refusal);
  const files = merged.tree === null ? [] : await repository.files(merged.tree);
  const baseFiles = await repository.files((await repository.commit(comparedWith(subject))).tree);
  const paths = merged.tree === null ? [] : comparePaths(baseFiles, files);
  return {
    commits,
    headCommit,
    tree: merged.tree,
    files,
    baseFiles,
    paths,
    refusals,
    ...coverage(judge, target, paths),
  };
}

/**
 * In a gate the last landed and released commit, not the base: what a denied commit on the branch did to policies, to
 * uncovered paths or to protected ones stays part of every later change until somebody allowed it. A rollback brings
 * back a state that was judged against its own base.
 */
function comparedWith({ base, judge, released, carried }: Subject): CommitId {
  return released === null || carried?.carried.how === "rollback" ? base : judge;
}

/** A landed tip descends from what was released before; anything else is history that was moved under the gate. */
async function fastForwardRefusal(
  subject: Subject,
  { branch }: TargetFacts,
  landings: LandingBook,
): Promise<readonly Reason[]> {
  const { released, head, repository, carried } = subject;
  if (subject.kind !== "landed" || released === null || carried?.carried.how === "rollback") return [];
  if (await repository.isAncestor(released, head)) return [];
  const { code, what } = await howMoved(subject, branch, released, landings);
  const fix = `land a commit on ${branch} that descends from ${released.slice(0, 7)}`;
  return [{ code, message: `${head.slice(0, 7)} ${what}.`, fix }];
}

/** Told apart by what the gate remembers: what it released, and what it saw land on other branches. */
async function howMoved(
  { head, repository, repositoryName }: Subject,
  branch: string,
  released: CommitId,
  landings: LandingBook,
): Promise<{ readonly code: Code; readonly what: string }> {
  const last = `the released ${released.slice(0, 7)}`;
  if (await repository.isAncestor(head, released)) {
    return { code: "branch-rollback", what: `is older than ${last}; ${branch} was moved back to it` };
  }
  const other = await landings.elsewhere(repositoryName, branch, head);
  if (other !== null) {
    const what = `landed on ${other} and does not descend from ${last}; ${branch} was pointed at it`;
    return { code: "branch-teleport", what };
  }
  return { code: "not-fast-forward", what: `does not descend from ${last}; ${branch} was rewritten` };
}

interface MergedTree {
  readonly tree: TreeId | null;
  readonly refusal: Reason | null;
}

async function mergedTree(subject: Subject, headCommit: Commit): Promise<MergedTree> {
  if (subject.kind === "landed") return { tree: headCommit.tree, refusal: null };
  const merge = await subject.repository.merge(subject.base, subject.head);
  if (merge.kind === "merged") return { tree: merge.tree, refusal: null };
  const shown = merge.paths.slice(0, 5).join(", ");
  const message = `${subject.head.slice(0, 7)} conflicts with ${subject.base.slice(0, 7)} in ${shown}.`;
  return { tree: null, refusal: { code: "merge-conflict", message, fix: `git rebase ${subject.base.slice(0, 7)}` } };
}

/** What a target of another branch holds is judged there and by nobody here. */
function coverage(
  judge: Judge,
  { branch }: TargetFacts,
  paths: readonly PathChange[],
): Pick<Change, "governancePaths" | "uncovered" | "ignored"> {
  const here = Object.entries(judge.configuration.targets).filter(([, one]) => one.branch === branch);
  const targets = here.map(([name, { path }]) => ({ name, path }));
  const cover = openCoverage(targets, judge.configuration.ignore, governancePlaces(judge));
  const covered = paths.map(({ path }) => ({ path, kind: cover(path).kind }));
  const pathsOf = (kind: Coverage["kind"]) => covered.filter((one) => one.kind === kind).map(({ path }) => path);
  return {
    governancePaths: pathsOf("governance"),
    uncovered: pathsOf("uncovered"),
    ignored: pathsOf("ignored"),
  };
}

export function governancePlaces(judge: Judge): {
  readonly policies: string;
  readonly trust: string;
  readonly waivers: string;
} {
  const { policies, trust, waivers } = judge.configuration;
  return { policies, trust, waivers };
}
