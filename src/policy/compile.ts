/** Policy files to a policy set: read METADATA, generate the aggregate, compile, and keep the result by content. */
import { decodeBase64 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import type { Code } from "../lib/codes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { exactJsonText } from "../lib/exact-json.ts";
import { aggregateModule } from "./aggregate.ts";
import { isFromRecord, isOffered } from "./builtins.ts";
import type { CompiledCache, CompiledEntry } from "./compiled-cache.ts";
import { entriesOf, MAXIMUM_DATA_BYTES, nestedText, type ReadData, valueAt } from "./data-files.ts";
import { INVENTORY_PACKAGE, type MovedData, type PolicyProblem, type RegoSource } from "./dialect.ts";
import { AGGREGATE_FILE, RESULT_ENTRYPOINT, ruleEntrypoint } from "./entrypoints.ts";
import type { ExternalUse } from "./external.ts";
import { externalUses, isExternal } from "./external-uses.ts";
import { INPUT_SCHEMAS } from "./input-schema.ts";
import type { DataEntry, PolicyFile, PolicySet, Rule } from "./policy-set.ts";
import { type PolicySources, sourceDigest } from "./policy-sources.ts";
import {
  asWritten,
  compilerFile,
  DATA_CONFLICT,
  noPolicies,
  type ReadPolicies,
  readPolicies,
  type SelectedPolicies,
  selectPolicies,
} from "./reading.ts";
import { isObject, type Toolchain, type ToolchainOp, type ToolchainProblem } from "./toolchain.ts";
import { mayAsk, readsOnlyOwnParts } from "./verdict-memo.ts";

/** The compiler that this Sluice is made for; part of every digest, so that another one is never mistaken for it. */
export const COMPILER_VERSION = "opa 1.22.0";
/** Counts up with every change of the aggregate, of what METADATA or the input mean, of the built-ins or the host. */
const HOST_VERSION = 10;

const MAXIMUM_FILES = 10_000;
const MAXIMUM_BYTES = 16 * 1024 * 1024;
const MAXIMUM_SHOWN = 5;

export interface PolicySetSource {
  readonly toolchain: Toolchain;
  /** As found in the tree; tests and whatever is no policy are left out here. */
  readonly files: readonly PolicyFile[];
  readonly cache: CompiledCache;
}

/**
 * @throws SluiceError `no-policies`, `policy-does-not-compile`, `policy-metadata`, `builtin-not-supported`, `not-supported`
 * (CEL, external data), the `data-` codes, what the dialects refuse, and the toolchain's own. Served by the cache, the
 * toolchain is not started.
 */
export async function buildPolicySet({ toolchain, files, cache }: PolicySetSource): Promise<PolicySet> {
  const selected = boundedPolicies(files);
  const digest = digestOf(selected.files);
  const name = sha256Hex(canonicalJson({ digest, schemas: INPUT_SCHEMAS }));
  const cached = cache.read(name);
  if (cached !== null) return fromEntry(cached, digest, selected);
  const entry = await compile(toolchain, selected);
  cache.write(name, entry);
  return fromEntry(entry, digest, selected);
}

function boundedPolicies(files: readonly PolicyFile[]): SelectedPolicies {
  const selected = selectPolicies(files);
  const policies = selected.files;
  if (policies.length === 0 && selected.problems.length === 0) throw refusal([noPolicies()]);
  if (policies.some((file) => file.path === AGGREGATE_FILE)) {
    const position = { file: AGGREGATE_FILE, line: null, column: null };
    throw new SluiceError(
      "policy-metadata",
      `${AGGREGATE_FILE} is a file of Sluice's own; give the policy another name.`,
      { position },
    );
  }
  const bytes = policies.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
  if (policies.length > MAXIMUM_FILES || bytes > MAXIMUM_BYTES) {
    throw new SluiceError("policy-does-not-compile", "The policies are more than 10,000 files or 16 MiB.");
  }
  return selected;
}

function digestOf(policies: readonly PolicyFile[]): string {
  return sourceDigest({ compiler: COMPILER_VERSION, host: HOST_VERSION, policies });
}

/** What decisions name these files by, when they are judged by. */
export function policyDigest(files: readonly PolicyFile[]): string {
  return digestOf(selectPolicies(files).files);
}

/** The files of a policy folder as the sources that have this digest, by this or an earlier host; null where they have not. */
export function sourcesOf(files: readonly PolicyFile[], digest: string): PolicySources | null {
  const { files: policies } = selectPolicies(files);
  for (let host = HOST_VERSION; host > 0; host--) {
    const sources = { compiler: COMPILER_VERSION, host, policies };
    if (sourceDigest(sources) === digest) return sources;
  }
  return null;
}

async function compile(toolchain: Toolchain, selected: SelectedPolicies): Promise<CompiledEntry> {
  await requireVersion(toolchain);
  const read = await readPolicies(toolchain, selected);
  if ("ok" in read) throw problemsError(read.errors);
  if (read.problems.length > 0) throw refusal(read.problems);
  if (read.rules.length === 0) throw refusal([noPolicies()]);
  const { wasm, readsInventory, readsRecord, external } = await compileRules(toolchain, read);
  const moved = read.moved.map(({ from, to }) => [[...from], [...to]]);
  const importedFiles = read.sources.filter(({ rename }) => rename !== null).map(({ path }) => path);
  return {
    header: {
      rules: read.rules as unknown as readonly JsonObject[],
      readsInventory,
      readsRecord,
      importedFiles,
      moved,
      external: external as unknown as readonly JsonObject[],
    },
    wasm,
  };
}

/** @throws SluiceError `policy-does-not-compile`, `data-not-readable`, `builtin-not-supported`, `external-unnamed`, and the toolchain's own */
export async function compileRules(
  toolchain: Toolchain,
  read: ReadPolicies,
): Promise<Pick<PolicySet, "wasm" | "readsInventory" | "external" | "data"> & { readonly readsRecord: boolean }> {
  const entrypoints = [RESULT_ENTRYPOINT, ...read.rules.map((_, index) => ruleEntrypoint(index))];
  const request = { ...compileRequest(read), entrypoints };
  const { wasm, data, builtins } = await compiledModule(toolchain, request, read);
  const outside = data.filter(isExternal);
  const inside = data.filter((name) => !isExternal(name));
  refuseAbsentData(absentData(inside));
  const external = externalUses(outside, read.sources);
  const readsInventory = inside.length > 0;
  return { wasm, readsInventory, readsRecord: builtins.some(isFromRecord), external, data: dataOf(read) };
}

/** What imported policies read below their own packages stands there as well. @throws SluiceError `data-invalid` */
export function dataOf({
  data,
  moved,
}: {
  readonly data: ReadData;
  readonly moved: readonly MovedData[];
}): readonly DataEntry[] {
  const copies = moved.map(({ from, to }): DataEntry => [to, exactJsonText(valueAt(data.document, from) ?? null)]);
  const entries = [...entriesOf(data.document), ...copies];
  const bytes = entries.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  if (bytes <= MAXIMUM_DATA_BYTES) return entries;
  throw new SluiceError("data-invalid", "The data is larger than 8 MiB, with what stands below imported packages too.");
}

/**
 * The module of a request, with the names under `data` that nothing in it defines.
 * @throws SluiceError `policy-does-not-compile`, `data-not-readable`, `builtin-not-supported`, and the toolchain's own
 */
export async function compiledModule(
  toolchain: Toolchain,
  request: JsonObject & { readonly entrypoints: readonly string[] },
  read: Pick<ReadPolicies, "sources"> & Partial<Pick<ReadPolicies, "data">>,
): Promise<{ readonly wasm: Uint8Array; readonly data: readonly string[]; readonly builtins: readonly string[] }> {
  const asking = about(toolchain, read);
  const compiled = await asking("compile", request);
  const builtins = texts(compiled["builtins"]);
  await refuseBuiltins(asking, request, builtins);
  const wasm = typeof compiled["wasm"] === "string" ? decodeBase64(compiled["wasm"]) : null;
  if (wasm === null) throw new SluiceError("toolchain-failed", "The policy compiler answered no module.");
  return { wasm, data: texts(compiled["requiredData"]), builtins };
}

/** What the compiler is asked for a set of policies, entry points apart. */
export function compileRequest({ rules, sources, data, moved }: ReadPolicies): JsonObject {
  const aggregate = { path: AGGREGATE_FILE, text: aggregateModule(rules), regoVersion: "v1" };
  return {
    files: [...sources.map(judgingFile), aggregate],
    schemas: INPUT_SCHEMAS,
    schemaByFile: Object.fromEntries(sources.flatMap(({ path, scope }) => (scope === null ? [] : [[path, scope]]))),
    strict: true,
    data: nestedText(dataOf({ data, moved })),
  };
}

/**
 * A built-in that fails inside of the module is seen in native policies; in imported ones it is undefined, as in OPA. What
 * modules answer otherwise than OPA does is asked of the host in both.
 */
function judgingFile(source: RegoSource): JsonObject {
  return { ...compilerFile(source), strictBuiltinErrors: source.rename === null, hostAnswers: true };
}

/** Requests about these policies: what the compiler refuses is said in the places of the files as they are written. */
function about(
  toolchain: Toolchain,
  read: Pick<ReadPolicies, "sources"> & Partial<Pick<ReadPolicies, "data">>,
): (op: ToolchainOp, body: JsonObject) => Promise<JsonObject> {
  return async (op, body) => {
    const answer = await toolchain.request(op, body);
    if (answer.ok) return answer.result;
    throw problemsError(asWritten(answer.errors, read));
  };
}

/** Names under `data` that neither a policy nor the host defines. */
export function absentData(names: readonly string[]): readonly string[] {
  const inventory = `data.${INVENTORY_PACKAGE}`;
  return names.filter(
    (name) => name !== inventory && !name.startsWith(`${inventory}.`) && !name.startsWith(`${inventory}[`),
  );
}

async function requireVersion(toolchain: Toolchain): Promise<void> {
  const answer = await toolchain.request("hello", {});
  if (!answer.ok) throw problemsError(answer.errors);
  const { opa } = answer.result;
  if (`opa ${opa}` === COMPILER_VERSION) return;
  throw new SluiceError(
    "toolchain-failed",
    `The policy compiler is OPA ${opa}; this Sluice is made for ${COMPILER_VERSION}.`,
    { fix: "npm run build" },
  );
}

/** The compiler says what the host must bring; asked again, it says where a name that we do not offer is used. */
async function refuseBuiltins(
  asking: (op: ToolchainOp, body: JsonObject) => Promise<JsonObject>,
  request: JsonObject,
  builtins: readonly string[],
): Promise<void> {
  const deniedBuiltins = builtins.filter((name) => !isOffered(name));
  if (deniedBuiltins.length === 0) return;
  await asking("compile", { ...request, deniedBuiltins });
  throw new SluiceError(
    "builtin-not-supported",
    `The policies call ${deniedBuiltins.join(", ")}, which Sluice does not offer.`,
  );
}

/** A name under `data` that nothing defines is undefined for ever: a rule that reads it would silently never speak. */
function refuseAbsentData(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new SluiceError(
    "policy-does-not-compile",
    `The policies read ${names.join(", ")}, which no policy and no data file defines.`,
  );
}

const COMPILER_CODES: Readonly<Record<string, Code>> = {
  "rego-unsafe-builtin": "builtin-not-supported",
  "rego-data": "data-not-readable",
  [DATA_CONFLICT]: "data-conflict",
};

/** What is wrong with the files themselves, as one error under the first code. */
export function refusal(problems: readonly PolicyProblem[]): SluiceError {
  const [first] = problems;
  const shown = problems
    .slice(0, MAXIMUM_SHOWN)
    .map((one) => (one.file === null ? one.message : `${place(one)} ${one.message}`));
  if (problems.length > MAXIMUM_SHOWN) shown.push(`and ${problems.length - MAXIMUM_SHOWN} more.`);
  const position = first?.file == null ? null : { file: first.file, line: first.line, column: first.column };
  return new SluiceError(first?.code ?? "internal", shown.join("\n"), { position });
}

/** What the compiler found wrong, as one error with the first position and at most five problems in words. */
export function problemsError(problems: readonly ToolchainProblem[]): SluiceError {
  const first = problems[0] as ToolchainProblem;
  if (!first.code.startsWith("rego-") && first.code !== "nesting") {
    return new SluiceError("toolchain-failed", `The policy compiler refused the request: ${first.message}`);
  }
  const code = COMPILER_CODES[first.code] ?? "policy-does-not-compile";
  const shown = problems.slice(0, MAXIMUM_SHOWN).map((one) => `${place(one)} ${one.message}`);
  if (problems.length > MAXIMUM_SHOWN) shown.push(`and ${problems.length - MAXIMUM_SHOWN} more.`);
  const position = first.file === null ? null : { file: first.file, line: first.line, column: first.column };
  return new SluiceError(code, shown.join("\n"), { position });
}

function place({ file, line, column }: Pick<ToolchainProblem, "file" | "line" | "column">): string {
  return [file ?? "policies", line, column].filter((part) => part !== null).join(":");
}

function fromEntry(
  { header, wasm }: CompiledEntry,
  digest: string,
  { files, data: read }: SelectedPolicies,
): PolicySet {
  const rules = header["rules"] as unknown as readonly Rule[];
  const readsInventory = header["readsInventory"] === true;
  const external = header["external"] as unknown as readonly ExternalUse[];
  const imported = new Set(header["importedFiles"] as readonly string[]);
  const moved = (header["moved"] as unknown as readonly [string[], string[]][]).map(([from, to]) => ({ from, to }));
  const data = dataOf({ data: read(), moved });
  const ofChange = rules.filter((rule) => rule.scope === "change");
  const changeFiles = new Set(ofChange.map((rule) => rule.file));
  const forResources = files.filter(
    ({ path }) => path.endsWith(".rego") && !changeFiles.has(path) && !imported.has(path),
  );
  const isOwn = (file: PolicyFile): boolean =>
    readsOnlyOwnParts(file) && !ofChange.some((rule) => mayAsk(file, rule.package));
  // Imported rules are given the object and what is done to it, and nothing else but what these two say.
  const looksAround =
    readsInventory ||
    external.length > 0 ||
    header["readsRecord"] === true ||
    rules.some((rule) => rule.imported?.constraint?.match.namespaceSelector != null);
  const isAlone = !looksAround && forResources.every(isOwn);
  return { rules, wasm, digest, readsInventory, data, external, readsOnlyOwnParts: isAlone };
}

function texts(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  if (isObject(value) || value !== undefined)
    throw new SluiceError("toolchain-failed", "The policy compiler answered a list of another shape.");
  throw new SluiceError("toolchain-failed", "The policy compiler's answer lacks a list.");
}
