/**
 * One request of a cluster's API server, judged by a target's policies alone: nothing of it is signed, nobody approves it.
 *
 *   1 name    what it is about, its secrets masked    3 waivers  mark findings, as the baseline does
 *   2 policy  the target's set, by a deadline         4 decide, log, and only then answer: dry runs too, marked
 *
 * Whatever throws in 1 to 3 becomes the evidence's `failure`, as in gate.ts.
 */
import { askedObject } from "../admission/object.ts";
import type { AdmissionRequest } from "../admission/review.ts";
import { markBaseline } from "../decision/baseline.ts";
import { decide } from "../decision/decide.ts";
import type { AdmissionFacts, Decision, Evidence } from "../decision/decision.ts";
import { applyWaivers } from "../decision/waiver.ts";
import { canonicalJson } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { asSluiceError } from "../lib/errors.ts";
import { printableUpTo } from "../lib/printable.ts";
import { formatTime } from "../lib/time.ts";
import { ulid } from "../lib/ulid.ts";
import { askOnce } from "../policy/external.ts";
import type { PolicyInput } from "../policy/input.ts";
import { inputDigest } from "../policy/input-digest.ts";
import { podOf } from "../render/pod.ts";
import { openRedactor } from "../render/redactor.ts";
import { collectSecretValues } from "../render/secrets.ts";
import { emptyEvidence, externalEvidence, type Stage } from "./evidence.ts";
import { type Record, recorder } from "./record.ts";
import { type ReadyJudge, refuseLate, type StandingJudges } from "./standing.ts";
import type { Gate } from "./wiring.ts";

const USER_CHARACTERS = 300;

export interface AdmittedRequest {
  readonly decision: Decision;
  readonly record: Record;
}

/** @throws SluiceError where there is no judge to log by (`target-not-adopted`), and what the log throws: then there is no verdict */
export async function admitRequest(
  gate: Gate,
  standing: StandingJudges,
  target: string,
  request: AdmissionRequest,
  signal: AbortSignal,
): Promise<AdmittedRequest> {
  const now = gate.services.clock();
  const { commit, baseline, read } = await standing.of(target);
  const { repository: repositoryName, branch } = gate.target(target);
  const about = { kind: "admission", authority: "gate", target, repositoryName, branch, base: null } as const;
  let evidence: Evidence = {
    ...emptyEvidence({ ...about, head: commit, judge: commit }, now),
    request: factsOf(request),
  };
  const external = askOnce(gate.services.external, target);
  let stage: Stage = "gate";
  let mask = (text: string): string => text;
  try {
    const ready = await read();
    const { judge, target: facts, tree } = ready;
    evidence = { ...evidence, target: facts, tree, digests: { ...evidence.digests, ...judge.digests } };

    stage = "render"; //                                                                                              1
    const asked = askedObject(request);
    mask = openRedactor(collectSecretValues(asked.unmasked)).mask;
    const { id, action, object } = asked;
    const sha256 = object === null ? null : sha256Hex(canonicalJson(object));
    const document = documentOf(asked, ready, formatTime(now));
    const input = inputDigest([document]);
    evidence = { ...evidence, objects: [{ id, action, sha256 }], digests: { ...evidence.digests, input } };

    stage = "policy"; //                                                                                              2
    const evaluated = await standing.evaluate(ready, document, await external.data(judge.policies.external), signal);
    refuseLate(signal);
    const { rulesExpected, rulesEvaluated, unruled } = evaluated;
    const said = evaluated.findings.map((one) => {
      return { ...one, message: mask(one.message), fix: one.fix === null ? null : mask(one.fix) };
    });
    const notEvaluated = evaluated.notEvaluated.map((one) => ({ ...one, message: mask(one.message) }));
    const marked = applyWaivers(markBaseline(said, baseline), judge.waivers, target, now); //                         3
    const { findings, applied: waivers } = marked;
    evidence = { ...evidence, findings, waivers, rulesExpected, rulesEvaluated, unruled, notEvaluated };
  } catch (thrown) {
    const { code, message, fix } = asSluiceError(thrown);
    evidence = { ...evidence, failure: { stage, code, message: mask(message), fix } };
  }
  evidence = { ...evidence, ...externalEvidence(external) };
  const decision = decide(Object.freeze(evidence), ulid(now, gate.services.random(10)), now); //                      4
  return { decision, record: await recorder(gate.log)(decision) };
}

function documentOf(
  { id, action, object, previous, request }: ReturnType<typeof askedObject>,
  { target }: ReadyJudge,
  time: string,
): PolicyInput {
  const { name, repository, branch, path, labels, mode } = target;
  return {
    version: 1,
    subject: { kind: "admission", target: { name, repository, branch, path, labels, mode }, time },
    resource: { id, action, object, previous, origin: null },
    pod: object === null ? null : podOf(object),
    change: null,
    commits: [],
    approvals: [],
    checks: [],
    request,
  };
}

function factsOf({ uid, operation, userInfo, kind, resource, subResource, dryRun }: AdmissionRequest): AdmissionFacts {
  const username = userInfo["username"];
  const below = subResource === "" ? "" : `/${subResource}`;
  return {
    uid,
    operation,
    user: printableUpTo(typeof username === "string" && username !== "" ? username : "unknown", USER_CHARACTERS),
    kind: [kind.kind, kind.version, kind.group].filter((part) => part !== "").join("."),
    resource: `${resource.resource}${below}`,
    dryRun,
  };
}
