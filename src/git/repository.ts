/** What the rest of Sluice may ask of git. Every answer comes from a bare repository that Sluice created itself. */
import type { BlobId, Commit, CommitId, ObjectFormat, PathChange, TreeFile, TreeId } from "./object.ts";

export type MergeResult =
  | { readonly kind: "merged"; readonly tree: TreeId }
  | { readonly kind: "conflict"; readonly paths: readonly string[] };

/** Two commits without a common ancestor: there is nothing to merge them from. */
export interface UnrelatedHistories {
  readonly kind: "unrelated";
}

export interface RefEntry {
  readonly name: string;
  readonly id: string;
}

/** Approvals of the source that are not here, in words for people. */
export interface UnfetchedApproval {
  /** Whole name; null where several are told together. */
  readonly ref: string | null;
  readonly count: number;
  /** The rest of a sentence about them. */
  readonly why: string;
}

/** The largest blob that is read, and how many bytes of them together. */
export interface BlobBounds {
  readonly each: number;
  readonly together: number;
}

/**
 * MUST never run a command with the judged repository as its git directory, MUST re-hash every object it returns
 * (`object-corrupt` otherwise), MUST keep one `cat-file --batch` alive and end it in close(). Bounds are in limits.ts.
 */
export interface GitRepository {
  readonly objectFormat: ObjectFormat;
  /** For example "2.39.5". */
  readonly gitVersion: string;
  /** Of the last fetch; empty in a preview, which fetches nothing. */
  readonly unfetched: readonly UnfetchedApproval[];
  /**
   * The commit that a revision of the source names: branch, remote branch, tag, id (whole or 7 digits and more), HEAD,
   * `refs/…`, each with `~N` and `^N` behind it. A tag and a branch of one name are refused unless they agree.
   * @throws SluiceError `unknown-revision`, `not-a-commit`
   */
  resolve(revision: string): Promise<CommitId>;
  /** Refs of the source below a prefix such as `refs/sluice/approvals/`, sorted, at most `limit` (`too-many-refs` above). */
  refs(prefix: string, limit: number): Promise<readonly RefEntry[]>;
  /** @throws SluiceError `unknown-revision`, `not-a-commit`, `object-corrupt`, `object-too-large` */
  commit(id: CommitId): Promise<Commit>;
  /**
   * The exact body of a tag object, whatever it holds; null where the id is of an object of another type.
   * @throws SluiceError `object-missing`, `object-corrupt`, `object-too-large`
   */
  tag(id: string): Promise<Uint8Array | null>;
  /** Commits reachable from `head` and from none of `exclude`, parents before children. @throws `range-too-large` */
  range(exclude: readonly CommitId[], head: CommitId): Promise<readonly Commit[]>;
  /**
   * The same in parts, for ranges that need not be held. Only the end of the stream proves that no commit is missing.
   * @throws `range-too-large` before the first part, `object-corrupt` also after the last one
   */
  stream(exclude: readonly CommitId[], head: CommitId): AsyncIterable<readonly Commit[]>;
  /** First-parent chain from `base` (exclusive) to `head`, oldest first; null when base is not on it. */
  firstParents(base: CommitId, head: CommitId): Promise<readonly CommitId[] | null>;
  isAncestor(ancestor: CommitId, of: CommitId): Promise<boolean>;
  /**
   * The tree that merging `head` into `base` gives, made in our own store; head's own tree when base is its ancestor.
   * Attributes of the tree are not read. @throws SluiceError `unrelated-histories`, `path-hostile`, `object-malformed`
   */
  merge(base: CommitId, head: CommitId): Promise<MergeResult>;
  /** The parent-recomputed merge of a two-parent commit, to detect an evil merge; null for other commits. */
  remerge(commit: Commit): Promise<MergeResult | UnrelatedHistories | null>;
  /** Every file of a tree, sorted by path bytes. @throws `path-hostile`, `too-many-files` */
  files(tree: TreeId): Promise<readonly TreeFile[]>;
  /** @throws `object-too-large`, `object-corrupt` */
  blob(id: BlobId): Promise<Uint8Array>;
  /** Several at once, in the order asked; one round trip. */
  blobs(ids: readonly BlobId[]): Promise<readonly Uint8Array[]>;
  /**
   * What strangers wrote, in the order asked: null for whatever is no blob within the bounds or does not hash to its id.
   * Ends before the first one that would exceed them together. Two round trips.
   */
  smallBlobs(ids: readonly string[], bounds: BlobBounds): Promise<readonly (Uint8Array | null)[]>;
  close(): Promise<void>;
}

/** Differences between two listings, sorted by path. */
export function comparePaths(before: readonly TreeFile[], after: readonly TreeFile[]): readonly PathChange[] {
  const old = new Map(before.map((file) => [file.path, file]));
  const changes: PathChange[] = [];
  for (const file of after) {
    const was = old.get(file.path);
    old.delete(file.path);
    if (was?.id === file.id && was.mode === file.mode) continue;
    changes.push(pathChange(file.path, was ?? null, file));
  }
  for (const was of old.values()) changes.push(pathChange(was.path, was, null));
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function pathChange(path: string, was: TreeFile | null, is: TreeFile | null): PathChange {
  return {
    path,
    oldMode: was?.mode ?? null,
    oldBlob: was?.id ?? null,
    newMode: is?.mode ?? null,
    newBlob: is?.id ?? null,
  };
}
