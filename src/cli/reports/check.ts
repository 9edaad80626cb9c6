/** The JSON of `check` (FORMS): one form for previews, gates and every report format. */

import { missingApprovals } from "../../decision/approval.ts";
import type { Decision, Reason, Verdict } from "../../decision/decision.ts";
import type { Admitted } from "../../gate/gate.ts";
import type { Finding } from "../../policy/finding.ts";
import { EXIT, exitCodeOfVerdict } from "../failure.ts";
import { bySeverity } from "./order.ts";

type Masked = (text: string) => string;

/** Absent values are null; arrays are always there and sorted. The schema is docs/reference/schemas/check.schema.json. */
export function checkReport(admitted: readonly Admitted[], timings: Readonly<Record<string, number>>) {
  const [first] = admitted;
  if (first === undefined) throw new TypeError("a check has at least one target");
  const { decision } = first;
  const verdict = bySeverity(admitted.map((one) => one.decision.verdict));
  return {
    apiVersion: "sluice/v1",
    kind: "Check",
    authority: decision.authority,
    verdict,
    exitCode: exitCode(admitted),
    repository: decision.target.repository,
    subject: decision.subject,
    base: decision.base,
    head: decision.head,
    judge: decision.judge,
    tree: decision.tree,
    verifications: decision.verifications.map(verificationReport),
    ignored: [...decision.ignored].sort(),
    targets: admitted.map(targetReport),
    timings,
  } as const;
}

export type CheckReport = ReturnType<typeof checkReport>;
export type TargetReport = ReturnType<typeof targetReport>;
export type FindingReport = ReturnType<typeof findingReport>;

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

function verificationReport(verification: Decision["verifications"][number]) {
  const { commit, kind, format, timeBasis } = verification;
  const signer = verification.signer === null ? null : signerReport(verification.signer);
  const rejected = verification.kind === "rejected";
  return {
    commit,
    kind,
    reason: rejected ? verification.reason : null,
    detail: rejected ? verification.detail : null,
    format,
    signer,
    timeBasis,
  };
}

function signerReport({
  person,
  class: kind,
  key,
  roles,
  hardware,
}: NonNullable<Decision["verifications"][number]["signer"]>) {
  return { person, class: kind, key, roles, hardware };
}

function targetReport({ decision, record, mask }: Admitted) {
  const { name, mode, approvals: rule } = decision.target;
  const actions = (action: string): number => decision.objects.filter((object) => object.action === action).length;
  return {
    target: name,
    mode,
    verdict: decision.verdict,
    decision:
      record === null ? null : { id: record.id, index: record.index, leafHash: record.leafHash, origin: record.origin },
    findings: decision.findings.map((finding) => findingReport(finding, mask)),
    reasons: decision.reasons.map((reason) => reasonReport(reason, mask)),
    approvals: {
      required: { count: rule.count, roles: rule.roles, accept: rule.accept, bind: rule.bind },
      given: decision.approvals.given,
      ignored: decision.approvals.ignored,
      missing: missingApprovals(rule, decision.approvals.given),
    },
    governance: decision.governance,
    waivers: decision.waivers,
    carried: decision.carried,
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
  const { rule, policy, kind, level, resource, position, waivedBy, baseline } = finding;
  const fix = finding.fix === null ? null : mask(finding.fix);
  return { rule, policy, kind, level, message: mask(finding.message), fix, resource, position, waivedBy, baseline };
}

function reasonReport({ code, message, fix }: Reason, mask: Masked): Reason {
  return { code, message: mask(message), fix: fix === null ? null : mask(fix) };
}
