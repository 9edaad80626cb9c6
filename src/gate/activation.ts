/**
 * What judges a target from now on, as entries of the log: `policy-activation`, `trust-change`, `configuration-change`.
 *
 *   adopt, adopt --again, release   in one transaction with the act, directly behind its entry: `previous` leads there
 *   gate.yaml, another Sluice       before the next thing of the target is judged
 *
 * What is in force is compared with what the newest entry of its kind says, so a restart repeats nothing, a crash leaves
 * nothing out, and a log of before there were such entries gets its first ones. A rollback moves no judge.
 */
import type { GateConfiguration, GateTarget } from "../config/gate-yaml.ts";
import type { Decision, TargetFacts } from "../decision/decision.ts";
import type { GateRepository } from "../git/gate.ts";
import { type CommitId, commitId, type TreeId } from "../git/object.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { openTurns } from "../lib/turns.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDraft, EntryKind, LoggedEntry, Term } from "../log/entry.ts";
import type { Trust } from "../signature/trust.ts";
import { type TrustDifference, trustDifference } from "../signature/trust-difference.ts";
import { appendFollowing } from "./following.ts";
import type { TargetHistory } from "./history.ts";
import { governanceRule, type Judge, readJudge, readJudgeTrust, targetFacts } from "./judge.ts";
import { disclosedDecision, entryDigests, terms } from "./record.ts";
import type { Services } from "./services.ts";

/** What put it in force, and on whose word. */
export interface Cause {
  /** `gate`: the operator's file, or another version of Sluice. */
  readonly kind: "genesis" | "bypass" | "release" | "gate";
  /** Index of the decision that a release rests on. */
  readonly decision: number | null;
  /** Who adopted. */
  readonly operators: readonly string[];
  /** Whose verified signatures are in the range that landed, with the proposal's that it carries. */
  readonly signers: readonly Signed[];
  readonly approvers: readonly Approved[];
}

interface Signed {
  readonly person: string;
  readonly class: string;
  readonly key: string;
}

interface Approved {
  readonly person: string;
  readonly roles: readonly string[];
  readonly key: string;
}

export interface Activations {
  /** Entries for what a judge at this commit changes; none where all is in force already. */
  drafts(target: string, commit: CommitId, cause: Cause): Promise<readonly EntryDraft[]>;
  /** Logs what is in force where the log says otherwise, or nothing. What cannot be read judges nothing, and is passed over. */
  record(target: string, history: Pick<TargetHistory, "judge">): Promise<void>;
}

export interface ActivationMeans {
  readonly log: DecisionLog;
  readonly services: Pick<Services, "toolchain" | "compiledCache" | "judges">;
  readonly configuration: () => GateConfiguration;
  readonly target: (name: string) => GateTarget;
  readonly repository: (target: string) => Promise<GateRepository>;
}

const NOBODY: Omit<Cause, "kind"> = { decision: null, operators: [], signers: [], approvers: [] };

export function adoptedBy(kind: "genesis" | "bypass", operators: readonly string[]): Cause {
  return { ...NOBODY, kind, operators };
}

export async function releasedBy(log: DecisionLog, decision: Decision, index: number): Promise<Cause> {
  const { approvals, carried } = decision;
  const proposal = carried === null ? null : disclosedDecision((await log.read(carried.index)).disclosed);
  const verified = [...decision.verifications, ...(proposal?.verifications ?? [])].flatMap((one) =>
    one.kind === "verified" ? [one.signer] : [],
  );
  return {
    ...NOBODY,
    kind: "release",
    decision: index,
    signers: unique(verified.map(({ person, class: kind, key }) => ({ person, class: kind, key }))),
    approvers: unique(approvals.given.map(({ person, roles, key }) => ({ person, roles, key }))),
  };
}

export function openActivations(means: ActivationMeans): Activations {
  const { log } = means;
  const turns = openTurns();
  const known = new Map<string, { readonly configuration: GateConfiguration; readonly judge: CommitId }>();

  async function drafts(target: string, commit: CommitId, cause: Cause): Promise<readonly EntryDraft[]> {
    return changesOf(means, await readState(means, target, commit), cause);
  }

  /** False for a judge that cannot be read: it judges nothing, each decision says why, and the next call tries again. */
  async function recordOne(target: string, commit: CommitId): Promise<boolean> {
    const state = await readState(means, target, commit).catch(passOver);
    if (state === null) return false;
    await appendFollowing(log, target, async () => ({
      drafts: await changesOf(means, state, { ...NOBODY, kind: "gate" }),
      made: null,
    }));
    return true;
  }

  return {
    drafts,
    record: (target, { judge }) =>
      turns.take(target, async () => {
        const configuration = means.configuration();
        const before = known.get(target);
        if (before?.configuration === configuration && before.judge === judge) return;
        if (await recordOne(target, judge)) known.set(target, { configuration, judge });
      }),
  };
}

function passOver(thrown: unknown): null {
  if (thrown instanceof SluiceError) return null;
  throw thrown;
}

interface State {
  readonly target: string;
  readonly commit: CommitId;
  readonly tree: TreeId;
  readonly judge: Judge;
  readonly demands: Omit<TargetFacts, "name" | "labels"> & { readonly change: JsonObject };
  /** SHA-256 of what gate.yaml says of the target and its judge. */
  readonly gate: string;
  readonly revoked: readonly string[];
}

