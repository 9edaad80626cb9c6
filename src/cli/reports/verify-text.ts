/** `verify` for people: the summary first, then one line for each rejected commit, then what to do about each reason. */
import type { Commit } from "../../git/object.ts";
import { codeEntry, isCode } from "../../lib/codes.ts";
import { printable, printableUpTo } from "../../lib/printable.ts";
import type { VerificationReport, VerifyReport } from "./schemas.ts";

const MOST_TITLE = 60;
const SHORT_ID = 7;

/** `titles`: of the rejected commits. */
export function verifyText(report: VerifyReport, titles: ReadonlyMap<string, string>): string {
  const rejected = report.verifications.filter((one) => one.kind === "rejected");
  const found = signers(report.verifications);
  const summary = [headline(report), ...notes(report.trust), ...found, ...reasons(rejected)];
  const lines = [...summary, ...rejected.map((one) => rejection(one, titles))];
  return `${[...lines, ...remedies(rejected)].join("\n")}\n`;
}

/** How a doubtful place of the trust was read. */
export function notes(trust: VerifyReport["trust"]): readonly string[] {
  return trust.notes.map((note) => `note  ${printable(note)}`);
}

/** What to do about each reason, once. */
export function remedies(rejected: readonly { readonly reason: string | null }[]): readonly string[] {
  return [...new Set(rejected.map((one) => one.reason ?? ""))].sort().map(remedy);
}

function headline({ counts, base, head, trust, at, informational, exitCode }: VerifyReport): string {
  const word = exitCode === 0 ? "VERIFIED" : "REJECTED";
  const range = base === null ? short(head) : `${short(base)}..${short(head)}`;
  const then = informational ? `, as of ${at} (information only)` : "";
  const what = `${counts.verified} verified, ${counts.rejected} rejected`;
  return `${word} (preview)  ${range}: ${what}, against ${printable(trust.path)}${then}`;
}

/** `signed  ada 12 (ssh), lin 3 (openpgp)`, most first. */
export function signers(
  verifications: readonly Pick<VerificationReport, "kind" | "signer" | "format">[],
): readonly string[] {
  const counted = new Map<string, { name: string; format: string; count: number }>();
  for (const { kind, signer, format } of verifications) {
    if (kind !== "verified" || signer === null) continue;
    const name = signer.class === "person" ? signer.person : `${signer.class} ${signer.person}`;
    const key = `${format} ${name}`;
    counted.set(key, { name, format: format ?? "", count: (counted.get(key)?.count ?? 0) + 1 });
  }
  if (counted.size === 0) return [];
  const most = [...counted.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return [`signed  ${most.map((one) => `${printable(one.name)} ${one.count} (${one.format})`).join(", ")}`];
}

/** `rejected  unsigned-commit 12, unknown-signer 3`, most first; a single one says it in its own line. */
export function reasons(rejected: readonly { readonly reason: string | null }[]): readonly string[] {
  if (rejected.length < 2) return [];
  const counts = [...Map.groupBy(rejected, (one) => one.reason ?? "")].map(([reason, of]) => ({
    reason,
    count: of.length,
  }));
  const most = counts.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
  return [`rejected  ${most.map(({ reason, count }) => `${reason} ${count}`).join(", ")}`];
}

function rejection({ commit, reason, detail }: VerificationReport, titles: ReadonlyMap<string, string>): string {
  return `${reason}  ${short(commit)} "${titles.get(commit) ?? ""}"  ${printable(detail ?? "")}`;
}

function remedy(reason: string): string {
  return `fix  ${reason}: ${isCode(reason) ? codeEntry(reason).fix : "sluice explain --all"}`;
}

/** What a commit calls itself, in a form that is safe to print. */
export function titleOf(commit: Commit): string {
  return printableUpTo((commit.message.split("\n")[0] ?? "").trim(), MOST_TITLE);
}

function short(id: string): string {
  return id.slice(0, SHORT_ID);
}
