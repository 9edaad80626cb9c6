/** SARIF 2.1.0 (OASIS), which code scanning of forges reads: one run, a rule for each name, a result for each problem. */

import { SLUICE_YAML } from "../../config/sluice-yaml.ts";
import type { CheckReport, TargetReport } from "../../gate/json/check.ts";
import { codeEntry, isCode } from "../../lib/codes.ts";
import { sha256Hex } from "../../lib/digest.ts";
import { printable } from "../../lib/printable.ts";
import { VERSION } from "../../lib/version.ts";
import { isQuiet, type Problem, problemsOf } from "./problems.ts";

const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/** Code scanning shows a rule by this number; the levels are the middles of its bands. */
const SEVERITIES = { low: "2.0", medium: "5.5", high: "8.0", critical: "9.5" } as const;

export function checkSarif(report: CheckReport): string {
  const found = report.targets.flatMap((target) => problemsOf(target).map((problem) => ({ target, problem })));
  const names = [...new Set(found.map(({ problem }) => problem.name))].sort();
  const rules = names.map((name) => ruleOf(found.map(({ problem }) => problem).filter((one) => one.name === name)));
  const run = {
    tool: { driver: { name: "Sluice", version: VERSION, semanticVersion: VERSION, rules } },
    automationDetails: { id: `sluice/${report.targets.map(({ target }) => target).join("+")}/` },
    columnKind: "utf16CodeUnits",
    invocations: [invocationOf(report)],
    results: found.map(({ target, problem }) => resultOf(target, problem, names.indexOf(problem.name))),
  };
  return `${JSON.stringify({ $schema: SCHEMA, version: "2.1.0", runs: [run] }, null, 2)}\n`;
}

/** One rule of all that was said under its name. */
function ruleOf(problems: readonly Problem[]) {
  const [first] = problems;
  if (first === undefined) throw new TypeError("a rule is listed because something was found");
  const { name, level } = first;
  const { short, help } = isCode(name) && first.kind === "code" ? ofCode(name) : ofRule(first);
  const severity = level === null ? {} : { "security-severity": SEVERITIES[level] };
  return {
    id: name,
    shortDescription: { text: text(short) },
    help: { text: text(`${help}\n\nsluice explain ${name}`) },
    defaultConfiguration: { level: first.weight === "warning" ? "warning" : "error" },
    properties: { tags: ["sluice", first.kind], ...severity },
  };
}

function ofCode(name: Parameters<typeof codeEntry>[0]) {
  const { means, example, fix } = codeEntry(name);
  return { short: means, help: `${means}\n\nExample: ${example}\n\nFix: ${fix}` };
}

function ofRule({ name, message, fix }: Problem) {
  return { short: `Rule ${name}`, help: `For example: ${message}${fix === null ? "" : `\n\nFix: ${fix}`}` };
}

function resultOf(target: TargetReport, problem: Problem, ruleIndex: number) {
  const { name, message, fix, resource, position, excuse } = problem;
  const words = `${target.target}: ${isQuiet(target) ? `(${target.mode} only) ` : ""}${message}`;
  const place = `${position?.file ?? ""}\0${resource ?? ""}`;
  return {
    ruleId: name,
    ruleIndex,
    level: levelOf(target, problem),
    message: { text: text(fix === null ? words : `${words}\nfix  ${fix}`) },
    locations: [locationOf(problem)],
    // Without the line, so that a finding stays the same one when lines above it move.
    partialFingerprints: { "sluice/v1": sha256Hex(`${target.target}\0${name}\0${place}\0${message}`) },
    suppressions: excuse === null ? [] : [{ kind: "external", status: "accepted", justification: excuse }],
    properties: { target: target.target, mode: target.mode },
  };
}

/** What blocks nothing is no error: the conclusion that a forge draws from levels is then the exit code's. */
function levelOf(target: TargetReport, { weight }: Problem): "error" | "warning" | "note" {
  if (weight === "excused") return "note";
  return weight === "blocks" && !isQuiet(target) ? "error" : "warning";
}

/** Code scanning refuses a result without a place; what has none is asked for by sluice.yaml. */
function locationOf({ position, resource }: Problem) {
  const region = position === null ? {} : { region: { startLine: position.line, startColumn: position.column } };
  const file = { uri: uriOf(position?.file ?? SLUICE_YAML), uriBaseId: "%SRCROOT%" };
  const logical = resource === null ? {} : { logicalLocations: [{ fullyQualifiedName: resource, kind: "resource" }] };
  return { physicalLocation: { artifactLocation: file, ...region }, ...logical };
}

/** A path as a relative reference (RFC 3986, section 4.2): no name can be read as a scheme, a host or a query. */
function uriOf(path: string): string {
  return path.toWellFormed().split("/").map(encodeURIComponent).join("/");
}

function invocationOf(report: CheckReport) {
  const notifications = report.targets.flatMap(({ target, notEvaluated }) =>
    notEvaluated.map(({ what, code, message }) => ({
      level: "error",
      descriptor: { id: code },
      message: { text: text(`${target}: ${what}: ${message}`) },
    })),
  );
  const executionSuccessful = report.verdict !== "error";
  return { executionSuccessful, exitCode: report.exitCode, toolExecutionNotifications: notifications };
}

/**
 * Plain text of a message (section 3.11): braces would be placeholders, and a bracket before `](` a link. Line ends stay.
 */
function text(words: string): string {
  const plain = words.split("\n").map(printable).join("\n").replace(/[{}]/g, "$&$&");
  return plain.includes("](") ? plain.replace(/[[\]]/g, "\\$&") : plain;
}
