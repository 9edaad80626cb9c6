/** `sluice policy test`: OPA's own tests, and the examples beside each rule judged by the gate's own host. */
import * as z from "zod";
import type { JsonObject } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { buildPolicySet, problemsError } from "../policy/compile.ts";
import { entriesOf, nestedText, readDataFiles } from "../policy/data-files.ts";
import type { PolicyFile } from "../policy/policy-set.ts";
import type { Toolchain } from "../policy/toolchain.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { DATA_OPTIONS, givenData, givenRecords } from "./given-data.ts";
import { judgeExamples } from "./policy-examples.ts";
import { readPolicyFolder, withPolicyServices } from "./policy-folder.ts";
import { policyTestJunit } from "./reports/policy-test-junit.ts";
import { policyTestText } from "./reports/policy-test-text.ts";
import type { PolicyTestReport } from "./reports/schemas.ts";

const FORMATS = ["text", "json", "junit"] as const;
const TEST_TIMEOUT_MS = 20_000;

export const policyTest: Command = {
  name: "policy test",
  summary: "run the tests of policies",
  usage: ["policy test [DIR] [--coverage] [--threshold N] [--run REGEX]"],
  options: {
    coverage: { type: "boolean", description: "which lines of the policies OPA's tests reach" },
    threshold: { type: "string", value: "N", description: "fail below so many percent; says --coverage too" },
    run: { type: "string", value: "REGEX", description: "only tests and examples with such a name" },
    ...DATA_OPTIONS,
    ...ANSWER_OPTIONS,
    format: {
      ...ANSWER_OPTIONS.format,
      values: FORMATS,
      description: "text (default), json or junit; may be repeated",
    },
  },
  positionals: [0, 1],
  exitCodes: [
    [0, "all passed"],
    [1, "one failed, coverage is below the threshold, or there was nothing to run"],
  ],
  example:
    "sluice policy test policies --threshold 100\nruns rules named test_... and the files in examples/allow and deny",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation, FORMATS);
  const wanted = wantedOf(invocation);
  const given = givenRecords(invocation);
  const { shown, files, examples } = readPolicyFolder(invocation, invocation.positionals[0]);
  const report = await withPolicyServices(invocation, async ({ toolchain, compiledCache, engine }) => {
    const set = await buildPolicySet({ toolchain, files, cache: compiledCache });
    const { tests, coverage } = await runTests(toolchain, files, documentOf(files), wanted);
    const chosen = examples.filter(({ path }) => wanted.pattern === null || wanted.pattern.test(path));
    const external = await givenData(given, chosen.length === 0 ? [] : set.external);
    return reportOf(shown, tests, [...(await judgeExamples(chosen, set, engine(), external))], coverage);
  });
  answer(invocation, report, () => policyTestText(report), null, new Map([["junit", () => policyTestJunit(report)]]));
  return report.exitCode;
}

interface Wanted {
  readonly run: string;
  readonly pattern: RegExp | null;
  readonly coverage: boolean;
  readonly threshold: number | null;
}

/** @throws SluiceError `usage` */
function wantedOf(invocation: Invocation): Wanted {
  const run = textOption(invocation, "run") ?? "";
  const threshold = textOption(invocation, "threshold") ?? null;
  if (threshold !== null && !(/^\d{1,3}(?:\.\d+)?$/.test(threshold) && Number(threshold) <= 100)) {
    throw new SluiceError("usage", "--threshold takes a percentage from 0 to 100.", { fix: "--threshold 90" });
  }
  return {
    run,
    pattern: run === "" ? null : patternOf(run),
    coverage: isSet(invocation, "coverage") || threshold !== null,
    threshold: threshold === null ? null : Number(threshold),
  };
}

function patternOf(run: string): RegExp {
  try {
    return new RegExp(run, "u");
  } catch (cause) {
    throw new SluiceError("usage", "--run takes a regular expression.", { fix: "--run test_denies", cause });
  }
}

const TestAnswer = z.object({
  tests: z.array(
    z.object({
      package: z.string(),
      name: z.string(),
      file: z.string(),
      line: z.int(),
      pass: z.boolean(),
      skip: z.boolean(),
      error: z.string().nullable(),
      durationNs: z.number(),
      output: z.string(),
    }),
  ),
  coverage: z
    .object({
      percent: z.number(),
      files: z.record(z.string(), z.object({ notCovered: z.array(z.tuple([z.int(), z.int()])) })),
    })
    .nullable(),
});

