/** Whose a changed path is: of a target of this branch, of what judges, ignored, or nobody's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
import { makeGateWorld, propose } from "./gate-world.ts";

const target = (branch: string, name: string) => ({ branch, path: `clusters/${name}`, approvals: { count: 0 } });
const STAGED = { "clusters/staging/web.yaml": deployment("web") };

test("a path that only a target of another branch holds is covered by nobody here, unless it is ignored", async (t) => {
  const targets = { prod: target("main", "prod"), staging: target("next", "staging"), test: target("main", "test") };
  const codes = async (ignore: readonly string[]) => {
    const world = await makeGateWorld(t, { sluice: { targets, ignore } });
    const { reasons, ignored } = await propose(world, world.propose({ files: STAGED }));
    return [reasons.map((one) => one.code), ignored];
  };
  assert.deepEqual(await codes([]), [["path-not-covered"], []]);
  assert.deepEqual(await codes(["clusters/staging/**"]), [[], Object.keys(STAGED)]);
});

test("a path of another target of this branch is that target's", async (t) => {
  const targets = { prod: target("main", "prod"), test: target("main", "test") };
  const world = await makeGateWorld(t, { sluice: { targets } });
  assert.equal(
    (await propose(world, world.propose({ files: { "clusters/test/web.yaml": deployment("web") } }))).verdict,
    "allow",
  );
});
