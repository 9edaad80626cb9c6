/**
 * What a push brings, found without starting git: from the head down to commits that are excluded, over commits that
 * were re-hashed. Nothing reachable can be missing from such a walk, since it ends only at what is excluded; it could
 * only hold too much, where it passes below an excluded commit. So it answers where it met a single one, above which
 * none of the others stands; rev-list answers everything else (history.ts).
 */
import { MAX_REMEMBERED_LINES, SHORT_RANGE_COMMITS } from "./limits.ts";
import type { Commit, CommitId } from "./object.ts";

/** Whether one commit is the other's ancestor, as far as git says: a wrong yes lets a range hold more, never less. */
export type IsBelow = (ancestor: CommitId, of: CommitId) => Promise<boolean>;

export class ShortRanges {
  readonly #isBelow: IsBelow;
  /** By commit, some of its ancestors: of each head that was answered for, what it was answered against. */
  readonly #below = new Map<CommitId, Set<CommitId>>();

  constructor(isBelow: IsBelow) {
    this.#isBelow = isBelow;
  }

  /** In the order that `rev-list --topo-order --reverse` gives; null where only git can tell. */
  async find(
    exclude: readonly CommitId[],
    head: CommitId,
    read: (id: CommitId) => Promise<Commit>,
  ): Promise<readonly Commit[] | null> {
    const excluded = new Set(exclude);
    const inside = new Map<CommitId, Commit>();
    const met = new Set<CommitId>();
    const open = [head];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (inside.has(id)) continue;
      const commit = await read(id);
      if (commit.parents.length === 0 || inside.size >= SHORT_RANGE_COMMITS) return null;
      inside.set(id, commit);
      for (const parent of commit.parents) {
        if (excluded.has(parent)) met.add(parent);
        else open.push(parent);
      }
    }
    const [end] = met;
    if (end === undefined || met.size > 1 || !(await this.#areBelow(excluded, end))) return null;
    this.#remember(head, excluded);
    return inGitsOrder(inside, head);
  }

  async #areBelow(all: ReadonlySet<CommitId>, end: CommitId): Promise<boolean> {
    const known = this.#below.get(end);
    for (const one of all) {
      if (one !== end && known?.has(one) !== true && !(await this.#isBelow(one, end))) return false;
    }
    return true;
  }

  #remember(head: CommitId, ancestors: Set<CommitId>): void {
    if (this.#below.size >= MAX_REMEMBERED_LINES) this.#below.clear();
    this.#below.set(head, ancestors);
  }
}

/** git's: a commit comes after all its children, and of several that could come next the one that was freed last. */
function inGitsOrder(inside: ReadonlyMap<CommitId, Commit>, head: CommitId): readonly Commit[] {
  const children = new Map<CommitId, number>();
  for (const { parents } of inside.values()) {
    for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  }
  const ordered: Commit[] = [];
  const free = [head];
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    const commit = inside.get(id);
    if (commit === undefined) continue;
    ordered.push(commit);
    for (const parent of commit.parents) {
      const left = (children.get(parent) ?? 0) - 1;
      children.set(parent, left);
      if (left === 0) free.push(parent);
    }
  }
  return ordered.reverse();
}
