/** `verify --tags` for people: the summary first, then one line for each rejected tag, then what to do about each reason. */
import { printable } from "../../lib/printable.ts";
import type { TagReport, VerifyTagsReport } from "./schemas/tags.ts";
import { notes, reasons, remedies, signers } from "./verify-text.ts";

export function verifyTagsText(report: VerifyTagsReport): string {
  const rejected = report.tags.filter((one) => one.kind === "rejected");
  const summary = [headline(report), ...notes(report.trust), ...signers(report.tags), ...reasons(rejected)];
  const lines = [...summary, ...rejected.map(rejection)];
  return `${[...lines, ...remedies(rejected)].join("\n")}\n`;
}

function headline({ counts, trust, at, informational, exitCode }: VerifyTagsReport): string {
  const word = exitCode === 0 ? "VERIFIED" : "REJECTED";
  const then = informational ? `, as of ${at} (information only)` : "";
  const what = `${counts.verified} verified, ${counts.rejected} rejected`;
  return `${word} (preview)  ${counts.tags} tags: ${what}, against ${printable(trust.path)}${then}`;
}

function rejection({ ref, reason, detail }: TagReport): string {
  return `${reason}  ${printable(ref.replace("refs/tags/", ""))}  ${printable(detail ?? "")}`;
}
