/** The text of `policy verify`: a line a suite, below it what failed and what was skipped, then the sum. */
import { printable } from "../../lib/printable.ts";
import type { PolicyVerifyReport } from "./schemas/policy-verify.ts";

type SuiteReport = PolicyVerifyReport["suites"][number];

export function policyVerifyText({ suites, summary, allowSkip }: PolicyVerifyReport): string {
  const { tests, passed, failed, skipped } = summary;
  const sum = `${summary.suites} suites, ${tests} tests: ${passed} passed, ${failed} failed, ${skipped} skipped`;
  const remark = skipped > 0 && !allowSkip ? "; skipped ones count as failed (--allow-skip)" : "";
  return `${[...suites.flatMap((suite) => suiteText(suite, allowSkip)), `${sum}${remark}`].join("\n")}\n`;
}

function suiteText({ file, cases }: SuiteReport, allowSkip: boolean): readonly string[] {
  const isBad = ({ result }: SuiteReport["cases"][number]) =>
    result === "failed" || (result === "skipped" && !allowSkip);
  const bad = cases.filter(isBad);
  const counted = bad.length === 0 ? `${cases.length}` : `${cases.length - bad.length} of ${cases.length}`;
  const head = `${bad.length === 0 ? "ok  " : "FAIL"}  ${printable(file)}  ${counted} tests`;
  return [head, ...bad.flatMap(caseText)];
}

function caseText({ test, case: name, result, message }: SuiteReport["cases"][number]): readonly string[] {
  const place = [test, name].filter((part) => part !== "").join(" / ");
  const why = (message ?? result).split("\n").map((line) => `        ${printable(line)}`);
  return [`      ${printable(place === "" ? "the suite" : place)}`, ...why];
}
