/** A change to what judges is refused when nothing could judge after it. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { disclosedDecision } from "../../src/gate/record.ts";
import { configMap, document, NO_POLICIES, policy } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, propose, withGate } from "./gate-world.ts";

const base = await makeGateWorld({ after });

async function unusable(world: World, head: Parameters<typeof propose>[1]): Promise<string> {
  const { governance, reasons } = await propose(world, head);
  assert.ok(reasons.some((reason) => reason.code === "new-judge-unusable"));
  return governance?.unusable ?? "";
}

test("policies of which no rule selects anything could not judge the next change", async (t) => {
  const world = base.copy(t);
  const silent = policy("silent", `deny contains {"message": "x"} if input.pod`, ["match: {kinds: [Nothing]}"]);
  const head = world.propose({ files: { ...NO_POLICIES, "policies/silent.rego": silent } });
  assert.match(await unusable(world, head), /no rule that selects anything/);
});

test("a trust folder without anybody who could approve the next change to it is refused", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { "trust/people.yaml": document({ people: {} }) } });
  assert.match(await unusable(world, head), /trust folder requires 1 approval and only 0 people/);
});

test("a target that gate.yaml names neither goes nor moves to another branch", async (t) => {
  const world = base.copy(t);
  const [gone, moved] = [
    { other: { branch: "main", path: "clusters/prod" } },
    { prod: { branch: "next", path: "clusters/prod" } },
  ].map((targets) => ({ "sluice.yaml": document({ version: 1, ignore: ["*.md"], targets }) }));
  assert.match(await unusable(world, world.propose({ files: gone ?? {} })), /no target prod/);
  assert.match(await unusable(world, world.propose({ files: moved ?? {} })), /moves to branch next/);
});

test("a policy that becomes a link does not fall silent without a word", async (t) => {
  const world = base.copy(t);
  world.propose({ files: { "policies/no-privileged/policy.rego": null } });
  symlinkSync("../../README.md", join(world.repo.path, "policies/no-privileged/policy.rego"));
  assert.match(await unusable(world, world.commit()), /no-privileged\/policy\.rego is a link/);
});

test("what a new policy says wrongly of a value that may be secret is masked in the record", async (t) => {
  const secret = "hunter22-hunter22";
  const world = await makeGateWorld(t, { files: { "clusters/prod/key.yaml": configMap("key", { key: secret }) } });
  const telling = policy("telling", `deny contains {"message": "x", input.resource.object.data.key: 1}`, [
    "match: {kinds: [ConfigMap]}",
  ]);
  const head = world.propose({ files: { "policies/telling.rego": telling } });
  assert.match(await unusable(world, head), /cannot be evaluated.*\*\*\*/);
  assert.ok(!world.read("data/log.db").includes(secret));
});

test("the entry of a landed change to policies names what it puts in force, who signed it and who agreed", async (t) => {
  const world = base.copy(t);
  const before = world.tip();
  const more = policy("more", `deny contains {"message": "x"} if input.resource.object.data.more`);
  const head = world.propose({ files: { "policies/more.rego": more } });
  world.approve("lin", head);
  world.moveMain(head);
  assert.deepEqual(await land(world), [["allow", "", null]]);
  world.push({ files: { "clusters/prod/colours.yaml": configMap("colours", { colour: "red" }) } });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  const decisions = await withGate(world, async ({ log }) => {
    const entries = await log.find({ kinds: ["decision"], order: "oldest" });
    return entries.map(({ disclosed }) => disclosedDecision(disclosed));
  });
  const [activating, next] = decisions;
  assert.deepEqual([activating?.judge, next?.judge], [before, head]);
  const becomes = activating?.governance?.becomes;
  assert.match(becomes?.policies ?? "", /^[0-9a-f]{64}$/);
  assert.notEqual(becomes?.policies, activating?.digests.policies);
  assert.equal(becomes?.policies, next?.digests.policies, "these judge from then on");
  assert.deepEqual(
    activating?.verifications.map((one) => one.signer?.person),
    ["ada"],
  );
  assert.deepEqual(
    activating?.governance?.given.map(({ person }) => person),
    ["lin"],
  );
});
