/** Policy files to a policy set: read METADATA, generate the aggregate, compile, and keep the result by content. */
import { decodeBase64 } from "../lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../lib/canonical.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { AGGREGATE_FILE, aggregateModule, RESULT_ENTRYPOINT, ruleEntrypoint } from "./aggregate.ts";
import { isOffered } from "./builtins.ts";
import type { CompiledCache, CompiledEntry } from "./compiled-cache.ts";
import { INPUT_SCHEMAS } from "./input-schema.ts";
import { readMetadata } from "./metadata.ts";
import type { PolicyFile, PolicySet, Rule } from "./policy-set.ts";
import { isObject, type Toolchain, type ToolchainOp, type ToolchainProblem } from "./toolchain.ts";
import { mayAsk, readsOnlyOwnParts } from "./verdict-memo.ts";

/** The compiler that this Sluice is made for; part of every digest, so that another one is never mistaken for it. */
export const COMPILER_VERSION = "opa 1.22.0";
/** Counts up with every change of the aggregate, of what METADATA or the input mean, of the built-ins or the host. */
const HOST_VERSION = 4;

const MAXIMUM_FILES = 10_000;
const MAXIMUM_BYTES = 16 * 1024 * 1024;
const MAXIMUM_SHOWN = 5;
/** Read by OPA beside the policies; refused by name, so that it is not overlooked. */
export const DATA_FILE = /(?:^|\/)data\.(?:json|ya?ml)$/;

export interface PolicySetSource {
  readonly toolchain: Toolchain;
  /** As found in the tree; tests and whatever is not Rego are left out here. */
  readonly files: readonly PolicyFile[];
  readonly cache: CompiledCache;
}

/**
 * @throws SluiceError `no-policies`, `policy-does-not-compile`, `policy-metadata`, `builtin-not-supported`,
 * `not-supported` (data files), and the toolchain's own. Served by the cache, the toolchain is not started.
 */
export async function buildPolicySet({ toolchain, files, cache }: PolicySetSource): Promise<PolicySet> {
  const policies = selectPolicies(files);
  const digest = digestOf(policies);
  const name = sha256Hex(canonicalJson({ digest, schemas: INPUT_SCHEMAS }));
  const cached = cache.read(name);
  if (cached !== null) return fromEntry(cached, digest, policies);
  const entry = await compile(toolchain, policies);
  cache.write(name, entry);
  return fromEntry(entry, digest, policies);
}

function selectPolicies(files: readonly PolicyFile[]): readonly PolicyFile[] {
  const data = files.find((file) => DATA_FILE.test(file.path));
  if (data !== undefined) {
    throw new SluiceError(
      "not-supported",
      `${data.path} is a data file; policies are given no data yet. Write it as constants in a Rego package.`,
    );
  }
  const policies = files
    .filter((file) => file.path.endsWith(".rego") && !file.path.endsWith("_test.rego"))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  if (policies.length === 0) throw noPolicies();
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
  return policies;
}

function digestOf(policies: readonly PolicyFile[]): string {
  const listed = policies.map(({ path, text }) => [path, sha256Hex(text)]);
  return sha256Hex(canonicalJson({ policies: listed, compiler: COMPILER_VERSION, host: HOST_VERSION }));
}

async function compile(toolchain: Toolchain, policies: readonly PolicyFile[]): Promise<CompiledEntry> {
  await requireVersion(toolchain);
  const files = policies.map(({ path, text }) => ({ path, text }));
  const { rules, scopeByFile } = readMetadata(await ask(toolchain, "inspect", { files }));
  if (rules.length === 0) throw noPolicies();
  const request = compileRequest(policies, rules, scopeByFile);
  const entrypoints = [RESULT_ENTRYPOINT, ...rules.map((_, index) => ruleEntrypoint(index))];
  const compiled = await ask(toolchain, "compile", { ...request, entrypoints });
  await refuseBuiltins(toolchain, request, texts(compiled["builtins"]));
  refuseAbsentData(texts(compiled["requiredData"]));
  const wasm = typeof compiled["wasm"] === "string" ? decodeBase64(compiled["wasm"]) : null;
  if (wasm === null) throw new SluiceError("toolchain-failed", "The policy compiler answered no module.");
  return { header: { rules: rules as unknown as readonly JsonObject[] }, wasm };
}

