/**
 * admit(): one decision, straight through. THE file to read first.
 *
 *   3 git        the range and the merged tree          4 signature  every commit against current trust
 *   5 render     merged tree and last released tree      6 compare    by identity
 *   7 input      one document a resource, one a change   8 policy     the policy set, under a deadline
 *   9 waivers    mark findings, never remove one        10 approvals  who said yes to this content
 *  11 decide     a pure function of the evidence        12 log        durable before anybody hears of it
 *
 * (1 door and 2 queue come before, 13 release and 14 report after: release.ts, and whoever called.)
 * Whatever throws in 3-10 becomes the evidence's `failure`, so that a crash in a renderer is a logged refusal and not a
 * missing line. Values only move forward.
 */

import { markBaseline } from "../decision/baseline.ts";
import { decide } from "../decision/decide.ts";
import type { Decision, Evidence } from "../decision/decision.ts";
import { applyWaivers } from "../decision/waiver.ts";
import type { JsonValue } from "../lib/canonical.ts";
import { asSluiceError } from "../lib/errors.ts";
import { ulid } from "../lib/ulid.ts";
import { changeKinds } from "../policy/change-kinds.ts";
import { askOnce } from "../policy/external.ts";
import { inputDigest, resourceDigests } from "../policy/input-digest.ts";
import { compareResources } from "../render/compare.ts";
import type { Resource } from "../render/resource.ts";
import { collectApprovals } from "./approvals.ts";
import { withoutStale } from "./carrying.ts";
import { readChange } from "./change.ts";
import { contentRefusals } from "./content.ts";
import { describe, digestManifests, objectEvidence } from "./documents.ts";
import { emptyEvidence, externalEvidence, type Stage } from "./evidence.ts";
import { placeFindings } from "./findings.ts";
import { judgeGovernance } from "./governance.ts";
import { readJudge, targetFacts } from "./judge.ts";
import { type Record, recordNothing } from "./record.ts";
import { renderTrees } from "./render.ts";
import type { Services } from "./services.ts";
import { ruleRange, signatureEvidence, verifyRange } from "./signatures.ts";
import type { Subject } from "./subject.ts";

export interface Admitted {
  readonly decision: Decision;
  /** Where it is logged; null in a preview. */
  readonly record: Record | null;
  /** The judged objects: exactly what a release carries. */
  readonly resources: readonly Resource[];
  /** Canonical policy input documents, for `policy input` and the log. */
  readonly documents: readonly JsonValue[];
  /** Masks values that may be secret in anything shown to people. */
  readonly mask: (text: string) => string;
}

type Recorder = (decision: Decision) => Promise<Record | null>;

/** The one judge: command line, service, webhook and agent call it. `record` is the log in a gate, nothing in a preview. */
export async function admit(subject: Subject, services: Services, record: Recorder = recordNothing): Promise<Admitted> {
  const now = services.clock();
  const gathered = await gather(subject, { ...services, clock: () => now }); // one instant, so that it can be decided again
  const decision = decide(Object.freeze(gathered.evidence), ulid(now, services.random(10)), now); //                  11
  return { ...gathered, decision, record: await record(decision) }; //                                               12
}

interface Gathered {
  readonly evidence: Evidence;
  readonly resources: readonly Resource[];
  readonly documents: readonly JsonValue[];
  readonly mask: (text: string) => string;
}

