/** JUnit of `policy test`: a suite a folder, a case a test or example; what is no case's is a case of its own. */
import { dirname } from "node:path";
import type { PolicyTestReport } from "./schemas.ts";
import { xmlText } from "./xml.ts";

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly file: string;
  readonly line: number | null;
  readonly result: "passed" | "failed" | "skipped";
  readonly message: string | null;
  readonly seconds: string;
}

export function policyTestJunit(report: PolicyTestReport): string {
  const cases: Case[] = [
    ...report.tests.map(({ name, file, line, result, message, milliseconds }) => {
      return { suite: dirname(file), name, file, line, result, message, seconds: (milliseconds / 1000).toFixed(3) };
    }),
    ...report.examples.map(({ file, result, message }) => {
      return {
        suite: dirname(dirname(dirname(file))),
        name: file,
        file,
        line: null,
        result,
        message,
        seconds: "0.000",
      };
    }),
    ...report.problems.map(({ code, message }): Case => {
      return {
        suite: report.folder,
        name: code,
        file: report.folder,
        line: null,
        result: "failed",
        message,
        seconds: "0.000",
      };
    }),
  ];
  const suites = [...Map.groupBy(cases, ({ suite }) => suite)].sort(([a], [b]) => (a < b ? -1 : 1));
  const body = suites.map(([name, inside]) => {
    return `  <testsuite${attributes({ name, ...counts(inside) })}>\n${inside.map(caseXml).join("")}  </testsuite>\n`;
  });
  const open = `<testsuites${attributes({ name: "sluice policy test", ...counts(cases) })}>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${open}${body.join("")}</testsuites>\n`;
}

function counts(cases: readonly Case[]): Readonly<Record<string, string>> {
  const of = (result: Case["result"]): string => String(cases.filter((one) => one.result === result).length);
  return { tests: String(cases.length), failures: of("failed"), errors: "0", skipped: of("skipped") };
}

function caseXml({ suite, name, file, line, result, message, seconds }: Case): string {
  const place = line === null ? { file } : { file, line: String(line) };
  const open = `    <testcase${attributes({ classname: suite, name, ...place, time: seconds })}`;
  if (result === "passed") return `${open}/>\n`;
  if (result === "skipped") return `${open}><skipped/></testcase>\n`;
  const said = message ?? "";
  return `${open}><failure${attributes({ message: said.split("\n")[0] ?? "" })}>${xmlText(said)}</failure></testcase>\n`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlText(value)}"`)
    .join("");
}
