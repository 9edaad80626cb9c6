/** A change to what judges that would lock everyone out, and one that would let its author in. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deployment, document, WEAKENED } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

const base = await makeGateWorld({ after });

async function unusable(world: World, head: Parameters<typeof propose>[1]): Promise<string> {
  const { governance, reasons } = await propose(world, head);
  assert.ok(reasons.some((reason) => reason.code === "new-judge-unusable"));
  return governance?.unusable ?? "";
}

test("keys that are over, or a role that nobody bears any more, lock everyone out", async (t) => {
  const world = base.copy(t);
  const over = (name: "ada" | "lin" | "jo" | "max") =>
    world.person(name, { keys: [{ ssh: world.publicKey(name), from: "2020-01-01", until: "2021-01-01" }] });
  const people = { ada: over("ada"), lin: over("lin"), jo: over("jo"), max: over("max") };
  const ended = world.propose({ files: { "trust/people.yaml": document({ people }) } });
  assert.match(await unusable(world, ended), /trust folder requires 1 approval and only 0 people/);
  const prod = { branch: "main", path: "clusters/prod", approvals: { count: 1, roles: ["pilot"] } };
  const roles = { "sluice.yaml": document({ version: 1, ignore: ["*.md"], targets: { prod } }) };
  assert.match(
    await unusable(world, world.propose({ files: roles })),
    /prod requires one of pilot and nobody has that role/,
  );
  const many = { "sluice.yaml": document({ version: 1, targets: { prod: { ...prod, approvals: { count: 9 } } } }) };
  assert.match(await unusable(world, world.propose({ files: many })), /prod requires 9 approvals and only 4 people/);
});

test("a weaker policy does not land for want of the second person, and so it cannot be used in a second step", async (t) => {
  const world = base.copy(t);
  const weaker = world.push({ files: WEAKENED });
  assert.deepEqual(await land(world), [["wait", "governance-approval-missing", null]]);
  const used = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) } });
  assert.deepEqual(await land(world), [["deny", "governance-approval-missing policy-denied", null]]);
  world.approve("ada", used, { tree: world.treeOf(used) }); // the author, who alone has come so far
  assert.deepEqual(await land(world), [["deny", "governance-approval-missing policy-denied", null]]);
  world.moveMain(weaker);
  world.approve("lin", weaker, { tree: world.treeOf(weaker) });
  assert.deepEqual(await land(world), [["allow", "", null]]);
});
