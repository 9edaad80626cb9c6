/** The text of `check` (FORMS): one finding = one line to grep and at most two more; ids last. */
import type { Reason, Verdict } from "../../decision/decision.ts";
import { EMERGENCY_CODES } from "../../decision/emergency.ts";
import type { CheckReport, FindingReport, TargetReport } from "../../gate/json/check.ts";
import { codeEntry, isCode } from "../../lib/codes.ts";
import { printable } from "../../lib/printable.ts";
import { resourceName } from "../../render/resource.ts";
import { counted } from "../counted.ts";
import { wrap } from "../help.ts";
import type { Paint } from "./paint.ts";
import { reviewCommand } from "./review.ts";

const WORDS: Record<Verdict, string> = { allow: "APPROVED", deny: "DENIED", error: "NOT EVALUATED", wait: "WAITING" };

export interface TextContext {
  readonly width: number;
  readonly paint: Paint;
  readonly branch: (target: string) => string;
  readonly seconds: number;
  /** What releases the target once its change has landed; a landed change has nothing to wait for. */
  readonly release?: (target: string) => string;
}

export function checkText(report: CheckReport, context: TextContext): string {
  return report.targets.map((target) => targetText(report, target, context)).join("\n");
}

function targetText(report: CheckReport, target: TargetReport, context: TextContext): string {
  const body = bodyOf(report, target, context);
  const lines = [
    headline(report, target, context),
    ...body,
    ...judgedBy(report, target, context),
    summary(target, context),
  ];
  if (target.verdict === "allow" && report.subject === "proposed")
    lines.push(row("next", next(report, target, context)));
  return `${lines.join("\n")}\n`;
}

/** An emergency shows what it stands in for as a denial does, below who stands for it. */
function bodyOf(report: CheckReport, target: TargetReport, context: TextContext): readonly string[] {
  if (target.verdict !== "allow") return problems(report, target, context);
  if (target.emergency === null) return approved(report, target);
  const stoodInFor = target.reasons.filter(({ code }) => !EMERGENCY_CODES.includes(code));
  return [
    ...target.emergency.map(({ person, reason, ticket, index }) =>
      row("emergency", printable(`${person}: ${reason} (${ticket ?? "no ticket"})   log ${index}`)),
    ),
    ...reviewLines(target),
    ...signedLines(report, target),
    "stands in for",
    ...problems(report, { ...target, reasons: stoodInFor }, context),
  ];
}

function reviewLines({ reasons, decision }: TargetReport): readonly string[] {
  const owed = reasons.find(({ code }) => code === "review-due");
  if (owed === undefined || decision === null) return [];
  return [row("review due", printable(owed.message)), row("", reviewCommand(decision.index))];
}

/** Names what would have happened where the target only observes or warns. */
function headline(report: CheckReport, target: TargetReport, { paint, branch }: TextContext): string {
  const quiet = target.mode !== "enforce" && target.verdict !== "allow" && target.verdict !== "error";
  const word = target.emergency === null ? WORDS[target.verdict] : "EMERGENCY";
  const verdict = quiet ? `would be ${word} (${target.mode})` : word;
  const preview = report.authority === "preview" ? " (preview)" : "";
  const warnings = target.findings.filter((finding) => finding.kind === "warn").length;
  const open = target.reasons.filter(({ code }) => !EMERGENCY_CODES.includes(code)).length;
  const counts = `${count(open)} to fix, ${counted(warnings, "warning")}, ${target.notEvaluated.length} not evaluated`;
  const named = branch(target.target);
  const range = `${short(target.base)}..${short(report.head)}${named === "" ? "" : ` on ${named}`}`;
  const colour = target.emergency === null ? target.verdict : "deny";
  return `${paint(colour, `${verdict}${preview}`)}  ${target.target}  ${range}: ${counts}`;
}

function count(number: number): string {
  return String(number);
}

function problems(report: CheckReport, target: TargetReport, context: TextContext): readonly string[] {
  const denied = target.findings.filter(
    (finding) => finding.kind !== "warn" && finding.waivedBy === null && !finding.baseline,
  );
  const others = target.reasons.filter((reason) => reason.code !== "policy-denied" && reason.code !== "ask-unanswered");
  const [later, first] = [others.filter(isWait), others.filter((reason) => !isWait(reason))];
  const width = Math.max(16, ...others.map((one) => one.code.length), ...denied.map((one) => one.rule.length)) + 1;
  return [
    ...first.flatMap((reason) => reasonLines(reason, width, context)),
    ...denied.flatMap((finding) =>
      entry(finding.rule, findingText(finding), findingFix(report, target, finding), width, context),
    ),
    ...later.flatMap((reason) => reasonLines(reason, width, context)),
    ...warnings(target, width, context),
    ...waived(target),
    ...approvalLines(target),
    ...(report.subject === "landed" && target.verdict !== "allow" ? ["nothing is released"] : []),
  ];
}

/** What the author can mend comes first, what others still have to do comes last. */
function isWait({ code }: Reason): boolean {
  return isCode(code) && codeEntry(code).class === "wait";
}

function reasonLines({ code, message, fix }: Reason, width: number, context: TextContext): readonly string[] {
  return entry(code, printable(message), fix, width, context);
}

/** First line whole, so that it can be found by grep; the fix below it, indented. */
function entry(
  code: string,
  message: string,
  fix: string | null,
  width: number,
  { width: columns }: TextContext,
): readonly string[] {
  const first = `${code.padEnd(width)}${message}`;
  if (fix === null) return [first];
  const [line = "", ...more] = wrap(printable(fix), Math.max(30, columns - width - 5));
  return [first, `${" ".repeat(width)}fix  ${line}`, ...more.map((text) => `${" ".repeat(width + 5)}${text}`)];
}

