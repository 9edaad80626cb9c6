/**
 * Reviews a second with ten templates of the kinds that Gatekeeper's library has, beside `gator bench`, which is looked for
 * in GATOR_BENCH and in PATH (`go install github.com/open-policy-agent/gatekeeper/v3/cmd/gator@v3.23.1` brings it; 3.20.1,
 * which the answers are held against, has no `bench`). One thread on each side, the same files, the same violations.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { JsonObject } from "../src/lib/canonical.ts";
import { openPolicyEngine } from "../src/policy/engine.ts";
import type { PolicyInput } from "../src/policy/input.ts";
import { document } from "../test/policy/support.ts";
import { type Scope, tempFolder } from "../test/support/temp.ts";
import { compile } from "./compile.ts";
import { TEN_TEMPLATES } from "./gatekeeper-templates.ts";
import { type BenchOptions, type Beside, type Measurement, type Row, timed } from "./measure.ts";
import { goodDeployment } from "./objects.ts";

const AREA = "gatekeeper";
const GATOR = process.env["GATOR_BENCH"] ?? "gator";
const OBJECTS = 200;
/** Each side in turn, since a machine has other things to do; the best turn of each counts. */
const TURNS = 3;
/** What the engine has by itself, with one thread instead of two. */
const LIMITS = { jobDeadlineMs: 2000, totalDeadlineMs: 30_000, memoryBytes: 256 * 1024 * 1024, workers: 1 };

export async function benchGatekeeper({ quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  progress("gatekeeper: compile");
  const objects = Array.from({ length: OBJECTS }, (_, at) => podOrDeployment(at));
  const inputs = objects.map(inputOf);
  const set = await compile(scope, TEN_TEMPLATES);
  const engine = openPolicyEngine(LIMITS);
  scope.after(() => engine.close());
  const found = await judge(() => engine.evaluate(set, inputs));
  const folder = benchFolder(scope, objects);
  let next = 0;
  const ways = [
    () => gatorBench(folder, found, quick ? 2 : 10),
    () => timed(quick ? 2 : 10, OBJECTS, () => judge(() => engine.evaluate(set, inputs))),
    () =>
      timed(quick ? 20 : 1000, 1, () => {
        const input = inputs[next++ % OBJECTS] as PolicyInput;
        return judge(() => engine.evaluate(set, [input]));
      }),
  ] as const;
  const best: (Measurement | null)[] = ways.map(() => null);
  for (let turn = 1; turn <= TURNS; turn++) {
    progress(`gatekeeper: turn ${turn} of ${TURNS}`);
    for (const [at, run] of ways.entries()) best[at] = faster(best[at] ?? null, await run());
  }
  const [gator = null, batch, single] = best;
  if (batch == null || single == null) throw new Error("our host was not measured");
  const peer: Beside = { kind: "peer", what: "gator bench, the same templates and objects", measured: gator };
  const what = `${TEN_TEMPLATES.length / 2} templates, reviews of ${OBJECTS} objects, ${found} violations`;
  return [
    { area: AREA, what: `${what}, all at once`, measured: batch, beside: [peer] },
    { area: AREA, what: `${what}, one at a time`, measured: single, beside: [peer] },
  ];
}

function faster(a: Measurement | null, b: Measurement | null): Measurement | null {
  return a === null || (b !== null && b.perSecond > a.perSecond) ? b : a;
}

/** Every third is as it should be, the others lack something each in its way. */
function podOrDeployment(at: number): JsonObject {
  const object = goodDeployment(`web-${at}`, `ns-${at % 20}`, { replicas: at % 7, privileged: at % 3 === 1 });
  if (at % 3 !== 2) return object;
  const { metadata, ...rest } = object;
  return { ...rest, metadata: { ...(metadata as JsonObject), labels: { app: `web-${at}` } } };
}

function inputOf(object: JsonObject): PolicyInput {
  const { name, namespace } = object["metadata"] as { name: string; namespace: string };
  const made = document(name, { kind: "Deployment", namespace, object });
  const { resource } = made;
  return resource === null
    ? made
    : { ...made, resource: { ...resource, id: { ...resource.id, group: "apps", version: "v1" } } };
}

/** @returns how many violations there are */
async function judge(evaluate: () => ReturnType<ReturnType<typeof openPolicyEngine>["evaluate"]>): Promise<number> {
  const { rulesExpected, rulesEvaluated, findings } = await evaluate();
  if (rulesEvaluated !== rulesExpected || rulesExpected === 0) throw new Error("not every rule answered");
  return findings.length;
}

function benchFolder(scope: Scope, objects: readonly JsonObject[]): string {
  const folder = tempFolder(scope);
  for (const { path, text } of TEN_TEMPLATES) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  writeFileSync(join(folder, "objects.yaml"), objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  return folder;
}

/** gator measures itself: one goroutine, one processor, the templates loaded before. An iteration reviews every object. */
function gatorBench(folder: string, expected: number, iterations: number): Measurement | null {
  const args = ["bench", "--filename", folder, "--engine", "rego", "--concurrency", "1", "--output", "json"];
  let text: string;
  try {
    text = execFileSync(GATOR, [...args, "--iterations", `${iterations}`, "--warmup", "2"], {
      encoding: "utf8",
      env: { ...process.env, GOMAXPROCS: "1" },
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return null;
  }
  return measuredBy(text, expected, iterations);
}

interface GatorResult {
  readonly reviewsPerSecond: number;
  readonly violationCount: number;
  /** As Go writes durations: "2.593285ms". */
  readonly latencies: { readonly p50: string; readonly p99: string };
}

function measuredBy(text: string, expected: number, iterations: number): Measurement {
  const [result] = JSON.parse(text) as GatorResult[];
  if (result === undefined) throw new Error("gator bench says nothing");
  if (result.violationCount !== expected * iterations)
    throw new Error(`gator finds ${result.violationCount} violations in ${iterations} rounds, we ${expected} in one`);
  const { p50, p99 } = result.latencies;
  return { perSecond: result.reviewsPerSecond, p50: milliseconds(p50), p99: milliseconds(p99) };
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, µs: 1e-3, ms: 1, s: 1000 };

function milliseconds(duration: string): number {
  const [, number = "", unit = ""] = /^([0-9.]+)(ns|µs|ms|s)$/.exec(duration) ?? [];
  return Number(number) * (UNITS[unit] ?? Number.NaN);
}
