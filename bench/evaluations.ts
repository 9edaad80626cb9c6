/** Evaluations of compiled policies: our host beside the bare ABI and the npm package, and 200 objects through the engine. */
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { utf8 } from "../src/lib/bytes.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../src/lib/canonical.ts";
import { processMemo } from "../src/lib/memo.ts";
import { loadBuiltins } from "../src/policy/builtins.ts";
import { openPolicyEngine } from "../src/policy/engine.ts";
import { RESULT_ENTRYPOINT } from "../src/policy/entrypoints.ts";
import type { PolicyInput } from "../src/policy/input.ts";
import type { PolicyEngine, PolicySet } from "../src/policy/policy-set.ts";
import { remembering } from "../src/policy/verdict-memo.ts";
import { instantiate } from "../src/policy/wasm-instance.ts";
import { podOf } from "../src/render/pod.ts";
import { document } from "../test/policy/support.ts";
import type { Scope } from "../test/support/temp.ts";
import { compile } from "./compile.ts";
import { benchBesideOpa } from "./evaluations-opa.ts";
import { alternately, type BenchOptions, type Beside, type Measurement, type Row, timed } from "./measure.ts";
import { GATEKEEPER_LIKE, goodDeployment, library } from "./objects.ts";

const AREA = "evaluations";
const OBJECTS = 200;
const BATCHES = 10;
const MEMORY_BYTES = 64 * 1024 * 1024;
const OWN_KEYS: readonly string[] = ["pod", "resource"];

export async function benchEvaluations(options: BenchOptions): Promise<readonly Row[]> {
  const { seconds, quick, scope, progress } = options;
  progress("evaluations: compile");
  const one = await compile(scope, [GATEKEEPER_LIKE]);
  const all = await compile(scope, library());
  progress("evaluations: one document");
  const rows = [await benchDocument(one, seconds)];
  progress(`evaluations: ${OBJECTS} objects`);
  rows.push(...(await benchBatches(scope, all, quick ? 2 : BATCHES)));
  const input = inputOf(goodDeployment("web", "apps", { privileged: true }));
  const beside = { policy: GATEKEEPER_LIKE, set: one, input };
  return [...rows, ...(await benchBesideOpa(beside, (files) => compile(scope, files), options))];
}

function inputOf(object: JsonObject): PolicyInput {
  const { name, namespace } = object["metadata"] as { name: string; namespace: string };
  return { ...document(name, { kind: "Deployment", namespace, object }), pod: podOf(object) };
}

/** JSON text in, parsed JSON out, in all three hosts. */
async function benchDocument(set: PolicySet, seconds: number): Promise<Row> {
  const input = inputOf(goodDeployment("web", "apps", { privileged: true }));
  const text = canonicalJson(input as unknown as JsonValue);
  const hosts = [await ourHost(set, input), bareHost(set, utf8(text)), await npmHost(set, utf8(text))];
  const answers = hosts.map((evaluate) => findings(evaluate()));
  if (new Set(answers).size !== 1 || answers[0] === 0) throw new Error(`the hosts find ${answers.join(", ")} things`);
  const [ours, bare, npm] = alternately(seconds, hosts) as [Measurement, Measurement, Measurement];
  return {
    area: AREA,
    what: `one Gatekeeper-like policy, input of ${(text.length / 1000).toFixed(1)} kB, ${answers[0]} findings`,
    measured: ours,
    beside: [
      { kind: "limit", what: "the bare ABI, same module", measured: bare },
      { kind: "peer", what: "@open-policy-agent/opa-wasm, same module", measured: npm },
    ],
  };
}

function findings(answer: unknown): number {
  const sets = (answer as Record<string, { deny: readonly unknown[] }>)["gatekeeper-like"];
  return sets?.deny.length ?? 0;
}

/** As the worker does it: what documents share is in the module's memory already. */
async function ourHost(set: PolicySet, input: PolicyInput): Promise<() => unknown> {
  const instance = instantiate(new WebAssembly.Module(set.wasm), MEMORY_BYTES);
  instance.use(await loadBuiltins(instance.imports));
  const parts = Object.entries(input).map(([key, value]) => [key, utf8(canonicalJson(value as JsonValue))] as const);
  const isOwn = ([key]: readonly [string, Uint8Array]) => OWN_KEYS.includes(key);
  instance.share(Object.fromEntries(parts.filter((part) => !isOwn(part))));
  const own = Object.fromEntries(parts.filter(isOwn));
  const entrypoint = instance.entrypoints[RESULT_ENTRYPOINT] ?? -1;
  return () => JSON.parse(instance.evaluate(entrypoint, own) ?? "null");
}

