/** What approvals do beyond counting: stand in for a signature, grow old, and never stop a verdict. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deployment, document, policy } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const THREE = { [WEB]: deployment("web", { replicas: 3 }) };
const NOBODY = { signed: false, author: "nobody <nobody@example.net>" };
const STRICT = { "policies/strict.rego": policy("strict", `deny contains {"message": "x"} if input.pod.spec.hostPID`) };

const base = await makeGateWorld({ after }, { target: { approvals: { count: 1, roles: ["platform"] } } });

/** Approves by the command line, as people do. */
async function approve(world: World, by: "lin" | "jo", head: string): Promise<void> {
  assert.equal((await world.approveByCommand(by, head)).code, 0);
}

test("one person's key alone lands nothing: the approval that stands in for a signature is not the other person's too", async (t) => {
  const world = base.copy(t);
  const head = world.push({ files: THREE, ...NOBODY });
  await approve(world, "lin", head);
  assert.deepEqual(await land(world), [["deny", "unsigned-commit", null]]);
  await approve(world, "jo", head);
  assert.deepEqual(await land(world), [["allow", "", null]]);
});

test("one person's key alone does not change who is trusted, not even through the forge", async (t) => {
  const people = (world: World) => document(world.trust({ people: { lin: world.person("lin") } }));
  const world = base.copy(t);
  const head = world.squash(world.propose({ files: { "trust/people.yaml": people(world) }, ...NOBODY }));
  await approve(world, "lin", head);
  assert.deepEqual(await land(world), [["deny", "merge-not-judged", null]]);
});

test("an approval that meets the rule stands in for a forge's commit that nothing carries", async (t) => {
  const world = base.copy(t);
  const head = world.squash(world.propose({ files: THREE }));
  await approve(world, "lin", head);
  assert.deepEqual(await land(world), [["allow", "", null]]);
});

test("an approval of content that was released and left since does not bring it back", async (t) => {
  const world = base.copy(t);
  for (const files of [THREE, { [WEB]: deployment("web", { replicas: 4 }) }]) {
    const head = world.propose({ files });
    await approve(world, "lin", head);
    world.moveMain(head);
    assert.deepEqual(await land(world), [["allow", "", null]]);
  }
  const back = world.propose({ files: THREE });
  const { verdict, approvals } = await propose(world, back);
  assert.deepEqual([verdict, approvals.given], ["wait", []]);
  assert.ok(approvals.ignored.some((one) => one.code === "approval-outdated" && one.person === "lin"));
  await approve(world, "lin", back);
  assert.equal((await propose(world, back)).verdict, "allow");
});

test("an approval given for the whole branch counts also after its first commit was released", async (t) => {
  const world = await makeGateWorld(t);
  world.propose({ files: THREE });
  const head = world.commit({ files: STRICT });
  await approve(world, "lin", head);
  world.moveMain(head);
  assert.deepEqual(await land(world), [
    ["allow", "", null],
    ["allow", "", null],
  ]);
});

test("a reference among the approvals that is no approval at all stops no verdict", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: THREE });
  for (const [digit, what] of ["HEAD", "HEAD^{tree}", "HEAD:README.md"].entries()) {
    world.repo.git(["push", "--quiet", "origin", `${what}:refs/sluice/approvals/${`${digit}`.repeat(64)}`]);
  }
  await approve(world, "lin", head);
  const { verdict, approvals } = await propose(world, head);
  assert.deepEqual([verdict, approvals.given.map((one) => one.person)], ["allow", ["lin"]]);
  assert.deepEqual([...new Set(approvals.ignored.map((one) => one.code))], ["approval-malformed"]);
});

test("a malformed object among the approvals does not keep the gate from what was proposed", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: THREE });
  const tree = world.repo.rawTree([{ mode: "40000", name: ".git", id: world.treeOf(head) }]);
  const bad = world.repo.commitTree(tree);
  for (const digit of ["0", "f"]) {
    world.repo.git(["push", "--quiet", "origin", `${bad}:refs/sluice/approvals/${digit.repeat(64)}`]);
  }
  const waiting = await propose(world, head);
  assert.deepEqual([waiting.verdict, waiting.approvals.given], ["wait", []]);
  await approve(world, "lin", head);
  const { verdict, approvals } = await propose(world, head);
  assert.deepEqual([verdict, approvals.given.map((one) => one.person)], ["allow", ["lin"]]);
  assert.deepEqual(
    approvals.ignored.map((one) => [one.code, one.message]),
    Array(2).fill(["approval-malformed", "an approval is not read: git refuses what it names."]),
  );
});

test("who left between the check and the landing lends it no approval", async (t) => {
  const world = base.copy(t);
  const hours = (count: number) => Date.now() + count * 3_600_000;
  const leaving = world.person("lin", { left: `${new Date(hours(1)).toISOString().slice(0, 19)}Z` });
  const people = { ...(world.trust()["people"] as object), lin: leaving };
  const notice = world.push({ files: { "trust/people.yaml": document(world.trust({ people })) } });
  await approve(world, "lin", notice);
  assert.deepEqual(await land(world), [["allow", "", null]]);

  const head = world.propose({ files: THREE });
  await approve(world, "lin", head);
  assert.equal((await propose(world, head)).verdict, "allow");
  const early = world.copy(t);
  for (const one of [world, early]) one.squash(head);
  assert.deepEqual(await land(early), [["allow", "", "squash"]]);
  assert.deepEqual(await land(world, () => hours(2)), [["wait", "approval-missing", "squash"]]);
});

test("any number of references among the approvals stops no verdict and hides no approval", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: THREE });
  const names = Array.from({ length: 1_100 }, (_, at) => at.toString(16).padStart(64, "0"));
  for (const name of names) world.write(`tmp/${name}`, `rubbish ${name}`);
  const paths = names.map((name) => `${world.path(`tmp/${name}`)}\n`);
  const ids = world.repo.git(["hash-object", "-w", "--stdin-paths"], { input: paths.join("") }).split("\n");
  const lines = ids.map((id, at) => `create refs/sluice/approvals/${names[at]} ${id}\n`);
  world.repo.git(["update-ref", "--stdin"], { input: lines.join("") });
  world.repo.git(["push", "--quiet", "origin", "refs/sluice/approvals/*:refs/sluice/approvals/*"]);
  const waiting = await propose(world, head);
  assert.deepEqual([waiting.verdict, waiting.reasons.map((one) => one.code)], ["wait", ["approval-missing"]]);
  const told = waiting.approvals.ignored.filter((one) => one.code === "approval-unread").map((one) => one.message);
  assert.deepEqual(told, ["1000 more approvals are not of the right form."]);
  await approve(world, "lin", head);
  const { verdict, approvals } = await propose(world, head);
  assert.deepEqual([verdict, approvals.given.map((one) => one.person)], ["allow", ["lin"]]);
});

test("an approval that ran out between the check and the landing lends it nothing", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: THREE });
  world.approve("lin", head, { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
  assert.equal((await propose(world, head)).verdict, "allow");
  world.squash(head);
  const early = world.copy(t);
  assert.deepEqual(await land(early), [["allow", "", "squash"]]);
  assert.deepEqual(await land(world, () => Date.now() + 7_200_000), [["wait", "approval-missing", "squash"]]);
});
