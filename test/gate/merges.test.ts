/** Merge commits inside a proposal: whoever signs one does not thereby sign for content that nobody proposed. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { commitId } from "../../src/git/object.ts";
import { deployment } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { makeGateWorld, propose } from "./gate-world.ts";

const base = await makeGateWorld({ after });
const files = (replicas: number) => ({ "clusters/prod/web.yaml": deployment("web", { replicas }) });

/** A commit of this tree and these parents, signed by ada, on a branch of the forge. */
function mergeOf(world: World, tree: string, parents: readonly string[]) {
  const ada = { signWith: world.key("ada"), author: "ada <ada@example.com>" };
  const head = world.repo.commitTree(tree, parents, ada);
  world.repo.git(["push", "--quiet", "--force", "origin", `${head}:refs/heads/merge`]);
  return head;
}

function treeOf(world: World, commit: string): string {
  return world.repo.git(["rev-parse", `${commit}^{tree}`]);
}

async function codesOf(world: World, head: string): Promise<readonly string[]> {
  const { reasons } = await propose(world, commitId(head));
  return reasons.map((reason) => reason.code);
}

test("a merge that is what merging gives is allowed, one that holds more is evil, one of a strange history unrelated", async (t) => {
  const world = base.copy(t);
  const one = world.propose({ files: files(3), branch: "one" });
  const two = world.propose({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 3 }) }, branch: "two" });
  const merged = world.repo.git(["merge-tree", "--write-tree", one, two]);
  assert.deepEqual(await codesOf(world, mergeOf(world, merged, [one, two])), []);
  assert.deepEqual(await codesOf(world, mergeOf(world, treeOf(world, one), [one, two])), ["evil-merge"]);
  const ada = { signWith: world.key("ada"), author: "ada <ada@example.com>" };
  const stranger = world.repo.commitTree(treeOf(world, two), [], ada);
  assert.deepEqual(await codesOf(world, mergeOf(world, treeOf(world, two), [two, stranger])), ["unrelated-merge"]);
  assert.deepEqual(await codesOf(world, mergeOf(world, merged, [one, two, stranger])), ["octopus-merge"]);
});
