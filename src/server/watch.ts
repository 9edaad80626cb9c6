/**
 * One repository: fetches it, and offers for judging what is new. What was offered is remembered in this process only;
 * after a restart everything open is offered once more, and what the log has decided already is not decided again.
 */

import type { LoggedDecision } from "../gate/history.ts";
import type { Landed } from "../gate/landing.ts";
import type { Gate } from "../gate/wiring.ts";
import type { GateRepository } from "../git/gate.ts";
import { type CommitId, commitId } from "../git/object.ts";
import type { RefEntry } from "../git/repository.ts";
import { APPROVAL_REFS } from "../git/source-refs.ts";
import { sha256Hex } from "../lib/digest.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import type { Facts } from "./facts.ts";
import { failureFields, type Journal } from "./journal.ts";
import type { Judging } from "./judging.ts";
import { findProposals } from "./proposals.ts";

/** Time alone can make something else of what was not allowed: a rule about days, a waiver. So it is looked at again. */
const RECONSIDER_MS = 10 * 60_000;
/** Receipts of a longer range are logged when it is judged. */
const MAXIMUM_SIGHTED_COMMITS = 1000;
const MAXIMUM_APPROVALS = 100_000;
/** New heads that one look takes up, so that thousands at once do not keep it from the branches. */
const MAXIMUM_NEW_HEADS = 200;

export interface WatchMeans {
  readonly gate: Gate;
  readonly judging: Judging;
  readonly facts: Facts;
  readonly journal: Journal;
}

/** What proposals for a target are judged on. */
interface Ground {
  /** Tip, judge and configuration: where one has moved, open proposals are judged again. */
  readonly basis: string;
  /** Commits that no proposal brings. */
  readonly known: readonly CommitId[];
}

interface OfferedProposal {
  /** Head, base, judge and configuration that it was offered under. */
  readonly basis: string;
  readonly head: string;
  /** Digest of all approvals then: a new one can only help what is not allowed yet. */
  readonly approvals: string;
  readonly verdict: LoggedDecision["decision"]["verdict"] | "pending" | "nothing";
}

export class RepositoryWatch {
  readonly name: string;
  readonly #means: WatchMeans;
  /** What each target's branch was last offered under. */
  readonly #branches = new Map<string, string>();
  readonly #proposals = new Map<string, OfferedProposal>();
  /** Targets whose branch is being looked at, and under what it was offered: their judge may be another in a moment. */
  readonly #landings = new Map<string, string>();
  /** What was last said of something that goes on: each sentence once. */
  readonly #said = new Map<string, string>();
  #generation = 0;
  #isStopped = false;
  /** One consideration of branches after the other; of proposals likewise, so that many of them keep no branch waiting. */
  #branchesConsidered: Promise<void> = Promise.resolve();
  #proposalsConsidered: Promise<void> = Promise.resolve();
  #isProposalLookDue = false;

  constructor(name: string, means: WatchMeans) {
    this.name = name;
    this.#means = means;
  }

  /** Something that no commit shows has changed, a hold for example: branches are judged again at the next look. */
  reconsider(): void {
    this.#generation += 1;
  }

  /** Fetches, then offers. False where the repository could not be fetched. */
  async look(): Promise<boolean> {
    const { gate, facts } = this.#means;
    try {
      const gone = await gate.repositories.refresh(this.name);
      facts.looked(this.name, null);
      this.#sayOnce("fetch", null);
      for (const branch of gone) this.#sayOnce(`branch ${branch}`, "branch is gone", { branch });
      await this.consider();
      return true;
    } catch (thrown) {
      if (this.#isStopped) return false;
      const { code, message } = asSluiceError(thrown);
      facts.looked(this.name, { code, message });
      this.#sayOnce("fetch", "not fetched", failureFields(thrown));
      return false;
    }
  }

  /** Offers what is new in what was fetched: branches before it resolves, proposals after. */
  consider(): Promise<void> {
    const turn = this.#branchesConsidered.then(() => this.#considerBranches());
    this.#branchesConsidered = turn.catch(() => undefined);
    return turn.finally(() => this.#considerProposalsNext());
  }

  /** Resolves when it touches the repository no more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#branchesConsidered, this.#proposalsConsidered]);
  }

  /** One consideration more is due at most: it sees all that was fetched until it begins. */
  #considerProposalsNext(): void {
    if (this.#isProposalLookDue || this.#isStopped) return;
    this.#isProposalLookDue = true;
    this.#proposalsConsidered = this.#proposalsConsidered.then(async () => {
      this.#isProposalLookDue = false;
      await this.#considerProposals().catch((thrown) => this.#failed("proposals", thrown));
    });
  }

