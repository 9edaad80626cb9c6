/** A reconciliation as text and as JSON. */
import { printable } from "../../lib/printable.ts";
import { formatTime } from "../../lib/time.ts";
import type { AuditComparison } from "../../log/reconcile/audit-side.ts";
import type { Comparison, Difference, Period } from "../../log/reconcile/compare.ts";
import type { Paint } from "./paint.ts";

export interface Reconciliation extends Comparison {
  readonly target: string;
  readonly branch: string;
  readonly origin: string;
  /** Entries of the log. */
  readonly size: number;
  readonly period: Period;
  readonly adopted: string;
  /** null without an audit log. */
  readonly audit: AuditComparison | null;
  /** Whether the log's head was verified with a key. */
  readonly isKeyChecked: boolean;
}

export function reconciliationReport(one: Reconciliation) {
  const { target, branch, origin, size, period, adopted, git, log, audit, differences, isKeyChecked } = one;
  const time = (at: number | null) => (at === null ? null : formatTime(at));
  const { differences: _, ...counts } = audit ?? { differences: [] };
  return {
    apiVersion: "sluice/v1",
    kind: "Reconciliation",
    target,
    branch,
    origin,
    size,
    keyChecked: isKeyChecked,
    period: { from: time(period.from), to: time(period.to) },
    adopted,
    agrees: differences.length === 0,
    git,
    log,
    audit: audit === null ? null : counts,
    differences,
  };
}

export function reconciliationText(one: Reconciliation, paint: Paint): string {
  const { target, branch, git, log, audit, differences, origin, size, period, isKeyChecked } = one;
  const found = differences.length + (audit?.unlisted ?? 0);
  const verdict = found === 0 ? paint("allow", "AGREES") : paint("deny", "DIFFERS");
  const bounds = [period.from, period.to].map((at) => (at === null ? "" : formatTime(at)));
  const when = period.from === null && period.to === null ? "" : `, ${bounds.join("..")}`;
  const first = `${verdict}  ${printable(target)}${when}: ${found} difference${found === 1 ? "" : "s"}`;
  const lines = [
    ...differences.map(differenceLine),
    `git       ${git.commits} commits on ${branch}${range(git)}`,
    `log       ${log.decided} of them decided, ${log.leftBehind} left behind by a rollback; ${log.decisions} decisions, ${log.rollbacks} rollbacks (${origin}, ${size} entries${isKeyChecked ? "" : ", signature not looked at: sluice log verify"})`,
    ...operatorLines(log),
    `releases  ${log.releases}, ${log.applied} of them reported as applied`,
    audit === null
      ? "cluster   not compared: --audit FILE --agent-user NAME"
      : `cluster   ${audit.byAgent + audit.outside} writes of released objects, ${audit.byAgent} by the agent, ${audit.outside} by others (${audit.lines} lines, ${audit.writes} writes, ${audit.broken} broken lines)`,
    ...(audit !== null && audit.unlisted > 0 ? [`          ${audit.unlisted} more differences are not listed`] : []),
  ];
  return `${[first, ...lines.map(printable)].join("\n")}\n`;
}

/** What was done beside the rules is said wherever it was done; where it was not there is nothing to say. */
function operatorLines({ emergencies, adoptedAgain, passedOver, replaced }: Comparison["log"]): readonly string[] {
  if (emergencies + adoptedAgain + replaced + passedOver === 0) return [];
  const again = `${adoptedAgain} adopted again: ${passedOver} commits passed over undecided, ${replaced} decisions replaced`;
  return [
    `OPERATORS ${emergencies} released in an EMERGENCY, ${again} (sluice log list --kind emergency --kind bypass)`,
  ];
}

function range({ first, last }: Reconciliation["git"]): string {
  return first === null || last === null ? "" : `, ${first.slice(0, 7)} to ${last.slice(0, 7)}`;
}

function differenceLine({ kind, commit, detail }: Difference): string {
  return `${kind}  ${commit === null ? "" : `${commit.slice(0, 7)}  `}${detail}`;
}
