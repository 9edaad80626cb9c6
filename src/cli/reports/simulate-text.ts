/** A simulation for people: what would change, decision by decision, then by rule, then in one line. */
import { printable } from "../../lib/printable.ts";
import { counted } from "../counted.ts";
import type { SimulatedLine, SimulationReport } from "./schemas/simulate.ts";

const INDENT = " ".repeat(14);

export function simulationText(report: SimulationReport): string {
  const { policies, since, until, decisions, decisionsOmitted } = report;
  const set = `${printable(policies.named)}, ${counted(policies.rules, "rule")}, sha256:${policies.digest.slice(0, 12)}`;
  const omitted = decisionsOmitted === 0 ? [] : [`and ${decisionsOmitted} more; --format ndjson shows every one`];
  const lines = [
    `SIMULATED (preview)  ${set}, on what was decided from ${since} to ${until}`,
    ...decisions.flatMap(linesOf),
    ...omitted,
    ...ruleLines(report),
    totalLine(report),
  ];
  return `${lines.join("\n")}\n`;
}

function linesOf(one: SimulatedLine): readonly string[] {
  const { index, target, subject, commit, verdict, why, findingsOmitted } = one;
  const named = `log ${index}  ${target}  ${subject}${commit === null ? "" : ` ${commit.slice(0, 7)}`}`;
  if (why !== null)
    return [
      `not replayed  ${named}${verdict.was === null ? "" : `  was ${verdict.was}`}`,
      `${INDENT}${why.code}  ${printable(why.message)}`,
    ];
  return [
    `changed       ${named}  ${verdict.was} -> ${verdict.wouldBe}`,
    ...one.appears.map((finding) => `${INDENT}+ ${findingText(finding)}`),
    ...one.disappears.map((finding) => `${INDENT}- ${findingText(finding)}`),
    ...(findingsOmitted === 0 ? [] : [`${INDENT}and ${counted(findingsOmitted, "finding")} more`]),
    ...(one.reasons.was.join() === one.reasons.wouldBe.join()
      ? []
      : [`${INDENT}reasons  ${listed(one.reasons.was)} -> ${listed(one.reasons.wouldBe)}`]),
  ];
}

function findingText({ rule, kind, resource, message, waivedBy, baseline }: SimulatedLine["appears"][number]): string {
  const marks = `${waivedBy === null ? "" : "  waived"}${baseline ? "  baseline" : ""}`;
  return `${kind} ${rule}  ${printable(resource ?? "the change")}  ${printable(message)}${marks}`;
}

function listed(codes: readonly string[]): string {
  return codes.length === 0 ? "none" : codes.join(", ");
}

function ruleLines({ rules }: SimulationReport): readonly string[] {
  if (rules.length === 0) return [];
  const width = Math.max(...rules.map(({ rule }) => rule.length), "rule".length) + 2;
  const row = (rule: string, appears: unknown, disappears: unknown, decisions: unknown): string =>
    `${rule.padEnd(width)}${`${appears}`.padStart(7)}${`${disappears}`.padStart(12)}${`${decisions}`.padStart(11)}`;
  return [
    row("rule", "appears", "disappears", "decisions"),
    ...rules.map(({ rule, appears, disappears, decisions }) => row(rule, appears, disappears, decisions)),
  ];
}

function totalLine({ counts, verdicts, unreplayed }: SimulationReport): string {
  const turned = verdicts.map(({ was, wouldBe, count }) => `${was} -> ${wouldBe} ${count}`).join(", ");
  const why = unreplayed.map(({ code, count }) => `${code} ${count}`).join(", ");
  return [
    counted(counts.decisions, "decision"),
    `: ${counts.changed} would change${turned === "" ? "" : ` (${turned})`}`,
    `, ${counts.same} the same`,
    `, ${counts.notReplayed} not replayed${why === "" ? "" : ` (${why})`}`,
  ].join("");
}
