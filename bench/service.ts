/** `sluice serve` as a process: how soon what lands is released, how many proposals it judges, what it costs when idle. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { adoptTarget } from "../src/gate/adopt.ts";
import { withGate } from "../test/gate/gate-world.ts";
import { runGit } from "../test/support/repository.ts";
import { type Line, ServiceProcess } from "../test/support/service.ts";
import { deployment, type Json } from "../test/support/shop.ts";
import type { Scope } from "../test/support/temp.ts";
import { makeWorld, type World } from "../test/support/world.ts";
import { type BenchOptions, type Measurement, measurementOf, type Row } from "./measure.ts";
import { nodeStart, useBuilt } from "./world.ts";

const REPOSITORIES = 10;
const POLL = "500ms";
const ROUNDS = 3;
const PROPOSALS = 200;
const AUTHORS = 20;
/** Spread over the time in which the proposals are judged. */
const LANDINGS_AMONG = 5;
const STARTS = 5;
const SETTLED_MS = 2000;

export async function benchService({ quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  progress(`service: ${REPOSITORIES} repositories, each with a target of its own`);
  useBuilt(scope);
  const world = await manyRepositories(scope);
  progress("service: start");
  const { started, megabytes } = await starts(scope, world, quick ? 1 : STARTS);
  const start = await nodeStart();
  const service = await ready(scope, world);
  progress("service: landings");
  const { released, seen } = await landings(world, service, quick ? 1 : ROUNDS);
  progress(`service: ${PROPOSALS} proposals at once`);
  const count = quick ? 10 : PROPOSALS;
  const { judged, among } = await manyProposals(world, service, count, quick ? 1 : LANDINGS_AMONG);
  await service.stop();
  const row = (what: string, measured: Measurement, beside: Row["beside"] = []): Row => {
    return { area: "service", what, measured, beside };
  };
  return [
    row(`start to ready, ${REPOSITORIES} repositories (${megabytes} MB of memory when idle)`, started, [start]),
    row(
      `landing to release, ${REPOSITORIES} repositories polled every ${POLL}, from the push${slowest(released)}`,
      measured(released),
    ),
    row(`the same, from the look that saw it${slowest(seen)}`, measured(seen)),
    row(`${count} proposals pushed at once`, judged),
    row(`a landing among them, from the push${slowest(among.pushed)}`, measured(among.pushed)),
    row(`the same, from the look that saw it${slowest(among.looked)}`, measured(among.looked)),
  ];
}

function measured(latencies: readonly number[]): Measurement {
  return measurementOf(
    latencies,
    latencies.reduce((sum, one) => sum + one, 0),
  );
}

/** Few as they are, the last ones say more than a share of a hundred. */
function slowest(latencies: readonly number[]): string {
  const sorted = latencies.toSorted((a, b) => a - b).map(Math.round);
  const p95 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
  return ` (p95 ${p95} ms, slowest ${sorted.at(-1)} ms)`;
}

/** One history in many bare repositories; the gate's target tN is released from repository rN alone. */
async function manyRepositories(scope: Scope): Promise<World> {
  const numbers = Array.from({ length: REPOSITORIES }, (_, at) => at);
  const signatures = { require: "every-commit", signer: "any" }; // one key signs for all authors
  const target = (at: number): Json => {
    return { branch: "main", path: `clusters/t${at}`, approvals: { count: 0 }, signatures };
  };
  const world = await makeWorld(scope, {
    adopt: false,
    sluice: { targets: Object.fromEntries(numbers.map((at) => [`t${at}`, target(at)])) },
    files: {
      "clusters/prod/web.yaml": null,
      "clusters/prod/api.yaml": null,
      "clusters/prod/colours.yaml": null,
      ...Object.fromEntries(numbers.map((at) => [`clusters/t${at}/web.yaml`, deployment("web")])),
    },
    gate: {
      repositories: Object.fromEntries(
        numbers.map((at) => [`r${at}`, { url: `./r${at}.git`, poll: POLL, proposals: ["refs/heads/proposals/*"] }]),
      ),
      targets: Object.fromEntries(
        numbers.map((at) => [
          `t${at}`,
          { repository: `r${at}`, branch: "main", channels: [{ directory: `./channels/t${at}` }] },
        ]),
      ),
    },
  });
  for (const at of numbers)
    runGit(world.folder, ["clone", "--quiet", "--template=", "--bare", "shop.git", `r${at}.git`]);
  await withGate(world, async (gate) => {
    for (const at of numbers) await adoptTarget(gate, { target: `t${at}`, at: null, reason: "bench", by: "ops" });
  });
  return world;
}

async function ready(scope: Scope, world: World): Promise<ServiceProcess> {
  const service = new ServiceProcess(scope, world);
  await service.line("ready");
  return service;
}

/** From the command to the line that says ready; the first stays a little to be weighed. */
async function starts(scope: Scope, world: World, times: number) {
  let megabytes = 0;
  const latencies: number[] = [];
  for (let at = 0; at < times; at++) {
    const began = performance.now();
    const service = await ready(scope, world);
    latencies.push(performance.now() - began);
    if (at === 0) {
      await new Promise((done) => setTimeout(done, SETTLED_MS));
      megabytes = residentMegabytes(service.child.pid ?? 0);
    }
    await service.stop();
  }
  const elapsed = latencies.reduce((sum, one) => sum + one, 0);
  return { started: measurementOf(latencies, elapsed), megabytes };
}

/** Of the process and nothing that it started. */
function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** One after the other in every repository: the next lands when the one before is released. */
async function landings(world: World, service: ServiceProcess, rounds: number) {
  const [released, seen]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < REPOSITORIES; at++) {
      const line = await landed(world, service, at, 3 + round);
      released.push(line.pushed);
      seen.push(Number(line.released["ms"]));
    }
  }
  return { released, seen };
}

