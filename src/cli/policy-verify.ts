/** `sluice policy verify`: suites of tests for Gatekeeper's constraints, with the answers of `gator verify`. */
import { statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { decodeUtf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { readSuites, type Suite } from "../policy/gatekeeper/suite.ts";
import { runSuites, type SuiteResult } from "../policy/gatekeeper/suite-run.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { EXIT } from "./failure.ts";
import { readFolderFiles, readRegularFile } from "./folder-files.ts";
import { withPolicyServices } from "./policy-folder.ts";
import { policyVerifyText } from "./reports/policy-verify-text.ts";
import type { PolicyVerifyReport } from "./reports/schemas/policy-verify.ts";

const SUITE_FILE = /\.ya?ml$/;

export const policyVerify: Command = {
  name: "policy verify",
  summary: "run Gatekeeper's suites of tests",
  usage: ["policy verify DIR|FILE [--allow-skip]"],
  options: {
    "allow-skip": { type: "boolean", description: "skipped cases do not count as failed" },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [EXIT.fine, "all passed"],
    [EXIT.denied, "one failed or was skipped, a suite is malformed, or nothing ran"],
  ],
  example: "sluice policy verify policies\nruns every Suite of test.gatekeeper.sh/v1alpha1 below it",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const [named = ""] = invocation.positionals;
  const { folder, suites } = suitesOf(invocation.folder, named);
  const results = await withPolicyServices(invocation, ({ toolchain, engine }) =>
    runSuites(suites, { toolchain, engine: engine(), read: (path) => textOf(resolve(folder, path)) }),
  );
  const report = reportOf(named, results, isSet(invocation, "allow-skip"));
  answer(invocation, report, () => policyVerifyText(report));
  return report.exitCode;
}

/** gator's `DIR/...` is what DIR is here. @throws SluiceError `no-tests`, `suite-malformed`, `configuration-missing` */
function suitesOf(current: string, named: string): { folder: string; suites: readonly Suite[] } {
  const path = resolve(current, named.replace(/\/\.\.\.$/, ""));
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  const folder = isFile ? dirname(path) : path;
  const found = isFile
    ? new Map([[basename(path), readRegularFile(path) ?? new Uint8Array()]])
    : readFolderFiles(path, (file) => SUITE_FILE.test(file));
  const files = [...found].map(([file, bytes]) => ({ path: file, text: decodeUtf8(bytes) ?? "" }));
  const suites = readSuites(files);
  if (suites.length > 0) return { folder, suites };
  throw new SluiceError("no-tests", `${named} holds no Suite of test.gatekeeper.sh/v1alpha1.`, {
    fix: "name the folder of your suites, for example: sluice policy verify policies",
  });
}

function textOf(path: string): string | null {
  const bytes = readRegularFile(path);
  return bytes === null ? null : decodeUtf8(bytes);
}

function reportOf(folder: string, suites: readonly SuiteResult[], allowsSkip: boolean): PolicyVerifyReport {
  const all = suites.flatMap(({ results }) => results.map(({ result }) => result));
  const count = (wanted: (typeof all)[number]): number => all.filter((one) => one === wanted).length;
  const skipped = count("skipped");
  const failed = count("failed") + (allowsSkip ? 0 : skipped);
  return {
    apiVersion: "sluice/v1",
    kind: "PolicyVerify",
    exitCode: failed === 0 && count("passed") > 0 ? EXIT.fine : EXIT.denied,
    folder,
    allowSkip: allowsSkip,
    suites: suites.map(({ file, results }) => ({ file, cases: results.map((one) => ({ ...one })) })),
    summary: { suites: suites.length, tests: all.length, passed: count("passed"), failed, skipped },
  };
}
