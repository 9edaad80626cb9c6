/**
 * Commits and how they hang together. git walks the graph without checking hashes, so what it says is a hint: every
 * answer that could hide a commit from verification is proved here over commits that were re-hashed.
 */
import { SluiceError } from "../lib/errors.ts";
import { openLatest } from "../lib/latest.ts";
import { Commits } from "./commits.ts";
import {
  BATCH_REQUESTS,
  MAX_RANGE_COMMITS,
  MAX_RANGE_OUTPUT_BYTES,
  MAX_REMEMBERED_LINES,
  MAX_WALK_COMMITS,
  QUICK_DEADLINE_MS,
  SHORT_RANGE_COMMITS,
  SHORT_WALK_COMMITS,
} from "./limits.ts";
import { type Commit, type CommitId, commitId, isObjectId } from "./object.ts";
import type { ObjectReader } from "./objects.ts";
import { type GitAnswer, gitFailed, type OwnStore, runGit } from "./process.ts";
import { ShortRanges } from "./short-range.ts";

export class History {
  readonly #store: OwnStore;
  readonly #commits: Commits;
  readonly #shortRanges: ShortRanges;
  /** By head: its range when it was asked for last. */
  readonly #ranges = openLatest<CommitId, { readonly exclude: readonly CommitId[]; readonly ids: readonly CommitId[] }>(
    MAX_REMEMBERED_LINES,
  );

  constructor(store: OwnStore, objects: ObjectReader) {
    this.#store = store;
    this.#commits = new Commits(objects);
    this.#shortRanges = new ShortRanges((ancestor, of) => this.#seemsAncestor(ancestor, of));
  }

  /** Whether the commit was read before and is still remembered. */
  has(id: CommitId): boolean {
    return this.#commits.has(id);
  }

  commits(ids: readonly CommitId[]): Promise<readonly Commit[]> {
    return this.#commits.read(ids);
  }

  async commit(id: CommitId): Promise<Commit> {
    const [commit] = await this.commits([id]);
    return commit as Commit;
  }

  /** @throws SluiceError `range-too-large`, `object-corrupt` */
  async range(exclude: readonly CommitId[], head: CommitId): Promise<readonly Commit[]> {
    const commits = (await this.#shortRange(exclude, head)) ?? (await this.#rangeAsBefore(exclude, head));
    const found = commits ?? (await this.#listedRange(exclude, head));
    if (found.length <= SHORT_RANGE_COMMITS) this.#ranges.set(head, { exclude, ids: found.map(({ id }) => id) });
    return found;
  }

  async #listedRange(exclude: readonly CommitId[], head: CommitId): Promise<readonly Commit[]> {
    const commits: Commit[] = [];
    for await (const part of this.stream(exclude, head, true)) commits.push(...part);
    return commits;
  }

  /**
   * A branch has moved on since the head's range was found: where all that was excluded then lies below what is excluded
   * now, the range has lost only what came to the excluded side since. Where that is nothing, it is as it was; null
   * where it is not, or where this costs more than asking git.
   */
  async #rangeAsBefore(exclude: readonly CommitId[], head: CommitId): Promise<readonly Commit[] | null> {
    const before = this.#ranges.get(head);
    if (before === undefined || before.ids.length === 0) return null;
    for (const one of before.exclude) {
      const below = await Promise.all(exclude.map((above) => this.#isShortlyAncestor(one, above)));
      if (!below.includes(true)) return null;
    }
    const ids = new Set(before.ids);
    for (const one of exclude) {
      const since = await this.#shortRange(before.exclude, one);
      if (since === null || since.some(({ id }) => ids.has(id))) return null;
    }
    return this.commits(before.ids);
  }

  /** null where git is to list it. */
  async #shortRange(exclude: readonly CommitId[], head: CommitId): Promise<readonly Commit[] | null> {
    if (exclude.length === 0) return null;
    await this.commits(exclude);
    if (exclude.includes(head)) return [];
    return this.#shortRanges.find(exclude, head, this.#commits.walk());
  }

  /**
   * The same in parts, so that a long range need not be held. Only the end of the stream proves that nothing is missing:
   * whoever stops earlier, or does not let its error through, knows nothing.
   */
  async *stream(
    exclude: readonly CommitId[],
    head: CommitId,
    remember = false,
  ): AsyncGenerator<readonly Commit[], void> {
    await this.commits([head, ...exclude]); // rev-list would pass over what is not a commit
    if (exclude.includes(head)) return;
    const input = [head, ...exclude.map((id) => `^${id}`)].join("\n");
    const answer = await this.#revList(["--topo-order", "--reverse", `--max-count=${MAX_RANGE_COMMITS + 1}`], input);
    const ids = strictIds(answer);
    if (ids.length > MAX_RANGE_COMMITS) throw rangeTooLarge();
    const inside = new Set<CommitId>();
    const outside = new Set<CommitId>();
    const read = (start: number) => this.#commits.read(ids.slice(start, start + BATCH_REQUESTS), remember);
    let ahead = read(0);
    for (let start = 0; start < ids.length; start += BATCH_REQUESTS) {
      const part = await ahead;
      ahead = read(start + BATCH_REQUESTS); // while whoever asked is busy with this part
      ahead.catch(() => {}); // whoever stops here never hears of it
      for (const commit of part) {
        for (const parent of commit.parents) if (!inside.has(parent)) outside.add(parent);
        inside.add(commit.id);
      }
      yield part;
    }
    await this.#proveComplete(inside, outside, exclude, head);
  }

  /**
   * The list is complete when it holds the head, parents stand before children, and every parent outside it can be
   * reached from an excluded commit. Otherwise a doctored object on the excluded side could hide commits.
   */
  async #proveComplete(
    inside: ReadonlySet<CommitId>,
    parentsOutside: ReadonlySet<CommitId>,
    exclude: readonly CommitId[],
    head: CommitId,
  ): Promise<void> {
    const outside = new Set(parentsOutside);
    if (!inside.has(head)) outside.add(head);
    const unordered = [...outside].some((id) => inside.has(id));
    if (unordered || !(await this.#reachesAll(exclude, outside, MAX_WALK_COMMITS))) {
      throw new SluiceError("object-corrupt", "The history that git lists does not agree with the commits themselves.");
    }
  }

  /** Whether every wanted commit is one of `from` or an ancestor of one; null when `most` commits did not tell. */
  async #reachesAll(from: readonly CommitId[], wanted: ReadonlySet<CommitId>, most: number): Promise<boolean | null> {
    const open = new Set(wanted);
    const seen = new Set<CommitId>(from);
    let level: CommitId[] = [...seen];
    const walk = this.#commits.walk();
    while (open.size > 0) {
      for (const id of level) open.delete(id);
      if (open.size === 0) return true;
      if (level.length === 0) return false;
      if (seen.size > most) return null;
      const next: CommitId[] = [];
      const [only, second] = level;
      const isLine = only !== undefined && second === undefined;
      for (const commit of isLine ? [await walk(only)] : await this.commits(level)) {
        for (const parent of commit.parents) {
          if (seen.has(parent)) continue;
          seen.add(parent);
          next.push(parent);
        }
      }
      level = next;
    }
    return true;
  }

  /** A yes is always proved by our own walk; on a long history a no may be git's, and a wrong no approves nothing. */
  async isAncestor(ancestor: CommitId, of: CommitId): Promise<boolean> {
    const short = await this.#isShortlyAncestor(ancestor, of);
    return short ?? ((await this.#gitSaysAncestor(ancestor, of)) && this.#descendsOverRange(ancestor, of));
  }

  /** For what a wrong yes makes stricter only: git is believed. */
  async #seemsAncestor(ancestor: CommitId, of: CommitId): Promise<boolean> {
    return (await this.#isShortlyAncestor(ancestor, of)) ?? this.#gitSaysAncestor(ancestor, of);
  }

  /** null where a short walk did not tell. */
  async #isShortlyAncestor(ancestor: CommitId, of: CommitId): Promise<boolean | null> {
    await this.commits([ancestor, of]);
    return this.#reachesAll([of], new Set([ancestor]), SHORT_WALK_COMMITS);
  }

  async #gitSaysAncestor(ancestor: CommitId, of: CommitId): Promise<boolean> {
    const answer = await runGit(this.#store, {
      args: ["merge-base", "--is-ancestor", "--end-of-options", ancestor, of],
      maxOutputBytes: 0,
      deadlineMs: QUICK_DEADLINE_MS,
    });
    if (answer.exitCode === 0 || answer.exitCode === 1) return answer.exitCode === 0;
    throw gitFailed("merge-base", `ended with ${answer.exitCode}`, answer.stderr);
  }

  /** The proof of a long yes, read in bulk: from the last commit of the range down to a child of `ancestor`. */
  async #descendsOverRange(ancestor: CommitId, of: CommitId): Promise<boolean> {
    const reached = new Set<CommitId>([of]);
    for (const commit of (await this.range([ancestor], of)).toReversed()) {
      if (!reached.has(commit.id)) continue;
      for (const parent of commit.parents) reached.add(parent);
    }
    return reached.has(ancestor);
  }

  async firstParents(base: CommitId, head: CommitId): Promise<readonly CommitId[] | null> {
    const chain: CommitId[] = [];
    const read = this.#commits.walk((id) => id === base);
    for (let id: CommitId | undefined = head; id !== base; ) {
      if (id === undefined) return null;
      if (chain.length >= MAX_RANGE_COMMITS) throw rangeTooLarge();
      chain.push(id);
      id = (await read(id)).parents[0];
    }
    return chain.reverse();
  }

  /** Follows one `~N` or `^N`; null when there is no such commit. */
  async step(from: CommitId, parent: number): Promise<CommitId | null> {
    if (parent === 0) return from;
    return (await this.commit(from)).parents[parent - 1] ?? null;
  }

  async #revList(args: readonly string[], input: string): Promise<GitAnswer> {
    const answer = await runGit(this.#store, {
      args: ["rev-list", ...args, "--stdin"],
      input: `${input}\n`,
      maxOutputBytes: MAX_RANGE_OUTPUT_BYTES,
      deadlineMs: QUICK_DEADLINE_MS,
    });
    if (answer.exitCode === 0) return answer;
    throw gitFailed("rev-list", `ended with ${answer.exitCode}`, answer.stderr);
  }
}

function strictIds(answer: GitAnswer): CommitId[] {
  const text = answer.stdout.toString("latin1");
  if (text === "") return [];
  if (!text.endsWith("\n")) throw gitFailed("rev-list", "answered half a line", answer.stderr);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => {
      if (!isObjectId(line)) throw gitFailed("rev-list", "answered something else than an id", answer.stderr);
      return commitId(line);
    });
}

function rangeTooLarge(): SluiceError {
  return new SluiceError("range-too-large", `The range has more than ${MAX_RANGE_COMMITS} commits.`);
}
