/**
 * Everything that is wrong with a folder of policies, as a list: a person who writes them wants all of it at once, where
 * the judge stops at the first. The order is the judge's own (compile.ts); a later step needs the earlier ones clean.
 */
import { dirname } from "node:path/posix";
import type { JsonValue } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { SluiceError } from "../lib/errors.ts";
import { isOffered } from "./builtins.ts";
import { absentData, compileRequest, dataOf, problemsError } from "./compile.ts";
import { nestedText, type ReadData } from "./data-files.ts";
import type { PolicyProblem, RegoSource } from "./dialect.ts";
import { RESULT_ENTRYPOINT } from "./entrypoints.ts";
import type { ExternalUse } from "./external.ts";
import { externalUses, isExternal } from "./external-uses.ts";
import { type TemplateTally, tallyTemplates } from "./gatekeeper/tally.ts";
import { INPUT_SCHEMAS } from "./input-schema.ts";
import { readModules } from "./inspection.ts";
import type { PolicyFile, Rule } from "./policy-set.ts";
import { asWritten, compilerFile, noPolicies, type ReadPolicies, readPolicies, selectPolicies } from "./reading.ts";
import type { Toolchain, ToolchainAnswer, ToolchainProblem } from "./toolchain.ts";

export interface ExaminedPolicies {
  /** Rules whose METADATA could be read, sorted by id. */
  readonly rules: readonly Rule[];
  /** Sorted by file, line and column. */
  readonly problems: readonly PolicyProblem[];
  /** null where there is no ConstraintTemplate. */
  readonly templates: TemplateTally | null;
  /** Sources of data from outside that they read; empty where a mistake comes before. */
  readonly external: readonly ExternalUse[];
  /** Documents of data files, and what policies call them. */
  readonly data: ReadData["places"];
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
  const tests = files.filter(({ path }) => path.endsWith("_test.rego"));
  const selected = selectPolicies(files);
  const data = selected.data().places;
  if (selected.files.length === 0 && selected.problems.length === 0)
    return { rules: [], problems: [noPolicies()], templates: null, external: [], data };
  const templates = await tallyTemplates(toolchain, selected.documents);
  const read = await readPolicies(toolchain, selected);
  if ("ok" in read)
    return {
      rules: [],
      problems: [...selected.problems, ...selected.data().problems, ...fromProblems(read.errors)].sort(byPlace),
      templates,
      external: [],
      data,
    };
  const { rules, problems } = read;
  const found = [...problems, ...(await checked(toolchain, read, tests))];
  if (found.length === 0 && rules.length === 0) found.push(templates === null ? noPolicies() : noConstraint(templates));
  const whole = found.length === 0 ? await compiled(toolchain, read) : { problems: [], external: [] };
  found.push(...whole.problems);
  const native = rules.filter(({ imported }) => imported === null);
  const warned = native.flatMap((rule) => warnings(rule, tests, examples));
  return { rules, problems: [...found, ...warned].sort(byPlace), templates, external: whole.external, data };
}

/** Tests of imported packages keep the names that their packages had; `policy test` compiles those. */
async function checked(
  toolchain: Toolchain,
  read: ReadPolicies,
  tests: readonly PolicyFile[],
): Promise<readonly PolicyProblem[]> {
  const inspected = await toolchain.request("inspect", {
    files: tests.map(({ path, text }) => ({ path, text, regoVersion: "either" })),
  });
  if (!inspected.ok) return fromProblems(inspected.errors);
  const { sources } = read;
  const renamed = new Set(sources.flatMap(({ rename }) => Object.keys(rename ?? {})));
  const isOurs = new Map(readModules(inspected.result).map((module) => [module.path, !renamed.has(module.package)]));
  const own = tests
    .filter(({ path }) => isOurs.get(path) === true)
    .map(({ path, text }) => ({ path, text, regoVersion: "either" }));
  const answer = await toolchain.request("check", {
    files: [...sources.map(compilerFile), ...own],
    schemas: INPUT_SCHEMAS,
    schemaByFile: Object.fromEntries(sources.flatMap(({ path, scope }) => (scope === null ? [] : [[path, scope]]))),
    strict: true,
    data: nestedText(dataOf(read)),
  });
  return fromCompiler(answer, read);
}

/** What only the whole set can show: functions that the host does not offer, names under data that nobody defines. */
async function compiled(
  toolchain: Toolchain,
  read: ReadPolicies,
): Promise<Pick<ExaminedPolicies, "problems" | "external">> {
  const request = { ...compileRequest(read), entrypoints: [RESULT_ENTRYPOINT] };
  const answer = await toolchain.request("compile", request);
  if (!answer.ok) return { problems: fromCompiler(answer, read), external: [] };
  const deniedBuiltins = texts(answer.result["builtins"]).filter((name) => !isOffered(name));
  const denied =
    deniedBuiltins.length === 0
      ? []
      : fromCompiler(await toolchain.request("compile", { ...request, deniedBuiltins }), read);
  const data = texts(answer.result["requiredData"]);
  const absent = absentData(data.filter((name) => !isExternal(name))).map(
    (name): PolicyProblem => ({
      severity: "mistake",
      code: "policy-does-not-compile",
      message: `The policies read ${name}, which no policy and no data file defines.`,
      file: null,
      line: null,
      column: null,
    }),
  );
  const outside = usesOf(data.filter(isExternal), read.sources);
  return { problems: [...denied, ...absent, ...outside.problems], external: outside.external };
}

function usesOf(
  names: readonly string[],
  sources: readonly RegoSource[],
): Pick<ExaminedPolicies, "problems" | "external"> {
  try {
    return { problems: [], external: externalUses(names, sources) };
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    const { code, message, position } = thrown;
    const place = position ?? { file: null, line: null, column: null };
    const plain = message.replace(`${place.file}:${place.line}:${place.column} `, "");
    return { problems: [{ severity: "mistake", code, message: plain, ...place }], external: [] };
  }
}

function fromCompiler(answer: ToolchainAnswer, read: ReadPolicies): readonly PolicyProblem[] {
  return answer.ok ? [] : fromProblems(asWritten(answer.errors, read));
}

/** @throws SluiceError `toolchain-failed` where the request itself was refused */
function fromProblems(problems: readonly ToolchainProblem[]): readonly PolicyProblem[] {
  return problems.map(fromProblem);
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

function noConstraint({ templates }: TemplateTally): PolicyProblem {
  const message = `Of ${templates} templates none has a constraint, so nothing would be judged.`;
  return { ...noPolicies(), message };
}

function join(folder: string, path: string): string {
  return folder === "." ? path : `${folder}/${path}`;
}

function warning(code: Code, message: string, rule: Rule): PolicyProblem {
  return { severity: "warning", code, message, file: rule.file, line: 1, column: 1 };
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function byPlace(a: PolicyProblem, b: PolicyProblem): number {
  const [left, right] = [a.file ?? "", b.file ?? ""];
  if (left !== right) return left < right ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
