/** A folder of policies to rules and to what the compiler is given: each dialect takes its own (dialects.ts). */
import type { JsonObject } from "../lib/canonical.ts";
import { once } from "../lib/once.ts";
import { DATA_FILE, nameOf, type ReadData, readDataFiles } from "./data-files.ts";
import {
  type Found,
  type MovedData,
  mistake,
  type PolicyDocument,
  type PolicyProblem,
  type RegoSource,
} from "./dialect.ts";
import { DIALECTS } from "./dialects.ts";
import { isDocumentFile, readPolicyDocuments } from "./gatekeeper/documents.ts";
import { type Module, readModules } from "./inspection.ts";
import type { PolicyFile, Rule } from "./policy-set.ts";
import type { Toolchain, ToolchainAnswer, ToolchainProblem } from "./toolchain.ts";

/** By its path alone: whether a file of the policy folder is handed to the compiler of policy sets. */
export function isPolicyFile(path: string): boolean {
  return path.endsWith(".rego") || DATA_FILE.test(path) || isDocumentFile(path);
}

export interface SelectedPolicies {
  /** What the policies are: Rego without tests, data files, and files with objects of Gatekeeper; sorted by path. */
  readonly files: readonly PolicyFile[];
  readonly documents: readonly PolicyDocument[];
  readonly sources: readonly RegoSource[];
  readonly problems: readonly PolicyProblem[];
  readonly data: () => ReadData;
}

/** Everything else in the folder is left out here. */
export function selectPolicies(files: readonly PolicyFile[]): SelectedPolicies {
  const rego = files.filter(({ path }) => path.endsWith(".rego") && !path.endsWith("_test.rego"));
  const {
    documents,
    files: found,
    problems,
  } = readPolicyDocuments(files.filter(({ path }) => isDocumentFile(path) && !DATA_FILE.test(path)));
  const given = files.filter(({ path }) => DATA_FILE.test(path));
  const embedded = DIALECTS.flatMap((dialect) => dialect.embedded(documents));
  return {
    files: [...rego, ...found, ...given].sort((a, b) => (a.path < b.path ? -1 : 1)),
    documents,
    sources: [...rego.map(plainSource), ...embedded].sort((a, b) => (a.path < b.path ? -1 : 1)),
    problems,
    data: once(() => readDataFiles(given)),
  };
}

function plainSource({ path, text }: PolicyFile): RegoSource {
  return { path, text, regoVersion: "either", lenient: false, rename: null, scope: null, written: null };
}

export interface ReadPolicies {
  /** Sorted by id. */
  readonly rules: readonly Rule[];
  readonly sources: readonly RegoSource[];
  readonly problems: readonly PolicyProblem[];
  readonly data: ReadData;
  /** What of the data imported policies find below their own packages. */
  readonly moved: readonly MovedData[];
}

/** What policies read that stand alone. */
export const WITHOUT_DATA: Pick<ReadPolicies, "data" | "moved"> = { data: readDataFiles([]), moved: [] };

/** The compiler's refusal where a file cannot be parsed. @throws SluiceError the toolchain's own */
export async function readPolicies(
  toolchain: Toolchain,
  selected: SelectedPolicies,
): Promise<ReadPolicies | Extract<ToolchainAnswer, { ok: false }>> {
  const answer = await toolchain.request("inspect", { files: selected.sources.map(compilerFile) });
  if (!answer.ok) return { ok: false, errors: asWritten(answer.errors, selected) };
  return claimAll(readModules(answer.result), selected);
}

function claimAll(
  inspected: readonly Module[],
  { documents, sources: given, problems: unread, data: readData }: SelectedPolicies,
): ReadPolicies {
  let modules = inspected;
  const rules: Rule[] = [];
  const sources: RegoSource[] = [];
  const data = readData();
  const problems: PolicyProblem[] = [...unread, ...data.problems];
  const moved: MovedData[] = [];
  const byPath = new Map(given.map((source) => [source.path, source]));
  for (const dialect of DIALECTS) {
    const found: Found = { modules, documents, sources: byPath, data: data.document };
    const claim = dialect.claim(found);
    const taken = new Set(claim.sources.map(({ path }) => path));
    modules = modules.filter(({ path }) => !taken.has(path) && byPath.get(path)?.written === null);
    rules.push(...claim.rules);
    sources.push(...claim.sources);
    problems.push(...claim.problems);
    moved.push(...(claim.moved ?? []));
  }
  rules.sort((a, b) => (a.id < b.id ? -1 : 1));
  const imports = sources.some(({ rename, written }) => rename !== null && written === null);
  return { rules, sources: imports ? withLenientLibraries(sources, rules) : sources, problems, data, moved };
}

/** Functions that came along with policies of another engine are not held to what that engine does not ask. */
function withLenientLibraries(sources: readonly RegoSource[], rules: readonly Rule[]): readonly RegoSource[] {
  const own = new Set(rules.filter(({ imported }) => imported === null).map(({ file }) => file));
  return sources.map((source) =>
    source.rename === null && source.scope === null && !own.has(source.path) ? { ...source, lenient: true } : source,
  );
}

/** As the protocol has it (toolchain/README.md). */
export function compilerFile({ path, text, regoVersion, lenient, rename }: RegoSource): JsonObject {
  return { path, text, regoVersion, lenient, ...(rename === null ? {} : { rename }) };
}

/** Places in Rego that stands inside another file are those of that file; a conflict with a data file names both places. */
export function asWritten(
  problems: readonly ToolchainProblem[],
  { sources, data }: Pick<SelectedPolicies, "sources"> & { readonly data?: ReadData | (() => ReadData) },
): readonly ToolchainProblem[] {
  const writtenBy = new Map(sources.map(({ path, written }) => [path, written]));
  return problems.map((given) => {
    const problem =
      given.code === DATA_CONFLICT ? withBothPlaces(given, typeof data === "function" ? data() : data) : given;
    const written = problem.file === null ? null : (writtenBy.get(problem.file) ?? null);
    if (written === null) return problem;
    const { file, line, indent } = written;
    if (indent === null || problem.line === null) return { ...problem, file, line, column: null };
    const column = problem.column === null ? null : problem.column + indent;
    return { ...problem, file, line: line + problem.line - 1, column };
  });
}

/** Of the compiler: a rule and a value of the data at one path. */
export const DATA_CONFLICT = "rego-data-conflict";

/** The compiler names the path; imported policies know theirs without the package that they are compiled under. */
function withBothPlaces(problem: ToolchainProblem, data: ReadData | undefined): ToolchainProblem {
  const path = /^conflicting rule for data path (.*) found$/.exec(problem.message)?.[1]?.split("/");
  if (path === undefined) return problem;
  const own = path[0] === "sluice" && path[1]?.startsWith("p_") === true ? path.slice(2) : path;
  const place = data?.definedAt(own);
  const where = place == null ? "a data file" : `${place.file}:${place.line}:${place.column}`;
  return { ...problem, message: `${nameOf(own)} is defined by this rule and by ${where}.` };
}

export function noPolicies(): PolicyProblem {
  const { severity, code, message } = mistake(
    "no-policies",
    "There is no policy: nothing would be judged, so nothing is approved.",
    "",
    1,
    null,
  );
  return { severity, code, message, file: null, line: null, column: null };
}