/** What the compiler is asked for a set of policies, entry points apart. */
export function compileRequest(
  policies: readonly PolicyFile[],
  rules: readonly Rule[],
  scopeByFile: Readonly<Record<string, string>>,
): JsonObject {
  const files = policies.map(({ path, text }) => ({ path, text }));
  return {
    files: [...files, { path: AGGREGATE_FILE, text: aggregateModule(rules) }],
    schemas: INPUT_SCHEMAS,
    schemaByFile: scopeByFile,
    strict: true,
  };
}

async function requireVersion(toolchain: Toolchain): Promise<void> {
  const { opa } = await ask(toolchain, "hello", {});
  if (`opa ${opa}` === COMPILER_VERSION) return;
  throw new SluiceError(
    "toolchain-failed",
    `The policy compiler is OPA ${opa}; this Sluice is made for ${COMPILER_VERSION}.`,
    { fix: "npm run build" },
  );
}

/** The compiler says what the host must bring; asked again, it says where a name that we do not offer is used. */
async function refuseBuiltins(toolchain: Toolchain, request: JsonObject, builtins: readonly string[]): Promise<void> {
  const deniedBuiltins = builtins.filter((name) => !isOffered(name));
  if (deniedBuiltins.length === 0) return;
  await ask(toolchain, "compile", { ...request, entrypoints: [RESULT_ENTRYPOINT], deniedBuiltins });
  throw new SluiceError(
    "builtin-not-supported",
    `The policies call ${deniedBuiltins.join(", ")}, which Sluice does not offer.`,
  );
}

/** A name under `data` that no policy defines is undefined for ever: a rule that reads it would silently never speak. */
function refuseAbsentData(names: readonly string[]): void {
  if (names.length === 0) return;
  throw new SluiceError("policy-does-not-compile", `The policies read ${names.join(", ")}, which no policy defines.`);
}

async function ask(toolchain: Toolchain, op: ToolchainOp, body: JsonObject): Promise<JsonObject> {
  const answer = await toolchain.request(op, body);
  if (answer.ok) return answer.result;
  throw problemsError(answer.errors);
}

/** What the compiler found wrong, as one error with the first position and at most five problems in words. */
export function problemsError(problems: readonly ToolchainProblem[]): SluiceError {
  const first = problems[0] as ToolchainProblem;
  if (!first.code.startsWith("rego-") && first.code !== "nesting") {
    return new SluiceError("toolchain-failed", `The policy compiler refused the request: ${first.message}`);
  }
  const code = first.code === "rego-unsafe-builtin" ? "builtin-not-supported" : "policy-does-not-compile";
  const shown = problems.slice(0, MAXIMUM_SHOWN).map((one) => `${place(one)} ${one.message}`);
  if (problems.length > MAXIMUM_SHOWN) shown.push(`and ${problems.length - MAXIMUM_SHOWN} more.`);
  const position = first.file === null ? null : { file: first.file, line: first.line, column: first.column };
  return new SluiceError(code, shown.join("\n"), { position });
}

function place({ file, line, column }: ToolchainProblem): string {
  return [file ?? "policies", line, column].filter((part) => part !== null).join(":");
}

function fromEntry({ header, wasm }: CompiledEntry, digest: string, policies: readonly PolicyFile[]): PolicySet {
  const rules = header["rules"] as unknown as readonly Rule[];
  const ofChange = rules.filter((rule) => rule.scope === "change");
  const changeFiles = new Set(ofChange.map((rule) => rule.file));
  const forResources = policies.filter((file) => !changeFiles.has(file.path));
  const isOwn = (file: PolicyFile): boolean =>
    readsOnlyOwnParts(file) && !ofChange.some((rule) => mayAsk(file, rule.package));
  return { rules, wasm, digest, readsOnlyOwnParts: forResources.every(isOwn) };
}

function texts(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  if (isObject(value) || value !== undefined)
    throw new SluiceError("toolchain-failed", "The policy compiler answered a list of another shape.");
  throw new SluiceError("toolchain-failed", "The policy compiler's answer lacks a list.");
}

function noPolicies(): SluiceError {
  return new SluiceError("no-policies", "There is no policy: nothing would be judged, so nothing is approved.", {
    fix: "sluice init writes three to start from; or point `policies:` in sluice.yaml at the right folder",
  });
}
