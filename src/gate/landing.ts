/** From proposal to landing: first-parent from the last decided commit, oldest first, one decision per commit and target. */
import type { GateRepository } from "../git/gate.ts";
import { type CommitId, commitId } from "../git/object.ts";
import { readAbandoned } from "../release/rollback.ts";
import { offeredBy } from "./carrying.ts";
import { type Admitted, admit } from "./gate.ts";
import { readHistory, type TargetHistory } from "./history.ts";
import { recorder } from "./record.ts";
import { type Released, releaseDecision } from "./releasing.ts";
import type { Subject } from "./subject.ts";
import type { Gate } from "./wiring.ts";

export interface Landed {
  readonly admitted: Admitted;
  /** null when the verdict is not allow. */
  readonly released: Released | null;
}

/** Judges whatever landed since the last decision and releases each allowed state. Empty when nothing is new. */
export async function judgeLandings(gate: Gate, target: string): Promise<readonly Landed[]> {
  const repository = await gate.repository(target);
  const { branch } = gate.target(target);
  const tip = await repository.resolve(`refs/heads/${branch}`);
  const landed: Landed[] = [];
  const abandoned = await readAbandoned(gate.log, target);
  for (const step of await undecided(await readHistory(gate.log, target), repository, tip, abandoned)) {
    const history = await readHistory(gate.log, target);
    const subject = await landingSubject(gate, target, history, repository, step);
    const admitted = await admit(subject, gate.services, recorder(gate.log));
    const released = admitted.decision.verdict === "allow" ? await releaseDecision(gate, target, admitted, null) : null;
    landed.push({ admitted, released });
  }
  return landed;
}

interface Step {
  readonly base: CommitId;
  readonly commit: CommitId;
}

async function undecided(
  history: TargetHistory,
  repository: GateRepository,
  tip: CommitId,
  abandoned: string | null,
): Promise<readonly Step[]> {
  const last = lastLooked(history);
  const chain = await repository.firstParents(last, tip);
  if (chain === null) return [{ base: last, commit: tip }];
  if (chain.length === 0) {
    return tip === abandoned || isSettled(history, tip) ? [] : [{ base: baseOf(history, tip), commit: tip }];
  }
  const steps = chain.map((commit, index) => ({ base: chain[index - 1] ?? last, commit }));
  return steps.slice(steps.findIndex((step) => step.commit === abandoned) + 1);
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
  const released = history.latestRelease === null ? history.adopted : commitId(history.latestRelease.release.commit);
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
