/**
 * Everything that is wrong with a folder of policies, as a list: a person who writes them wants all of it at once, where
 * the judge stops at the first. The order is the judge's own (compile.ts); a later step needs the earlier ones clean.
 */
import { dirname } from "node:path/posix";
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { RESULT_ENTRYPOINT } from "./aggregate.ts";
import { isOffered } from "./builtins.ts";
import { compileRequest, DATA_FILE, problemsError } from "./compile.ts";
import { INPUT_SCHEMAS } from "./input-schema.ts";
import { inspectMetadata } from "./metadata.ts";
import type { PolicyFile, Rule } from "./policy-set.ts";
import type { Toolchain, ToolchainAnswer, ToolchainProblem } from "./toolchain.ts";

export interface PolicyProblem {
  /** A mistake keeps the policies from being used as they are meant; a warning does not. */
  readonly severity: "mistake" | "warning";
  readonly code: Code;
  readonly message: string;
  /** null where the problem has no place; line and column then are null too. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

export interface ExaminedPolicies {
  /** Rules whose METADATA could be read, sorted by id. */
  readonly rules: readonly Rule[];
  /** Sorted by file, line and column. */
  readonly problems: readonly PolicyProblem[];
}

/**
 * @param files policies and their tests, and data files. @param examples paths of all examples.
 * @throws SluiceError only the toolchain's own: what is wrong with the files is in the answer
 */
export async function examinePolicies(
  toolchain: Toolchain,
  files: readonly PolicyFile[],
  examples: readonly string[],
): Promise<ExaminedPolicies> {
  const rego = files.filter((file) => file.path.endsWith(".rego")).map(({ path, text }) => ({ path, text }));
  const policies = rego.filter((file) => !file.path.endsWith("_test.rego"));
  const data = files.filter((file) => DATA_FILE.test(file.path)).map(dataFile);
  if (policies.length === 0) return { rules: [], problems: [...data, noPolicies()] };
  const inspected = await toolchain.request("inspect", { files: rego });
  if (!inspected.ok) return { rules: [], problems: [...data, ...fromCompiler(inspected)] };
  const { rules, scopeByFile, problems } = inspectMetadata(await inspectOnly(toolchain, policies));
  const found = [
    ...data,
    ...problems.map(({ file, line, message }) => mistake("policy-metadata", `${message}.`, file, line)),
    ...fromCompiler(
      await toolchain.request("check", {
        files: rego,
        schemas: INPUT_SCHEMAS,
        schemaByFile: scopeByFile,
        strict: true,
      }),
    ),
  ];
  if (found.length === 0 && rules.length === 0) found.push(noPolicies());
  if (found.length === 0) found.push(...(await compiled(toolchain, policies, rules, scopeByFile)));
  const tests = rego.filter((file) => file.path.endsWith("_test.rego"));
  return { rules, problems: [...found, ...rules.flatMap((rule) => warnings(rule, tests, examples))].sort(byPlace) };
}

async function inspectOnly(toolchain: Toolchain, files: readonly PolicyFile[]): Promise<JsonObject> {
  const answer = await toolchain.request("inspect", { files: files.map(({ path, text }) => ({ path, text })) });
  if (!answer.ok) throw problemsError(answer.errors);
  return answer.result;
}

/** What only the whole set can show: functions that the host does not offer, names under data that nobody defines. */
async function compiled(
  toolchain: Toolchain,
  policies: readonly PolicyFile[],
  rules: readonly Rule[],
  scopeByFile: Readonly<Record<string, string>>,
): Promise<readonly PolicyProblem[]> {
  const request = { ...compileRequest(policies, rules, scopeByFile), entrypoints: [RESULT_ENTRYPOINT] };
  const answer = await toolchain.request("compile", request);
  if (!answer.ok) return fromCompiler(answer);
  const deniedBuiltins = texts(answer.result["builtins"]).filter((name) => !isOffered(name));
  const denied =
    deniedBuiltins.length === 0 ? [] : fromCompiler(await toolchain.request("compile", { ...request, deniedBuiltins }));
  const absent = texts(answer.result["requiredData"]).map((name) =>
    mistake("policy-does-not-compile", `The policies read ${name}, which no policy defines.`, null, null),
  );
  return [...denied, ...absent];
}

/** @throws SluiceError `toolchain-failed` where the request itself was refused */
function fromCompiler(answer: ToolchainAnswer): readonly PolicyProblem[] {
  return answer.ok ? [] : answer.errors.map(fromProblem);
}

function fromProblem(problem: ToolchainProblem): PolicyProblem {
  const { code } = problemsError([problem]);
  if (code === "toolchain-failed") throw problemsError([problem]);
  const { message, file, line, column } = problem;
  return { severity: "mistake", code, message, file, line, column };
}

function warnings(rule: Rule, tests: readonly PolicyFile[], examples: readonly string[]): readonly PolicyProblem[] {
  const folder = dirname(rule.file);
  const has = (kind: "allow" | "deny"): boolean =>
    examples.some((path) => path.startsWith(join(folder, `examples/${kind}/`)));
  const problems: PolicyProblem[] = [];
  if (rule.description === "") problems.push(warning("description-missing", `${rule.id} has no description.`, rule));
  if (!tests.some((file) => file.text.includes(rule.package)))
    problems.push(warning("tests-missing", `No test names ${rule.package}.`, rule));
  for (const kind of ["allow", "deny"] as const) {
    if (!has(kind)) problems.push(warning("examples-missing", `${rule.id} has nothing in examples/${kind}/.`, rule));
  }
  return problems;
}

function join(folder: string, path: string): string {
  return folder === "." ? path : `${folder}/${path}`;
}

function warning(code: Code, message: string, rule: Rule): PolicyProblem {
  return { severity: "warning", code, message, file: rule.file, line: 1, column: null };
}

function mistake(code: Code, message: string, file: string | null, line: number | null): PolicyProblem {
  return { severity: "mistake", code, message, file, line, column: null };
}

function dataFile({ path }: PolicyFile): PolicyProblem {
  return mistake("not-supported", "Policies are given no data yet; write it as constants in a Rego package.", path, 1);
}

function noPolicies(): PolicyProblem {
  return mistake("no-policies", "There is no policy: nothing would be judged, so nothing is approved.", null, null);
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function byPlace(a: PolicyProblem, b: PolicyProblem): number {
  const [left, right] = [a.file ?? "", b.file ?? ""];
  if (left !== right) return left < right ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
