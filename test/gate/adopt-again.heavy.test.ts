/** A judge that cannot judge any more is repaired by two operators; sequence, log and releases go on. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { adoptAgain, adoptTarget } from "../../src/gate/adopt.ts";
import { readHistory } from "../../src/gate/history.ts";
import type { Clock } from "../../src/lib/time.ts";
import { deployment, policy } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";
import { land, makeGateWorld, withGate } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const web = (replicas: number) => ({ [WEB]: deployment("web", { replicas }) });
const base = await makeGateWorld({ after });

const again = (world: World, by: string, change: { at?: string; reason?: string } = {}, clock?: Clock) => {
  const wish = { target: "prod", at: change.at ?? null, reason: change.reason ?? "the judge is broken", by };
  return withGate(world, (gate) => adoptAgain(gate, wish), clock);
};
const history = (world: World) => withGate(world, (gate) => readHistory(gate.log, "prod"));
const bypasses = async (world: World) =>
  (await withGate(world, (gate) => gate.log.find({ kinds: ["bypass"], order: "oldest" }))).map(
    ({ leaf }) => leaf.verdict,
  );

/** What judged up to now cannot any more: gate.yaml names a branch that sluice.yaml does not. */
async function broken(t: { after(cleanup: () => void): void }): Promise<World> {
  const world = base.copy(t);
  world.push({ files: web(3) });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  const targets = JSON.parse(world.read("gate.yaml"))["targets"];
  world.repo.git(["push", "--quiet", "origin", "origin/main:refs/heads/live"]);
  world.configure("gate.yaml", () => ({ targets: { prod: { ...targets.prod, branch: "live" } } }));
  world.fetch();
  const yaml = JSON.parse(world.repo.git(["show", "origin/live:sluice.yaml"]));
  yaml.targets.prod.branch = "live";
  world.propose({ from: "origin/live", branch: "live", files: { "sluice.yaml": JSON.stringify(yaml) } });
  assert.deepEqual(await land(world), [["error", "branch-mismatch", null]]);
  return world;
}

test("two operators adopt again: what lands next is judged by that state, and sequence and log go on", async (t) => {
  const world = await broken(t);
  await assert.rejects(again(world, "sam"), { code: "second-operator-needed" });
  assert.equal((await history(world)).adoption.leaf.kind, "genesis");
  const { commit, baseline } = await again(world, "jo");
  assert.deepEqual([commit, baseline], [world.repo.git(["rev-parse", "origin/live"]), []]);
  const { judge, adopted, released, latestRelease } = await history(world);
  assert.deepEqual([judge, adopted, released, latestRelease?.release.sequence], [commit, commit, commit, 1]);
  assert.deepEqual(await bypasses(world), ["wait", "allow"]);
  assert.deepEqual(await land(world), []);
  world.fetch();
  world.propose({ from: "origin/live", branch: "live", files: web(4) });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  assert.deepEqual((await history(world)).latestRelease?.release.sequence, 2);
  assert.equal((await world.agent()).code, 0);
  await world.verifiedSize();
});

test("one operator alone, or twice, repairs nothing, nor does one who comes when it is done", async (t) => {
  const world = await broken(t);
  await assert.rejects(again(world, "sam"), { code: "second-operator-needed" });
  await assert.rejects(again(world, "sam"), { code: "second-operator-same" });
  await assert.rejects(
    again(world, "jo", {}, () => Date.now() + 16 * 60_000),
    { code: "second-operator-needed" },
  );
  assert.equal((await history(world)).adoption.leaf.kind, "genesis");
  await again(world, "jo");
  await assert.rejects(again(world, "lin"), { code: "second-operator-needed" });
  assert.deepEqual(await bypasses(world), ["wait", "wait", "allow", "wait"]);
  await assert.rejects(again(world, "kim", { reason: " " }), { code: "operator-unnamed" });
});

test("a state that could not judge either is not adopted", async (t) => {
  const world = await broken(t);
  world.fetch();
  world.propose({ from: "origin/live", branch: "live", files: { "policies/new/policy.rego": "package new\n\nx :=" } });
  await assert.rejects(again(world, "sam"), { code: "policy-does-not-compile" });
  assert.deepEqual(await bypasses(world), []);
});

test("what is found on that day does not count from then on, and only that", async (t) => {
  const world = await broken(t);
  const strict = policy("no-web", 'deny contains {"message": "no web", "at": ""} if input.resource.id.name == "web"');
  world.fetch();
  world.propose({ from: "origin/live", branch: "live", files: { "policies/no-web/policy.rego": strict } });
  await assert.rejects(again(world, "sam"), { code: "second-operator-needed" });
  assert.deepEqual((await again(world, "jo")).baseline.length, 1);
  world.fetch();
  world.propose({ from: "origin/live", branch: "live", files: { [WEB]: deployment("web", { privileged: true }) } });
  assert.deepEqual(await land(world), [["deny", "policy-denied", null]]);
});

test("a target without a first state is not adopted again, and one with a state not for the first time", async (t) => {
  const world = base.copy(t);
  const wish = { target: "prod", at: null, reason: "x", by: "ops" };
  await assert.rejects(
    withGate(world, (gate) => adoptTarget(gate, wish)),
    { code: "target-adopted" },
  );
  const empty = await makeWorld(t, { adopt: false });
  await assert.rejects(again(empty, "sam"), { code: "target-not-adopted" });
});
