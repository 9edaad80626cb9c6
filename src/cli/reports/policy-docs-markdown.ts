/** The catalogue of `policy docs`. METADATA and examples are written by strangers: none of it becomes a link or markup. */
import { printable } from "../../lib/printable.ts";
import type { PolicyDocsReport } from "./schemas/policy-tools.ts";

type DocumentedRule = PolicyDocsReport["rules"][number];

const LEAST_FENCE = 3;

export function policyDocsMarkdown({ rules, digest }: PolicyDocsReport): string {
  const rows = rules.map(
    ({ id, level, title, kinds }) => `| ${code(id)} | ${level} | ${kinds.join(", ")} | ${plain(title)} |`,
  );
  const head = ["# Rules", "", "| rule | level | says | title |", "| --- | --- | --- | --- |", ...rows, ""];
  const foot = [`Policy set \`sha256:${digest}\`.`, ""];
  return [...head, ...rules.flatMap(ruleSection), ...foot].join("\n");
}

function ruleSection(rule: DocumentedRule): readonly string[] {
  const facts: readonly (readonly [string, string | null])[] = [
    ["says", `${rule.kinds.join(", ")}${rule.mode === "enforce" ? "" : ` (only ${rule.mode}s)`}`],
    ["level", rule.level],
    [
      "looks at",
      rule.scope === "change" ? "the change as a whole" : rule.selects.map(code).join(", ") || "every object",
    ],
    ["asks", rule.role === null ? null : `somebody with the role ${code(rule.role)}`],
    ["waiver", rule.waivable ? null : "none helps"],
    ["controls", rule.controls.length === 0 ? null : rule.controls.map(plain).join(", ")],
    ["written in", `${rule.dialect}, ${code(rule.file)}`],
  ];
  const told = facts.flatMap(([name, value]) => (value === null ? [] : [`- ${name}: ${value}`]));
  const fix = rule.fix === null ? [] : [`**To fix it:** ${plain(rule.fix)}`, ""];
  const description = rule.description === "" ? [] : [plain(rule.description), ""];
  const examples = (["allow", "deny"] as const).flatMap((expected) => exampleSections(rule, expected));
  return [`## ${code(rule.id)} ${plain(rule.title)}`, "", ...description, ...fix, ...told, "", ...examples];
}

function exampleSections({ examples }: DocumentedRule, expected: "allow" | "deny"): readonly string[] {
  const verb = expected === "allow" ? "Allowed" : "Denied";
  return examples
    .filter((one) => one.expected === expected)
    .flatMap(({ file, text }) => {
      const fence = fenceFor(text);
      return [`${verb}, ${code(file)}:`, "", `${fence}yaml`, text.trimEnd(), fence, ""];
    });
}

/** Longer than any run of backticks inside. */
function fenceFor(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return "`".repeat(Math.max(LEAST_FENCE, longest + 1));
}

function code(text: string): string {
  const shown = printable(text).replaceAll("|", "\\|");
  const fence = shown.includes("`") ? "``" : "`";
  return shown.includes("``") ? plain(text) : `${fence}${shown}${fence}`;
}

function plain(text: string): string {
  return printable(text.replaceAll(/\s+/g, " ").trim()).replaceAll(/[\\`*_{}[\]<>()#+!|~&$@]/g, "\\$&");
}
