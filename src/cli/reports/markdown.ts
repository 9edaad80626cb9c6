/** Markdown for a comment or a job's summary (FORMS "Sticky comment"). Text of strangers stands in code spans only. */
import type { Verdict } from "../../decision/decision.ts";
import type { CheckReport, TargetReport } from "../../gate/json/check.ts";
import { printableUpTo } from "../../lib/printable.ts";
import { isQuiet, type Problem, problemsOf } from "./problems.ts";

/** Forges cut a comment at 65,536 characters: 60 rows of three full cells stay below. */
const MOST_ROWS = 60;
const CELL_CHARACTERS = 300;

const STATES: Record<Verdict, string> = {
  allow: "approved",
  deny: "is blocked",
  error: "could not be judged",
  wait: "is waiting",
};

export function checkMarkdown(report: CheckReport): string {
  const found = report.targets.flatMap((target) => problemsOf(target).map((problem) => ({ target, problem })));
  const rows = found.filter(({ problem }) => problem.weight === "blocks" || problem.weight === "waits");
  const lines = [headline(report), ""];
  if (rows.length > 0) lines.push(...table(rows, report.targets.length > 1), "");
  lines.push(...report.targets.flatMap(approvals), ...report.targets.map((target) => details(report, target)), "");
  return `${[...lines, footer(report, rows[0]?.problem)].join("\n")}\n`;
}

/** The worst first, in bold; what is well after it. */
function headline(report: CheckReport): string {
  const preview = report.authority === "preview" ? " (preview)" : "";
  const [open, well] = [report.targets.filter(isOpen), report.targets.filter((one) => !isOpen(one))];
  const bold = open.map((target) => `${target.target} ${stateOf(target)}, ${toFix(target)}`);
  const fine = well.map((target) => `${target.target} ${stateOf(target)}`);
  const [first = "nothing was judged", ...more] = open.length > 0 ? bold : fine;
  return [`**Sluice${preview}: ${first}**`, ...more, ...(open.length > 0 ? fine : [])].join(" · ");
}

function isOpen({ verdict }: TargetReport): boolean {
  return verdict !== "allow";
}

function stateOf(target: TargetReport): string {
  const state = STATES[target.verdict];
  return isQuiet(target) && isOpen(target) ? `would be ${state.replace(/^is /, "")} (${target.mode})` : state;
}

function toFix(target: TargetReport): string {
  const open = problemsOf(target).filter(({ weight }) => weight === "blocks" || weight === "waits").length;
  return `${open} ${open === 1 ? "thing" : "things"} to fix`;
}

function table(rows: readonly { target: TargetReport; problem: Problem }[], isNamed: boolean): readonly string[] {
  const lines = rows.slice(0, MOST_ROWS).map(({ target, problem }, index) => {
    const number = isNamed ? `${index + 1} ${target.target}` : `${index + 1}`;
    const { name, position, resource, message, fix } = problem;
    const where = position === null ? resource : `${position.file}:${position.line}`;
    return `| ${number} | ${code(where ?? name)} | ${code(message)} (${code(name)}) | ${fix === null ? "" : code(fix)} |`;
  });
  const more = rows.length - lines.length;
  return ["| | where | what | do |", "|---|---|---|---|", ...lines, ...(more > 0 ? ["", `and ${more} more`] : [])];
}

function approvals({ target, approvals: { required, given, missing } }: TargetReport): readonly string[] {
  if (required.count === 0 && given.length === 0) return [];
  const people = given.map(({ person }) => `${code(person)} ✓`);
  const open = missing.map((words) => `missing ${code(words)}`);
  return [`Approvals for ${target}: ${[...people, ...open].join(" · ")}`, ""];
}

function details(report: CheckReport, target: TargetReport): string {
  const { create, update, delete: removed } = target.objects;
  const warnings = problemsOf(target).filter(({ weight }) => weight === "warning");
  const signed = report.verifications.filter(({ kind }) => kind === "verified").length;
  const facts = [
    `+${create} ~${update} −${removed}`,
    `warnings ${warnings.length}`,
    `signatures ${signed} of ${report.verifications.length}`,
    `not evaluated ${target.notEvaluated.length}`,
  ];
  const open = [
    ...warnings.map(({ name, message }) => `- warning ${code(name)} ${code(message)}`),
    ...target.notEvaluated.map(({ what, message }) => `- not evaluated ${code(what)} ${code(message)}`),
  ];
  const list = open.length === 0 ? "nothing to add" : open.slice(0, MOST_ROWS / 2).join("\n");
  return `<details><summary>What would change in ${target.target}: ${facts.join(" · ")}</summary>\n\n${list}\n\n</details>`;
}

function footer(report: CheckReport, first: Problem | undefined): string {
  const explain = first === undefined ? [] : [`Explain: ${code(`sluice explain ${first.name}`)}`];
  const logged = report.targets.flatMap(({ decision }) => (decision === null ? [] : [`log ${decision.index}`]));
  const base = report.base === null ? "" : ` merged with ${code(report.base.slice(0, 7))}`;
  const judged = `judged ${code(report.head.slice(0, 7))}${base}`;
  return ["Try it: `sluice check`", ...explain, ...logged, judged].join(" · ");
}

/**
 * A code span (GFM, section 6.3): no link, no HTML, no mention starts in it. Its fence is longer than any run of
 * backticks inside; a pipe would end a table's cell even here, so it is shown as a broken bar.
 */
function code(text: string): string {
  const shown = printableUpTo(text, CELL_CHARACTERS).replaceAll("|", "¦");
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const space = longest > 0 || /^\s|\s$|^$/.test(shown) ? " " : "";
  return `${fence}${space}${shown}${space}${fence}`;
}