/** Tests are compiled under their own names, and so find the data where its files say. */
function documentOf(files: readonly PolicyFile[]): string {
  return nestedText(entriesOf(readDataFiles(files).document));
}

/** A built-in that fails is an error here as it is in the gate. @throws SluiceError of the compiler, `toolchain-failed` */
async function runTests(
  toolchain: Toolchain,
  files: readonly PolicyFile[],
  data: string,
  { run, coverage, threshold }: Wanted,
): Promise<Pick<PolicyTestReport, "tests" | "coverage">> {
  const rego = files
    .filter(({ path }) => path.endsWith(".rego"))
    .map(({ path, text }) => ({ path, text, regoVersion: "either" }));
  const request: JsonObject = {
    files: rego,
    data,
    coverage,
    run,
    timeoutMs: TEST_TIMEOUT_MS,
    strictBuiltinErrors: true,
  };
  const answer = await toolchain.request("test", request);
  if (!answer.ok) throw testError(answer.errors);
  const parsed = TestAnswer.safeParse(answer.result);
  if (!parsed.success) {
    throw new SluiceError("toolchain-failed", "The policy compiler's answer to `test` has another shape.", {
      cause: parsed.error,
    });
  }
  return { tests: parsed.data.tests.map(testReport), coverage: coverageReport(parsed.data.coverage, threshold) };
}

function testError(errors: Parameters<typeof problemsError>[0]): SluiceError {
  const [first] = errors;
  if (first?.code !== "bad-request" || !first.message.startsWith("run ")) return problemsError(errors);
  return new SluiceError("usage", "--run takes a regular expression that Go knows too.", { fix: "--run test_denies" });
}

function testReport(test: z.infer<typeof TestAnswer>["tests"][number]): PolicyTestReport["tests"][number] {
  const result = test.skip ? "skipped" : test.pass ? "passed" : "failed";
  const said = [test.error, test.output.trim()].filter((part) => part !== null && part !== "").join("\n");
  const message = said === "" ? "the rule is not true" : said;
  const { file, line } = test;
  return {
    name: `${test.package}.${test.name}`,
    file,
    line,
    result,
    message: result === "failed" ? message : null,
    milliseconds: Math.round(test.durationNs / 1e4) / 100,
  };
}

function coverageReport(
  coverage: z.infer<typeof TestAnswer>["coverage"],
  threshold: number | null,
): PolicyTestReport["coverage"] {
  if (coverage === null) return null;
  const files = Object.entries(coverage.files).sort(([a], [b]) => (a < b ? -1 : 1));
  const notCovered = files.flatMap(([file, one]) => one.notCovered.map(([first, last]) => ({ file, first, last })));
  // Rounded down: 99.999 is not the 100 that somebody asked for.
  return { percent: Math.floor(coverage.percent * 100) / 100, threshold, notCovered };
}

function reportOf(
  folder: string,
  tests: PolicyTestReport["tests"],
  examples: PolicyTestReport["examples"],
  coverage: PolicyTestReport["coverage"],
): PolicyTestReport {
  const all = [...tests, ...examples].map(({ result }) => result as "passed" | "failed" | "skipped");
  const counts = {
    passed: all.filter((one) => one === "passed").length,
    failed: all.filter((one) => one === "failed").length,
    skipped: all.filter((one) => one === "skipped").length,
  };
  const problems: { code: Code; message: string }[] = [];
  if (counts.passed + counts.failed === 0) {
    problems.push({ code: "no-tests", message: `${folder} has no test and no example to run.` });
  }
  if (coverage !== null && coverage.percent < (coverage.threshold ?? 0)) {
    const message = `The tests cover ${coverage.percent} % of the lines; ${coverage.threshold} % are asked for.`;
    problems.push({ code: "coverage-too-low", message });
  }
  const exitCode = counts.failed === 0 && problems.length === 0 ? EXIT.fine : EXIT.denied;
  return { apiVersion: "sluice/v1", kind: "PolicyTest", exitCode, folder, tests, examples, counts, coverage, problems };
}
