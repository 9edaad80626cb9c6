/**
 * Runs the queue: takes what is offered, judges what the queue starts, cancels what a newer head supersedes and what has
 * used up its time, and tells everybody who waits for the same change.
 */
import type { Admitted } from "../gate/gate.ts";
import { findDecision } from "../gate/history.ts";
import { judgeLandings, type Landed, type LandingWatch } from "../gate/landing.ts";
import { gateProposal } from "../gate/proposal.ts";
import { type Change, ChangeQueue, type QueueLimits } from "../gate/queue.ts";
import { admitOnce } from "../gate/repeated.ts";
import { ingestReports } from "../gate/reports.ts";
import type { Subject } from "../gate/subject.ts";
import type { Gate } from "../gate/wiring.ts";
import type { CommitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import type { Facts } from "./facts.ts";
import type { Journal } from "./journal.ts";
import { failureFields } from "./journal.ts";
import { givingWay, Way } from "./way.ts";

export interface JudgingMeans {
  readonly gate: Gate;
  readonly limits: QueueLimits;
  readonly facts: Facts;
  readonly journal: Journal;
}

interface Job<T = unknown> extends Change {
  readonly stop: AbortController;
  readonly outcome: PromiseWithResolvers<T>;
  readonly work: (stop: AbortSignal) => Promise<T>;
}

export interface Proposal {
  readonly target: string;
  /** Target and reference, or target and who asks: a newer head of it supersedes an older one. */
  readonly place: string;
  readonly head: CommitId;
  readonly author: string;
  /** It has an answer, and only what it is judged on has moved: it waits for all that have none. */
  readonly isAgain: boolean;
  /** Passed over where merging it changes nothing: forges keep the heads of what was merged long ago. */
  readonly onlyIfOpen: boolean;
}

export class Judging {
  readonly #means: JudgingMeans;
  readonly #queue: ChangeQueue<Job>;
  readonly #busy = new Set<Promise<unknown>>();
  readonly #way = new Way();
  #timer: NodeJS.Timeout | null = null;
  #isPaused = false;
  #isStopped = false;
  #acts = 0;

  constructor(means: JudgingMeans) {
    this.#means = means;
    this.#queue = new ChangeQueue<Job>(means.limits, means.gate.services.clock);
  }

  /** Judges and releases what landed on the target's branch; `seenAt` is when somebody saw that there is something. */
  landing(target: string, seenAt: Instant): Promise<readonly Landed[]> {
    const { branch } = this.#means.gate.target(target);
    const change = { lane: "landed", place: target, target, head: branch, author: "", isAgain: false } as const;
    return this.#offer(change, (stop) => this.#land(target, seenAt, stop));
  }

  /** What an operator orders, in the target's turn among its landings; never joined with what somebody else asked for. */
  act<T>(target: string, work: (watch: LandingWatch) => Promise<T>): Promise<T> {
    this.#acts += 1;
    const place = `${target} act ${this.#acts}`;
    const change = { lane: "landed", place, target, head: place, author: "", isAgain: false } as const;
    const { clock } = this.#means.gate.services;
    return this.#offer(change, async (stop) => work(await this.#goingAlong(target, clock(), stop)));
  }

  /** @throws SluiceError `queue-full`, `head-superseded` where it waited in vain; what judging a proposal throws */
  proposal(proposal: Proposal): Promise<Admitted> {
    const { target, place, head, author, isAgain } = proposal;
    const change = { lane: "proposed", target, place, head, author, isAgain } as const;
    return this.#offer(change, (stop) => this.#propose(proposal, stop));
  }

  get counts(): { readonly proposals: number; readonly landings: number; readonly running: number } {
    const landings = this.#queue.waiting.filter((one) => one.lane === "landed").length;
    const proposals = this.#queue.waiting.length - landings;
    return { proposals, landings, running: this.#queue.running.length };
  }

  /** Changes of a target that are not decided yet. */
  waitingFor(target: string): number {
    return [...this.#queue.waiting, ...this.#queue.running].filter((one) => one.target === target).length;
  }

  /** Resolves when nothing runs; nothing new starts before proceed(). */
  async pause(): Promise<void> {
    this.#isPaused = true;
    while (this.#busy.size > 0) await Promise.allSettled([...this.#busy]);
  }

  proceed(): void {
    this.#isPaused = false;
    this.#pump();
  }

  /** What runs is finished; what waits is judged after the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const job of this.#queue.drop(() => true)) job.outcome.reject(stopping());
    await this.pause();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #offer<T>(change: Change, work: Job<T>["work"]): Promise<T> {
    if (this.#isStopped) return Promise.reject(stopping());
    const outcome = Promise.withResolvers<T>();
    outcome.promise.catch(() => undefined); // whoever asked hears of it; that nobody waits is no crash
    const job: Job<T> = { ...change, work, outcome, stop: new AbortController() };
    const offer = this.#queue.offer(job as Job);
    if (offer.kind === "full") return Promise.reject(queueFull(change));
    if (offer.kind === "known") return offer.waiting.outcome.promise as Promise<T>;
    offer.running?.stop.abort(superseded(change));
    if (offer.superseded !== null) {
      offer.superseded.stop.abort(superseded(change));
      this.#track(this.#run(offer.superseded)); // ends at its first step, with an entry in the log
    }
    this.#pump();
    return outcome.promise;
  }

  #pump(): void {
    if (this.#isPaused || this.#isStopped) return;
    for (const job of this.#queue.start()) {
      const run = this.#run(job).finally(() => {
        this.#queue.finish(job);
        this.#pump();
        this.#way.set(!this.#queue.isLanding);
      });
      this.#track(run);
    }
    this.#way.set(!this.#queue.isLanding);
    this.#watchDeadlines();
  }

  #track(work: Promise<unknown>): void {
    this.#busy.add(work);
    work.finally(() => this.#busy.delete(work));
  }

  async #run(job: Job): Promise<void> {
    try {
      job.outcome.resolve(await job.work(job.stop.signal));
    } catch (thrown) {
      job.outcome.reject(thrown);
    }
  }

  #watchDeadlines(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const next = this.#queue.nextDeadline();
    if (next === null) return;
    const { clock } = this.#means.gate.services;
    this.#timer = setTimeout(
      () => {
        for (const job of this.#queue.overdue()) job.stop.abort(overdue(job));
        this.#watchDeadlines();
      },
      Math.max(0, next - clock()),
    );
  }

  async #land(target: string, seenAt: Instant, stop: AbortSignal): Promise<readonly Landed[]> {
    const { gate, journal } = this.#means;
    await takeReports(gate, target, journal);
    return judgeLandings(gate, target, await this.#goingAlong(target, seenAt, stop));
  }

  async #goingAlong(target: string, seenAt: Instant, stop: AbortSignal): Promise<LandingWatch> {
    const { gate, facts, journal, limits } = this.#means;
    const { size } = await gate.log.checkpoint();
    return {
      signal: () => AbortSignal.any([stop, deadlineSignal(target, limits.deadlineMs)]),
      onLanded: (landed) => {
        this.#tell(landed.admitted, size);
        const { released, held } = landed;
        if (held !== null) journal.say("warn", "held", { target, code: held.code, detail: held.message });
        if (released === null) return;
        const ms = Math.round(gate.services.clock() - seenAt);
        facts.signed(released.head);
        facts.released(ms);
        const { sequence, commit } = released.release;
        journal.say("info", "released", { target, sequence, commit, index: released.index, ms });
      },
    };
  }

  async #propose({ target, head, onlyIfOpen }: Proposal, stop: AbortSignal): Promise<Admitted> {
    const { gate } = this.#means;
    const { size } = await gate.log.checkpoint();
    const subject = await gateProposal(gate, target, head);
    if (onlyIfOpen && !stop.aborted && (await changesNothing(subject))) throw merged(head);
    const earlier = await findDecision(gate.log, target, "proposed", head);
    const services = givingWay({ ...gate.services, signal: stop }, this.#way);
    const admitted = await admitOnce(subject, services, gate.log, earlier);
    this.#tell(admitted, size);
    return admitted;
  }

  /** `size` is the log's before it was judged: what stands below was said before. */
  #tell(admitted: Admitted, size: number): void {
    const { decision, record } = admitted;
    if (record === null || record.index < size) return;
    this.#means.facts.decided(admitted);
    const isLoud = decision.verdict === "error" || decision.emergency !== undefined;
    this.#means.journal.say(isLoud ? "warn" : "info", "decided", {
      target: decision.target.name,
      subject: decision.subject,
      verdict: decision.verdict,
      ...(decision.emergency === undefined ? {} : { emergency: true }),
      reasons: [...new Set(decision.reasons.map((reason) => reason.code))].join(" "),
      head: decision.head,
      decision: decision.id,
      index: record.index,
    });
  }
}

/** What agents wrote is taken in, or said why not; that a report is bad never keeps a landing back. */
export async function takeReports(gate: Gate, target: string, journal: Journal): Promise<void> {
  try {
    const { applied, refused } = await ingestReports(gate, target);
    if (applied > 0) journal.say("info", "applied", { target, reports: applied });
    for (const { code } of refused) journal.say("warn", "report refused", { target, code });
  } catch (thrown) {
    journal.say("warn", "reports not read", { target, ...failureFields(thrown) });
  }
}

async function changesNothing({ repository, base, head }: Subject): Promise<boolean> {
  const merge = await repository.merge(base, head);
  return merge.kind === "merged" && merge.tree === (await repository.commit(base)).tree;
}

function merged(head: CommitId): SluiceError {
  return new SluiceError("empty-range", `Merging ${head.slice(0, 7)} changes nothing; there is no change to judge.`);
}

function deadlineSignal(target: string, ms: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(overdue({ target })), ms).unref();
  return controller.signal;
}

function overdue({ target }: Pick<Change, "target">): SluiceError {
  return new SluiceError("change-deadline", `Judging this change for ${target} took longer than one change may take.`, {
    retryable: true,
  });
}

function superseded({ head }: Change): SluiceError {
  return new SluiceError("head-superseded", `A newer head, ${head.slice(0, 7)}, came before this one was judged.`);
}

function queueFull({ target }: Change): SluiceError {
  return new SluiceError("queue-full", `Too many proposals wait to be judged; this one for ${target} was not taken.`, {
    retryable: true,
  });
}

function stopping(): SluiceError {
  return new SluiceError("service-stopping", "The service is stopping and takes nothing new.", { retryable: true });
}
