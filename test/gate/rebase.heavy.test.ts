/** A forge's rebase of several commits: from proposal to landing, and what is no rebase of it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { changeHold } from "../../src/gate/holding.ts";
import type { CommitId } from "../../src/git/object.ts";
import { deployment, document, policy } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, propose, withGate } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const API = { "clusters/prod/api.yaml": deployment("api", { replicas: 7 }) };
const web = (replicas: number) => ({ [WEB]: deployment("web", { replicas }) });
const forges = (world: World, may: readonly string[]) => ({ github: { keys: [world.publicKey("forge")], may } });
const base = await withForge(["squash", "merge", "rebase"]);

async function withForge(may: readonly string[]): Promise<World> {
  const world = await makeGateWorld({ after });
  world.push({ files: { "trust/people.yaml": document(world.trust({ forges: forges(world, may) })) } });
  world.approve("lin", "origin/main", { tree: world.treeOf("origin/main") });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  return world;
}

/** Two commits on a branch, the second one judged. */
async function proposal(world: World): Promise<readonly [CommitId, CommitId]> {
  const first = world.propose({ files: web(3), branch: "two" });
  const second = world.commit({ files: web(4), branch: "two" });
  assert.equal((await propose(world, second)).verdict, "allow");
  return [first, second];
}

/** As the forge's button does: each commit anew on the tip, signed by the forge; `change` is another tree, or another signer. */
function rebase(
  world: World,
  commits: readonly string[],
  change: { last?: string; by?: "forge" | null } = {},
): CommitId {
  let onto: string = world.tip();
  for (const [at, commit] of commits.entries()) {
    const isLast = at === commits.length - 1;
    const by = isLast || change.by === undefined ? "forge" : change.by;
    onto = world.repo.commitTree(isLast && change.last !== undefined ? change.last : world.treeOf(commit), [onto], {
      author: "ada <ada@example.com>",
      committer: "GitHub <noreply@forge.example>",
      message: `rebased ${at}`,
      ...(by === null ? {} : { signWith: world.key(by) }),
    });
  }
  world.moveMain(onto);
  return onto as CommitId;
}

const NOT_JUDGED = ["deny", "merge-not-judged", null];

test("the last commit of a rebase carries the proposal; those before it are states that nobody judged", async (t) => {
  const world = base.copy(t);
  const tip = rebase(world, await proposal(world));
  assert.deepEqual(await land(world), [NOT_JUDGED, ["allow", "", "rebase"]]);
  const released = await withGate(world, (gate) => gate.log.find({ kinds: ["release"], order: "newest" }));
  assert.equal(released[0]?.leaf.subject["commit"], tip);
  assert.equal(released.length, 2);
  assert.deepEqual(await land(world), []);
});

test("the rebase of a single commit, a squash and a merge carry it too, whatever their message says", async (t) => {
  for (const how of ["rebase", "squash", "merge"] as const) {
    const world = base.copy(t);
    const head = world.propose({ files: web(3) });
    await propose(world, head);
    if (how === "rebase") rebase(world, [head]);
    else world[how](head, { message: "edited on the forge\n\nCo-authored-by: jo <jo@example.com>" });
    assert.deepEqual(await land(world), [["allow", "", how === "merge" ? "merge" : "squash"]]);
  }
});

test("a rebase that was held when it landed still counts below the next change", async (t) => {
  const world = base.copy(t);
  rebase(world, await proposal(world));
  await withGate(world, (gate) => changeHold(gate, "hold", { scope: "prod", reason: "migration", by: "sam" }));
  await assert.rejects(land(world), { code: "release-held" });
  await withGate(world, (gate) => changeHold(gate, "resume", { scope: "prod", reason: "done", by: "sam" }));
  world.push({ files: API });
  assert.deepEqual((await land(world)).at(-1), ["allow", "", null]);
});

test("a rebase with another tree, and one whose proposal nobody judged, carry nothing", async (t) => {
  const world = base.copy(t);
  const commits = await proposal(world);
  const other = world.treeOf(world.propose({ files: web(9) }));
  const unjudged = world.copy(t);
  rebase(world, commits, { last: other });
  assert.deepEqual(await land(world), [NOT_JUDGED, NOT_JUDGED]);
  const first = unjudged.propose({ files: web(5), branch: "new" });
  rebase(unjudged, [first, unjudged.commit({ files: web(6), branch: "new" })]);
  assert.deepEqual(await land(unjudged), [NOT_JUDGED, NOT_JUDGED]);
});

test("a tree that takes back what landed since the proposal was judged is no rebase of it", async (t) => {
  const world = base.copy(t);
  const stale = await proposal(world);
  const other = world.propose({ files: API });
  await propose(world, other);
  world.squash(other);
  assert.deepEqual(await land(world), [["allow", "", "squash"]]);
  rebase(world, [stale[1]]);
  assert.deepEqual(await land(world), [NOT_JUDGED]);
});

test("when the base moved, the proposal is judged again on it, and its rebase carries that", async (t) => {
  const world = base.copy(t);
  const [first, second] = await proposal(world);
  world.push({ files: API });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  const last = world.repo.git(["merge-tree", "--write-tree", world.tip(), second]);
  const stale = world.copy(t);
  rebase(stale, [first, second], { last });
  assert.deepEqual(await land(stale), [NOT_JUDGED, NOT_JUDGED]);
  assert.equal((await propose(world, second)).verdict, "allow");
  rebase(world, [first, second], { last });
  assert.deepEqual(await land(world), [NOT_JUDGED, ["allow", "", "rebase"]]);
});

test("a rebase is not carried once what judges is another", async (t) => {
  const world = base.copy(t);
  const commits = await proposal(world);
  const strict = policy("no-web", 'deny contains {"message": "no web", "at": ""} if input.resource.id.name == "shop"');
  const stricter = world.push({ files: { "policies/no-web/policy.rego": strict } });
  world.approve("lin", stricter, { tree: world.treeOf(stricter) });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  const last = world.repo.git(["merge-tree", "--write-tree", world.tip(), commits[1]]);
  rebase(world, commits, { last });
  assert.deepEqual((await land(world)).at(-1), NOT_JUDGED);
});

test("a forge that may only squash carries no rebase, nor does one commit of it that the forge did not sign", async (t) => {
  const squashing = await withForge(["squash", "merge"]);
  rebase(squashing, await proposal(squashing));
  assert.deepEqual(
    (await land(squashing)).map(([verdict, codes]) => [verdict, codes]),
    [NOT_JUDGED.slice(0, 2), NOT_JUDGED.slice(0, 2)],
  );
  const world = base.copy(t);
  rebase(world, await proposal(world), { by: null });
  assert.deepEqual(
    (await land(world)).map(([verdict]) => verdict),
    ["deny", "deny"],
  );
});
