/** The text of `policy test`: a line a folder, failures below it, then what was run and what it reached. */
import { dirname } from "node:path";
import { codeEntry, isCode } from "../../lib/codes.ts";
import { printable } from "../../lib/printable.ts";
import type { PolicyTestReport } from "./schemas.ts";

type Result = "passed" | "failed" | "skipped";

interface Line {
  readonly folder: string;
  readonly noun: "test" | "example";
  readonly result: Result;
  /** `file:line name`, and why it failed. */
  readonly place: string;
  readonly message: string | null;
}

export function policyTestText(report: PolicyTestReport): string {
  const lines: Line[] = [
    ...report.tests.map(({ name, file, line, result, message }): Line => {
      return {
        folder: dirname(file),
        noun: "test",
        result,
        place: `${file}:${line}  ${name.split(".").at(-1)}`,
        message,
      };
    }),
    ...report.examples.map(({ file, result, message }): Line => {
      return { folder: dirname(dirname(dirname(file))), noun: "example", result, place: file, message };
    }),
  ];
  const folders = [...Map.groupBy(lines, ({ folder }) => folder)].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(0, ...folders.map(([folder]) => folder.length)) + 2;
  return [
    ...folders.flatMap(([folder, inside]) => folderText(folder.padEnd(width), inside)),
    summary(report),
    ...notCovered(report),
    ...report.problems.flatMap(problemText),
    "",
  ].join("\n");
}

function folderText(folder: string, lines: readonly Line[]): readonly string[] {
  const failed = lines.filter(({ result }) => result === "failed");
  const counts = (["test", "example"] as const).flatMap((noun) => countOf(noun, lines));
  const head = `${failed.length === 0 ? "ok  " : "FAIL"}  ${printable(folder)}${counts.join(", ")}`;
  return [head, ...failed.flatMap(failureText)];
}

function countOf(noun: Line["noun"], lines: readonly Line[]): readonly string[] {
  const mine = lines.filter((line) => line.noun === noun);
  const of = (result: Result): number => mine.filter((line) => line.result === result).length;
  if (mine.length === 0) return [];
  const skipped = of("skipped") === 0 ? "" : ` (${of("skipped")} skipped)`;
  const passed = of("failed") === 0 ? "" : `${of("passed")} of `;
  return [`${passed}${mine.length} ${noun}${mine.length === 1 ? "" : "s"}${skipped}`];
}

function failureText({ place, message }: Line): readonly string[] {
  const why = (message ?? "").split("\n").map((line) => `        ${printable(line)}`);
  return [`      ${printable(place)}`, ...why];
}

function summary({ tests, examples, counts, coverage }: PolicyTestReport): string {
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  const reached = coverage === null ? "" : `; ${coverage.percent} % of the lines covered`;
  return `${tests.length} tests, ${examples.length} examples: ${counts.passed} passed, ${counts.failed} failed${skipped}${reached}`;
}

function notCovered({ coverage }: PolicyTestReport): readonly string[] {
  return (coverage?.notCovered ?? []).map(({ file, first, last }) => {
    return `not covered  ${printable(file)}:${first}${last === first ? "" : `-${last}`}`;
  });
}

function problemText({ code, message }: PolicyTestReport["problems"][number]): readonly string[] {
  const fix = isCode(code) ? [`${" ".repeat(code.length + 2)}fix  ${codeEntry(code).fix}`] : [];
  return [`${code}  ${printable(message)}`, ...fix];
}
