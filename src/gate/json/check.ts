/** The JSON of `check` (FORMS): one form for previews, gates and every report format. */

import { type ApprovalRule, type CountedApproval, missingApprovals } from "../../decision/approval.ts";
import type { Decision, Reason, Verdict } from "../../decision/decision.ts";
import type { Finding } from "../../policy/finding.ts";
import { resourceName } from "../../render/resource.ts";
import type { Verification } from "../../signature/verification.ts";
import type { Admitted } from "../gate.ts";
import { EXIT, exitCodeOfVerdict } from "./exit.ts";
import { bySeverity } from "./order.ts";
import { verificationReport } from "./verification.ts";

type Masked = (text: string) => string;

/**
 * Absent values are null; arrays are always there and sorted. The schema is docs/reference/schemas/check.schema.json.
 * What targets of different branches do not share (base, judge, tree) is null above them and stands with each.
 */
export function checkReport(admitted: readonly Admitted[], timings: Readonly<Record<string, number>>) {
  const [first] = admitted;
  if (first === undefined) throw new TypeError("a check has at least one target");
  const { decision } = first;
  const decisions = admitted.map((one) => one.decision);
  const verdict = bySeverity(decisions.map((one) => one.verdict));
  return {
    apiVersion: "sluice/v1",
    kind: "Check",
    authority: decision.authority,
    verdict,
    exitCode: exitCode(admitted),
    repository: decision.target.repository,
    subject: decision.subject,
    base: shared(decisions.map((one) => one.base)),
    head: decision.head,
    judge: shared(decisions.map((one) => one.judge)),
    tree: shared(decisions.map((one) => one.tree)),
    verifications: allVerifications(decisions).map(verificationReport),
    ignored: sorted(new Set(decisions.flatMap((one) => one.ignored))),
    targets: [...admitted].sort(byTarget).map(targetReport),
    timings,
  } as const;
}

export type CheckReport = ReturnType<typeof checkReport>;
export type TargetReport = ReturnType<typeof targetReport>;
export type FindingReport = ReturnType<typeof findingReport>;

function shared<T>(values: readonly (T | null)[]): T | null {
  const [first = null] = values;
  return values.every((value) => value === first) ? first : null;
}

/** Each commit once, from the longest range on; what one target rejects is rejected. */
function allVerifications(decisions: readonly Decision[]): readonly Verification[] {
  const byCommit = new Map<string, Verification>();
  const longestFirst = decisions.map((one) => one.verifications).sort((a, b) => b.length - a.length);
  for (const one of longestFirst.flat()) {
    if (byCommit.get(one.commit)?.kind !== "rejected") byCommit.set(one.commit, one);
  }
  return [...byCommit.values()];
}

function sorted(texts: Iterable<string>): readonly string[] {
  return [...texts].sort();
}

function byTarget(a: Admitted, b: Admitted): number {
  return a.decision.target.name < b.decision.target.name ? -1 : 1;
}

/** A target in observe or warn changes what the verdict does: 0, but never for an error. */
function exitCode(admitted: readonly Admitted[]): number {
  const codes = admitted.map(({ decision }) => {
    const quiet = decision.target.mode !== "enforce" && decision.verdict !== "error";
    return {
      code: quiet ? EXIT.fine : exitCodeOfVerdict(decision.verdict),
      verdict: quiet ? ("allow" as Verdict) : decision.verdict,
    };
  });
  const worst = bySeverity(codes.map((one) => one.verdict));
  return exitCodeOfVerdict(worst);
}

function targetReport({ decision, record, mask }: Admitted) {
  const { name, mode, approvals: rule } = decision.target;
  const actions = (action: string): number => decision.objects.filter((object) => object.action === action).length;
  return {
    target: name,
    mode,
    verdict: decision.verdict,
    base: decision.base,
    judge: decision.judge,
    tree: decision.tree,
    decision:
      record === null ? null : { id: record.id, index: record.index, leafHash: record.leafHash, origin: record.origin },
    findings: decision.findings.map((finding) => findingReport(finding, mask)).sort(byPlace),
    reasons: decision.reasons.map((reason) => reasonReport(reason, mask)),
    approvals: {
      required: ruleReport(rule),
      given: decision.approvals.given.map(givenReport),
      ignored: [...decision.approvals.ignored].sort((a, b) => (a.envelope < b.envelope ? -1 : 1)),
      missing: missingApprovals(rule, decision.approvals.given),
    },
    governance: decision.governance === null ? null : governanceReport(decision.governance, mask),
    unsignedAllowed: decision.target.signatures.require === "none",
    waivers: decision.waivers,
    carried: decision.carried,
    emergency: decision.emergency === undefined ? null : [...decision.emergency.operators],
    objects: {
      create: actions("create"),
      update: actions("update"),
      delete: actions("delete"),
      unchanged: actions("unchanged"),
    },
    rulesExpected: decision.rulesExpected,
    rulesEvaluated: decision.rulesEvaluated,
    unruled: decision.unruled,
    notEvaluated: decision.notEvaluated,
    digests: decision.digests,
  };
}

function findingReport(finding: Finding, mask: Masked) {
  const { rule, policy, kind, level, resource, position, waivable, waivedBy, baseline } = finding;
  const fix = finding.fix === null ? null : mask(finding.fix);
  return {
    rule,
    policy,
    kind,
    level,
    message: mask(finding.message),
    fix,
    resource,
    position,
    waivable,
    waivedBy,
    baseline,
  };
}

/** As people read a file; what has no place comes first. */
function byPlace(a: FindingReport, b: FindingReport): number {
  const [one, other] = [placeKey(a), placeKey(b)];
  const at = one.findIndex((part, index) => part !== other[index]);
  if (at === -1) return 0;
  return (one[at] ?? "") < (other[at] ?? "") ? -1 : 1;
}

function placeKey({ position, resource, rule, message }: FindingReport): readonly (string | number)[] {
  const { file, line, column } = position ?? { file: "", line: 0, column: 0 };
  return [file, line, column, resource === null ? "" : resourceName(resource), rule, message];
}

function ruleReport({ count, roles, accept, bind }: ApprovalRule) {
  return { count, roles: sorted(roles), accept: sorted(accept), bind };
}

export function givenReport({ person, roles, at, via, key, envelope }: CountedApproval) {
  return { person, roles: sorted(roles), at, via, key, envelope };
}

function governanceReport({ paths, rule, given, unusable }: NonNullable<Decision["governance"]>, mask: Masked) {
  return {
    paths: sorted(paths),
    rule: ruleReport(rule),
    given: given.map(givenReport),
    unusable: unusable === null ? null : mask(unusable),
  };
}

function reasonReport({ code, message, fix }: Reason, mask: Masked): Reason {
  return { code, message: mask(message), fix: fix === null ? null : mask(fix) };
}
