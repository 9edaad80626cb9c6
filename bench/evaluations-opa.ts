/**
 * Our host beside OPA itself, which is looked for in OPA and in PATH (`go install github.com/open-policy-agent/opa@v1.22.0`
 * brings it): one document through the engine beside `opa run --server`, alone in the process beside `opa bench`; and what
 * more rules cost, and a new instance.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { canonicalJson, type JsonValue } from "../src/lib/canonical.ts";
import { benchPolicies } from "../src/policy/bench.ts";
import { openPolicyEngine } from "../src/policy/engine.ts";
import type { PolicyInput } from "../src/policy/input.ts";
import type { PolicyFile, PolicySet } from "../src/policy/policy-set.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";
import { type BenchOptions, type Beside, type Measurement, measurementOf, type Row, timed } from "./measure.ts";

const AREA = "evaluations";
const OPA = process.env["OPA"] ?? "opa";
const MEMORY_BYTES = 64 * 1024 * 1024;
const RULES = [1, 10, 100, 1000] as const;
const PACKAGE = "bench.gatekeeper_like";

interface One {
  readonly policy: PolicyFile;
  readonly set: PolicySet;
  readonly input: PolicyInput;
}

type Compile = (files: readonly PolicyFile[]) => Promise<PolicySet>;

export async function benchBesideOpa(one: One, compile: Compile, options: BenchOptions): Promise<readonly Row[]> {
  const { quick, scope, progress } = options;
  const folder = tempFolder(scope);
  writeFileSync(join(folder, "policy.rego"), one.policy.text);
  writeFileSync(join(folder, "input.json"), canonicalJson(one.input as unknown as JsonValue));
  const times = quick ? 200 : 5000;
  progress("evaluations: beside OPA's server");
  const engine = openPolicyEngine();
  scope.after(() => engine.close());
  await engine.evaluate(one.set, [one.input]);
  const ours = await timed(times, 1, () => engine.evaluate(one.set, [one.input]));
  const server = await opaServer(folder, scope, one.input, times);
  progress("evaluations: beside opa bench");
  const alone = await benchPolicies(one.set, [one.input], { rounds: times, memoryBytes: MEMORY_BYTES });
  const rows: Row[] = [
    {
      area: AREA,
      what: "one document at a time through the engine, the same policy",
      measured: ours,
      beside: [server],
    },
    {
      area: AREA,
      what: "one document on one instance, the same policy (policy bench)",
      measured: micros(alone.all),
      beside: [opaBench(folder)],
    },
  ];
  for (const count of RULES) {
    progress(`evaluations: ${count} rules`);
    rows.push(await benchRules(await compile(manyRules(count)), count, one.input, quick ? 5 : 200));
  }
  return rows;
}

function micros(times: readonly number[]): Measurement {
  const milliseconds = times.map((one) => one / 1000);
  return measurementOf(
    milliseconds,
    milliseconds.reduce((sum, one) => sum + one, 0),
  );
}

/** Each looks at a label of its own, as rules of many teams do. */
function manyRules(count: number): readonly PolicyFile[] {
  return Array.from({ length: count }, (_, at) => ({
    path: `policies/rule-${at}/policy.rego`,
    text: `# METADATA
# title: Rule ${at}
# custom:
#   id: rule-${at}
#   level: low
#   fix: Take the label away.
package bench.rule_${at}

deny contains {"message": "the label is there"} if input.resource.object.metadata.labels["label-${at}"]
`,
  }));
}

async function benchRules(set: PolicySet, count: number, input: PolicyInput, rounds: number): Promise<Row> {
  const { all, startMs, memoryBytes } = await benchPolicies(set, [input], { rounds, memoryBytes: MEMORY_BYTES });
  const size = `${Math.round(set.wasm.byteLength / 1024)} KiB of module, started in ${startMs.toFixed(1)} ms, ${Math.round(memoryBytes / 1024)} KiB of memory`;
  return { area: AREA, what: `one document, ${count} rules (${size})`, measured: micros(all), beside: [] };
}

/** Closed loop over one kept connection on a socket of its own. */
async function opaServer(folder: string, scope: Scope, input: PolicyInput, times: number): Promise<Beside> {
  const what = "opa run --server, over HTTP on a socket";
  const socket = join(folder, "opa.sock");
  const args = ["run", "--server", "--addr", `unix://${socket}`, "--log-level", "error", "--disable-telemetry"];
  const child = spawn(OPA, [...args, join(folder, "policy.rego")], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  scope.after(async () => {
    child.kill();
    await ended;
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver && !existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
  if (isOver) return { kind: "peer", what, measured: null };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = canonicalJson({ input: input as unknown as JsonValue });
  const ask = () => post(agent, socket, body);
  const found = JSON.parse(await ask()) as { result?: readonly unknown[] };
  if (found.result?.length === undefined || found.result.length === 0) throw new Error("OPA's server finds nothing");
  const measured = await timed(times, 1, ask);
  agent.destroy();
  return { kind: "peer", what, measured };
}

function post(agent: Agent, socketPath: string, body: string): Promise<string> {
  const path = `/v1/data/${PACKAGE.replaceAll(".", "/")}/deny`;
  return new Promise((resolve, reject) => {
    const asked = request({ agent, socketPath, path, method: "POST", headers: { "content-type": "application/json" } });
    asked.once("error", reject);
    asked.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => resolve(text));
    });
    asked.end(body);
  });
}

/** OPA measures itself: topdown, the query prepared once. It says no p99. */
function opaBench(folder: string): Beside {
  const what = "opa bench, the same policy and input";
  const args = ["bench", "-d", join(folder, "policy.rego"), "-i", join(folder, "input.json"), "-f", "json"];
  try {
    const text = execFileSync(OPA, [...args, `data.${PACKAGE}.deny`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { N, T } = JSON.parse(text) as { N: number; T: number };
    const perSecond = (N * 1e9) / T;
    return { kind: "peer", what, measured: { perSecond, p50: 1000 / perSecond, p99: Number.NaN } };
  } catch {
    return { kind: "peer", what, measured: null };
  }
}
