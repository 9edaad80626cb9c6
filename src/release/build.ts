/**
 * From a logged decision to a release. Nothing is taken on the caller's word: the decision, the release before it and the
 * holds are read from the log itself, so that no brand, flag or cached value can stand in for a record.
 */
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { Resource } from "../render/resource.ts";
import { decisionEvidence, type ProvenDecision, provenDecision } from "./decision-entry.ts";
import { type ContentRefusal, type Permit, plainSecrets, refuseContent } from "./guards.ts";
import { refuseHeld } from "./holds.ts";
import { manifestsDigest, releaseObjects } from "./manifests.ts";
import { lastRelease } from "./record.ts";
import type { Release, ReleaseObject } from "./release.ts";

export interface ReleaseRequest {
  readonly log: DecisionLog;
  /** Index of the decision's entry. */
  readonly decisionIndex: number;
  readonly target: string;
  /** Name of the target's repository, for its holds. */
  readonly repository: string;
  /** The judged objects, as judged. */
  readonly resources: readonly Resource[];
  /** The sequence whose objects are brought back, null for every other release. */
  readonly rollbackOf: number | null;
  readonly permit: Permit | null;
  readonly now: Instant;
}

/**
 * The next release of the target, not yet signed, logged or written anywhere.
 * @throws SluiceError `release-not-allowed`, `release-not-landed`, `release-objects-differ`, `release-plain-secret`,
 * `release-held`, `release-superseded`, `release-empty`, `release-mass-prune`, `release-too-large`, and what the log throws
 */
export async function buildRelease(request: ReleaseRequest): Promise<Release> {
  const { log, target, repository, resources, rollbackOf, permit, now } = request;
  const decision = provenDecision(decisionEvidence(await log.read(request.decisionIndex)));
  const objects = releaseObjects(resources);
  checkObjects(decision, target, resources, objects);

  await refuseHeld(log, target, repository);
  const previous = (await lastRelease(log, target))?.release ?? null;
  if (previous !== null && decision.index <= previous.decision.index) {
    throw new SluiceError("release-superseded", `Release ${previous.sequence} of ${target} rests on a newer decision.`);
  }
  refuse(refuseContent({ target, before: previous?.objects ?? [], resources, permit }));
  return {
    v: 1,
    target,
    origin: log.origin,
    sequence: (previous?.sequence ?? 0) + 1,
    commit: decision.commit,
    tree: decision.tree,
    decision: { id: decision.id, index: decision.index, leafHash: decision.leafHash },
    rollbackOf,
    objects,
    time: formatTime(now),
  };
}

function checkObjects(
  decision: ProvenDecision,
  target: string,
  resources: readonly Resource[],
  objects: readonly ReleaseObject[],
): void {
  if (decision.target !== target || decision.manifests !== manifestsDigest(objects)) {
    throw new SluiceError(
      "release-objects-differ",
      `Entry ${decision.index} allows other objects than these of ${target}.`,
    );
  }
  refuse(plainSecrets(resources));
}

/** The second line: a decision holds the same refusals, so an allow that gets here has none of them. */
function refuse([first]: readonly ContentRefusal[]): void {
  if (first !== undefined) throw new SluiceError(first.code, first.message, { fix: first.fix });
}
