/** What a rollback leaves behind stays behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
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