/** Steps 3 to 10. The evidence starts as a refusal of everything and is filled as far as the steps come. */
async function gather(asked: Subject, services: Services): Promise<Gathered> {
  let evidence = emptyEvidence(asked, services.clock());
  const external = askOnce(services.external, asked.target);
  let stage: Stage = "gate";
  let resources: readonly Resource[] = [];
  let documents: readonly JsonValue[] = [];
  let mask = (text: string): string => text;
  let started = performance.now();
  const enter = (next: Stage): void => {
    services.signal?.throwIfAborted();
    services.onStep(stage, performance.now() - started);
    stage = next;
    started = performance.now();
  };
  try {
    services.signal?.throwIfAborted();
    const judge = await readJudge(asked.repository, asked.judge, asked.revokedKeys, services);
    const subject = await withoutStale(asked, judge, services);
    const target = targetFacts(judge, subject.target, subject.repositoryName, subject.branch, subject.minimum);
    const policies = services.policies ?? judge.policies;
    evidence = { ...evidence, target, digests: { ...evidence.digests, ...judge.digests, policies: policies.digest } };
    services.engine.prepare(policies);

    enter("git"); //                                                                                                  3
    const change = await readChange(subject, judge, target, services);
    const { tree, uncovered, ignored, refusals } = change;
    evidence = { ...evidence, tree, uncovered, ignored, refusals };

    enter("signature"); //                                                                                            4
    const rendering = tree === null ? null : underWay(renderTrees(subject, change, judge, target, services.renderMemo));
    let range = await verifyRange(subject, change, judge, services);
    const { receivedAt } = range;
    evidence = { ...evidence, ...signatureEvidence(range), receivedAt };
    if (rendering === null) return { evidence, resources, documents, mask };

    enter("render"); //                                                                                               5
    const rendered = await rendering;
    resources = rendered.after.resources;
    mask = rendered.mask;
    evidence = { ...evidence, renderFailures: rendered.after.failures };

    const changes = compareResources(rendered.before.resources, resources); //                                        6
    evidence = { ...evidence, objects: objectEvidence(changes) };
    evidence = { ...evidence, digests: { ...evidence.digests, manifests: digestManifests(resources) } };
    evidence = { ...evidence, refusals: [...refusals, ...contentRefusals(rendered, judge, target, services.clock())] };
    const kinds = changeKinds(changes);
    range = await ruleRange(subject, change, range, judge, target, kinds, services); // robots: by the kinds of the change
    evidence = { ...evidence, ...signatureEvidence(range) };

    enter("approvals"); //                                                    10, before 7: policies see who approved
    const approvals = await collectApprovals(subject, change, range, judge, target, services);
    evidence = { ...evidence, approvals, standIn: approvals.standIn, carried: subject.carried?.carried ?? null };

    enter("policy");
    const input = describe({ subject, change, range, target, changes, kinds, approvals, receivedAt }); //                    7
    documents = input as unknown as readonly JsonValue[];
    const digests = resourceDigests(
      input,
      [...rendered.before.resources, ...resources].map(({ object, sha256 }) => [object, sha256] as const),
    );
    evidence = { ...evidence, digests: { ...evidence.digests, input: inputDigest(input, digests) } };
    const data = await external.data(policies.external);
    const evaluated = await services.engine.evaluate(policies, input, digests, undefined, data); //                      8
    const placed = await placeFindings(evaluated.findings, rendered);
    const { rulesExpected, rulesEvaluated, unruled } = evaluated;
    const notEvaluated = evaluated.notEvaluated.map((one) => ({ ...one, message: mask(one.message) }));
    const marked = applyWaivers(markBaseline(placed, subject.baseline), judge.waivers, target.name, services.clock()); // 9
    const { findings, applied: waivers } = marked;
    evidence = { ...evidence, findings, waivers, rulesExpected, rulesEvaluated, unruled, notEvaluated };

    enter("gate");
    const governance = await judgeGovernance({
      ...{ subject, change, judge, approvals, documents: input, external, services },
    });
    evidence = {
      ...evidence,
      governance: governance && { ...governance, unusable: masked(governance.unusable, mask) },
    };
  } catch (thrown) {
    const { code, message, fix } = asSluiceError(thrown);
    evidence = { ...evidence, failure: { stage, code, message: mask(message), fix } };
  }
  evidence = { ...evidence, ...externalEvidence(external) };
  services.onStep(stage, performance.now() - started);
  return { evidence, resources, documents, mask };
}

/** Git reads the files while signatures are verified. A failure is met where it is awaited, or not at all. */
function underWay<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

function masked(text: string | null, mask: (text: string) => string): string | null {
  return text === null ? null : mask(text);
}
