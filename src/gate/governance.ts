/** A change to the files that judge: judged by the old ones, agreed to by another person, and usable afterwards. */
import type { GovernanceEvidence } from "../decision/decision.ts";
import { checkWaivers } from "../decision/waiver.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import type { AskedSources } from "../policy/external.ts";
import type { PolicyInput } from "../policy/input.ts";
import type { CollectedApprovals } from "./approvals.ts";
import { possibleApprovers } from "./approvers.ts";
import type { Change } from "./change.ts";
import { governanceRule, type Judge, readJudgeAt, targetYaml } from "./judge.ts";
import type { Services } from "./services.ts";
import type { Minimum, Subject } from "./subject.ts";

interface GovernedChange {
  readonly subject: Subject;
  readonly change: Change;
  readonly judge: Judge;
  readonly approvals: CollectedApprovals;
  /** The policy input of all current objects. */
  readonly documents: readonly PolicyInput[];
  /** Of this decision: what the judge was given already is given to the next one too. */
  readonly external: AskedSources;
  readonly services: Services;
}

/** null when the change touches no governance file. */
export async function judgeGovernance(governed: GovernedChange): Promise<GovernanceEvidence | null> {
  const { subject, change, judge, approvals } = governed;
  if (change.governancePaths.length === 0 || subject.carried?.carried.how === "rollback") return null;
  return {
    paths: change.governancePaths,
    rule: governanceRule(judge, subject.minimum),
    given: approvals.given,
    ...(await triedAsJudge(governed)),
  };
}

/** The new files are tried as the judge of the same objects; what they then say does not matter, only that they can. */
async function triedAsJudge(governed: GovernedChange): Promise<Pick<GovernanceEvidence, "unusable" | "becomes">> {
  const { subject, change, services } = governed;
  if (change.tree === null) return { unusable: null, becomes: null };
  try {
    const next = await readJudgeAt(subject.repository, change.tree, subject.revokedKeys, services);
    return { unusable: await whyUnusable(next, governed), becomes: next.digests };
  } catch (thrown) {
    return { unusable: cannotJudge(thrown), becomes: null };
  }
}

function cannotJudge(thrown: unknown): string {
  return `The new files could not judge the next change: ${asSluiceError(thrown).message}`;
}

async function whyUnusable(
  next: Judge,
  { subject, documents, external, services }: GovernedChange,
): Promise<string | null> {
  try {
    checkWaivers(next.waivers, services.clock());
    checkApprovers(next, subject.minimum, services.clock());
    if (subject.branch !== null) checkTarget(next, subject.target, subject.branch);
    const { policies } = next;
    const data = await external.data(policies.external);
    const asked = services.engine.evaluate(policies, documents, undefined, undefined, data);
    const { notEvaluated, rulesExpected } = await asked;
    if (rulesExpected === 0) return `The new policies have no rule that selects anything in ${subject.target}.`;
    const [first] = notEvaluated;
    return first === undefined ? null : `The new policies cannot be evaluated: ${first.what}: ${first.message}`;
  } catch (thrown) {
    return cannotJudge(thrown);
  }
}

/** The gate would find nothing to judge by any more: gate.yaml is changed first, by the operator. */
function checkTarget(next: Judge, name: string, branch: string): void {
  const { branch: moved } = targetYaml(next, name);
  if (moved !== branch) throw locked(`${name} moves to branch ${moved} and gate.yaml says ${branch}.`);
}

/** Every target's approval rule, and the rule for these files, can still be met by people whose keys approve today. */
function checkApprovers(next: Judge, minimum: Minimum, now: number): void {
  const people = possibleApprovers(next.trust, now);
  const rules = Object.entries(next.configuration.targets).map(([name, target]) => ({
    name,
    ...target.approvals,
    count: Math.max(target.approvals.count, minimum.approvals ?? 0),
  }));
  const { roles, ...governed } = governanceRule(next, minimum);
  rules.push({ ...governed, name: "the trust folder", accept: ["signed"], roles: [...roles] });
  for (const rule of rules) {
    const role = rule.roles.find((wanted) => !people.some((person) => person.roles.includes(wanted)));
    if (people.length < rule.count) {
      const wanted = rule.count === 1 ? "1 approval" : `${rule.count} approvals`;
      const able = people.length === 1 ? "1 person" : `${people.length} people`;
      throw locked(`${rule.name} requires ${wanted} and only ${able} could give one.`);
    }
    if (role !== undefined) throw locked(`${rule.name} requires one of ${role} and nobody has that role.`);
  }
}

function locked(message: string): SluiceError {
  return new SluiceError("new-judge-unusable", message);
}
