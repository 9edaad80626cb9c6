/** The first approved state of a target: an operator's word, recorded; there is no trust on first use. */
import { baselineYaml, type OldFinding } from "../config/baseline-yaml.ts";
import { findingKey } from "../decision/baseline.ts";
import type { Decision } from "../decision/decision.ts";
import type { CommitId } from "../git/object.ts";
import { isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { EntryDraft, Receipt } from "../log/entry.ts";
import type { Finding } from "../policy/finding.ts";
import { type Resource, resourceName } from "../render/resource.ts";
import { adoptedBy } from "./activation.ts";
import { asItIs } from "./as-it-is.ts";
import { appendFollowing } from "./following.ts";
import { admit } from "./gate.ts";
import { readAdoption } from "./history.ts";
import { entryDigests, terms } from "./record.ts";
import { signedHead } from "./releasing.ts";
import { type OperatorAct, type OperatorWish, secondNeeded, wordOf } from "./two-operators.ts";
import type { Gate } from "./wiring.ts";

export interface Adoption {
  readonly receipt: Receipt;
  readonly commit: CommitId;
  readonly decision: Decision;
  /** The adopted objects. */
  readonly resources: readonly Resource[];
  /** Keys of today's denials: only new ones count from now on, and those of rules that nothing excuses. */
  readonly baseline: readonly string[];
  /** `baseline.yaml` with them, for previews. */
  readonly copy: string;
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
  const { target, by, reason } = wish;
  await refuseAdopted(gate, target);
  const state = await look(gate, wish);
  const genesis: EntryDraft = {
    kind: "genesis",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { commit: state.commit, tree: state.tree },
    digests: state.digests,
    disclosed: { by, reason, ...state.disclosed },
    terms: [...terms("person", [by]), ...terms("commit", [state.commit]), ...terms("subject", ["adopted"])],
  };
  const { receipts } = await appendFollowing(gate.log, target, async () => {
    await refuseAdopted(gate, target); // another gate on this log may have been faster
    const judge = await gate.activations.drafts(target, state.commit, adoptedBy("genesis", [by]));
    return { drafts: [genesis, ...judge], made: null };
  });
  await signedHead(gate, target);
  return { ...state, receipt: receipts[0] as Receipt };
}

async function refuseAdopted({ log }: Gate, target: string): Promise<void> {
  if ((await log.latest(target, ["genesis"])) === null) return;
  throw new SluiceError("target-adopted", `${target} has its first approved state already.`, {
    fix: "land a change instead",
  });
}

/**
 * Repairs a judge that cannot judge any more: the state that is adopted is the judge from now on, with a baseline of
 * today. Two operators say so; what they say is not judged by anything, so it is logged as what it is, a bypass. Sequence
 * and log go on; what is released stays until the next change lands.
 * @throws SluiceError `target-not-adopted`, `second-operator-needed` for the first word, `second-operator-same`,
 * `operator-unnamed`, and whatever makes the state unable to judge
 */
export async function adoptAgain(gate: Gate, wish: AdoptionWish): Promise<Adoption> {
  const { target, by, reason } = wish;
  await readAdoption(gate.log, target);
  const state = await look(gate, wish);
  const act: OperatorAct = { kind: "bypass", ...state };
  const word: OperatorWish = { target, by, reason, ticket: null };
  const now = gate.services.clock();
  const { receipts, made: first } = await appendFollowing(gate.log, target, async () => {
    const { first, draft } = await wordOf(gate.log, word, act, now);
    if (first === null) return { drafts: [draft], made: null };
    const judge = await gate.activations.drafts(target, state.commit, adoptedBy("bypass", [first.person, by]));
    return { drafts: [draft, ...judge], made: first };
  });
  const receipt = receipts[0] as Receipt;
  if (first === null) throw secondNeeded(word, act, receipt.index, now);
  await signedHead(gate, target);
  return { ...state, receipt };
}

/** The state as it is, judged by itself: it must be able to judge. */
async function look(gate: Gate, { target, at }: AdoptionWish) {
  const { branch, repository: repositoryName, minimum } = gate.target(target);
  const repository = await gate.repository(target);
  const commit = await repository.resolve(at ?? `refs/heads/${branch}`);
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
  const { tree, objects, digests, failure } = decision;
  if (failure !== null || tree === null) throw unusable(failure);
  const old = decision.findings.filter((finding) => finding.kind === "deny" && finding.waivable).map(oldFinding);
  old.sort((a, b) => (a.key < b.key ? -1 : 1));
  const baseline = old.map(({ key }) => key);
  const disclosed = { after: commit, baseline, objects: objects.length, manifests: digests.manifests };
  const copy = baselineYaml(target, old);
  return { commit, tree, decision, resources, baseline, copy, digests: entryDigests(digests), disclosed };
}

function oldFinding(finding: Finding): OldFinding {
  const { rule, resource } = finding;
  return { key: findingKey(finding), what: printable(resource === null ? rule : `${rule} ${resourceName(resource)}`) };
}

function unusable(failure: Decision["failure"]): SluiceError {
  const { code, message, fix } = failure ?? { code: "internal", message: "The state has no tree.", fix: null };
  return new SluiceError(isCode(code) ? code : "internal", message, { fix });
}
