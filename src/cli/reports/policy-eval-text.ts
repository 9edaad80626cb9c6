/** The text of `policy eval`: as `check` says it, one line to grep for each finding, and why where it was asked. */
import { printable } from "../../lib/printable.ts";
import { resourceName } from "../../render/resource.ts";
import { counted } from "../counted.ts";
import { wrap } from "../help.ts";
import type { PolicyEvalReport } from "./schemas.ts";

const WORDS = { allow: "ALLOWED", deny: "DENIED", error: "NOT EVALUATED", wait: "WAITING" } as const;
/** What `findings` and `why` have in common: as much of a value as fits beside the others. */
const MAXIMUM_SHOWN_VALUE = 60;
const NARROWEST = 30;

type FindingReport = PolicyEvalReport["findings"][number];

export function policyEvalText(report: PolicyEvalReport, columns: number): string {
  const names = [
    ...report.reasons.map(({ code }) => code),
    ...report.findings.map(label),
    ...report.notEvaluated.map(({ code }) => code),
  ];
  const width = Math.max(0, ...names.map((name) => name.length)) + 2;
  const lines = [
    headline(report),
    ...report.reasons.flatMap(({ code, message, fix }) => entry(code, message, fix, width, columns)),
    ...report.findings.flatMap((finding) => findingText(finding, width, columns)),
    ...report.notEvaluated.flatMap(({ what, code, message }) =>
      entry(code, `${what}: ${message}`, null, width, columns),
    ),
    summary(report),
  ];
  return `${lines.join("\n")}\n`;
}

function headline({ verdict, reasons, findings, notEvaluated, target }: PolicyEvalReport): string {
  const toFix = reasons.length + findings.filter(({ kind }) => kind !== "warn").length;
  const warnings = findings.filter(({ kind }) => kind === "warn").length;
  const about = target === null ? "" : `  ${target}`;
  return `${WORDS[verdict]} (preview)${about}  ${toFix} to fix, ${counted(warnings, "warning")}, ${notEvaluated.length} not evaluated`;
}

function label({ kind, rule }: FindingReport): string {
  return kind === "deny" ? rule : `${kind} ${rule}`;
}

function findingText(finding: FindingReport, width: number, columns: number): readonly string[] {
  const { position, resource, message, fix, explanation } = finding;
  const place = position === null ? "" : `${position.file}:${position.line}:${position.column}  `;
  const named = resource === null ? "" : `${resourceName(resource)}  `;
  const shownFix = finding.kind === "warn" ? null : fix;
  const why = (explanation ?? []).map(({ file, line, values }) => {
    return `${" ".repeat(width)}why  ${printable(`${file}:${line}  ${valuesText(values)}`.trimEnd())}`;
  });
  return [...entry(label(finding), `${place}${named}${message}`, shownFix, width, columns), ...why];
}

/** Message and place are said already; short values before long ones. */
function valuesText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .filter(([name]) => name !== "message" && name !== "at")
    .sort(([, a], [, b]) => a.length - b.length)
    .map(
      ([name, value]) =>
        `${name} = ${value.length <= MAXIMUM_SHOWN_VALUE ? value : `${value.slice(0, MAXIMUM_SHOWN_VALUE - 1)}…`}`,
    )
    .join(", ");
}

function entry(name: string, message: string, fix: string | null, width: number, columns: number): readonly string[] {
  const head = `${name.padEnd(width)}${printable(message)}`;
  if (fix === null) return [head];
  const [first = "", ...more] = wrap(printable(fix), Math.max(NARROWEST, columns - width - 5));
  return [head, `${" ".repeat(width)}fix  ${first}`, ...more.map((line) => `${" ".repeat(width + 5)}${line}`)];
}

function summary({ resources, rulesEvaluated, rulesExpected, unruled, notAsked }: PolicyEvalReport): string {
  const silent = unruled.length === 0 ? "" : `, ${counted(unruled.length, "object")} had no rule`;
  const asked = notAsked.length === 0 ? "" : `; ${counted(notAsked.length, "rule")} about changes not asked`;
  return `${counted(resources.length, "object")}, ${rulesEvaluated} of ${rulesExpected} rules${silent}${asked}`;
}
