/** Two operators release what approvals and policies keep back; every other refusal stands, and so does every record. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { releaseInEmergency } from "../../src/gate/emergency.ts";
import { changeHold } from "../../src/gate/holding.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { disclosedDecision } from "../../src/gate/record.ts";
import type { Gate } from "../../src/gate/wiring.ts";
import type { Clock } from "../../src/lib/time.ts";
import type { EntryKind } from "../../src/log/entry.ts";
import { configMap, deployment, document } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, withGate } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const PRIVILEGED = { [WEB]: deployment("web", { privileged: true }) };
const base = await makeGateWorld({ after }, { target: {} }); // one approval by role platform

const words = { target: "prod", reason: "the shop is down", ticket: "INC-77" };
const say = (world: World, by: string, clock?: Clock, change: Partial<typeof words> = {}) =>
  withGate(world, (gate) => releaseInEmergency(gate, { ...words, ...change, by }), clock);
const entries = (world: World, kind: EntryKind) =>
  withGate(world, (gate) => gate.log.find({ kinds: [kind], order: "oldest" }));
const verdicts = async (world: World) => (await entries(world, "emergency")).map(({ leaf }) => leaf.verdict);
const minutesLater = (minutes: number) => () => Date.now() + minutes * 60_000;

test("two operators release a tip that lacks approvals and breaks a rule; the log says so in kinds of its own", async (t) => {
  const world = base.copy(t);
  const tip = world.push({ files: PRIVILEGED });
  await assert.rejects(say(world, "sam"), { code: "second-operator-needed" });
  assert.deepEqual(await entries(world, "release"), []);
  const [landed] = await say(world, "jo");
  const { decision } = landed?.admitted ?? {};
  assert.deepEqual([decision?.verdict, landed?.released?.release.commit], ["allow", tip]);
  const codes = ["approval-missing", "emergency-release", "policy-denied"];
  assert.deepEqual(
    decision?.reasons.map(({ code }) => code),
    codes,
  );
  assert.deepEqual(
    decision?.emergency?.operators.map(({ person, ticket }) => [person, ticket]),
    [
      ["sam", "INC-77"],
      ["jo", "INC-77"],
    ],
  );
  assert.deepEqual(await verdicts(world), ["wait", "allow"]);
  const [second] = (await entries(world, "emergency")).slice(1);
  assert.deepEqual(second?.disclosed["standsInFor"]?.value, ["approval-missing", "policy-denied"]);
  assert.deepEqual((await entries(world, "decision")).at(-1)?.leaf.reasons, codes);
  assert.equal((await world.agent()).code, 0);
  assert.match(world.files("www").join(" "), /web/);
});

test("what it stood for is not forgiven: the next change is judged as ever", async (t) => {
  const world = base.copy(t);
  world.push({ files: PRIVILEGED });
  await assert.rejects(say(world, "sam"), { code: "second-operator-needed" });
  await say(world, "jo");
  world.push({ files: { "clusters/prod/colours.yaml": configMap("colours", { colour: "red" }) } });
  assert.deepEqual(await land(world), [["deny", "approval-missing policy-denied", null]]);
});

test("one operator, or one person twice, releases nothing", async (t) => {
  const world = base.copy(t);
  world.push({ files: PRIVILEGED });
  await assert.rejects(say(world, "sam"), { code: "second-operator-needed" });
  await assert.rejects(say(world, "sam"), { code: "second-operator-same" });
  assert.deepEqual(await verdicts(world), ["wait"]);
  assert.deepEqual(await entries(world, "release"), []);
});

test("a word without a name, a reason or a ticket is none", async (t) => {
  const world = base.copy(t);
  world.push({ files: PRIVILEGED });
  await assert.rejects(say(world, " "), { code: "operator-unnamed" });
  await assert.rejects(say(world, "sam", Date.now, { reason: " " }), { code: "operator-unnamed" });
  await assert.rejects(say(world, "sam", Date.now, { ticket: "" }), { code: "operator-unnamed" });
  assert.deepEqual(await verdicts(world), []);
});

test("a word counts for 15 minutes, for one commit; after that the second one is a first one", async (t) => {
  const world = base.copy(t);
  world.push({ files: PRIVILEGED });
  await assert.rejects(say(world, "sam"), { code: "second-operator-needed" });
  await assert.rejects(say(world, "jo", minutesLater(16)), { code: "second-operator-needed" });
  world.push({ files: { [WEB]: deployment("web", { privileged: true, replicas: 3 }) } });
  await assert.rejects(say(world, "lin", minutesLater(17)), { code: "second-operator-needed" });
  assert.deepEqual(await verdicts(world), ["wait", "wait", "wait"]);
  assert.deepEqual(await entries(world, "release"), []);
});

const SECRET = document({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s" },
  stringData: { password: "hunter22" },
});
const NEVER = {
  "unsigned-commit": (world: World) => world.push({ files: PRIVILEGED, signed: false }),
  "unknown-signer": (world: World) => world.push({ files: PRIVILEGED, by: "mallory" }),
  "merge-not-judged": (world: World) => world.squash(world.propose({ files: PRIVILEGED })),
  "path-not-covered": (world: World) => world.push({ files: { "tools/run.sh": "#!/bin/sh\n" } }),
  "yaml-malformed": (world: World) => world.push({ files: { [WEB]: "a: [" } }),
  "release-plain-secret": (world: World) => world.push({ files: { "clusters/prod/secret.yaml": SECRET } }),
  "governance-approval-missing": (world: World) => world.push({ files: { ...PRIVILEGED, "waivers.yaml": "[]\n" } }),
} as const satisfies Record<string, (world: World) => unknown>;

for (const [code, push] of Object.entries(NEVER)) {
  test(`two operators stand in for no ${code}`, async (t) => {
    const world = base.copy(t);
    push(world);
    for (const by of ["sam", "jo"])
      await assert.rejects(say(world, by), { code: "emergency-refused", message: new RegExp(code) });
    assert.deepEqual(await verdicts(world), []);
    assert.deepEqual(await entries(world, "release"), []);
  });
}

test("files that judge are not changed in an emergency, whoever approved them", async (t) => {
  const world = base.copy(t);
  const tip = world.push({ files: { ...PRIVILEGED, "waivers.yaml": "[]\n" } });
  world.approve("lin", tip, { tree: world.treeOf(tip) });
  assert.deepEqual(await land(world), [["deny", "policy-denied", null]]);
  await assert.rejects(say(world, "sam"), { code: "emergency-refused", message: /waivers\.yaml judges changes/ });
});

test("under a hold nobody's word is taken", async (t) => {
  const world = base.copy(t);
  world.push({ files: PRIVILEGED });
  const hold = { scope: "prod", reason: "migration", by: "max" };
  await withGate(world, (gate) => changeHold(gate, "hold", hold));
  await assert.rejects(say(world, "sam"), { code: "release-held" });
  assert.deepEqual(await verdicts(world), []);
});

test("what is allowed anyway is released without it, and nothing is asked of anybody", async (t) => {
  const world = base.copy(t);
  const tip = world.push({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  world.approve("lin", tip, { tree: world.treeOf(tip) });
  const [landed] = await say(world, "sam");
  assert.deepEqual([landed?.released?.release.commit, landed?.admitted.decision.emergency], [tip, undefined]);
  assert.deepEqual(await say(world, "sam"), []);
  assert.deepEqual(await verdicts(world), []);
});

/** As a crash does: the decision is logged, and the release is not. */
function cutOff(gate: Gate): Gate {
  const put = () => Promise.reject(new Error("the power is gone"));
  return { ...gate, objects: { ...gate.objects, put } };
}

test("a crash before the release is made good within the 15 minutes, and forgotten after them", async (t) => {
  const world = base.copy(t);
  const tip = world.push({ files: PRIVILEGED });
  await assert.rejects(say(world, "sam"), { code: "second-operator-needed" });
  await assert.rejects(withGate(world, (gate) => releaseInEmergency(cutOff(gate), { ...words, by: "jo" })));
  const later = world.copy(t);
  const [landed] = await withGate(world, (gate) => judgeLandings(gate, "prod"));
  assert.equal(landed?.released?.release.commit, tip);
  const made = (await entries(world, "decision")).filter(({ leaf }) => leaf.reasons.includes("emergency-release"));
  assert.equal(made.length, 1);
  assert.equal(disclosedDecision(made[0]?.disclosed as never)?.emergency?.operators.length, 2);
  assert.deepEqual(await land(later, minutesLater(16)), [["deny", "approval-missing policy-denied", null]]);
  assert.deepEqual(await entries(later, "release"), []);
});
