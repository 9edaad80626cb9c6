/** Commits by id, parsed; those that were asked for lately are remembered. */
import { BATCH_REQUESTS, FIRST_AHEAD_COMMITS, MAX_CACHED_COMMITS } from "./limits.ts";
import type { Commit, CommitId } from "./object.ts";
import type { ObjectReader } from "./objects.ts";
import { parseCommit } from "./parse.ts";

export class Commits {
  readonly #objects: ObjectReader;
  readonly #known = new Map<CommitId, Commit>();

  constructor(objects: ObjectReader) {
    this.#objects = objects;
  }

  /** Whether the commit was read before and is still remembered. */
  has(id: CommitId): boolean {
    return this.#known.has(id);
  }

  /** `remember` false: of a range that is only passed through. */
  async read(ids: readonly CommitId[], remember = true): Promise<readonly Commit[]> {
    const unread = [...new Set(ids)].filter((id) => !this.#known.has(id));
    const raws = await this.#objects.read("commit", unread);
    const fresh = new Map(unread.map((id, index) => [id, this.#parse(id, raws[index] as Buffer)]));
    const found = ids.map((id) => (fresh.get(id) ?? this.#known.get(id)) as Commit);
    if (remember) this.#remember([...fresh.values()]);
    return found;
  }

  /**
   * For a walk along first parents, which would otherwise ask for one commit at a time. With a commit come the ones that
   * git believes to stand behind it, each re-hashed, up to the first that is known or that `isEnd` says; they are taken
   * when they are asked for by their own ids, and where git is wrong, they never are.
   */
  walk(isEnd: (id: string) => boolean = () => false): (id: CommitId) => Promise<Commit> {
    const ahead = new Map<string, Buffer>();
    let behind = FIRST_AHEAD_COMMITS;
    const isStop = (id: string): boolean => this.#known.has(id as CommitId) || ahead.has(id) || isEnd(id);
    return async (id) => {
      const known = this.#known.get(id);
      if (known !== undefined) return known;
      if (!ahead.has(id)) {
        for (const one of await this.#objects.readLine(id, behind, isStop)) ahead.set(one.id, one.body);
        behind = Math.min(behind * 4, BATCH_REQUESTS - 1);
      }
      const commit = this.#parse(id, ahead.get(id) as Buffer);
      ahead.delete(id);
      this.#remember([commit]);
      return commit;
    };
  }

  #parse(id: CommitId, raw: Buffer): Commit {
    return parseCommit(id, raw, this.#objects.objectFormat);
  }

  #remember(fresh: readonly Commit[]): void {
    if (this.#known.size + fresh.length > MAX_CACHED_COMMITS) this.#known.clear();
    for (const commit of fresh) if (this.#known.size < MAX_CACHED_COMMITS) this.#known.set(commit.id, commit);
  }
}
