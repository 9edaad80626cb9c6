/** GitRepository over one of our own bare stores; preview and gate differ only in how objects and references come into it. */
import { SluiceError } from "../lib/errors.ts";
import { openLatest } from "../lib/latest.ts";
import { History } from "./history.ts";
import { MAX_CACHED_MERGES } from "./limits.ts";
import { TreeListings } from "./listing.ts";
import { mergeCommits } from "./merge.ts";
import type { BlobId, Commit, CommitId, ObjectFormat, TreeFile, TreeId } from "./object.ts";
import type { ObjectReader } from "./objects.ts";
import type { OwnStore } from "./process.ts";
import type {
  BlobBounds,
  GitRepository,
  MergeResult,
  RefEntry,
  UnfetchedApproval,
  UnrelatedHistories,
} from "./repository.ts";
import { Revisions } from "./revision.ts";
import type { SourceRefs } from "./source-refs.ts";

export interface OwnRepositoryParts {
  readonly store: OwnStore;
  /** Reads from `store`; made by the opener, so that its child starts while the version is asked. */
  readonly objects: ObjectReader;
  readonly source: SourceRefs;
  readonly gitVersion: string;
  /** Runs once, after the reader has ended. */
  readonly afterClose?: () => void;
}

export class OwnRepository implements GitRepository {
  readonly objectFormat: ObjectFormat;
  readonly gitVersion: string;
  readonly source: SourceRefs;
  readonly #parts: OwnRepositoryParts;
  readonly #history: History;
  readonly #listings: TreeListings;
  readonly #revisions: Revisions;
  /** Trees of merges without a conflict, by both commits: merging them again gives the same. */
  readonly #merged = openLatest<string, TreeId>(MAX_CACHED_MERGES);

  constructor(parts: OwnRepositoryParts) {
    this.objectFormat = parts.store.objectFormat;
    this.gitVersion = parts.gitVersion;
    this.source = parts.source;
    this.#parts = parts;
    this.#history = new History(parts.store, parts.objects);
    this.#listings = new TreeListings(parts.objects);
    this.#revisions = new Revisions(parts.objects, this.#history, parts.source);
  }

  get unfetched(): readonly UnfetchedApproval[] {
    return [];
  }

  /** Process id of the running cat-file, for tests and `doctor`; null when none runs. */
  get readerPid(): number | null {
    return this.#parts.objects.pid;
  }

  resolve(revision: string): Promise<CommitId> {
    return this.#revisions.resolve(revision);
  }

  refs(prefix: string, limit: number): Promise<readonly RefEntry[]> {
    return this.source.list(prefix, limit);
  }

  async commit(id: CommitId): Promise<Commit> {
    if (this.#history.has(id)) return this.#history.commit(id);
    const answer = await this.#parts.objects.identify(id);
    if (typeof answer === "string")
      throw new SluiceError("unknown-revision", `There is no commit ${id} in the repository.`);
    if (answer.type !== "commit") throw new SluiceError("not-a-commit", `${id} is a ${answer.type}, not a commit.`);
    return this.#history.commit(id);
  }

  async tag(id: string): Promise<Uint8Array | null> {
    const answer = await this.#parts.objects.identify(id);
    if (typeof answer === "string") throw new SluiceError("object-missing", `Object ${id} is not in the repository.`);
    if (answer.type !== "tag") return null;
    const [raw] = await this.#parts.objects.read("tag", [id]);
    return raw as Uint8Array;
  }

  range(exclude: readonly CommitId[], head: CommitId): Promise<readonly Commit[]> {
    return this.#history.range(exclude, head);
  }

  stream(exclude: readonly CommitId[], head: CommitId): AsyncIterable<readonly Commit[]> {
    return this.#history.stream(exclude, head);
  }

  firstParents(base: CommitId, head: CommitId): Promise<readonly CommitId[] | null> {
    return this.#history.firstParents(base, head);
  }

  isAncestor(ancestor: CommitId, of: CommitId): Promise<boolean> {
    return this.#history.isAncestor(ancestor, of);
  }

  async merge(base: CommitId, head: CommitId): Promise<MergeResult> {
    if (await this.isAncestor(base, head)) return { kind: "merged", tree: (await this.#history.commit(head)).tree };
    const pair = `${base} ${head}`;
    const known = this.#merged.get(pair);
    if (known !== undefined) return { kind: "merged", tree: known };
    const merge = await this.#mergeChecked(base, head);
    if (merge.kind === "merged") this.#merged.set(pair, merge.tree);
    return merge;
  }

  async remerge(commit: Commit): Promise<MergeResult | UnrelatedHistories | null> {
    const [first, second] = commit.parents;
    if (first === undefined || second === undefined || commit.parents.length !== 2) return null;
    try {
      return await this.#mergeChecked(first, second);
    } catch (error) {
      if (error instanceof SluiceError && error.code === "unrelated-histories") return { kind: "unrelated" };
      throw error;
    }
  }

  /** Both trees are listed first: what merge-tree would stumble over (hostile or doubled names) is refused by name. */
  async #mergeChecked(ours: CommitId, theirs: CommitId): Promise<MergeResult> {
    for (const commit of await this.#history.commits([ours, theirs])) await this.files(commit.tree);
    return mergeCommits(this.#parts.store, ours, theirs);
  }

  files(tree: TreeId): Promise<readonly TreeFile[]> {
    return this.#listings.files(tree);
  }

  async blob(id: BlobId): Promise<Uint8Array> {
    const [body] = await this.#parts.objects.read("blob", [id]);
    return body as Uint8Array;
  }

  blobs(ids: readonly BlobId[]): Promise<readonly Uint8Array[]> {
    return this.#parts.objects.read("blob", ids);
  }

  smallBlobs(ids: readonly string[], bounds: BlobBounds): Promise<readonly (Uint8Array | null)[]> {
    return this.#parts.objects.readSmall(ids, bounds);
  }

  async close(): Promise<void> {
    await this.#parts.objects.close();
    this.#parts.afterClose?.();
  }
}
