/** A preview knows the tip of the branch, not what a gate released last: it says by which it judged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

test("a preview on a branch whose tip was denied says that a gate judges by what it released last", async (t) => {
  const world = await makeGateWorld(t);
  const denied = world.push({
    files: { "clusters/prod/api.yaml": deployment("api", { privileged: true }) },
    signed: false,
  });
  assert.deepEqual(
    (await land(world)).map(([verdict]) => verdict),
    ["deny"],
  );
  const head = world.propose({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 3 }) } });
  const [atGate, preview] = [await propose(world, head), await world.sluice(["check", "--head", head])];
  assert.deepEqual(
    [atGate.verdict, atGate.reasons.map((one) => one.code), preview.code],
    ["deny", ["unsigned-commit"], 0],
    "the preview cannot know what the gate refused",
  );
  const line = preview.stdout.split("\n").find((one) => one.startsWith("judged by"));
  assert.equal(line, `judged by  ${denied.slice(0, 7)}, the tip of main; a gate judges by what it released last`);
});
