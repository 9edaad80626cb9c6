/** JUnit's XML, as test reports of CI systems read it: a suite for each target, a case for each problem. */

import type { CheckReport, TargetReport } from "../../gate/json/check.ts";
import { isQuiet, type Problem, problemsOf } from "./problems.ts";
import { xmlText } from "./xml.ts";

type Result = "failure" | "error" | "skipped" | "passed";

interface Case {
  readonly result: Result;
  readonly xml: string;
}

/** A target without a problem has one case, which passed: a suite without cases reads as one that did not run. */
export function checkJunit(report: CheckReport): string {
  const suites = report.targets.map((target) => {
    const problems = problemsOf(target);
    return { target, cases: problems.length === 0 ? [passed(target)] : problems.map((one) => caseOf(target, one)) };
  });
  const all = suites.flatMap(({ cases }) => cases);
  const seconds = ((report.timings["total"] ?? 0) / 1000).toFixed(3);
  const body = suites.map(
    ({ target, cases }) =>
      `  <testsuite${attributes({ name: target.target, ...counts(cases) })}>\n${cases.map(({ xml }) => xml).join("")}  </testsuite>\n`,
  );
  const open = `<testsuites${attributes({ name: "sluice check", ...counts(all), time: seconds })}>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${open}${body.join("")}</testsuites>\n`;
}

function counts(cases: readonly Case[]): Readonly<Record<string, string>> {
  const of = (result: Result): string => String(cases.filter((one) => one.result === result).length);
  return { tests: String(cases.length), failures: of("failure"), errors: of("error"), skipped: of("skipped") };
}

function passed({ target, verdict }: TargetReport): Case {
  if (verdict !== "allow") throw new TypeError("what is not allowed has a reason");
  return { result: "passed", xml: `    <testcase${attributes({ classname: target, name: "approved" })}/>\n` };
}

function caseOf(target: TargetReport, problem: Problem): Case {
  const { name, message, resource, position } = problem;
  const place = position === null ? null : `${position.file}:${position.line}:${position.column}`;
  const named = [name, resource, place].filter((part) => part !== null).join(" ");
  const file = position === null ? {} : { file: position.file, line: String(position.line) };
  const result = resultOf(target, problem);
  const words = [named, message, ...(problem.fix === null ? [] : [`fix  ${problem.fix}`])].map(xmlText).join("\n");
  const inside =
    result === "passed"
      ? `<system-out>warning: ${words}</system-out>`
      : `<${result}${attributes({ message: shown(target, problem), ...(result === "skipped" ? {} : { type: name }) })}>${words}</${result}>`;
  const xml = `    <testcase${attributes({ classname: target.target, name: named, ...file })}>${inside}</testcase>\n`;
  return { result, xml };
}

/** What blocks nothing fails no build: a target that observes or warns, a waiver, a warning. */
function resultOf(target: TargetReport, { weight }: Problem): Result {
  if (weight === "warning") return "passed";
  if (weight === "excused" || isQuiet(target)) return "skipped";
  return target.verdict === "error" && weight === "blocks" ? "error" : "failure";
}

function shown(target: TargetReport, { message, excuse }: Problem): string {
  if (excuse !== null) return `${excuse}: ${message}`;
  return isQuiet(target) ? `${target.mode} only: ${message}` : message;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(value)}"`)
    .join("");
}
