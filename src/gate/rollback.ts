/** A rollback: an earlier release's objects, judged again by the present judge, released under a new sequence. */
import { commitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import { refilled } from "../release/refill.ts";
import { findRelease, releasedResources, rollbackDraft } from "../release/rollback.ts";
import { carried } from "./carrying.ts";
import { admit } from "./gate.ts";
import { type LoggedDecision, readHistory } from "./history.ts";
import type { Landed } from "./landing.ts";
import { disclosedDecision, recorder } from "./record.ts";
import { releaseDecision } from "./releasing.ts";
import type { Subject } from "./subject.ts";
import type { Gate } from "./wiring.ts";

export interface RollbackWish {
  readonly target: string;
  readonly to: number;
  readonly reason: string;
  /** The named person. */
  readonly by: string;
}

/** The judge and the signatures do not move back: policies are today's, signatures are as they were proven then. */
export async function rollBack(gate: Gate, wish: RollbackWish): Promise<Landed> {
  const { target, to } = wish;
  const signed = await findRelease(gate.log, target, to);
  const original = await originalDecision(gate, signed.release.decision.index);
  const objects = refilled(gate.objects, await gate.channels(target), signed.release);
  const resources = await releasedResources(signed, objects);
  const history = await readHistory(gate.log, target);
  await gate.activations.record(target, history);
  const repository = await gate.repository(target);
  const { repository: repositoryName, branch, minimum } = gate.target(target);
  // Where the branch stands, judged or not: what already waits there would bring back what is rolled back.
  const abandoned = await repository.resolve(`refs/heads/${branch}`);
  await gate.log.append(rollbackDraft({ ...wish, abandoned }, VERSION));
  const { verifications, requiredCommits, approvals } = original.decision;
  const head = commitId(signed.release.commit);
  const subject: Subject = {
    kind: "landed",
    authority: "gate",
    target,
    repositoryName,
    repository,
    base: original.decision.base ?? head,
    head,
    judge: history.judge,
    branch,
    released: history.released,
    excluded: [head],
    minimum,
    revokedKeys: gate.configuration.gate.revoked,
    baseline: history.baseline,
    carried: {
      carried: carried(original, "rollback"),
      approvals: approvals.given,
      judged: null,
      verifications,
      requiredCommits,
      resources,
    },
  };
  const admitted = await admit(subject, gate.services, recorder(gate.log));
  const released = admitted.decision.verdict === "allow" ? await releaseDecision(gate, target, admitted, to) : null;
  return { admitted, released, held: null };
}

async function originalDecision(gate: Gate, index: number): Promise<LoggedDecision> {
  const entry = await gate.log.read(index);
  const decision = disclosedDecision(entry.disclosed);
  if (decision !== null) return { entry, decision };
  throw new SluiceError(
    "release-record-lost",
    `Entry ${index} no longer says what was decided, so its release cannot come back.`,
  );
}
