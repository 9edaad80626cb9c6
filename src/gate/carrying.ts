/**
 * What an earlier, logged decision lends to a later one. A forge's squash or merge carries the verdict and approvals of
 * an allowed proposal when the tree is equal, the proposal's base was the tip just before, a merge's second parent is the
 * proposal's head, nothing that judges has changed, and whoever signed it still counts. Whether the forge's key may do so
 * is the signature rule's to say.
 */
import type { Carried, Digests } from "../decision/decision.ts";
import type { CommitId, TreeId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { Verification } from "../signature/verification.ts";
import { openVerifier } from "../signature/verify.ts";
import {
  findCarriedLanding,
  findDecision,
  findProposal,
  findProposals,
  type LoggedDecision,
  landedFor,
} from "./history.ts";
import { type Judge, trustFor } from "./judge.ts";
import type { LandingBook, Services } from "./services.ts";
import type { CarriedEvidence, Subject } from "./subject.ts";

/** A forge rebases no more at once. */
const MAXIMUM_REBASED = 1000;

/** What the log offers for a landed commit; admit() takes it only where lends() agrees, so that a failure is logged. */
export async function offeredBy(log: DecisionLog, subject: Subject): Promise<CarriedEvidence | null> {
  const { tree, parents } = await subject.repository.commit(subject.head);
  const [onto, merged] = parents;
  if (onto === undefined || onto !== subject.base) return null;
  const proposal = await findProposal(log, subject.target, tree, onto);
  if (proposal === null) return merged === undefined ? offeredRebase(log, subject, tree) : null;
  if (merged !== undefined && merged !== proposal.decision.head) return null;
  return offer(proposal, merged === undefined ? "squash" : "merge");
}

/**
 * The last of several commits that a forge rebased: together they lead from the base that the proposal was judged on to
 * its tree. Those before the last are states that nobody judged; each is denied, and none of them is released.
 */
async function offeredRebase(log: DecisionLog, subject: Subject, tree: TreeId): Promise<CarriedEvidence | null> {
  for (const proposal of await findProposals(log, subject.target, tree)) {
    const { base } = proposal.decision;
    const line = base === null ? null : await lineOrNull(subject, base);
    if (line === null || line.length < 2 || (await isAnyAllowed(log, subject, line.slice(0, -1)))) continue;
    return { ...offer(proposal, "rebase"), rebased: line };
  }
  return null;
}

/** What landed by itself since then would be taken back: the branch stood elsewhere just before this landing. */
async function isAnyAllowed(log: DecisionLog, { target }: Subject, line: readonly CommitId[]): Promise<boolean> {
  for (const commit of line)
    if ((await findDecision(log, target, "landed", commit))?.decision.verdict === "allow") return true;
  return false;
}

/** First parents from there to the head, none of them a merge. */
async function lineOrNull({ repository, head }: Subject, base: CommitId): Promise<readonly CommitId[] | null> {
  try {
    const line = (await repository.firstParents(base, head)) ?? [];
    const commits = await Promise.all(line.slice(0, MAXIMUM_REBASED + 1).map((id) => repository.commit(id)));
    const isLine = commits.length <= MAXIMUM_REBASED && commits.every(({ parents }) => parents.length === 1);
    return isLine ? line : null;
  } catch (thrown) {
    if (thrown instanceof SluiceError) return null; // the base is no longer here
    throw thrown;
  }
}

function offer(proposal: LoggedDecision, how: "squash" | "merge" | "rebase"): CarriedEvidence {
  const { approvals, digests, verifications } = proposal.decision;
  return {
    carried: carried(proposal, how),
    approvals: approvals.given,
    judged: { digests, verifications },
    verifications: null,
    requiredCommits: null,
    resources: null,
  };
}

export function carried({ entry, decision }: LoggedDecision, how: Carried["how"]): CarriedEvidence["carried"] {
  return { proposal: decision.id, index: entry.index, how };
}

/** The subject as the judge takes it: what is offered counts only if it would be decided alike today. */
export async function withoutStale(subject: Subject, judge: Judge, services: Services): Promise<Subject> {
  const { judged } = subject.carried ?? { judged: null };
  if (judged === null) return subject;
  const lends =
    isJudgedAlike(judged.digests, judge) && (await stillVerify(judged.verifications, subject, judge, services));
  return lends ? subject : { ...subject, carried: null };
}

function isJudgedAlike(digests: Digests, judge: Judge): boolean {
  const names = ["policies", "trust", "configuration", "waivers"] as const;
  return names.every((name) => digests[name] === judge.digests[name]);
}

/** The commits that a squash leaves behind: nobody who wrote them has left, and no key has ended, since they were judged. */
async function stillVerify(
  earlier: readonly Verification[],
  subject: Subject,
  judge: Judge,
  services: Services,
): Promise<boolean> {
  const ids = earlier.filter((one) => one.kind === "verified").map((one) => one.commit);
  const received = await services.receipts.receive(subject.target, ids);
  const verifier = await openVerifier(trustFor(judge, subject.target), subject.repository.objectFormat);
  for (const id of ids) {
    const [commit, at] = [await commitOrNull(subject, id), received.get(id)];
    if (commit === null || at === undefined || (await verifier.verify(commit, at)).kind !== "verified") return false;
  }
  return true;
}

/** null for a commit that is no longer here: then there is nothing to verify it by. */
async function commitOrNull({ repository }: Subject, id: CommitId) {
  try {
    return await repository.commit(id);
  } catch (thrown) {
    if (thrown instanceof SluiceError) return null;
    throw thrown;
  }
}

export const NO_LANDINGS: LandingBook = { carried: async () => null, elsewhere: async () => null };

export function loggedLandings(log: DecisionLog): LandingBook {
  return {
    carried: async (target, commit) => (await findCarriedLanding(log, target, commit))?.decision.digests ?? null,
    elsewhere: async (repository, branch, commit) => {
      const targets = await landedFor(log, commit);
      return targets.find((one) => one.repository === repository && one.branch !== branch)?.branch ?? null;
    },
  };
}

/**
 * The forge's commits of a range that need no signature of a person: the head, where it carries a proposal, and those
 * below it that did when they landed and were not released since, because of a hold perhaps. Their content is judged
 * again with the rest.
 */
export async function carriedCommits(
  subject: Subject,
  verifications: readonly Verification[],
  judge: Judge,
  { landings }: Services,
): Promise<ReadonlySet<CommitId>> {
  const found = new Set(subject.carried === null ? [] : [subject.head, ...(subject.carried.rebased ?? [])]);
  for (const { kind, signer, commit } of verifications) {
    if (kind !== "verified" || signer.class !== "forge" || commit === subject.head) continue;
    const digests = await landings.carried(subject.target, commit);
    if (digests !== null && isJudgedAlike(digests, judge)) found.add(commit);
  }
  return found;
}
