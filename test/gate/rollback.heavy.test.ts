/** What a rollback leaves behind stays behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployment, policy } from "../support/shop.ts";
import { land, makeGateWorld, rollback } from "./gate-world.ts";

const web = (replicas: number) => ({ "clusters/prod/web.yaml": deployment("web", { replicas }) });
const ALLOWED = [["allow", "", null]];

test("what already waits on the branch when somebody rolls back does not undo it; a later commit is released", async (t) => {
  const world = await makeGateWorld(t);
  for (const replicas of [3, 4]) {
    world.push({ files: web(replicas) });
    assert.deepEqual(await land(world), ALLOWED);
  }
  world.push({ files: { "README.md": "pushed, and nobody looked yet\n" } });
  assert.equal(await rollback(world, 1), "allow");
  assert.deepEqual(await land(world), []);
  world.push({ files: web(5) });
  assert.deepEqual(await land(world), ALLOWED);
});

test("a rollback that is denied leaves nothing behind: what waits on the branch is released", async (t) => {
  const world = await makeGateWorld(t);
  for (const replicas of [3, 4]) {
    world.push({ files: web(replicas) });
    assert.deepEqual(await land(world), ALLOWED);
  }
  const body = `deny contains {"message": "no three"} if input.resource.object.spec.replicas == 3`;
  const stricter = world.push({ files: { "policies/three.rego": policy("no-three", body) } });
  world.approve("lin", stricter);
  assert.equal((await land(world))[0]?.[0], "allow");
  world.push({ files: web(5) });
  assert.equal(await rollback(world, 1), "deny");
  assert.deepEqual(await land(world), ALLOWED);
});

test("a rollback needs no other signatures than its release did, where not every commit had to be signed", async (t) => {
  const world = await makeGateWorld(t, { target: { approvals: { count: 0 }, signatures: { require: "head" } } });
  for (const replicas of [3, 4]) {
    world.propose({ files: { "README.md": `${replicas}\n` }, signed: false });
    world.moveMain(world.commit({ files: web(replicas) }));
    assert.equal((await land(world)).at(-1)?.[0], "allow");
  }
  assert.equal(await rollback(world, 1), "allow");
});
