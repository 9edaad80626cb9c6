/**
 * The service is killed (SIGKILL) again and again while changes land. A moment is a number of things that happened since
 * the start: files of the log, the git store, the channel and the temporary folder (one for each look) that changed, lines
 * that were said. SLUICE_CHAOS_KILLS says
 * how often (25), SLUICE_CHAOS_SEED which moments.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, watch } from "node:fs";
import { test } from "node:test";
import { ServiceProcess, startService } from "../support/service.ts";
import { deployment, type Json } from "../support/shop.ts";
import type { Scope } from "../support/temp.ts";
import { makeWorld, type World } from "../support/world.ts";

const KILLS = Number(process.env["SLUICE_CHAOS_KILLS"] ?? 25);
const SEED = Number(process.env["SLUICE_CHAOS_SEED"] ?? Date.now() % 1_000_000);
const CHANGES = 20;
const MOST_EVENTS = 80;

/** Numbers from 0 up to 1 (Park and Miller's minimal generator). */
function drawer(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Resolves after so many changes below the world's data and channel, or things said, or when `commit` is released. */
async function momentOf(world: World, service: ServiceProcess, events: number, commit: string): Promise<void> {
  let left = events;
  const watchers: { close(): void }[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const count = (): void => {
        left -= 1;
        if (left <= 0) resolve();
      };
      for (const name of ["data", "channel", "tmp"]) {
        watchers.push(watch(world.path(name), { recursive: true }, count).on("error", count)); // a file came and went
      }
      service.child.stderr?.on("data", count);
      service.line("released", { commit }).then(() => resolve(), reject);
      if (left <= 0) resolve();
    });
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

async function killOnce(scope: Scope, world: World, events: number, commit: string): Promise<void> {
  const service = new ServiceProcess(scope, world);
  await once(service.child, "spawn");
  await momentOf(world, service, events, commit);
  await service.kill();
}

test(`${KILLS} kills while ${CHANGES} changes land: each decided once, released in order, and the log verifies`, async (t) => {
  t.diagnostic(`SLUICE_CHAOS_SEED=${SEED}`);
  const draw = drawer(SEED);
  const world = await makeWorld(t, {
    target: { approvals: { count: 0 } },
    gate: { repositories: { shop: { url: "./shop.git", poll: "100ms" } } },
  });
  mkdirSync(world.path("channel"), { recursive: true });
  const landed: string[] = [];
  const land = (): void => {
    const replicas = landed.length + 2;
    landed.push(world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas }) } }));
  };
  for (let kill = 0; kill < KILLS; kill++) {
    while (landed.length < Math.min(CHANGES, ((kill + 1) * CHANGES) / KILLS)) land();
    await killOnce(t, world, Math.floor(draw() * MOST_EVENTS), landed.at(-1) ?? "");
  }
  while (landed.length < CHANGES) land();

  const service = await startService(t, world);
  const { report: now } = await world.log<{ entries: readonly Json[] }>(["list", "--kind", "release", "--limit", "1"]);
  const newest = now.entries[0]?.["subject"] as { readonly commit?: string } | undefined;
  if (newest?.commit !== landed.at(-1)) await service.line("released", { commit: landed.at(-1) ?? "" });
  assert.deepEqual(await service.stop(), { code: 0, signal: null });

  await world.verifiedSize();
  assert.deepEqual(await commitsOf(world, "decision"), landed, "each landed commit has one decision, in order");
  assert.deepEqual(await commitsOf(world, "release"), landed, "and one release, in order");
  for (const [index] of landed.entries()) {
    assert.ok(
      existsSync(world.path(`channel/releases/${index + 1}/release.json`)),
      `release ${index + 1} is published`,
    );
  }
  assert.equal((await world.agent()).code, 0);
  assert.match(world.read("www/apps_%44eployment_apps_web"), new RegExp(`"replicas":${CHANGES + 1}\\b`));
});

/** Landed commits of all entries of a kind, oldest first. */
async function commitsOf(world: World, kind: string): Promise<readonly string[]> {
  const { report } = await world.log<{ entries: readonly Json[] }>(["list", "--kind", kind, "--limit", "1000"]);
  return report.entries.toReversed().map((entry) => (entry["subject"] as { readonly commit: string }).commit);
}
