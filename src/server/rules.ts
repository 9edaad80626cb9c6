/** What judges a target, now or at a time: its rules, exceptions and people, as the page of rules shows them. */
import { possibleApprovers } from "../gate/approvers.ts";
import { inForce } from "../gate/in-force.ts";
import { type Judge, readJudge, targetFacts } from "../gate/judge.ts";
import type { Gate } from "../gate/wiring.ts";
import type { Instant } from "../lib/time.ts";
import { objectionToKey } from "../signature/key-use.ts";
import type { RulesState } from "./view.ts";

/** What a rule said is counted over so long, up to the time that is shown. */
const PERIOD_MS = 90 * 24 * 60 * 60 * 1000;

/** @throws SluiceError `target-unknown`, `target-not-adopted`, and what reading the judge throws */
export async function rulesState(gate: Gate, target: string, asOf: Instant | null): Promise<RulesState> {
  const { repository: repositoryName, branch, minimum } = gate.target(target);
  const at = asOf ?? gate.services.clock();
  const { entry, commit } = await inForce(gate.log, target, at);
  const judge = await readJudge(await gate.repository(target), commit, gate.configuration.gate.revoked, gate.services);
  const { mode, approvals, signatures } = targetFacts(judge, target, repositoryName, branch, minimum);
  return {
    target,
    mode,
    commit,
    since: entry.leaf.time,
    index: entry.index,
    signatures: signatures.require,
    approvals: { count: approvals.count, roles: [...approvals.roles] },
    approvers: possibleApprovers(judge.trust, at).map(({ id }) => id),
    rules: await Promise.all(judge.policies.rules.map((rule) => ruleState(gate, target, rule, at))),
    waivers: judge.waivers
      .filter((one) => one.target === target)
      .map(({ until, untilText, ...one }) => ({ ...one, until: untilText, isOver: until <= at })),
    people: peopleOf(judge, at),
  };
}

type Rule = Judge["policies"]["rules"][number];

async function ruleState(gate: Gate, target: string, rule: Rule, at: Instant): Promise<RulesState["rules"][number]> {
  const { id, title, description, level, mode, controls, waivable } = rule;
  const terms = [{ kind: "rule", value: id }] as const;
  const spoke = { target, kinds: ["decision"], terms, from: at - PERIOD_MS, to: at } as const;
  const denied = await gate.log.count({ ...spoke, verdict: "deny" });
  return { id, title, description, level, mode, controls, waivable, spoke: await gate.log.count(spoke), denied };
}

function peopleOf({ trust }: Judge, at: Instant): RulesState["people"] {
  const owners = trust.owners.map(({ id, class: kind, roles, left }) => {
    const own = trust.keys.filter((key) => key.owner.id === id && key.owner.class === kind);
    const usable = own.filter((key) => objectionToKey(key, trust, at) === null).length;
    return {
      id,
      class: kind,
      roles: [...roles].sort(),
      keys: own.length,
      usable,
      hasLeft: left !== null && left <= at,
    };
  });
  return owners.sort((a, b) => (a.id < b.id ? -1 : 1));
}
