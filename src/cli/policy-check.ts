/** `sluice policy check`: every mistake in a folder of policies, each with its place. */
import { decodeUtf8 } from "../lib/bytes.ts";
import { codeEntry } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { PolicyProblem } from "../policy/dialect.ts";
import { dialectName } from "../policy/dialects.ts";
import { type ExaminedPolicies, examinePolicies } from "../policy/examine.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { counted } from "./counted.ts";
import { EXIT } from "./failure.ts";
import { wrap } from "./help.ts";
import { BUNDLE_OPTIONS, openPolicies } from "./policy-bundle.ts";
import { type PolicyFolder, withPolicyServices } from "./policy-folder.ts";
import type { PolicyCheckReport } from "./reports/schemas.ts";

export const policyCheck: Command = {
  name: "policy check",
  summary: "find mistakes in policies",
  usage: ["policy check [DIR|BUNDLE.tar.gz]", "policy check -"],
  options: { ...BUNDLE_OPTIONS, ...ANSWER_OPTIONS },
  positionals: [0, 1],
  exitCodes: [
    [0, "no mistake; there may be warnings"],
    [1, "at least one mistake"],
  ],
  example: "sluice policy check policies\n- reads what kubectl get constrainttemplates,constraints -A -o yaml prints",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const { shown, files, examples } = await givenPolicies(invocation);
  const paths = examples.map(({ path }) => path);
  const examined = await withPolicyServices(invocation, ({ toolchain }) => examinePolicies(toolchain, files, paths));
  const report = reportOf(shown, examined);
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

/** `-` is one file on standard input, with everything that a cluster has. @throws SluiceError `usage` */
async function givenPolicies(invocation: Invocation): Promise<PolicyFolder> {
  const [named] = invocation.positionals;
  if (named !== "-") return openPolicies(invocation, named);
  const text = decodeUtf8(await invocation.output.readInput());
  if (text !== null)
    return { shown: "-", root: invocation.folder, files: [{ path: STANDARD_INPUT, text }], examples: [] };
  throw new SluiceError("usage", "Standard input is not UTF-8 text.", {
    fix: "policy check -",
  });
}

function reportOf(folder: string, { rules, problems, templates, external, data }: ExaminedPolicies): PolicyCheckReport {
  const isClean = problems.every(({ severity }) => severity === "warning");
  return {
    apiVersion: "sluice/v1",
    kind: "PolicyCheck",
    exitCode: isClean ? EXIT.fine : EXIT.denied,
    folder,
    rules: rules.map(({ id }) => id),
    policies: rules.map((rule) => ({
      rule: rule.id,
      dialect: dialectName(rule),
      package: rule.package,
      file: rule.file,
    })),
    templates: templates && {
      total: templates.templates,
      unchanged: templates.unchanged,
      others: templates.others.map(({ reason, kinds }) => ({ reason, kinds: [...kinds] })),
    },
    external: external.map((use) => ({ ...use })),
    data: data.map((place) => ({ ...place })),
    problems: problems.map((problem) => ({ ...problem, fix: codeEntry(problem.code).fix })),
  };
}

const WIDTH = 80;
/** What messages call standard input. */
const STANDARD_INPUT = "stdin.yaml";

/** One line to grep for each problem; what to do stands once, below the first of its code. */
function text({ policies, templates, problems, folder, external, data }: PolicyCheckReport): string {
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
  const width = Math.max(0, ...policies.map(({ dialect }) => dialect.length)) + 2;
  const listed = policies.map(({ dialect, rule, file }) => `${dialect.padEnd(width)}${rule}  ${printable(file)}`);
  const files = data.map(
    ({ name, file }) => `${"data".padEnd(Math.max(width, 6))}${printable(name)}  ${printable(file)}`,
  );
  const outside = external.map((use) => `${placeOf(use, folder)}  reads data.external.${use.name}`);
  const summary = `${counted(policies.length, "rule")}, ${counted(mistakes, "mistake")}, ${counted(warnings, "warning")}`;
  return `${[...lines, ...listed, ...files, ...outside, ...tallyText(templates), summary].join("\n")}\n`;
}

const WHY = {
  cel: "CEL only",
  "external-data": "external data",
  builtin: "with functions that Sluice does not offer",
  invalid: "that cannot be compiled",
} as const;

/** "31 of 34 run unchanged; 2 CEL only; 1 external data", and below it which. */
function tallyText(templates: PolicyCheckReport["templates"]): readonly string[] {
  if (templates === null) return [];
  const { total, unchanged, others } = templates;
  const parts = others.map(({ reason, kinds }) => `${kinds.length} ${WHY[reason]}`);
  const named = others.map(({ reason, kinds }) => `  ${WHY[reason]}: ${kinds.map(printable).join(", ")}`);
  return [`templates: ${[`${unchanged} of ${total} run unchanged`, ...parts].join("; ")}`, ...named];
}

function placeOf({ file, line, column }: Pick<PolicyProblem, "file" | "line" | "column">, otherwise: string): string {
  return printable([file ?? otherwise, line, column].filter((part) => part !== null).join(":"));
}
