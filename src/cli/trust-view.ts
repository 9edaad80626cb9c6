/** A trust as people ask about it: who has which keys, who could approve, what ends soon. */
import { type ApprovalRule, missingApprovals } from "../decision/approval.ts";
import { formatTime, type Instant } from "../lib/time.ts";
import { expiryWithin, objectionToKey } from "../signature/key-use.ts";
import type { Owner, Trust, TrustedKey } from "../signature/trust.ts";
import type { KeyReport, OwnerReport } from "./reports/schemas/trust-list.ts";

export const SOON_DAYS = 30;
const CLASSES = ["person", "robot", "forge"] as const;

/** People, then robots, then forges, each sorted by id. */
export function listOwners(trust: Trust, at: Instant): readonly OwnerReport[] {
  const owners = [...trust.owners].sort(
    (a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class) || (a.id < b.id ? -1 : 1),
  );
  return owners.map((owner) => ({
    id: owner.id,
    class: owner.class,
    emails: [...owner.emails].sort(),
    roles: [...owner.roles].sort(),
    may: [...owner.mayChange, ...owner.mayCarry].sort(),
    left: owner.left === null ? null : formatTime(owner.left),
    keys: keysOf(owner, trust).map((key) => toReport(key, trust, at)),
  }));
}

function keysOf(owner: Owner, trust: Trust): readonly TrustedKey[] {
  const own = trust.keys.filter((key) => key.owner.id === owner.id && key.owner.class === owner.class);
  return own.sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

function toReport(key: TrustedKey, trust: Trust, at: Instant): KeyReport {
  const objection = objectionToKey(key, trust, at);
  const end = expiryWithin(key, trust, at, SOON_DAYS);
  return {
    fingerprint: key.fingerprint,
    format: key.format,
    isUsable: objection === null,
    reason: objection?.reason ?? null,
    expiresOn: end === null ? null : formatTime(end).slice(0, 10),
  };
}

/** What these people together could not give, in words; empty when the rule can be met. */
export function unmetBy(rule: Pick<ApprovalRule, "count" | "roles">, people: readonly Owner[]): readonly string[] {
  const given = people.map(({ id, roles }) => ({
    person: id,
    roles,
    at: "",
    via: "signature" as const,
    key: "",
    envelope: "",
  }));
  return missingApprovals({ ...rule, accept: ["signed"], bind: "tree" }, given);
}