async function landed(world: World, service: ServiceProcess, at: number, replicas: number) {
  const commit = commitFor(world, at, `land-${at}`, "web", replicas);
  const since = service.lines.length;
  const started = performance.now();
  world.repo.git(["push", "--quiet", join(world.folder, `r${at}.git`), `${commit}:refs/heads/main`]);
  const released: Line = await service.line("released", { commit }, since);
  return { pushed: performance.now() - started, released };
}

/** On a branch of its own, from what landed in that repository last. */
function commitFor(world: World, at: number, branch: string, name: string, replicas: number, author?: string): string {
  const tip = runGit(join(world.folder, `r${at}.git`), ["rev-parse", "main"])
    .toString()
    .trim();
  world.repo.git(["fetch", "--quiet", join(world.folder, `r${at}.git`), "main"]);
  world.repo.git(["checkout", "--quiet", "-B", branch, tip]);
  return world.repo.commit({
    files: { [`clusters/t${at}/${name}.yaml`]: deployment(name, { replicas }) },
    author: author ?? "ada <ada@example.com>",
    message: `replicas ${replicas}`,
    signWith: world.key("ada"),
  });
}

/**
 * Proposals of many authors in one push, each with an object of its own, so that all can be allowed; commits that land in
 * the same repository while they wait make every one that has an answer be judged again.
 */
async function manyProposals(world: World, service: ServiceProcess, count: number, among: number) {
  const refs: string[] = [];
  for (let one = 0; one < count; one++) {
    const author = `a${one % AUTHORS} <a${one % AUTHORS}@example.com>`;
    refs.push(`${commitFor(world, 0, `p-${one}`, `p-${one}`, 3, author)}:refs/heads/proposals/${one}`);
  }
  const since = service.lines.length;
  const answers = (): readonly Line[] => {
    const isProposal = ({ msg, subject }: Line): boolean => msg === "decided" && subject === "proposed";
    return service.lines.slice(since).filter(isProposal);
  };
  const decided = (least: number) => () => new Set(answers().map(({ head }) => head)).size >= least || undefined;
  const started = performance.now();
  world.repo.git(["push", "--quiet", join(world.folder, "r0.git"), ...refs]);
  const [pushed, looked]: [number[], number[]] = [[], []];
  for (let at = 1; at <= among; at++) {
    await service.until(decided(Math.ceil((count * at) / (among + 1))), "a part of the proposals");
    const line = await landed(world, service, 0, 100 + at);
    pushed.push(line.pushed);
    looked.push(Number(line.released["ms"]));
  }
  await service.until(decided(count), "all proposals");
  const elapsed = performance.now() - started;
  const other = answers().find(({ verdict }) => verdict !== "allow");
  if (other !== undefined) throw new Error(`not what is measured here: ${JSON.stringify(other)}`);
  const each = Array.from({ length: count }, () => elapsed / count);
  return { judged: measurementOf(each, elapsed), among: { pushed, looked } };
}