interface BareExports {
  entrypoints(): number;
  opa_json_dump(value: number): number;
  opa_malloc(size: number): number;
  opa_json_parse(address: number, length: number): number;
  opa_heap_ptr_get(): number;
  opa_eval(
    reserved: number,
    entrypoint: number,
    data: number,
    input: number,
    length: number,
    heap: number,
    format: number,
  ): number;
}

/** The least that runs a module: no bounds, no built-ins, no care. Nobody can be faster with the same module. */
function bareHost(set: PolicySet, input: Uint8Array): () => unknown {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 1024 });
  const stop = () => {
    throw new Error("the module stopped");
  };
  const builtins = Object.fromEntries([0, 1, 2, 3, 4].map((arity) => [`opa_builtin${arity}`, stop]));
  const env = { memory, opa_abort: stop, opa_println: stop, ...builtins };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(set.wasm), { env });
  const wasm = instance.exports as unknown as BareExports;
  const decoder = new TextDecoder();
  const json = (address: number) => {
    const bytes = new Uint8Array(memory.buffer);
    return JSON.parse(decoder.decode(bytes.subarray(address, bytes.indexOf(0, address))));
  };
  const entrypoint = (json(wasm.opa_json_dump(wasm.entrypoints())) as Record<string, number>)[RESULT_ENTRYPOINT] ?? -1;
  const empty = wasm.opa_malloc(2);
  new Uint8Array(memory.buffer).set(utf8("{}"), empty);
  const data = wasm.opa_json_parse(empty, 2);
  const address = wasm.opa_heap_ptr_get();
  return () => {
    new Uint8Array(memory.buffer).set(input, address);
    const length = input.byteLength;
    return json(wasm.opa_eval(0, entrypoint, data, address, length, address + length, 0))[0].result;
  };
}

async function npmHost(set: PolicySet, input: Uint8Array): Promise<() => unknown> {
  const policy = await loadPolicy(Buffer.from(set.wasm), { initial: 64, maximum: 1024 });
  const text = new Uint8Array(input).buffer;
  return () => (policy.evaluate(text, RESULT_ENTRYPOINT) as { result: unknown }[])[0]?.result;
}

async function benchBatches(scope: Scope, set: PolicySet, times: number): Promise<readonly Row[]> {
  const inputs = Array.from({ length: OBJECTS }, (_, at) => inputOf(goodDeployment(`web-${at}`, `ns-${at % 20}`)));
  const what = (how: string) => `${OBJECTS} objects, ${set.rules.length} rules, ${how}`;
  const cold = await timed(Math.min(times, 3), OBJECTS, () => coldBatch(set, inputs));
  const engine = openPolicyEngine();
  scope.after(() => engine.close());
  await evaluateAll(engine, set, inputs);
  const warm = await timed(times, OBJECTS, () => evaluateAll(engine, set, inputs));
  const memory = remembering(engine, processMemo());
  await evaluateAll(memory, set, inputs);
  const remembered = await timed(times, OBJECTS, () => evaluateAll(memory, set, inputs));
  const peer = await npmBatch(set, inputs, times);
  return [
    { area: AREA, what: what("first batch of a process"), measured: cold, beside: [] },
    { area: AREA, what: what("each later batch"), measured: warm, beside: [peer] },
    { area: AREA, what: what("remembered"), measured: remembered, beside: [] },
  ];
}

async function coldBatch(set: PolicySet, inputs: readonly PolicyInput[]): Promise<void> {
  const engine = openPolicyEngine();
  await evaluateAll(engine, set, inputs);
  await engine.close();
}

async function evaluateAll(engine: PolicyEngine, set: PolicySet, inputs: readonly PolicyInput[]): Promise<void> {
  const { rulesExpected, rulesEvaluated } = await engine.evaluate(set, inputs);
  if (rulesEvaluated !== rulesExpected || rulesExpected === 0) throw new Error("not every rule answered");
}

/** Warm, in one thread, without deadline or counting; not run where the package lacks a built-in of the library. */
async function npmBatch(set: PolicySet, inputs: readonly PolicyInput[], times: number): Promise<Beside> {
  const what = `@open-policy-agent/opa-wasm, same module, ${inputs.length} documents`;
  const policy = await loadPolicy(Buffer.from(set.wasm), { initial: 64, maximum: 1024 });
  const run = () => inputs.map((input) => policy.evaluate(input, RESULT_ENTRYPOINT));
  try {
    run();
  } catch {
    return { kind: "peer", what, measured: null };
  }
  return { kind: "peer", what, measured: await timed(times, inputs.length, run) };
}
