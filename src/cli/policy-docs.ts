/** `sluice policy docs`: a catalogue of rules in Markdown, from their METADATA and their examples. */
import { dirname } from "node:path";
import { printable } from "../lib/printable.ts";
import { buildPolicySet } from "../policy/compile.ts";
import { dialectName } from "../policy/dialects.ts";
import type { Rule } from "../policy/policy-set.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { EXIT } from "./failure.ts";
import { type ExampleFile, readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import { policyDocsMarkdown } from "./reports/policy-docs-markdown.ts";
import type { PolicyDocsReport } from "./reports/schemas/policy-tools.ts";

export const policyDocs: Command = {
  name: "policy docs",
  summary: "write a catalogue of the rules",
  usage: ["policy docs [DIR] [--output FILE.md]"],
  options: ANSWER_OPTIONS,
  positionals: [0, 1],
  exitCodes: [[0, "written"]],
  example: "sluice policy docs policies --output rules.md\nthe same policies give the same bytes; text is Markdown",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const { shown, files, examples } = readPolicyFolder(invocation, invocation.positionals[0]);
  const set = await withPolicyServices(invocation, ({ toolchain, compiledCache }) =>
    buildPolicySet({ toolchain, files, cache: compiledCache }),
  );
  const report: PolicyDocsReport = {
    apiVersion: "sluice/v1",
    kind: "PolicyDocs",
    exitCode: EXIT.fine,
    folder: shown,
    digest: set.digest,
    rules: set.rules.map((rule) => documented(rule, examples)),
  };
  answer(invocation, report, () => policyDocsMarkdown(report));
  return report.exitCode;
}

function documented(rule: Rule, examples: readonly ExampleFile[]): PolicyDocsReport["rules"][number] {
  const { id, title, description, level, mode, scope, kinds, fix, controls, waivable, role, file } = rule;
  const folder = dirname(file);
  return {
    ...{ id, title, description, level, mode, scope, kinds: [...kinds], selects: selected(rule), fix },
    ...{ controls: [...controls], waivable, role, dialect: dialectName(rule), package: rule.package, file },
    examples: examples
      .filter((one) => one.folder === folder)
      .map(({ expected, path, text }) => ({ expected, file: path, text: text.split("\n").map(printable).join("\n") })),
  };
}

/** What a constraint selects is said by the constraint itself. */
function selected({ match, imported }: Rule): string[] {
  const constraint = imported?.constraint ?? null;
  if (constraint !== null) return constraint.match.kinds.flatMap(({ kinds }) => kinds);
  const namespaces = (match.namespaces ?? []).map((name) => `namespace ${name}`);
  return [...(match.kinds ?? []), ...namespaces];
}
