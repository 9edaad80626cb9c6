/** A change to what judges is refused when nothing could judge after it. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { configMap, document, NO_POLICIES, policy } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { makeGateWorld, propose } from "./gate-world.ts";

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
  assert.match(await unusable(world, head), /trust folder requires 1 approvals and only 0 people/);
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
