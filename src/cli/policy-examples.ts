/** Judges the examples beside rules by the host that the gate uses: `policy test` and the library's own tests share it. */
import { dirname } from "node:path";
import { asSluiceError } from "../lib/errors.ts";
import { readExample } from "../policy/example.ts";
import type { ExternalData } from "../policy/external.ts";
import type { Finding, FindingKind } from "../policy/finding.ts";
import type { PolicyInput } from "../policy/input.ts";
import { selects } from "../policy/match.ts";
import type { Evaluated, PolicyEngine, PolicySet, Rule } from "../policy/policy-set.ts";
import type { ExampleFile } from "./policy-folder.ts";
import type { PolicyTestReport } from "./reports/schemas.ts";

type JudgedExample = PolicyTestReport["examples"][number];

export async function judgeExamples(
  examples: readonly ExampleFile[],
  set: PolicySet,
  engine: PolicyEngine,
  external: ExternalData = new Map(),
): Promise<readonly JudgedExample[]> {
  // A rule on trial only warns about changes; its examples show what it will do once it is enforced.
  const enforced = { ...set, rules: set.rules.map((rule): Rule => ({ ...rule, mode: "enforce" })) };
  const judged: JudgedExample[] = [];
  for (const example of examples) judged.push(await judgeExample(example, enforced, engine, external));
  return judged;
}

async function judgeExample(
  example: ExampleFile,
  set: PolicySet,
  engine: PolicyEngine,
  external: ExternalData,
): Promise<JudgedExample> {
  const { path: file, expected } = example;
  const rules = set.rules.filter((rule) => dirname(rule.file) === example.folder);
  const about = { file, expected, rules: rules.map(({ id }) => id) };
  const failed = (message: string): JudgedExample => ({ ...about, result: "failed", message, findings: [] });
  if (rules.length === 0) return failed("no rule stands beside examples/");
  let documents: readonly PolicyInput[];
  try {
    documents = readExample(file, example.text);
  } catch (thrown) {
    return failed(asSluiceError(thrown).message);
  }
  const unselected = documents.find((document) => !rules.some((rule) => selects(rule, document)));
  if (unselected !== undefined) return failed(`${kindOf(unselected)} is not selected by ${names(rules)}`);
  const evaluated = await engine.evaluate(set, documents, undefined, undefined, external);
  const findings = evaluated.findings.filter((finding) => rules.some(({ id }) => id === finding.rule));
  const message = problemOf(expected, rules, evaluated, findings);
  return {
    ...about,
    result: message === null ? "passed" : "failed",
    message,
    findings: findings.map(({ rule, kind, message: said }) => ({ rule, kind, message: said })),
  };
}

/** null when the example behaves. */
function problemOf(
  expected: "allow" | "deny",
  rules: readonly Rule[],
  evaluated: Evaluated,
  findings: readonly Finding[],
): string | null {
  const ids = rules.map(({ id }) => id);
  const open = evaluated.notEvaluated.find(({ what }) => ids.some((id) => what === id || what.startsWith(`${id} on `)));
  if (open !== undefined) return `${open.what} was not evaluated (${open.code}): ${open.message}`;
  const decisive = findings.filter((finding) => rules.some((rule) => isDecisive(rule, finding)));
  if (expected === "deny")
    return decisive.length > 0 ? null : `${names(rules)} finds nothing to ${strongest(rules[0])}`;
  const [first] = decisive;
  return first === undefined ? null : `${first.rule} says: ${first.message}`;
}

/** An example is denied by what its rule is for: `deny`, or `ask` or `warn` where the rule has nothing stronger. */
function isDecisive(rule: Rule, finding: Finding): boolean {
  return finding.rule === rule.id && finding.kind === strongest(rule);
}

function strongest(rule: Rule | undefined): FindingKind {
  return (["deny", "ask", "warn"] as const).find((kind) => rule?.kinds.includes(kind)) ?? "deny";
}

function kindOf({ resource }: PolicyInput): string {
  return resource === null ? "a change" : resource.id.kind;
}

function names(rules: readonly Rule[]): string {
  return rules.map(({ id }) => id).join(", ");
}
