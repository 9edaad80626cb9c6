/**
 * Suites of tests for constraints (test.gatekeeper.sh/v1alpha1), read as strictly as a policy: a misspelt key would be an
 * assertion that nobody makes.
 */
import { loadAll, YAMLException } from "js-yaml";
import { RE2JS, RE2JSException } from "re2js";
import * as z from "zod";
import { SluiceError } from "../../lib/errors.ts";
import { openLocator } from "../../lib/yaml-position.ts";
import type { PolicyFile } from "../policy-set.ts";
import { groupOf } from "./documents.ts";
import { issueProblems } from "./issues.ts";

const SUITE_GROUP = "test.gatekeeper.sh";

const filePath = z.string().min(1);
const skip = z.boolean().default(false);
const Assertion = z.strictObject({
  violations: z.union([z.int().min(0), z.enum(["yes", "no"])]).default("yes"),
  message: z.string().refine(isPattern, "it is no regular expression that Go knows").nullish(),
});
const Case = z.strictObject({
  name: z.string().default(""),
  object: filePath,
  inventory: z.array(filePath).nullish(),
  assertions: z.array(Assertion).min(1, "a case has at least one assertion"),
  skip,
});
const Test = z.strictObject({
  name: z.string().default(""),
  template: filePath,
  constraint: filePath,
  expansion: z.string().optional(),
  cases: z.array(Case).nullish(),
  invalid: z.boolean().default(false),
  skip,
});
const Suite = z.strictObject({
  apiVersion: z.literal(`${SUITE_GROUP}/v1alpha1`),
  kind: z.literal("Suite"),
  metadata: z.unknown().optional(),
  tests: z.array(Test).nullish(),
  skip,
});

export type SuiteAssertion = z.infer<typeof Assertion>;
export type SuiteCase = z.infer<typeof Case>;
export type SuiteTest = z.infer<typeof Test>;

export interface Suite {
  /** File that it stands in; the paths in it start from that file's folder. */
  readonly file: string;
  readonly tests: readonly SuiteTest[];
  readonly skip: boolean;
}

/** Suites among these files, in their order; other files are passed over. @throws SluiceError `suite-malformed` */
export function readSuites(files: readonly PolicyFile[]): readonly Suite[] {
  return files
    .filter(({ text }) => text.includes(SUITE_GROUP))
    .flatMap((file) =>
      documentsOf(file).flatMap((value, index) => (isSuite(value) ? [readSuite(file, value, index)] : [])),
    );
}

/** As gator reads them: `violations: no` is a text, where a reader of YAML 1.1 sees false. */
function documentsOf({ path, text }: PolicyFile): readonly unknown[] {
  try {
    return loadAll(text);
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw cause;
    const [line, column] = [(cause.mark?.line ?? 0) + 1, (cause.mark?.column ?? 0) + 1];
    const position = { file: path, line, column };
    throw new SluiceError("suite-malformed", `${path}:${line}:${column} This is not valid YAML: ${cause.reason}.`, {
      position,
      cause,
    });
  }
}

function isSuite(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  return groupOf(String(apiVersion)) === SUITE_GROUP && kind === "Suite";
}

function readSuite({ path, text }: PolicyFile, value: unknown, index: number): Suite {
  const parsed = Suite.safeParse(value);
  if (parsed.success) return { file: path, tests: parsed.data.tests ?? [], skip: parsed.data.skip };
  const locate = openLocator(text);
  const document = { file: path, place: (pointer: string) => locate(index, pointer) };
  const problems = issueProblems("suite-malformed", document, parsed.error.issues);
  const [first] = problems;
  const lines = problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
  throw new SluiceError("suite-malformed", lines.join("\n"), {
    position: { file: path, line: first?.line ?? null, column: first?.column ?? null },
  });
}

function isPattern(pattern: string): boolean {
  try {
    RE2JS.compile(pattern);
    return true;
  } catch (thrown) {
    if (thrown instanceof RE2JSException) return false;
    throw thrown;
  }
}
