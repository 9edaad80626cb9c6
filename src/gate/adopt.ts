/** The first approved state of a target: an operator's word, recorded; there is no trust on first use. */
import { findingKey } from "../decision/baseline.ts";
import type { Decision } from "../decision/decision.ts";
import type { CommitId } from "../git/object.ts";
import { isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Receipt } from "../log/entry.ts";
import type { Resource } from "../render/resource.ts";
import { asItIs } from "./as-it-is.ts";
import { admit } from "./gate.ts";
import { entryDigests, terms } from "./record.ts";
import { signedHead } from "./releasing.ts";
import type { Gate } from "./wiring.ts";

export interface Adoption {
  readonly receipt: Receipt;
  readonly commit: CommitId;
  readonly decision: Decision;
  /** The adopted objects. */
  readonly resources: readonly Resource[];
  /** Keys of today's denials: only new ones count from now on, and those of rules that nothing excuses. */
  readonly baseline: readonly string[];
}

export interface AdoptionWish {
  readonly target: string;
  /** null = the tip of the target's branch. */
  readonly at: string | null;
  readonly reason: string;
  readonly by: string;
}

/** @throws SluiceError `target-adopted`, and whatever makes the state unable to judge */
export async function adoptTarget(gate: Gate, wish: AdoptionWish): Promise<Adoption> {
  const { target } = wish;
  const { branch, repository: repositoryName, minimum } = gate.target(target);
  if ((await gate.log.latest(target, ["genesis"])) !== null) {
    throw new SluiceError("target-adopted", `${target} has its first approved state already.`, {
      fix: "land a change instead",
    });
  }
  const repository = await gate.repository(target);
  const commit = await repository.resolve(wish.at ?? `refs/heads/${branch}`);
  const revokedKeys = gate.configuration.gate.revoked;
  const state = {
    target,
    repository,
    repositoryName,
    commit,
    branch,
    minimum,
    revokedKeys,
    baseline: new Set<string>(),
  };
  const { decision, resources } = await admit(asItIs(state), gate.services);
  if (decision.failure !== null) throw unusable(decision.failure);
  const baseline = decision.findings
    .filter((finding) => finding.kind === "deny" && finding.waivable)
    .map(findingKey)
    .sort();
  const { tree, objects, digests } = decision;
  const receipt = await gate.log.append({
    kind: "genesis",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { commit, tree },
    digests: entryDigests(digests),
    disclosed: {
      by: wish.by,
      reason: wish.reason,
      after: commit,
      baseline,
      objects: objects.length,
      manifests: digests.manifests,
    },
    terms: [...terms("person", [wish.by]), ...terms("commit", [commit]), ...terms("subject", ["adopted"])],
  });
  await signedHead(gate, target);
  return { receipt, commit, decision, resources, baseline };
}

function unusable(failure: NonNullable<Decision["failure"]>): SluiceError {
  const code = isCode(failure.code) ? failure.code : "internal";
  return new SluiceError(code, failure.message, { fix: failure.fix });
}
