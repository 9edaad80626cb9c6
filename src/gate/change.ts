/** Step 3: the range of commits, the merged tree, and which of the changed paths belong to whom. */

import type { Reason, TargetFacts } from "../decision/decision.ts";
import type { Commit, CommitId, PathChange, TreeFile, TreeId } from "../git/object.ts";
import { comparePaths } from "../git/repository.ts";
import { coverPath, isGovernanceFile } from "../render/coverage.ts";
import type { Judge } from "./judge.ts";
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

export async function readChange(subject: Subject, judge: Judge, target: TargetFacts): Promise<Change> {
  const { repository, head } = subject;
  const headCommit = await repository.commit(head);
  const commits = await repository.range(subject.excluded, head);
  const refusals = [...(await fastForwardRefusal(subject, target))];
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

/** A landed tip descends from what was released before; anything else is history rewritten under the gate. */
async function fastForwardRefusal(subject: Subject, target: TargetFacts): Promise<readonly Reason[]> {
  if (subject.kind !== "landed" || subject.released === null || subject.carried?.carried.how === "rollback") return [];
  if (await subject.repository.isAncestor(subject.released, subject.head)) return [];
  const message = `${subject.head.slice(0, 7)} does not descend from the released ${subject.released.slice(0, 7)}; ${target.branch} was rewritten.`;
  return [
    {
      code: "not-fast-forward",
      message,
      fix: `land a commit on ${target.branch} that descends from ${subject.released.slice(0, 7)}`,
    },
  ];
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
  const places = governancePlaces(judge);
  const covered = paths.map(({ path }) => ({ path, by: coverPath(path, targets, judge.configuration.ignore, places) }));
  return {
    governancePaths: covered.filter(({ path }) => isGovernanceFile(path, places)).map(({ path }) => path),
    uncovered: covered.filter(({ by }) => by.kind === "uncovered").map(({ path }) => path),
    ignored: covered.filter(({ by }) => by.kind === "ignored").map(({ path }) => path),
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
