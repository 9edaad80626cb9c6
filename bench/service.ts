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
  const { judged, landing } = await manyProposals(world, service, quick ? 10 : PROPOSALS);
  await service.stop();
  const count = quick ? 10 : PROPOSALS;
  const row = (what: string, measured: Measurement, beside: Row["beside"] = []): Row => {
    return { area: "service", what, measured, beside };
  };
  return [
    row(`start to ready, ${REPOSITORIES} repositories (${megabytes} MB of memory when idle)`, started, [start]),
    row(`landing to release, ${REPOSITORIES} repositories polled every ${POLL}, from the push`, released),
    row("the same, from the look that saw it", seen),
    row(`${count} proposals pushed at once`, judged),
    row(`a landing among ${count} proposals, from the push`, landing),
  ];
}

/** One history in many bare repositories; the gate's target tN is released from repository rN alone. */
async function manyRepositories(scope: Scope): Promise<World> {
  const numbers = Array.from({ length: REPOSITORIES }, (_, at) => at);
  const target = (at: number): Json => ({ branch: "main", path: `clusters/t${at}`, approvals: { count: 0 } });
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
  const [fromPush, fromLook]: [number[], number[]] = [[], []];
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < REPOSITORIES; at++) {
      const line = await landed(world, service, at, 3 + round);
      fromPush.push(line.pushed);
      fromLook.push(Number(line.released["ms"]));
    }
  }
  const elapsed = performance.now() - began;
  return { released: measurementOf(fromPush, elapsed), seen: measurementOf(fromLook, elapsed) };
}

async function landed(world: World, service: ServiceProcess, at: number, replicas: number) {
  const commit = commitFor(world, at, `land-${at}`, replicas);
  const since = service.lines.length;
  const started = performance.now();
  world.repo.git(["push", "--quiet", join(world.folder, `r${at}.git`), `${commit}:refs/heads/main`]);
  const released: Line = await service.line("released", { commit }, since);
  return { pushed: performance.now() - started, released };
}

/** On a branch of its own, from what landed in that repository last. */
function commitFor(world: World, at: number, branch: string, replicas: number, author?: string): string {
  const tip = runGit(join(world.folder, `r${at}.git`), ["rev-parse", "main"])
    .toString()
    .trim();
  world.repo.git(["fetch", "--quiet", join(world.folder, `r${at}.git`), "main"]);
  world.repo.git(["checkout", "--quiet", "-B", branch, tip]);
  return world.repo.commit({
    files: { [`clusters/t${at}/web.yaml`]: deployment("web", { replicas }) },
    author: author ?? "ada <ada@example.com>",
    message: `replicas ${replicas}`,
    signWith: world.key("ada"),
  });
}

/** Proposals of many authors in one push; a landing in the same repository while half of them still wait. */
async function manyProposals(world: World, service: ServiceProcess, count: number) {
  const refs: string[] = [];
  for (let one = 0; one < count; one++) {
    const commit = commitFor(world, 0, `p-${one}`, 100 + one, `a${one % AUTHORS} <a${one % AUTHORS}@example.com>`);
    refs.push(`${commit}:refs/heads/proposals/${one}`);
  }
  const decided = (since: number): number =>
    new Set(
      service.lines
        .slice(since)
        .flatMap((line) => (line.msg === "decided" && line["subject"] === "proposed" ? [line["head"]] : [])),
    ).size;
  const since = service.lines.length;
  const started = performance.now();
  world.repo.git(["push", "--quiet", join(world.folder, "r0.git"), ...refs]);
  const half = Math.ceil(count / 2);
  await service.until(() => (decided(since) >= half ? true : undefined), "half of the proposals");
  const middle = await landed(world, service, 0, 9);
  await service.until(() => (decided(since) >= count ? true : undefined), "all proposals");
  const elapsed = performance.now() - started;
  const each = Array.from({ length: count }, () => elapsed / count);
  return { judged: measurementOf(each, elapsed), landing: measurementOf([middle.pushed], middle.pushed) };
}
