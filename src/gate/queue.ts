/**
 * Which change is judged next (DESIGN section 3, step 2). It moves only when it is told to: no timers, no promises, and
 * the clock is an argument, so that whoever runs it decides what time it is.
 *
 *   landed     before every proposal, one at a time for each target, never refused
 *   proposed   so many at once; next is an author with fewest running, of those who has waited longest; a newer head
 *              takes the place of an older one that still waits; what was judged before, and only its ground has moved,
 *              waits for all that was not, and takes no room from it
 */
import type { Clock, Instant } from "../lib/time.ts";

export interface Change {
  readonly lane: "landed" | "proposed";
  /** Of which there is one: a newer head of the same place supersedes an older one. */
  readonly place: string;
  readonly target: string;
  /** Commit id; of a landing, whose tip is looked up when it runs, the branch. */
  readonly head: string;
  /** Whose share of the queue it takes. Nobody has proven that name, so it counts for fairness only. */
  readonly author: string;
  /** A proposal that has an answer already, of another state of the branch or of the judge. */
  readonly isAgain: boolean;
}

export interface QueueLimits {
  /** Proposals that are judged at once. */
  readonly parallel: number;
  /** Proposals that wait, together and of one author; as many again of those that were judged before. */
  readonly waiting: number;
  readonly waitingPerAuthor: number;
  /** What one proposal may take, in milliseconds. */
  readonly deadlineMs: number;
}

export type Offer<C> =
  /** `superseded` waited in its place and will not run; `running` is an older head that is being judged. */
  | { readonly kind: "taken"; readonly superseded: C | null; readonly running: C | null }
  /** This very change waits already. */
  | { readonly kind: "known"; readonly waiting: C }
  | { readonly kind: "full" };

export class ChangeQueue<C extends Change> {
  readonly #limits: QueueLimits;
  readonly #clock: Clock;
  #waiting: readonly C[] = [];
  readonly #running = new Map<C, Instant | null>();

  constructor(limits: QueueLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  offer(change: C): Offer<C> {
    const before = this.#waiting.find((one) => isSamePlace(one, change)) ?? null;
    if (before !== null && (change.lane === "landed" || before.head === change.head))
      return { kind: "known", waiting: before };
    if (before === null && this.#isFull(change)) return { kind: "full" };
    // The newer head waits where the older one did: pushing again does not cost anybody their turn.
    this.#waiting =
      before === null ? [...this.#waiting, change] : this.#waiting.map((one) => (one === before ? change : one));
    const running = [...this.#running.keys()].find((one) => isSamePlace(one, change) && one.head !== change.head);
    return { kind: "taken", superseded: before, running: running ?? null };
  }

  /** Those that begin now, in order; each MUST be given back to finish(). */
  start(): readonly C[] {
    const started: C[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) {
      const change = next;
      this.#waiting = this.#waiting.filter((one) => one !== change);
      this.#running.set(change, change.lane === "landed" ? null : this.#clock() + this.#limits.deadlineMs);
      started.push(change);
    }
    return started;
  }

  finish(change: C): void {
    this.#running.delete(change);
  }

  get isLanding(): boolean {
    return this.running.some((one) => one.lane === "landed");
  }

  /** Those whose time is up, each told once. They run on until they are finished. */
  overdue(): readonly C[] {
    const now = this.#clock();
    const over = [...this.#running].filter(([, deadline]) => deadline !== null && deadline <= now);
    for (const [change] of over) this.#running.set(change, null);
    return over.map(([change]) => change);
  }

  /** When overdue() has to be asked next; null while nothing runs against time. */
  nextDeadline(): Instant | null {
    const deadlines = [...this.#running.values()].filter((one) => one !== null);
    return deadlines.length === 0 ? null : Math.min(...deadlines);
  }

  /** Takes out what waits and `unwanted` names. */
  drop(unwanted: (change: C) => boolean): readonly C[] {
    const dropped = this.#waiting.filter(unwanted);
    this.#waiting = this.#waiting.filter((one) => !unwanted(one));
    return dropped;
  }

  get waiting(): readonly C[] {
    return this.#waiting;
  }

  get running(): readonly C[] {
    return [...this.#running.keys()];
  }

  #isFull({ lane, author, isAgain }: Change): boolean {
    if (lane === "landed") return false;
    const proposals = this.#waiting.filter((one) => one.lane === "proposed" && one.isAgain === isAgain);
    const theirs = proposals.filter((one) => one.author === author);
    return proposals.length >= this.#limits.waiting || theirs.length >= this.#limits.waitingPerAuthor;
  }

  #next(): C | null {
    const running = this.running;
    const landing = this.#waiting.find(
      (one) =>
        one.lane === "landed" && !running.some((other) => other.lane === "landed" && other.target === one.target),
    );
    if (landing !== undefined) return landing;
    // A landing that runs or waits for one of its target has the machine for itself, but for what has begun.
    if ([...running, ...this.#waiting].some((one) => one.lane === "landed")) return null;
    if (running.length >= this.#limits.parallel) return null;
    const share = (one: C): number => running.filter((other) => other.author === one.author).length;
    const free = this.#waiting.filter((one) => !running.some((other) => isSamePlace(one, other)));
    const first = free.some((one) => !one.isAgain) ? free.filter((one) => !one.isAgain) : free;
    return first.reduce<C | null>((best, one) => (best === null || share(one) < share(best) ? one : best), null);
  }
}

function isSamePlace(a: Change, b: Change): boolean {
  return a.lane === b.lane && a.place === b.place;
}
