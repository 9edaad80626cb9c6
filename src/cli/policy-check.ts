/** `sluice policy check`: every mistake in a folder of policies, each with its place. */
import { codeEntry } from "../lib/codes.ts";
import { printable } from "../lib/printable.ts";
import type { PolicyProblem } from "../policy/dialect.ts";
import { type ExaminedPolicies, examinePolicies } from "../policy/examine.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { EXIT } from "./failure.ts";
import { wrap } from "./help.ts";
import { count, readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import type { PolicyCheckReport } from "./reports/schemas.ts";

export const policyCheck: Command = {
  name: "policy check",
  summary: "find mistakes in policies",
  usage: ["policy check [DIR]"],
  options: ANSWER_OPTIONS,
  positionals: [0, 1],
  exitCodes: [
    [0, "no mistake; there may be warnings"],
    [1, "at least one mistake"],
  ],
  example: "sluice policy check policies\nholds each rule against METADATA, the input's schema and known functions",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const { shown, files, examples } = readPolicyFolder(invocation, invocation.positionals[0]);
  const paths = examples.map(({ path }) => path);
  const examined = await withPolicyServices(invocation, ({ toolchain }) => examinePolicies(toolchain, files, paths));
  const report = reportOf(shown, examined);
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

function reportOf(folder: string, { rules, problems }: ExaminedPolicies): PolicyCheckReport {
  const isClean = problems.every(({ severity }) => severity === "warning");
  return {
    apiVersion: "sluice/v1",
    kind: "PolicyCheck",
    exitCode: isClean ? EXIT.fine : EXIT.denied,
    folder,
    rules: rules.map(({ id }) => id),
    problems: problems.map((problem) => ({ ...problem, fix: codeEntry(problem.code).fix })),
  };
}

const WIDTH = 80;

/** One line to grep for each problem; what to do stands once, below the first of its code. */
function text({ rules, problems, folder }: PolicyCheckReport): string {
  const explained = new Set<string>();
  const lines = problems.flatMap((problem) => {
    const warning = problem.severity === "warning" ? "warn " : "";
    const head = `${placeOf(problem, folder)}  ${warning}${problem.code}  ${printable(problem.message)}`;
    if (explained.has(problem.code)) return [head];
    explained.add(problem.code);
    const [first = "", ...more] = wrap(problem.fix, WIDTH - 7);
    return [head, `  fix  ${first}`, ...more.map((line) => `       ${line}`)];
  });
  const mistakes = problems.filter(({ severity }) => severity === "mistake").length;
  const warnings = problems.length - mistakes;
  const summary = `${count(rules.length, "rule")}, ${count(mistakes, "mistake")}, ${count(warnings, "warning")}`;
  return `${[...lines, summary].join("\n")}\n`;
}

function placeOf({ file, line, column }: Pick<PolicyProblem, "file" | "line" | "column">, otherwise: string): string {
  return printable([file ?? otherwise, line, column].filter((part) => part !== null).join(":"));
}