/** The rule's own fix, and the waiver that would help once it has landed: never in the change that it excuses. */
function findingFix(report: CheckReport, { target }: TargetReport, finding: FindingReport): string | null {
  if (finding.kind !== "deny" || !finding.waivable) return finding.fix;
  const resource = finding.resource === null ? "change" : resourceName(finding.resource);
  const owner = report.verifications.findLast(({ signer }) => signer?.class === "person")?.signer?.person ?? "NAME";
  const command = `sluice waiver new ${finding.rule} ${resource} --target ${target} --owner ${owner} --reason "..."`;
  const waiver = `Where the rule does not fit, let a waiver land first: \`${command}\``;
  return finding.fix === null ? waiver : `${finding.fix} ${waiver}`;
}

function findingText(finding: FindingReport): string {
  const place =
    finding.position === null ? "" : `${finding.position.file}:${finding.position.line}:${finding.position.column}  `;
  const resource = finding.resource === null ? "" : `${resourceName(finding.resource)}  `;
  return printable(`${place}${resource}${finding.message}`);
}

function warnings(target: TargetReport, width: number, context: TextContext): readonly string[] {
  const found = target.findings.filter((finding) => finding.kind === "warn");
  return found.flatMap((finding) =>
    entry(`warn ${finding.rule}`, findingText(finding), null, Math.max(width, finding.rule.length + 6), context),
  );
}

function approved(report: CheckReport, target: TargetReport): readonly string[] {
  return [...signedLines(report, target), ...approvalLines(target), ...waived(target)];
}

function signedLines(report: CheckReport, target: TargetReport): readonly string[] {
  const signed = report.verifications.filter((one) => one.kind === "verified").length;
  const lines = target.unsignedAllowed
    ? [row("unsigned", "allowed: signatures.require is none")]
    : [row("signed", `${signed} of ${report.verifications.length}   ${signers(report)}`)];
  if (target.carried !== null)
    lines.push(row("carried", `${target.carried.how} of what log ${target.carried.index} allowed`));
  return lines;
}

function signers(report: CheckReport): string {
  const names = report.verifications.flatMap(({ signer, format }) => {
    if (signer === null) return [];
    return [`${printable(signer.person)} (${format}${signer.hardware?.touch === true ? ", touched" : ""})`];
  });
  return [...new Set(names)].sort().join(", ");
}

function approvalLines(target: TargetReport): readonly string[] {
  const { required, given, ignored } = target.approvals;
  if (required.count === 0 && given.length === 0 && ignored.length === 0) return [];
  const people = given.map(({ person, roles }) => (roles.length === 0 ? person : `${person} (${roles.join(", ")})`));
  const counted = required.count === 0 ? String(given.length) : `${given.length} of ${required.count}`;
  const lines = [row("approved", `${counted}   ${people.join(", ")}`.trimEnd())];
  // What did not count is only of interest to somebody who still waits for something.
  const shown = target.reasons.some(isWait) ? ignored : [];
  for (const one of shown) lines.push(row("", `${printable(one.message)} (${one.code})`));
  return lines;
}

function waived(target: TargetReport): readonly string[] {
  if (target.waivers.length === 0) return [];
  const shown = target.waivers.map(
    (waiver) => `${waiver.rule} ${waiver.resource}, ${waiver.owner}, until ${waiver.until}`,
  );
  return [row("waived", `${target.waivers.length}        ${shown.join("; ")}`)];
}

function summary(target: TargetReport, { seconds }: TextContext): string {
  const { create, update, delete: removed } = target.objects;
  const changes = `${target.target} +${create} ~${update} -${removed} objects`;
  const rules = `${target.rulesEvaluated} of ${target.rulesExpected} rules`;
  const unruled = target.unruled.length === 0 ? "" : `, ${counted(target.unruled.length, "object")} had no rule`;
  const recorded =
    target.decision === null
      ? "nothing recorded"
      : `decision ${target.decision.id.slice(-6)}, log ${target.decision.index}`;
  return `${changes}, ${rules}${unruled}, ${seconds.toFixed(1)} s   ${recorded}`;
}

/** One clone cannot know whether the branch's tip was released or denied; a gate's log does. */
function judgedBy(report: CheckReport, target: TargetReport, { branch }: TextContext): readonly string[] {
  if (report.authority !== "preview") return [];
  const named = branch(target.target);
  const tip = named === "" ? "its branch" : named;
  const denied = target.findings.some(({ kind, waivedBy }) => kind === "deny" && waivedBy === null);
  const knowsBaseline = target.findings.some(({ baseline }) => baseline);
  return [
    row("judged by", `${short(target.judge)}, the tip of ${tip}; a gate judges by what it released last`),
    ...(denied && !knowsBaseline ? [row("", "and does not count what it found when the target was adopted")] : []),
  ];
}

function next(report: CheckReport, { target }: TargetReport, { release }: TextContext): string {
  if (report.authority === "preview") return "push it; a gate decides, this preview released and recorded nothing";
  return `merge it; ${release?.(target) ?? `then ${target} is released`}`;
}

function row(label: string, text: string): string {
  return `${label.padEnd(11)}${text}`;
}

function short(commit: string | null): string {
  return commit === null ? "(nothing)" : commit.slice(0, 7);
}
