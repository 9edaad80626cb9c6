/** What a forge's commit carries from the proposal that it lands, and what it does not. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deployment, document, policy } from "../support/shop.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const REPLICAS = { [WEB]: deployment("web", { replicas: 3 }) };
const NOT_JUDGED = ["deny", "merge-not-judged", null];

const base = await makeGateWorld({ after });

test("a squash and a merge of an allowed proposal carry its verdict", async (t) => {
  for (const how of ["squash", "merge"] as const) {
    const world = base.copy(t);
    const head = world.propose({ files: REPLICAS });
    assert.equal((await propose(world, head)).verdict, "allow");
    world[how](head);
    assert.deepEqual(await land(world), [["allow", "", how]]);
  }
});

test("a forge's commit that nobody judged before carries nothing", async (t) => {
  const world = base.copy(t);
  world.squash(world.propose({ files: REPLICAS }));
  assert.deepEqual(await land(world), [NOT_JUDGED]);
});

test("a squash of what somebody wrote who has left since carries nothing", async (t) => {
  const hours = (count: number) => Date.now() + count * 3_600_000;
  const left = `${new Date(hours(1)).toISOString().slice(0, 19)}Z`;
  const world = base.copy(t);
  const people = { ...(world.trust()["people"] as object), max: world.person("max", { left }) };
  const notice = world.push({ files: { "trust/people.yaml": document(world.trust({ people })) } });
  world.approve("lin", notice);
  assert.equal((await land(world))[0]?.[0], "allow");
  const head = world.propose({ by: "max", files: REPLICAS });
  assert.equal((await propose(world, head)).verdict, "allow");
  world.squash(head);
  const early = world.copy(t);
  assert.deepEqual(await land(early), [["allow", "", "squash"]]);
  const late = () => hours(24 * 31); // the receipt of his commit counts as now
  assert.deepEqual(await land(world, late), [NOT_JUDGED]);
});

test("a squash with another tree than the allowed one carries nothing", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: REPLICAS });
  await propose(world, head);
  const other = world.propose({ files: { [WEB]: deployment("web", { replicas: 9 }) } });
  world.squash(head, { tree: world.treeOf(other) });
  assert.deepEqual(await land(world), [NOT_JUDGED]);
});

test("a squash onto another commit than the one it was judged on carries nothing", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: REPLICAS });
  await propose(world, head);
  world.push({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 5 }) } });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  world.squash(head, { tree: world.treeOf(head) }); // takes back what landed meanwhile
  assert.deepEqual(await land(world), [NOT_JUDGED]);
});

test("a merge of another commit with the same content carries nothing", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: REPLICAS });
  await propose(world, head);
  world.merge(world.propose({ files: REPLICAS, message: "the same again" }));
  assert.deepEqual(await land(world), [NOT_JUDGED]);
});

test("a verdict is not carried once what judges is another", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: REPLICAS });
  await propose(world, head);
  world.configure("gate.yaml", () => ({ revoked: [world.fingerprint("max")] }));
  world.squash(head);
  assert.deepEqual(await land(world), [NOT_JUDGED]);
});

test("a waiver that ran out between the check and the landing waives nothing", async (t) => {
  const world = base.copy(t);
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const waiver = { rule: "no-privileged", target: "prod", resource: "Deployment/apps/web", reason: "r", owner: "ada" };
  const notice = world.push({ files: { "waivers.yaml": document([{ ...waiver, until: day(2) }]) } });
  world.approve("lin", notice);
  assert.equal((await land(world))[0]?.[0], "allow");
  const head = world.propose({ files: { [WEB]: deployment("web", { privileged: true }) } });
  assert.equal((await propose(world, head)).verdict, "allow");
  world.squash(head);
  const late = () => Date.now() + 3 * 86_400_000;
  assert.deepEqual(await land(world.copy(t), late), [["deny", "policy-denied", "squash"]]);
  assert.deepEqual(await land(world), [["allow", "", "squash"]]);
});

test("what was carried when it landed, and was held since, still counts below the next change", async (t) => {
  const world = base.copy(t);
  const first = world.propose({ files: REPLICAS });
  await propose(world, first);
  assert.equal((await world.hold()).code, 0);
  world.squash(first);
  await assert.rejects(land(world), { code: "release-held" });
  const second = world.propose({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 5 }) } });
  const { verdict, reasons } = await propose(world, second);
  assert.deepEqual([verdict, reasons], ["allow", []]);
  const revoking = world.copy(t);
  revoking.configure("gate.yaml", () => ({ revoked: [world.fingerprint("max")] }));
  const other = await propose(revoking, second);
  assert.deepEqual(
    other.reasons.map((one) => one.code),
    ["forge-not-permitted"],
    "by another judge it does not",
  );
  world.squash(second);
  assert.equal((await world.resume()).code, 0);
  assert.deepEqual(await land(world), [["allow", "", "squash"]]);
});

test("what makes the judge unusable after a proposal was allowed is a logged error, not a crash without a line", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: REPLICAS });
  await propose(world, head);
  world.configure("gate.yaml", () => ({ revoked: ["SHA256:short"] }));
  world.squash(head);
  assert.deepEqual(await land(world), [["error", "revoked-key-invalid", null]]);
  world.configure("gate.yaml", () => ({ revoked: [] }));
  assert.deepEqual(await land(world), [["allow", "", "squash"]]);
});

test("a branch that was rewritten behind the last release is refused", async (t) => {
  const world = base.copy(t);
  const before = world.tip();
  world.push({ files: REPLICAS });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  world.moveMain(
    world.propose({ from: before, files: { "clusters/prod/api.yaml": deployment("api", { replicas: 5 }) } }),
  );
  assert.deepEqual(await land(world), [["deny", "not-fast-forward", null]]);
});

test("a value that may be secret is masked in what a rule says of it", async (t) => {
  const telling = policy(
    "telling",
    `warn contains {"message": sprintf("uses %s", [value]), "fix": sprintf("not %s", [value])} if {
	value := input.pod.containers[_].spec.env[_].value
}`,
  );
  const world = await makeGateWorld(t, { files: { "policies/telling.rego": telling } });
  const secret = "hunter22-hunter22";
  const head = world.propose({ files: { [WEB]: deployment("web", { env: { TOKEN: secret } }) } });
  const decision = await propose(world, head);
  const [finding] = decision.findings;
  assert.deepEqual([finding?.message, finding?.fix], ["uses ***", "not ***"]);
  assert.ok(!JSON.stringify(decision).includes(secret));
});