async function readState(means: ActivationMeans, name: string, commit: CommitId): Promise<State> {
  const { revoked, repositories } = means.configuration().gate;
  const { repository: repositoryName, branch, minimum } = means.target(name);
  const repository = await means.repository(name);
  const { tree } = await repository.commit(commit);
  const judge = await readJudge(repository, commit, revoked, means.services);
  const { name: _, labels: __, ...facts } = targetFacts(judge, name, repositoryName, branch, minimum);
  const change = governanceRule(judge, minimum) as unknown as JsonObject;
  const { url } = repositories[repositoryName] ?? {};
  const gate = sha256Hex(
    canonicalJson({ branch, minimum, repository: repositoryName, url: url ?? null } as JsonObject),
  );
  return { target: name, commit, tree, judge, demands: { ...facts, change }, gate, revoked: [...revoked].sort() };
}

/** In the order in which a change is judged: by which configuration, whom it trusts, which policies. */
async function changesOf(means: ActivationMeans, state: State, cause: Cause): Promise<readonly EntryDraft[]> {
  const { log } = means;
  const { target, judge } = state;
  const { digests } = judge;
  const changes: EntryDraft[] = [];
  const configured = await log.latest(target, ["configuration-change"]);
  if (configured?.leaf.digests.configuration !== digests.configuration || gateOf(configured) !== state.gate) {
    const former = { ...formerOf(configured, "configuration"), gate: gateOf(configured) };
    changes.push(
      draft("configuration-change", state, cause, { former, gate: state.gate, demands: asJson(state.demands) }),
    );
  }
  const trusted = await log.latest(target, ["trust-change"]);
  if (trusted?.leaf.digests.trust !== digests.trust) {
    const difference = await differenceOf(means, state, trusted);
    const { change } = state.demands;
    const said = { former: formerOf(trusted, "trust"), revoked: [...state.revoked], change, ...parts(difference) };
    changes.push(draft("trust-change", state, cause, said, termsOf(difference)));
  }
  const activated = await log.latest(target, ["policy-activation"]);
  if (activated?.leaf.digests.policies !== digests.policies) {
    const rules = judge.policies.rules.map(({ id, mode }) => ({ id, mode }));
    changes.push(draft("policy-activation", state, cause, { former: formerOf(activated, "policies"), rules }));
  }
  return changes;
}

/** What was in force before, and the entry that says so; both null where none does. */
function formerOf(entry: LoggedEntry | null, name: "policies" | "trust" | "configuration"): JsonObject {
  return { digest: entry?.leaf.digests[name] ?? null, index: entry?.index ?? null };
}

/** null where it was erased: then it is said anew. */
function gateOf(entry: LoggedEntry | null): string | null {
  const value = entry?.disclosed["gate"]?.value;
  return typeof value === "string" ? value : null;
}

/** null where the trust before cannot be read any more. */
async function differenceOf(
  { repository }: ActivationMeans,
  { target, judge }: State,
  former: LoggedEntry | null,
): Promise<TrustDifference | null> {
  if (former === null) return trustDifference(null, judge.trust);
  const before = await trustAt(await repository(target), former).catch(passOver);
  return before === null ? null : trustDifference(before, judge.trust);
}

function trustAt(repository: GateRepository, { leaf, disclosed }: LoggedEntry): Promise<Trust> {
  const revoked = disclosed["revoked"]?.value;
  const keys = Array.isArray(revoked) ? revoked.filter((key): key is string => typeof key === "string") : [];
  return readJudgeTrust(repository, commitId(leaf.subject["judge"] ?? ""), keys);
}

/** One commitment a part, so that a part can be erased without the others. */
function parts(difference: TrustDifference | null): JsonObject {
  const { owners = null, keys = null, authorities = null } = difference ?? {};
  return asJson({ owners, keys, authorities });
}

function termsOf(difference: TrustDifference | null): readonly Term[] {
  if (difference === null) return [];
  const { owners, keys } = difference;
  const moved = [...keys.added, ...keys.removed, ...keys.revoked];
  const names = [...owners.added, ...owners.removed, ...owners.left, ...owners.changed];
  const all = [...names, ...owners.roles.map(({ owner }) => owner), ...moved.map(({ owner }) => owner)];
  const persons = all.map((name) => name.slice(name.indexOf(":") + 1));
  return [
    ...terms("person", persons),
    ...terms(
      "key",
      moved.map(({ key }) => key),
    ),
  ];
}

function draft(kind: EntryKind, state: State, cause: Cause, said: JsonObject, more: readonly Term[] = []): EntryDraft {
  const { signers, approvers, operators, ...because } = cause;
  const persons = [...operators, ...[...signers, ...approvers].map(({ person }) => person)];
  return {
    kind,
    target: state.target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { judge: state.commit, tree: state.tree },
    digests: entryDigests(state.judge.digests),
    disclosed: asJson({ cause: because, operators, signers, approvers, ...said }),
    terms: [
      ...terms("person", persons),
      ...terms(
        "key",
        [...signers, ...approvers].map(({ key }) => key),
      ),
      ...terms("commit", [state.commit]),
      ...more,
    ],
  };
}

function asJson(value: unknown): JsonObject {
  return JSON.parse(canonicalJson(value as JsonValue)) as JsonObject;
}

/** Each once, sorted. */
function unique<T>(all: readonly T[]): readonly T[] {
  const texts = new Set(all.map((one) => canonicalJson(one as unknown as JsonValue)));
  return [...texts].sort().map((text) => JSON.parse(text) as T);
}
