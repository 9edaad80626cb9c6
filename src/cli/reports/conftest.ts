/** What `sluice test` prints: the forms that Conftest prints, so that whatever reads those reads these. */
import { printable } from "../../lib/printable.ts";
import type { ConftestFinding, ConftestResult } from "../../policy/conftest-run.ts";
import { counted } from "../counted.ts";
import { xmlText } from "./xml.ts";

type Format = (results: readonly ConftestResult[]) => string;

export const CONFTEST_FORMATS: Readonly<Record<string, Format>> = { stdout, json, tap, junit, github };

interface Line {
  readonly kind: "FAIL" | "WARN" | "EXCP";
  readonly result: ConftestResult;
  readonly message: string;
}

function linesOf(results: readonly ConftestResult[]): readonly Line[] {
  return results.flatMap((result) => [
    ...result.warnings.map(({ msg: message }): Line => ({ kind: "WARN", result, message })),
    ...result.failures.map(({ msg: message }): Line => ({ kind: "FAIL", result, message })),
    ...result.exceptions.map(({ msg: message }): Line => ({ kind: "EXCP", result, message })),
  ]);
}

function stdout(results: readonly ConftestResult[]): string {
  const lines = linesOf(results).map(
    ({ kind, result, message }) => `${kind} - ${printable(result.file)} - ${result.namespace} - ${printable(message)}`,
  );
  const sum = (count: (result: ConftestResult) => number): number => results.reduce((all, one) => all + count(one), 0);
  const [passed, warned] = [sum((one) => one.successes), sum((one) => one.warnings.length)];
  const [failed, excepted] = [sum((one) => one.failures.length), sum((one) => one.exceptions.length)];
  const total = passed + warned + failed + excepted;
  const counts = [
    counted(total, "test"),
    `${passed} passed`,
    counted(warned, "warning"),
    counted(failed, "failure"),
    counted(excepted, "exception"),
  ];
  return `${[...lines, ...(lines.length > 0 ? [""] : []), counts.join(", ")].join("\n")}\n`;
}

function json(results: readonly ConftestResult[]): string {
  const list = (findings: readonly ConftestFinding[]) =>
    findings.map(({ msg, metadata }) => (Object.keys(metadata).length === 0 ? { msg } : { msg, metadata }));
  const shown = results.map(({ file, namespace, successes, warnings, failures, exceptions }) => ({
    filename: file === "-" ? "" : file,
    namespace,
    successes,
    ...(warnings.length > 0 ? { warnings: list(warnings) } : {}),
    ...(failures.length > 0 ? { failures: list(failures) } : {}),
    ...(exceptions.length > 0 ? { exceptions: list(exceptions) } : {}),
  }));
  return `${JSON.stringify(shown, null, "\t")}\n`;
}

/** Test Anything Protocol, version 13: one point a message, one for each file of which nothing was said. */
function tap(results: readonly ConftestResult[]): string {
  const points = results.flatMap((result) => {
    const lines = linesOf([result]);
    const place = `${printable(result.file)} - ${result.namespace}`;
    if (lines.length === 0) return [`ok % - ${place} - SUCCESS`];
    return lines.map(({ kind, message }) => {
      const text = printable(message).replaceAll("#", "\\#");
      return kind === "FAIL"
        ? `not ok % - ${place} - ${text}`
        : `ok % - ${place} - ${text} # ${kind === "WARN" ? "TODO warning" : "SKIP exception"}`;
    });
  });
  return `1..${points.length}\n${points.map((point, index) => `${point.replace("%", String(index + 1))}\n`).join("")}`;
}

/** Commands of a workflow: one annotation a message. */
function github(results: readonly ConftestResult[]): string {
  const word = { FAIL: "error", WARN: "warning", EXCP: "notice" } as const;
  const escaped = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (text: string) => escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  const lines = linesOf(results).map(
    ({ kind, result, message }) =>
      `::${word[kind]} file=${property(printable(result.file))}::(${result.namespace}) ${escaped(printable(message))}\n`,
  );
  return `${lines.join("")}${stdout(results).trimEnd().split("\n").at(-1)}\n`;
}

function junit(results: readonly ConftestResult[]): string {
  const suites = results.map((result) => {
    const lines = linesOf([result]);
    const failed = lines.filter(({ kind }) => kind === "FAIL").length;
    const cases = lines.map(({ kind, message }) => {
      const inside = {
        FAIL: `<failure message="${xmlText(message)}"/>`,
        WARN: `<system-out>${xmlText(`warning: ${message}`)}</system-out>`,
        EXCP: "<skipped/>",
      };
      return `    <testcase classname="${xmlText(result.namespace)}" name="${xmlText(`${result.file} ${message}`)}">${inside[kind]}</testcase>\n`;
    });
    const passed = `    <testcase classname="${xmlText(result.namespace)}" name="${xmlText(result.file)}"/>\n`;
    const all = cases.length === 0 ? passed : cases.join("");
    return `  <testsuite name="${xmlText(`${result.file} ${result.namespace}`)}" tests="${Math.max(1, cases.length)}" failures="${failed}">\n${all}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("")}</testsuites>\n`;
}
