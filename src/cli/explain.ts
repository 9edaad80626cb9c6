/** `explain`: what a code or a rule means, an example that fails, and the fix. One catalogue for all doors. */
import { CODES, codeEntry, isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { printable } from "../lib/printable.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { EXIT } from "./failure.ts";
import { wrap } from "./help.ts";
import { type FoundRule, findRules } from "./policy-rules.ts";
import type { ExplainReport, Explanation } from "./reports/schemas.ts";

export const explain: Command = {
  name: "explain",
  summary: "say what a code or a rule means",
  usage: ["explain CODE|RULE", "explain --all"],
  options: {
    all: { type: "boolean", description: "every code, and every rule of ./policies and of the library" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 1],
  words: Object.keys(CODES).sort(),
  exitCodes: [[0, "explained"]],
  example: "sluice explain unsigned-commit\nsays what it means, shows an example, and how to sign the commits",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const [name] = invocation.positionals;
  const isAll = isSet(invocation, "all");
  if (isAll === (name !== undefined)) {
    throw new SluiceError("usage", "Name one code or rule, or say --all.", { fix: "sluice explain unsigned-commit" });
  }
  const entries = name === undefined ? await everything(invocation) : [await one(name, invocation)];
  const report: ExplainReport = { apiVersion: "sluice/v1", kind: "Explanation", entries };
  answer(invocation, report, () => (isAll ? listText(entries) : entries.map(entryText).join("\n")));
  return EXIT.fine;
}

async function everything(invocation: Invocation): Promise<Explanation[]> {
  const rules = (await findRules(invocation.folder)).map(ofRule);
  return [...codeNames().map(ofCode), ...rules].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Codes are answered without looking at any policy. @throws SluiceError `explain-unknown` with the nearest name */
async function one(name: string, invocation: Invocation): Promise<Explanation> {
  if (isCode(name)) return ofCode(name);
  const rules = await findRules(invocation.folder);
  const found = rules.find(({ rule }) => rule.id === name);
  if (found !== undefined) return ofRule(found);
  const close = nearest(name, [...codeNames(), ...rules.map(({ rule }) => rule.id)]);
  throw new SluiceError("explain-unknown", `There is no code and no rule ${JSON.stringify(name)}.`, {
    fix: `sluice explain ${close ?? "--all"}`,
  });
}

function codeNames(): readonly (keyof typeof CODES)[] {
  return Object.keys(CODES).filter(isCode).sort();
}

function ofCode(name: keyof typeof CODES): Explanation {
  const { class: kind, means, example, fix } = codeEntry(name);
  return { name, kind: "code", class: kind, means, example, fix, file: null };
}

function ofRule({ rule, file, example }: FoundRule): Explanation {
  const means = rule.description === "" ? `${rule.title}.` : `${rule.title}. ${rule.description}`;
  return { name: rule.id, kind: "rule", class: rule.level, means, example, fix: rule.fix, file };
}

const WIDTH = 80;
const INDENT = 10;

function entryText({ name, kind, class: grade, means, example, fix, file }: Explanation): string {
  const rows: [string, string | null][] = [
    ["means", means],
    ["example", example],
    ["fix", fix],
    ["file", file],
  ];
  const shown = rows.flatMap(([label, text]) => (text === null ? [] : [paragraph(label, text)]));
  return `${printable(name)}  ${kind === "code" ? EFFECT[grade] : `rule, level ${grade}`}\n${shown.join("")}`;
}

const EFFECT: Readonly<Record<string, string>> = {
  deny: "denied, exit 1: another commit can cure it",
  error: "could not be evaluated, exit 3",
  usage: "usage or configuration, exit 2",
  wait: "waiting, exit 4",
  refused: "refused, exit 1",
  rejected: "why a signature does not count",
  warning: "a warning, it decides nothing",
};

/** Lines of an example keep their form; sentences are wrapped. */
function paragraph(label: string, text: string): string {
  const trimmed = text.trimEnd();
  const lines = trimmed.includes("\n") ? trimmed.split("\n") : wrap(trimmed, WIDTH - INDENT);
  return lines
    .map((line, index) => `${(index === 0 ? label : "").padEnd(INDENT)}${printable(line)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}

function listText(entries: readonly Explanation[]): string {
  const width = Math.max(...entries.map((entry) => entry.name.length)) + 2;
  return entries
    .map(({ name, means }) => `${printable(name).padEnd(width)}${printable(means.split(/(?<=\.) /)[0] ?? means)}\n`)
    .join("");
}
