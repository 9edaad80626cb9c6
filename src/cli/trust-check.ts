/** `trust check`: whether the approval rules can be met today, by whom, and what would soon break them. */
import { resolve } from "node:path";
import type { SluiceYaml } from "../config/sluice-yaml.ts";
import { possibleApprovers } from "../gate/approvers.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import type { Owner, Trust } from "../signature/trust.ts";
import { type AuthorityEnd, authorityEnds } from "../signature/x509-expiry.ts";
import { answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { givenTime } from "./given-time.ts";
import { failure, fine, hasFailure, type Remark, remarksText, warning } from "./remark.ts";
import type { TrustCheckReport } from "./reports/schemas.ts";
import { TRUST_OPTIONS } from "./trust-list.ts";
import { type FoundTrust, givenTrust } from "./trust-path.ts";
import { listOwners, SOON_DAYS, unmetBy } from "./trust-view.ts";
import { workTreeConfiguration } from "./work-tree-configuration.ts";

export const trustCheck: Command = {
  name: "trust check",
  summary: "show who could approve, and what expires",
  usage: ["trust check [--trust PATH] [--at TIME]"],
  options: TRUST_OPTIONS,
  positionals: [0, 0],
  exitCodes: [
    [0, "every approval rule can be met"],
    [1, "a rule cannot be met by anybody who is listed"],
  ],
  example: "sluice trust check --repo .\nsays who could approve each target of ./sluice.yaml today",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const { instant } = givenTime(invocation);
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  const report = checkTrust(await givenTrust(invocation, folder), readTargets(folder), instant);
  answer(invocation, report, (paint) => remarksText(report.remarks, paint));
  return report.exitCode;
}

/** Without a sluice.yaml there are no targets, and only the rule about governance files is looked at. */
function readTargets(folder: string): SluiceYaml["targets"] {
  return workTreeConfiguration(folder)?.targets ?? {};
}

export function checkTrust(found: FoundTrust, targets: SluiceYaml["targets"], at: Instant): TrustCheckReport {
  const { trust, path } = found;
  const people = possibleApprovers(trust, at);
  const rules = readRules(trust, targets, people);
  const owners = listOwners(trust, at);
  const roles = rolesOf(people, rules);
  const expiring = owners.flatMap((owner) =>
    owner.keys.flatMap(({ fingerprint, expiresOn }) =>
      expiresOn === null ? [] : [{ owner: owner.id, fingerprint, on: expiresOn }],
    ),
  );
  const remarks = [
    ...rules.map((rule) => ruleRemark(rule, people)),
    ...roles.map(roleRemark),
    ...expiring.map(expiryRemark),
    ...authorityEnds(trust, at + SOON_DAYS * DAY_MS).map((end) => authorityRemark(end, at)),
    ...owners.filter((owner) => owner.class !== "person").map(automationRemark),
  ];
  const exitCode = hasFailure(remarks) ? EXIT.denied : EXIT.fine;
  const when = formatTime(at);
  return {
    apiVersion: "sluice/v1",
    kind: "TrustCheck",
    exitCode,
    path,
    digest: trust.digest,
    at: when,
    rules,
    roles,
    expiring,
    remarks,
  };
}

const DAY_MS = 24 * 60 * 60 * 1000;

type Rule = TrustCheckReport["rules"][number];

function readRules(trust: Trust, targets: SluiceYaml["targets"], people: readonly Owner[]): Rule[] {
  const shown = people.map(({ id, roles }) => ({ id, roles: [...roles].sort() }));
  const toRule = (target: string | null, count: number, roles: readonly string[]): Rule => {
    const isMet = unmetBy({ count, roles }, people).length === 0;
    return { target, count, roles: [...roles].sort(), people: shown, isMet };
  };
  const { count, roles } = trust.change ?? { count: 1, roles: [] };
  const named = Object.entries(targets).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...named.map(([name, { approvals }]) => toRule(name, approvals.count, approvals.roles)),
    toRule(null, count, roles),
  ];
}

function ruleRemark({ target, count, roles, isMet }: Rule, people: readonly Owner[]): Remark {
  const what = target ?? "governance files";
  const asked = [`${count} of ${people.length}`, ...roles.map((role) => `one of ${role}`)].join(", ");
  const who = people.map((one) => (one.roles.length === 0 ? one.id : `${one.id} (${one.roles.join(", ")})`)).join(", ");
  if (!isMet) {
    const missing = unmetBy({ count, roles }, people).join(", ");
    const sentence = `${target ?? "A change of governance files"} requires ${ruleWords({ count, roles })}; ${people.length} could approve, ${missing} is missing.`;
    return failure("approvals", what, sentence, "list more people with keys in people.yaml, or lower the rule");
  }
  const least = Math.max(count, roles.length === 0 ? 0 : 1);
  if (least > 0 && people.length === least) {
    const sentence = `${asked}: ${who}. Nobody is left when one of them wrote the change.`;
    return warning("approvals", what, sentence, "list one more person in people.yaml");
  }
  return fine("approvals", what, count === 0 && roles.length === 0 ? "nobody needs to approve" : `${asked}: ${who}`);
}

function ruleWords({ count, roles }: Pick<Rule, "count" | "roles">): string {
  return [count === 1 ? "1 person" : `${count} people`, ...roles.map((role) => `one of ${role}`)].join(", ");
}

type Role = TrustCheckReport["roles"][number];

/** Roles that somebody has or some rule asks for, sorted. */
function rolesOf(people: readonly Owner[], rules: readonly Rule[]): Role[] {
  const names = new Set([...people.flatMap((one) => one.roles), ...rules.flatMap((rule) => rule.roles)]);
  return [...names].sort().map((role) => ({
    role,
    people: people.filter((one) => one.roles.includes(role)).map((one) => one.id),
  }));
}

function roleRemark({ role, people }: Role): Remark {
  const what = `role ${role}`;
  const count = people.length === 1 ? "1 person" : `${people.length} people`;
  const sentence = people.length === 0 ? count : `${count} (${people.join(", ")})`;
  if (people.length > 1) return fine("roles", what, sentence);
  return warning("roles", what, sentence, `give ${role} to a second person in people.yaml`);
}

function expiryRemark({ owner, fingerprint, on }: TrustCheckReport["expiring"][number]): Remark {
  const sentence = `${fingerprint} stops counting by ${on}, within ${SOON_DAYS} days.`;
  return warning("keys", owner, sentence, `list a new key of ${owner}, or move \`until\``);
}

/** An authority that has ended certifies nobody, and without a current list nobody of it counts. */
function authorityRemark({ authority, place, what, at: end }: AuthorityEnd, at: Instant): Remark {
  const sentence = `${place}: a ${what} ${end < at ? "ended" : "ends"} on ${formatTime(end).slice(0, 10)}.`;
  const fix = `put the newest ${what} of ${authority} into the trust folder`;
  return (end < at ? failure : warning)("authorities", authority, sentence, fix);
}

function automationRemark({ id, class: kind, may, keys }: ReturnType<typeof listOwners>[number]): Remark {
  const usable = keys.filter((key) => key.isUsable).length;
  const sentence = `${usable} of ${keys.length} keys count, may ${may.join(", ") || "nothing"}`;
  if (kind === "forge" && usable === 0) {
    return warning("robots and forges", id, `${sentence}.`, `list a current key of ${id}`);
  }
  return fine("robots and forges", `${kind} ${id}`, sentence);
}
