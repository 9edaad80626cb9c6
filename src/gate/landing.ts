/** From proposal to landing: first-parent from the last decided commit, oldest first, one decision per commit and target. */
import type { Emergency } from "../decision/decision.ts";
import type { GateRepository } from "../git/gate.ts";
import { type CommitId, commitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import { isHeld, readHolds } from "../release/holds.ts";
import { readAbandoned } from "../release/rollback.ts";
import { offeredBy } from "./carrying.ts";
import type { Admitted } from "./gate.ts";
import { findDecision, isUnreleased, type LoggedDecision, readHistory, type TargetHistory } from "./history.ts";
import { type Released, releaseDecision } from "./releasing.ts";
import { admitOnce } from "./repeated.ts";
import type { Subject } from "./subject.ts";
import { isFresh } from "./two-operators.ts";
import type { Gate } from "./wiring.ts";

export interface Landed {
  readonly admitted: Admitted;
  /** null when the verdict is not allow, and under a hold. */
  readonly released: Released | null;
  /** `release-held`: why an allowed state was not released; null otherwise. */
  readonly held: SluiceError | null;
}

/** How the service goes along; a command judges without. */
export interface LandingWatch {
  /** Ends the judgement of one change; asked anew for each. */
  readonly signal?: () => AbortSignal;
  /** Hears of each step as soon as it is logged, and released where it is. */
  readonly onLanded?: (landed: Landed) => void;
  /** Operators who stand in for what is missing of one commit. */
  readonly emergency?: Emergency & { readonly of: CommitId };
}

/**
 * Judges whatever landed since the last decision and releases each allowed state. Empty when nothing is new. What is
 * decided is in the log before anything rests on it, so that a crash at any point is made good by the next call: a step
 * whose release is missing is taken up again, under the decision that it has.
 */
export async function judgeLandings(gate: Gate, target: string, watch: LandingWatch = {}): Promise<readonly Landed[]> {
  const repository = await gate.repository(target);
  const { branch } = gate.target(target);
  const tip = await repository.resolve(`refs/heads/${branch}`);
  const landed: Landed[] = [];
  for (const step of await openSteps(gate, target, repository, tip)) {
    const one = await judgeStep(gate, target, repository, step, watch);
    landed.push(one);
    watch.onLanded?.(one);
  }
  return landed;
}

async function judgeStep(
  gate: Gate,
  target: string,
  repository: GateRepository,
  step: Step,
  watch: LandingWatch,
): Promise<Landed> {
  const { signal } = watch;
  const history = await readHistory(gate.log, target);
  const before = await findDecision(gate.log, target, "landed", step.commit);
  // An allow that was released once and came back (a rollback, a rewritten branch) is decided anew.
  const earlier = before?.decision.verdict === "allow" && !isUnreleased(history, before) ? null : before;
  const subject = {
    ...(await landingSubject(gate, target, history, repository, step)),
    ...emergencyOf(step.commit, watch, earlier, gate.services.clock()),
  };
  const services = signal === undefined ? gate.services : { ...gate.services, signal: signal() };
  const admitted = await admitOnce(subject, services, gate.log, earlier);
  if (admitted.decision.verdict !== "allow") return { admitted, released: null, held: null };
  try {
    return { admitted, released: await releaseDecision(gate, target, admitted, null), held: null };
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === "release-held")
      return { admitted, released: null, held: thrown };
    throw thrown;
  }
}

/** What operators said just now of this very commit, or what they said of it before a crash kept it from its release. */
function emergencyOf(
  commit: CommitId,
  { emergency }: LandingWatch,
  earlier: LoggedDecision | null,
  now: Instant,
): Pick<Subject, "emergency"> {
  if (emergency?.of === commit) {
    const { of: _, ...said } = emergency;
    return { emergency: said };
  }
  const before = earlier?.decision.emergency;
  return before !== undefined && isFresh(earlier?.entry.leaf.time ?? "", now) ? { emergency: before } : {};
}

interface Step {
  readonly base: CommitId;
  readonly commit: CommitId;
}

async function openSteps(
  gate: Gate,
  target: string,
  repository: GateRepository,
  tip: CommitId,
): Promise<readonly Step[]> {
  const history = await readHistory(gate.log, target);
  await gate.activations.record(target, history);
  const abandoned = await readAbandoned(gate.log, target);
  const last = lastLooked(history);
  const walk = (await walked(repository, last, tip)) ?? (await walked(repository, history.released, tip));
  if (walk === null) return [{ base: last, commit: tip }];
  if (walk.length === 0) {
    return tip === abandoned || isSettled(history, tip) ? [] : [{ base: baseOf(history, tip), commit: tip }];
  }
  const steps = walk.slice(walk.findIndex((step) => step.commit === abandoned) + 1);
  const isCutOff = walk[0]?.base === last && last !== abandoned && (await lacksRelease(gate, target, history));
  return isCutOff ? [{ base: baseOf(history, last), commit: last }, ...steps] : steps;
}

/** The steps from one commit to another, oldest first; null where the one is not in the other's first-parent history. */
async function walked(repository: GateRepository, from: CommitId, to: CommitId): Promise<readonly Step[] | null> {
  const chain = await repository.firstParents(from, to);
  return chain?.map((commit, index) => ({ base: chain[index - 1] ?? from, commit })) ?? null;
}

/** The last decision is an allow that a crash kept from its release; what a hold kept back is released with the next. */
async function lacksRelease(gate: Gate, target: string, history: TargetHistory): Promise<boolean> {
  const { lastLanded } = history;
  if (lastLanded === null || !isUnreleased(history, lastLanded)) return false;
  if (isHeld(await readHolds(gate.log), target, gate.target(target).repository) !== null) return false;
  const after = lastLanded.entry.index;
  return (await gate.log.find({ kinds: ["hold", "resume"], after, order: "oldest", limit: 1 })).length === 0;
}

function lastLooked(history: TargetHistory): CommitId {
  return history.lastLanded === null ? history.adopted : commitId(history.lastLanded.decision.head);
}

/** The tip is what was adopted or released; otherwise it is judged again, because approvals may have come since. */
function isSettled({ lastLanded, latestRelease }: TargetHistory, tip: CommitId): boolean {
  return lastLanded === null || latestRelease?.release.commit === tip;
}

function baseOf({ lastLanded }: TargetHistory, tip: CommitId): CommitId {
  return lastLanded?.decision.base ?? tip;
}

async function landingSubject(
  gate: Gate,
  target: string,
  history: TargetHistory,
  repository: GateRepository,
  { base, commit }: Step,
): Promise<Subject> {
  const { repository: repositoryName, branch, minimum } = gate.target(target);
  const released = history.released;
  const subject: Subject = {
    kind: "landed",
    authority: "gate",
    target,
    repositoryName,
    repository,
    base,
    head: commit,
    judge: history.judge,
    branch,
    released,
    excluded: [history.adopted, history.judge, released].filter((one) => one !== commit),
    minimum,
    revokedKeys: gate.configuration.gate.revoked,
    baseline: history.baseline,
    carried: null,
  };
  return { ...subject, carried: await offeredBy(gate.log, subject) };
}