  async #considerBranches(): Promise<void> {
    if (this.#isStopped) return;
    const { gate } = this.#means;
    const seenAt = gate.services.clock();
    const repository = await gate.repositories.ready(this.name);
    const approvals = await approvalsDigest(repository);
    for (const [target, { branch }] of this.#targets()) {
      const tip = await tipOf(repository, branch);
      if (tip === null) continue;
      this.#sayOnce(`branch ${branch}`, null);
      this.#offerBranch(target, tip, approvals, seenAt);
    }
  }

  #targets() {
    const { targets } = this.#means.gate.configuration.gate;
    return Object.entries(targets).filter(([, { repository }]) => repository === this.name);
  }

  #offerBranch(target: string, tip: CommitId, approvals: string, seenAt: Instant): void {
    const mark = `${tip} ${approvals} ${this.#generation} ${Math.floor(seenAt / RECONSIDER_MS)}`;
    if (this.#branches.get(target) === mark) return;
    this.#branches.set(target, mark);
    this.#landings.set(target, mark);
    const failed = (thrown: unknown): void => {
      if (this.#branches.get(target) === mark) this.#branches.delete(target);
      this.#sayOnce(`landing ${target}`, "not judged", { target, ...failureFields(thrown) });
    };
    const settled = (): void => {
      if (this.#landings.get(target) === mark) this.#landings.delete(target);
      this.#considerProposalsNext(); // their base moved, or they waited to see whether it would
    };
    this.#means.judging
      .landing(target, seenAt)
      .then((landed) => this.#landed(target, landed), failed)
      .finally(settled);
  }

  #landed(target: string, landed: readonly Landed[]): void {
    this.#sayOnce(`landing ${target}`, null);
    if (landed.at(-1)?.admitted.decision.verdict === "error") this.#branches.delete(target); // the next look tries again
  }

  async #considerProposals(): Promise<void> {
    const { gate } = this.#means;
    const patterns = gate.configuration.gate.repositories[this.name]?.proposals ?? [];
    if (patterns.length === 0 || this.#isStopped) return;
    const repository = await gate.repositories.ready(this.name);
    const found = await findProposals(repository, patterns);
    const names = new Set(found.map((ref) => ref.name));
    for (const key of this.#proposals.keys())
      if (!names.has(key.slice(key.indexOf(" ") + 1))) this.#proposals.delete(key);
    if (found.length === 0) return;
    const approvals = await approvalsDigest(repository);
    for (const [target, { branch }] of this.#targets()) {
      const ground = await this.#groundOf(repository, target, branch);
      if (ground === null) continue;
      const open = found.filter((ref) => this.#isNew(target, ref, ground, approvals)).slice(0, MAXIMUM_NEW_HEADS);
      const heads = await this.#receive(repository, target, open, ground);
      for (const [ref, author] of heads) this.#offerProposal(target, ref, author, ground, approvals);
    }
  }

  /** What every proposal for the target is judged against and by; null while there is neither. */
  async #groundOf(repository: GateRepository, target: string, branch: string): Promise<Ground | null> {
    const tip = await tipOf(repository, branch);
    if (tip === null) return null;
    try {
      const { judge, adopted } = await this.#means.gate.histories.of(target);
      return { basis: `${tip} ${judge} ${this.#generation}`, known: [adopted, judge, tip] };
    } catch (thrown) {
      if (asSluiceError(thrown).code === "target-not-adopted") return null; // the landing says so
      throw thrown;
    }
  }

  #isNew(target: string, ref: RefEntry, { basis }: Ground, approvals: string): boolean {
    const before = this.#proposals.get(`${target} ${ref.name}`);
    // Judged on what is about to move it would be judged twice: once is enough, when that is settled.
    if (before?.head === ref.id && this.#landings.has(target)) return false;
    if (before?.basis !== `${ref.id} ${basis}`) return true;
    const isOpen = before.verdict !== "allow" && before.verdict !== "nothing";
    return isOpen && before.approvals !== approvals;
  }

  /**
   * Logs the first sight of the commits of all these heads in one entry, however long they then wait to be judged, and
   * answers the heads with their authors; what is no commit is passed over.
   */
  async #receive(
    repository: GateRepository,
    target: string,
    refs: readonly RefEntry[],
    { basis, known }: Ground,
  ): Promise<readonly (readonly [RefEntry, string])[]> {
    const heads: (readonly [RefEntry, string])[] = [];
    const sighted = new Set<CommitId>();
    for (const ref of refs) {
      const key = `${target} ${ref.name}`;
      if (this.#isStopped) return [];
      try {
        const { id, author } = await repository.commit(commitId(ref.id));
        heads.push([ref, author.email]);
        if (this.#proposals.get(key)?.head === ref.id) continue;
        const range = await repository.range(known, id);
        if (range.length <= MAXIMUM_SIGHTED_COMMITS) for (const commit of range) sighted.add(commit.id);
      } catch (thrown) {
        if (asSluiceError(thrown).code !== "not-a-commit") throw thrown;
        this.#proposals.set(key, { basis: `${ref.id} ${basis}`, head: ref.id, approvals: "", verdict: "nothing" });
      }
    }
    await this.#means.gate.services.receipts.receive(target, [...sighted]);
    return heads;
  }

  #offerProposal(target: string, ref: RefEntry, author: string, { basis }: Ground, approvals: string): void {
    const key = `${target} ${ref.name}`;
    const before = this.#proposals.get(key);
    const isAgain = before?.head === ref.id && before.verdict !== "pending";
    const generation = this.#generation;
    const offered: OfferedProposal = { basis: `${ref.id} ${basis}`, head: ref.id, approvals, verdict: "pending" };
    this.#proposals.set(key, offered);
    // While it waited, the branch may have moved: what it was judged on is what counts.
    const settle = (verdict: OfferedProposal["verdict"] | null, on = offered.basis): void => {
      if (this.#proposals.get(key) !== offered) return;
      if (verdict === null) this.#proposals.delete(key);
      else this.#proposals.set(key, { ...offered, basis: on, verdict });
    };
    const failed = (thrown: unknown): void => {
      const { code } = asSluiceError(thrown);
      settle(code === "empty-range" ? "nothing" : null);
      if (code === "empty-range" || code === "service-stopping") return;
      if (code === "queue-full") this.#sayOnce(`queue ${target}`, "not judged", { target, code });
      else this.#sayOnce(key, "not judged", { target, reference: ref.name, ...failureFields(thrown) });
    };
    const proposal = { target, place: key, head: commitId(ref.id), author, isAgain, onlyIfOpen: true };
    this.#means.judging.proposal(proposal).then(({ decision }) => {
      this.#sayOnce(key, null);
      this.#sayOnce(`queue ${target}`, null);
      const { verdict, base, judge } = decision;
      settle(verdict === "error" ? null : verdict, `${ref.id} ${base} ${judge} ${generation}`);
    }, failed);
  }

  #failed(what: string, thrown: unknown): void {
    this.#sayOnce(what, "not looked at", { what, ...failureFields(thrown) });
  }

  /** null: all is well again. */
  #sayOnce(about: string, message: string | null, fields: Parameters<Journal["say"]>[2] = {}): void {
    const sentence = message === null ? null : JSON.stringify([message, fields]);
    if ((this.#said.get(about) ?? null) === sentence) return;
    if (sentence === null || message === null) {
      this.#said.delete(about);
      return;
    }
    this.#said.set(about, sentence);
    this.#means.journal.say("warn", message, { repository: this.name, ...fields });
  }
}

async function tipOf(repository: GateRepository, branch: string): Promise<CommitId | null> {
  try {
    return await repository.resolve(`refs/heads/${branch}`);
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === "unknown-revision") return null;
    throw thrown;
  }
}

/** Too many to list are as good as none: then only new commits are a reason to judge again. */
async function approvalsDigest(repository: GateRepository): Promise<string> {
  try {
    const refs = await repository.refs(APPROVAL_REFS, MAXIMUM_APPROVALS);
    return sha256Hex(refs.map(({ name, id }) => `${name} ${id}\n`).join(""));
  } catch (thrown) {
    if (thrown instanceof SluiceError) return "";
    throw thrown;
  }
}
