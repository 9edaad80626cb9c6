/** A branch that was moved under the gate: each way has its own verdict, from what the gate released and saw land elsewhere. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { adoptTarget } from "../../src/gate/adopt.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { deployment } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, withGate } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const replicas = (count: number) => ({ [WEB]: deployment("web", { replicas: count }) });

const base = await makeGateWorld({ after });

test("a branch that is moved back to an older released state is denied as that, until it goes on", async (t) => {
  const world = base.copy(t);
  const adopted = world.tip();
  const [first, second] = [world.push({ files: replicas(3) }), world.push({ files: replicas(4) })];
  assert.deepEqual(await land(world), [
    ["allow", "", null],
    ["allow", "", null],
  ]);
  for (const older of [first, adopted]) {
    world.moveMain(older);
    assert.deepEqual(await land(world), [["deny", "branch-rollback", null]]);
  }
  world.moveMain(world.propose({ from: second, files: replicas(5) }));
  assert.deepEqual((await land(world)).at(-1), ["allow", "", null]);
});

test("a branch that is pointed at what landed on another one is denied as that", async (t) => {
  const world = await withStaging(t);
  const start = world.tip();
  const staged = world.propose({
    from: start,
    branch: "next",
    files: { "clusters/staging/web.yaml": deployment("web") },
  });
  assert.equal(await landStaging(world), "allow");
  world.moveMain(world.propose({ from: start, files: replicas(3) }));
  assert.deepEqual(await land(world), [["allow", "", null]]);
  world.moveMain(staged);
  assert.deepEqual(await land(world), [["deny", "branch-teleport", null]]);
  world.moveMain(world.propose({ from: start, files: replicas(7) }));
  assert.deepEqual(await land(world), [["deny", "not-fast-forward", null]], "a state that landed nowhere");
});

/** A second target, of the branch `next` of the same repository. */
async function withStaging(t: Parameters<World["copy"]>[0]): Promise<World> {
  const approvals = { count: 0 };
  const targets = {
    prod: { branch: "main", path: "clusters/prod", approvals },
    staging: { branch: "next", path: "clusters/staging", approvals },
  };
  const files = { "clusters/staging/web.yaml": deployment("web", { replicas: 2 }) };
  const world = await makeGateWorld(t, { sluice: { targets }, files });
  world.repo.git(["push", "--quiet", "origin", `${world.tip()}:refs/heads/next`]);
  world.configure("gate.yaml", (now) => {
    const staging = { repository: "shop", branch: "next", channels: [{ directory: "./staging" }] };
    return { targets: { ...(now["targets"] as object), staging } };
  });
  const adoption = { target: "staging", at: null, reason: "what runs", by: "ops" };
  await withGate(world, (gate) => adoptTarget(gate, adoption));
  return world;
}

async function landStaging(world: World): Promise<string | undefined> {
  const landed = await withGate(world, (gate) => judgeLandings(gate, "staging"));
  return landed.at(-1)?.admitted.decision.verdict;
}
