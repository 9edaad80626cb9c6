/** What the release of these objects would be refused for is a reason of the decision, so that a proposal is told in time. */
import { currentPermit } from "../config/sluice-yaml.ts";
import type { Reason, TargetFacts } from "../decision/decision.ts";
import type { Instant } from "../lib/time.ts";
import { plainSecrets, refuseContent } from "../release/guards.ts";
import { releaseObjects } from "../release/manifests.ts";
import { type Judge, targetYaml } from "./judge.ts";
import type { RenderedTrees } from "./render.ts";

/** Of objects that could not all be rendered nothing is counted: which of them are gone is not known. */
export function contentRefusals(
  { before, after }: RenderedTrees,
  judge: Judge,
  target: TargetFacts,
  now: Instant,
): readonly Reason[] {
  const { resources, failures } = after;
  if (failures.length > 0) return plainSecrets(resources);
  const permit = currentPermit(targetYaml(judge, target.name), now);
  return refuseContent({ target: target.name, before: releaseObjects(before.resources), resources, permit });
}
