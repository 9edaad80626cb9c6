/**
 * Merges made in our own store. Attributes of the tree are never read there (a bare repository, and GIT_ATTR_SOURCE names
 * the empty tree), so `merge=union`, custom drivers, filters and eol conversion do not exist: what they would have
 * settled is a conflict, which denies.
 */
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { MAX_MERGE_OUTPUT_BYTES, MERGE_DEADLINE_MS, QUICK_DEADLINE_MS } from "./limits.ts";
import { type CommitId, isObjectId, treeId } from "./object.ts";
import { type GitAnswer, gitFailed, type OwnStore, runGit } from "./process.ts";
import type { MergeResult } from "./repository.ts";

/** The result of merging two commits that are not (known to be) ancestors of one another. @throws `unrelated-histories` */
export async function mergeCommits(store: OwnStore, ours: CommitId, theirs: CommitId): Promise<MergeResult> {
  const answer = await runGit(store, {
    args: ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", "--end-of-options", ours, theirs],
    maxOutputBytes: MAX_MERGE_OUTPUT_BYTES,
    deadlineMs: MERGE_DEADLINE_MS,
  });
  if (answer.exitCode === 0 || answer.exitCode === 1) return parseMerge(answer);
  if (await areUnrelated(store, ours, theirs)) {
    throw new SluiceError("unrelated-histories", `Commits ${ours} and ${theirs} have no common ancestor.`);
  }
  throw gitFailed("merge-tree", `ended with ${answer.exitCode}`, answer.stderr);
}

/** `<tree id> NUL`, then on a conflict (exit code 1) `<path> NUL` at least once. */
function parseMerge(answer: GitAnswer): MergeResult {
  const text = decodeUtf8(answer.stdout);
  if (text === null || !text.endsWith("\0")) throw unexpected(answer);
  const [tree = "", ...paths] = text.slice(0, -1).split("\0");
  if (!isObjectId(tree) || paths.includes("") || paths.length > 0 !== (answer.exitCode === 1)) throw unexpected(answer);
  if (answer.exitCode === 1) return { kind: "conflict", paths };
  return { kind: "merged", tree: treeId(tree) };
}

async function areUnrelated(store: OwnStore, ours: CommitId, theirs: CommitId): Promise<boolean> {
  const answer = await runGit(store, {
    args: ["merge-base", "--end-of-options", ours, theirs],
    maxOutputBytes: MAX_MERGE_OUTPUT_BYTES,
    deadlineMs: QUICK_DEADLINE_MS,
  });
  return answer.exitCode === 1 && answer.stdout.length === 0;
}

function unexpected(answer: GitAnswer): SluiceError {
  return gitFailed("merge-tree", "answered something that was not asked", answer.stderr);
}
