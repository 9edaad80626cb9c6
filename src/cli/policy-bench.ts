/** `sluice policy bench`: what the rules cost, all together and each alone. */
import { SluiceError } from "../lib/errors.ts";
import { formatTime } from "../lib/time.ts";
import { type BenchResult, benchPolicies } from "../policy/bench.ts";
import { buildPolicySet } from "../policy/compile.ts";
import { buildDocuments } from "../policy/documents.ts";
import { readExample } from "../policy/example.ts";
import type { PolicyInput } from "../policy/input.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { compareResources } from "../render/compare.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { counted } from "./counted.ts";
import { EXIT } from "./failure.ts";
import { DATA_OPTIONS, givenData, givenRecords } from "./given-data.ts";
import { renderGivenFiles } from "./given-files.ts";
import { type ExampleFile, readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import type { PolicyBenchReport } from "./reports/schemas/policy-tools.ts";

const DEFAULT_ROUNDS = 200;
const MOST_ROUNDS = 100_000;
const MEMORY_BYTES = 256 * 1024 * 1024;

export const policyBench: Command = {
  name: "policy bench",
  summary: "measure what rules cost",
  usage: ["policy bench [FILE...] [--policies DIR] [--rounds N]"],
  options: {
    policies: { type: "string", value: "DIR", description: "the policies (default: what sluice.yaml names)" },
    rounds: { type: "string", value: "N", description: `evaluations of each document (default: ${DEFAULT_ROUNDS})` },
    ...DATA_OPTIONS,
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 10_000],
  exitCodes: [
    [0, "measured"],
    [1, "nothing to measure: no document, or no rule that selects one"],
  ],
  example: "sluice policy bench web.yaml --policies policies\nwithout files it measures the examples beside the rules",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const rounds = roundsOf(invocation);
  const given = givenRecords(invocation);
  const { shown, files, examples } = readPolicyFolder(invocation, textOption(invocation, "policies"));
  const documents = await documentsOf(invocation, examples);
  const report = await withPolicyServices(invocation, async ({ toolchain, compiledCache, engine }) => {
    const set = await buildPolicySet({ toolchain, files, cache: compiledCache });
    const external = await givenData(given, set.external);
    const asked = engine().evaluate(set, documents, undefined, undefined, external);
    const { rulesExpected, notEvaluated } = await asked;
    const [first] = notEvaluated;
    if (first !== undefined)
      throw new SluiceError("policy-aborted", `${first.what} is not evaluated (${first.code}): ${first.message}`);
    const measured = await benchPolicies(set, documents, { rounds, memoryBytes: MEMORY_BYTES, external });
    return reportOf(shown, set, documents.length, rounds, measured, rulesExpected);
  });
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

/** @throws SluiceError `usage` */
function roundsOf(invocation: Invocation): number {
  const given = textOption(invocation, "rounds") ?? String(DEFAULT_ROUNDS);
  const rounds = /^[1-9]\d{0,5}$/.test(given) ? Number(given) : Number.NaN;
  if (rounds <= MOST_ROUNDS) return rounds;
  throw new SluiceError("usage", `--rounds is a number from 1 to ${MOST_ROUNDS}.`, { fix: "--rounds 200" });
}

async function documentsOf(invocation: Invocation, examples: readonly ExampleFile[]): Promise<readonly PolicyInput[]> {
  if (invocation.positionals.length === 0) return examples.flatMap(({ path, text }) => readExample(path, text));
  const { rendered } = await renderGivenFiles(invocation.folder, invocation.positionals);
  const target = { name: "", repository: "", branch: "", path: ".", labels: {}, mode: "enforce" } as const;
  const subject = { kind: "file", target, time: formatTime(invocation.clock()) } as const;
  const changes = compareResources([], rendered.resources);
  return buildDocuments({ subject, changes, change: null, commits: [], approvals: [], checks: [] });
}

function reportOf(
  folder: string,
  { digest }: PolicySet,
  documents: number,
  rounds: number,
  { startMs, memoryBytes, all, byRule }: BenchResult,
  expected: number,
): PolicyBenchReport {
  const sum = byRule.reduce((total, { times }) => total + totalOf(times), 0);
  const rules = byRule
    .filter(({ times }) => times.length > 0)
    .map(({ rule, documents: mine, times }) => {
      return { rule, documents: mine, p50: at(times, 0.5), share: sum === 0 ? 0 : rounded(totalOf(times) / sum) };
    });
  const seconds = totalOf(all) / 1e6;
  return {
    apiVersion: "sluice/v1",
    kind: "PolicyBench",
    exitCode: all.length === 0 || expected === 0 ? EXIT.denied : EXIT.fine,
    ...{ folder, digest, documents, rounds, startMilliseconds: rounded(startMs), memoryBytes },
    all: {
      perSecond: seconds === 0 ? 0 : Math.round(all.length / seconds),
      ...{ p50: at(all, 0.5), p90: at(all, 0.9), p99: at(all, 0.99) },
    },
    rules: rules.sort((a, b) => b.share - a.share || (a.rule < b.rule ? -1 : 1)),
  };
}

function totalOf(times: readonly number[]): number {
  return times.reduce((sum, one) => sum + one, 0);
}

function at(sorted: readonly number[], part: number): number {
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function text({ documents, rounds, all, rules, startMilliseconds, memoryBytes }: PolicyBenchReport): string {
  const width = Math.max(0, ...rules.map(({ rule }) => rule.length)) + 2;
  const lines = rules.map(({ rule, documents: mine, p50, share }) => {
    return `${rule.padEnd(width)}${p50.toFixed(1).padStart(9)} us  ${(100 * share).toFixed(1).padStart(5)} %  ${counted(mine, "document")}`;
  });
  const speed = `${all.perSecond} evaluations/s, p50 ${all.p50} us, p90 ${all.p90} us, p99 ${all.p99} us`;
  const what = `${counted(documents, "document")}, ${counted(rounds, "round")}; started in ${startMilliseconds} ms, ${Math.ceil(memoryBytes / 1024)} KiB`;
  return `${[...lines, speed, what].join("\n")}\n`;
}
