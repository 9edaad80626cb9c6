/** `suggest`: what is cheapest to mend of the findings that do not count yet, by rule. */
import { SLUICE_YAML } from "../config/sluice-yaml.ts";
import type { Decision } from "../decision/decision.ts";
import { asItIs } from "../gate/as-it-is.ts";
import { admit } from "../gate/gate.ts";
import { readHistory } from "../gate/history.ts";
import { readSluiceConfiguration, targetYaml } from "../gate/judge.ts";
import { openPreviewServices } from "../gate/judge-wiring.ts";
import { branchTip, mainTip } from "../gate/proposal.ts";
import { openGateLog } from "../gate/wiring.ts";
import { isCode } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import type { Finding } from "../policy/finding.ts";
import { resourceName } from "../render/resource.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { counted } from "./counted.ts";
import { EXIT } from "./failure.ts";
import { DATA_OPTIONS, givenRecords } from "./given-data.ts";
import { wrap } from "./help.ts";
import { oneTarget } from "./one-target.ts";
import {
  CONFIG_OPTION,
  gateConfiguration,
  type LocalRepository,
  means,
  REPO_OPTION,
  withRepository,
} from "./opening.ts";
import type { SuggestReport } from "./reports/schemas/suggest.ts";

const MOST_SUGGESTIONS = 10;
/** Of 80 columns, what stands behind `fix`. */
const FIX_WIDTH = 68;
const MOST_PLACES = 5;

export const suggest: Command = {
  name: "suggest",
  summary: "name the cheapest findings to mend next",
  usage: ["suggest [--target T] [--config gate.yaml] [--repo DIR]"],
  options: {
    target: { type: "string", value: "T", description: "the target (default: the only one)" },
    config: {
      ...CONFIG_OPTION,
      description: "gate.yaml: what is left of the baseline; without it all that an adoption would excuse",
    },
    repo: REPO_OPTION,
    ...DATA_OPTIONS,
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [[0, "said, also where nothing is left"]],
  example:
    "sluice suggest --target prod --config gate.yaml\nthe ten rules that are cheapest to mend: in the fewest files first",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const report = await withRepository(invocation, (local) => lookAt(invocation, local));
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

/** The newest state of the target's branch, judged as it is; nothing is recorded. */
async function lookAt(invocation: Invocation, { repository, name, path }: LocalRepository): Promise<SuggestReport> {
  const configuration = await readSluiceConfiguration(repository, await mainTip(repository));
  const target = oneTarget(Object.keys(configuration.targets), textOption(invocation, "target"), SLUICE_YAML);
  const commit = await branchTip(repository, targetYaml({ configuration }, target).branch);
  const kept = await baselineOf(invocation, target);
  const services = openPreviewServices({ ...means(invocation), external: givenRecords(invocation) }, path);
  try {
    const baseline = kept ?? new Set<string>();
    const state = {
      target,
      repository,
      repositoryName: name,
      commit,
      branch: null,
      minimum: {},
      revokedKeys: [],
      baseline,
    };
    const { decision, mask } = await admit(asItIs(state), services);
    if (decision.failure !== null) throw unusable(decision.failure);
    return toReport(target, decision, kept !== null, mask);
  } finally {
    await services.close();
  }
}

/** As the log has it; null without a gate. */
async function baselineOf(invocation: Invocation, target: string): Promise<ReadonlySet<string> | null> {
  if (textOption(invocation, "config") === undefined) return null;
  const log = await openGateLog(await gateConfiguration(invocation));
  try {
    return (await readHistory(log, target)).baseline;
  } finally {
    await log.close();
  }
}

function unusable({ code, message, fix }: NonNullable<Decision["failure"]>): SluiceError {
  return new SluiceError(isCode(code) ? code : "internal", message, { fix });
}

type Suggestion = SuggestReport["suggestions"][number];

/** Without a gate: what nobody excuses yet and an adoption would; a rule that no waiver may help is never excused. */
function toReport(
  target: string,
  decision: Decision,
  isAdopted: boolean,
  mask: (text: string) => string,
): SuggestReport {
  const wanted = decision.findings.filter(
    (one) => one.kind === "deny" && one.waivable && one.waivedBy === null && (!isAdopted || one.baseline),
  );
  const suggestions = [...Map.groupBy(wanted, (one) => one.rule)].map(([rule, found]) =>
    toSuggestion(rule, found, mask),
  );
  const files = new Set(wanted.map((one) => one.position?.file ?? ""));
  return {
    apiVersion: "sluice/v1",
    kind: "Suggestions",
    exitCode: EXIT.fine,
    target,
    commit: decision.head,
    of: isAdopted ? "baseline" : "state",
    findings: wanted.length,
    files: files.size,
    rules: suggestions.length,
    suggestions: suggestions.sort(cheapestFirst).slice(0, MOST_SUGGESTIONS),
  };
}

function toSuggestion(rule: string, found: readonly Finding[], mask: (text: string) => string): Suggestion {
  const places = found.map(({ position, resource }) => ({
    file: position?.file ?? null,
    line: position?.line ?? null,
    resource: resource === null ? null : resourceName(resource),
  }));
  const fix = found[0]?.fix ?? null;
  return {
    rule,
    level: found[0]?.level ?? "low",
    fix: fix === null ? null : mask(fix),
    findings: found.length,
    files: new Set(places.map(({ file }) => file)).size,
    places: places.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
  };
}

function sortKey({ file, line, resource }: Suggestion["places"][number]): string {
  return [file ?? "", String(line ?? 0).padStart(9, "0"), resource ?? ""].join("\u0000");
}

/** Fewest files to edit; of these, where the same edit mends the most. */
function cheapestFirst(a: Suggestion, b: Suggestion): number {
  return a.files - b.files || b.findings - a.findings || (a.rule < b.rule ? -1 : 1);
}

function text({ target, commit, of, findings, files, rules, suggestions }: SuggestReport): string {
  const what = of === "baseline" ? "of the baseline are left" : "would be the baseline today";
  const head = `${target}  ${commit.slice(0, 7)}: ${counted(findings, "finding")} of ${counted(rules, "rule")} in ${counted(files, "file")} ${what}\n`;
  if (findings === 0) return head;
  const next = "next   mend the first, commit it signed, then: sluice check\n";
  return `${head}${suggestions.map(suggestionText).join("")}${next}`;
}

function fixLines(fix: string): readonly string[] {
  return wrap(printable(fix), FIX_WIDTH).map((line, n) => `${(n === 0 ? "fix" : "").padStart(10).padEnd(12)}${line}\n`);
}

function suggestionText({ rule, fix, findings, files, places }: Suggestion, index: number): string {
  const shown = places.slice(0, MOST_PLACES).map(({ file, line, resource }) => {
    return `       ${printable([file === null ? "" : `${file}:${line ?? 1}`, resource ?? ""].filter((one) => one !== "").join("  "))}\n`;
  });
  const more = places.length - shown.length;
  const lines = [
    `${String(index + 1).padStart(4)}   ${rule}: ${counted(findings, "finding")} in ${counted(files, "file")}\n`,
    ...shown,
    ...(more > 0 ? [`       and ${more} more: --format json\n`] : []),
    ...(fix === null ? [] : fixLines(fix)),
  ];
  return lines.join("");
}
