/** One operator alone, where gate.yaml allows it: released at once, owed a review by another person, and never twice before it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { examineGateHere } from "../../src/cli/doctor-gate.ts";
import { type EmergencyWish, releaseInEmergency } from "../../src/gate/emergency.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { redactOpenLog } from "../../src/gate/redacting.ts";
import { openReview, type ReviewWish, reviewEmergency, reviewState } from "../../src/gate/review.ts";
import type { Gate } from "../../src/gate/wiring.ts";
import type { Clock } from "../../src/lib/time.ts";
import type { EntryKind } from "../../src/log/entry.ts";
import { deployment } from "../support/shop.ts";
import type { Scope } from "../support/temp.ts";
import type { World } from "../support/world.ts";
import { land, makeGateWorld, withGate } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const base = await makeGateWorld({ after }, { target: {} }); // one approval by role platform
base.configure("gate.yaml", (now) => {
  const { prod } = now["targets"] as { prod: object };
  return { targets: { prod: { ...prod, emergency: { operators: 1, review: "4h" } } } };
});

const words = { target: "prod", reason: "the shop is down", ticket: "INC-77", alone: true };
const say = (world: World, by: string, change: Partial<EmergencyWish> = {}, clock?: Clock) =>
  withGate(world, (gate) => releaseInEmergency(gate, { ...words, by, ...change }), clock);
const review = (world: World, wish: Partial<ReviewWish> & Pick<ReviewWish, "by" | "entry">, clock?: Clock) =>
  withGate(world, (gate) => reviewEmergency(gate, { outcome: "accepted", reason: "seen", ...wish }), clock);
const entries = (world: World, kind: EntryKind) =>
  withGate(world, (gate) => gate.log.find({ kinds: [kind], order: "oldest" }));
const open = (world: World, now = Date.now()) => withGate(world, (gate) => openReview(gate.log, "prod", now));
const HOUR_MS = 3_600_000;
const hoursLater = (hours: number) => () => Date.now() + hours * HOUR_MS;

/** A copy whose tip lacks an approval and breaks a rule. */
function broken(t: Scope, replicas = 2): World {
  const world = base.copy(t);
  breakAgain(world, replicas);
  return world;
}

function breakAgain(world: World, replicas: number): void {
  world.push({ files: { [WEB]: deployment("web", { privileged: true, replicas }) } });
}

/** Released by sam alone: the index of the decision. */
async function released(world: World, clock?: Clock): Promise<number> {
  const [landed] = await say(world, "sam", {}, clock);
  assert.notEqual(landed?.released, null);
  const index = landed?.admitted.record?.index;
  return index ?? assert.fail();
}

test("one operator releases alone; the log says that it was one, and until when another person reviews it", async (t) => {
  const world = broken(t);
  const before = Date.now();
  const index = await released(world);
  const codes = ["approval-missing", "emergency-release", "policy-denied", "review-due"];
  const decision = (await entries(world, "decision")).at(-1);
  assert.deepEqual([decision?.index, decision?.leaf.reasons, decision?.leaf.verdict], [index, codes, "allow"]);
  const [word, ...others] = await entries(world, "emergency");
  assert.deepEqual(
    [others.length, word?.leaf.verdict, word?.leaf.reasons, word?.leaf.v],
    [0, "allow", ["review-due"], 1],
  );
  const said = Object.fromEntries(Object.entries(word?.disclosed ?? {}).map(([name, one]) => [name, one?.value]));
  const due = String(said["reviewDue"]);
  assert.deepEqual(
    [said["by"], said["reason"], said["ticket"], said["first"], said["standsInFor"], said["signers"]],
    ["sam", "the shop is down", "INC-77", null, ["approval-missing", "policy-denied"], ["ada"]],
  );
  const within = Date.parse(due) - 4 * HOUR_MS;
  assert.ok(within >= before && within <= Date.now(), due);
  assert.deepEqual(
    { ...(await open(world)), commit: "" },
    { target: "prod", entry: index, commit: "", operator: "sam", due, state: "due", review: null },
  );
  assert.equal((await open(world, Date.parse(due)))?.state, "due");
  assert.equal((await open(world, Date.parse(due) + 1))?.state, "overdue");
  assert.equal((await world.agent()).code, 0);
});

test("doctor warns of a review that is due, and fails of one that is overdue", async (t) => {
  const world = broken(t);
  const index = await released(world);
  const look = async (clock: Clock) => {
    const { remarks } = await examineGateHere(world.path("gate.yaml"), {}, clock);
    return remarks
      .filter(({ what }) => what === "review of prod")
      .map(({ state, message, fix }) => [state, message, fix]);
  };
  const command = `sluice review ${index} --accept --reason TEXT --token-file FILE --config ${world.path("gate.yaml")}`;
  const [[state, message, fix] = []] = await look(Date.now);
  assert.deepEqual([state, fix], ["warn", command]);
  assert.match(message ?? "", /^In log \d+ sam released it alone; the review by another person is due by /);
  const [[later, overdue, same] = []] = await look(hoursLater(5));
  assert.deepEqual([later, same], ["FAIL", command]);
  assert.match(overdue ?? "", /is overdue since /);
  await review(world, { by: "jo", entry: index });
  assert.deepEqual(await look(hoursLater(5)), []);
});

test("what gate.yaml does not say is two: alone is refused before anything is judged", async (t) => {
  for (const emergency of [undefined, { operators: 2 }]) {
    const world = broken(t);
    world.configure("gate.yaml", (now) => {
      const { prod } = now["targets"] as { prod: object };
      return { targets: { prod: { ...prod, emergency } } };
    });
    await assert.rejects(say(world, "sam"), { code: "emergency-not-alone" });
    assert.deepEqual([await entries(world, "decision"), await entries(world, "emergency")], [[], []]);
    await assert.rejects(say(world, "sam", { alone: false }), { code: "second-operator-needed" });
  }
});

test("the repository cannot allow it", async (t) => {
  const world = base.copy(t);
  const now = JSON.parse(world.repo.git(["show", "origin/main:sluice.yaml"]));
  now.targets.prod.emergency = { operators: 1 };
  world.push({ files: { "sluice.yaml": JSON.stringify(now) } });
  const [[verdict, codes] = []] = await land(world);
  assert.deepEqual([verdict, codes?.includes("new-judge-unusable")], ["deny", true]);
});

test("another person reviews it once; the log says who, how and why", async (t) => {
  const world = broken(t);
  const index = await released(world);
  const state = await review(world, { by: "jo", entry: index, reason: "the right cure" });
  const [entry, ...others] = await entries(world, "review");
  assert.deepEqual([others.length, entry?.leaf.target, entry?.leaf.verdict, entry?.leaf.v], [0, "prod", "allow", 1]);
  const decision = (await entries(world, "decision")).at(-1);
  const { commit, tree } = decision?.leaf.subject ?? {};
  assert.deepEqual(entry?.leaf.subject, { commit, tree });
  const said = Object.fromEntries(Object.entries(entry?.disclosed ?? {}).map(([name, one]) => [name, one?.value]));
  const { due } = state;
  const expected = { by: "jo", entry: index, due, late: false, outcome: "accepted", reason: "the right cure" };
  assert.deepEqual(said, expected);
  assert.deepEqual([state.state, state.review?.index, state.review?.by], ["accepted", entry?.index, "jo"]);
  assert.equal(await open(world, Date.now() + 100 * HOUR_MS), null);
  await assert.rejects(review(world, { by: "lin", entry: index }), {
    code: "review-done",
    message: /^jo reviewed it/,
  });
  assert.equal((await entries(world, "review")).length, 1);
});

test("a review may come late, and may contest: both are said, and it is closed", async (t) => {
  const world = broken(t);
  const index = await released(world);
  await review(world, { by: "jo", entry: index, outcome: "contested" }, hoursLater(5));
  const [entry] = await entries(world, "review");
  assert.deepEqual(
    [entry?.leaf.verdict, entry?.disclosed["late"]?.value, entry?.disclosed["outcome"]?.value],
    ["deny", true, "contested"],
  );
  const decision = (await entries(world, "decision")).at(-1) ?? assert.fail();
  const state = await withGate(world, (gate) => reviewState(gate.log, decision, Date.now()));
  assert.deepEqual([state?.state, state?.review?.by], ["contested", "jo"]);
  assert.equal(await open(world), null);
});

test("whoever released it, or signed what was released, does not review it", async (t) => {
  const world = broken(t);
  const index = await released(world);
  await assert.rejects(review(world, { by: "sam", entry: index }), { code: "review-own" });
  await assert.rejects(review(world, { by: "ada", entry: index }), { code: "review-own", message: /^ada signed/ });
  assert.deepEqual(await entries(world, "review"), []);
});

test("only a decision by which one released alone is reviewed: no other decision, no word, nothing that is not there", async (t) => {
  const world = broken(t);
  await assert.rejects(say(world, "sam", { alone: false }), { code: "second-operator-needed" });
  await say(world, "jo", { alone: false });
  const count = (await entries(world, "decision")).length + (await entries(world, "emergency")).length;
  assert.equal(count, 4);
  for (const entry of [...(await entries(world, "decision")), ...(await entries(world, "emergency"))])
    await assert.rejects(review(world, { by: "lin", entry: entry.index }), { code: "review-not-owed" });
  await assert.rejects(review(world, { by: "lin", entry: 0 }), { code: "review-not-owed" });
  await assert.rejects(review(world, { by: "lin", entry: 10_000 }), { code: "entry-unknown" });
  assert.deepEqual([await open(world), await entries(world, "review")], [null, []]);
});

test("until it is reviewed the next emergency takes two; after that one is enough again", async (t) => {
  const world = broken(t);
  const index = await released(world);
  breakAgain(world, 3);
  await assert.rejects(say(world, "sam"), { code: "review-open", message: /due by/ });
  await assert.rejects(say(world, "jo", {}, hoursLater(5)), { code: "review-open", message: /overdue since/ });
  assert.equal((await entries(world, "emergency")).length, 1);
  await assert.rejects(say(world, "sam", { alone: false }), { code: "second-operator-needed" });
  const [both] = await say(world, "jo", { alone: false });
  assert.deepEqual(
    [both?.admitted.decision.verdict, both?.admitted.decision.emergency?.reviewDue],
    ["allow", undefined],
  );
  assert.equal((await open(world))?.entry, index, "two are reviewed by nobody, and review nothing");
  await review(world, { by: "jo", entry: index });
  breakAgain(world, 4);
  const [third] = await say(world, "jo");
  assert.notEqual(third?.released, null);
});

test("where another said it just now, they are two; one who waited in vain goes alone", async (t) => {
  const world = broken(t);
  await assert.rejects(say(world, "sam", { alone: false }), { code: "second-operator-needed" });
  const alone = world.copy(t);
  const [two] = await say(world, "jo");
  assert.deepEqual(
    two?.admitted.decision.emergency?.operators.map(({ person }) => person),
    ["sam", "jo"],
  );
  assert.equal(await open(world), null);
  const [one] = await say(alone, "sam");
  assert.deepEqual(
    one?.admitted.decision.emergency?.operators.map(({ person }) => person),
    ["sam"],
  );
  assert.equal((await open(alone))?.operator, "sam");
  assert.deepEqual(await say(alone, "jo", { alone: false }), []); // it is released: nobody's word is needed
});

const NEVER = {
  "unsigned-commit": (world: World) =>
    world.push({ files: { [WEB]: deployment("web", { privileged: true }) }, signed: false }),
  "path-not-covered": (world: World) => world.push({ files: { "tools/run.sh": "#!/bin/sh\n" } }),
  "governance-approval-missing": (world: World) => world.push({ files: { "waivers.yaml": "[]\n" } }),
} as const satisfies Record<string, (world: World) => unknown>;

for (const [code, push] of Object.entries(NEVER)) {
  test(`one operator alone stands in for no ${code} either`, async (t) => {
    const world = base.copy(t);
    push(world);
    await assert.rejects(say(world, "sam"), { code: "emergency-refused", message: new RegExp(code) });
    assert.deepEqual([await entries(world, "emergency"), await entries(world, "release")], [[], []]);
  });
}

/** As a crash does: the decision is logged, and the release is not. */
function cutOff(gate: Gate): Gate {
  const put = () => Promise.reject(new Error("the power is gone"));
  return { ...gate, objects: { ...gate.objects, put } };
}

test("a crash before the release is made good by whoever looks, and its review is owed once", async (t) => {
  const world = broken(t);
  await assert.rejects(withGate(world, (gate) => releaseInEmergency(cutOff(gate), { ...words, by: "sam" })));
  assert.equal((await open(world))?.operator, "sam");
  const [landed] = await withGate(world, (gate) => judgeLandings(gate, "prod"));
  assert.equal(landed?.released?.release.sequence, 1);
  const index = (await open(world))?.entry ?? assert.fail();
  await review(world, { by: "jo", entry: index });
  assert.equal(await open(world), null);
});

/** As a crash does: the word is logged, and no decision. */
function struck(gate: Gate): Gate {
  const append: Gate["log"]["append"] = (draft) =>
    draft.kind === "decision" && draft.verdict === "allow"
      ? Promise.reject(new Error("the power is gone"))
      : gate.log.append(draft);
  const log = new Proxy(gate.log, {
    get(inner, name) {
      const value: unknown = name === "append" ? append : Reflect.get(inner, name, inner);
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
  return { ...gate, log };
}

test("a word that a crash left without a decision is said again for the same commit, and one review is for both", async (t) => {
  const world = broken(t);
  await assert.rejects(withGate(world, (gate) => releaseInEmergency(struck(gate), { ...words, by: "sam" })));
  const [word] = await entries(world, "emergency");
  assert.deepEqual([(await open(world))?.entry, await entries(world, "release")], [word?.index, []]);
  const other = world.copy(t);
  breakAgain(other, 3);
  await assert.rejects(say(other, "sam"), { code: "review-open" });
  await review(other, { by: "jo", entry: word?.index ?? -1 });
  assert.notEqual((await say(other, "sam"))[0]?.released, null);
  const index = await released(world);
  assert.equal((await entries(world, "emergency")).length, 2);
  await review(world, { by: "jo", entry: index });
  assert.equal(await open(world), null);
});

test("what is still to be reviewed is not erased; where it was, it is overdue and stays so", async (t) => {
  const world = broken(t);
  const index = await released(world);
  const [word] = await entries(world, "emergency");
  const redact = (evenNeeded: boolean) =>
    withGate(world, (gate) =>
      redactOpenLog(gate.log, {
        wish: { query: {}, entry: word?.index ?? -1, values: null, subject: null },
        request: { by: "root", reason: "case 12" },
        evenNeeded,
        dryRun: false,
      }),
    );
  await assert.rejects(redact(false), { code: "redaction-needed" });
  await redact(true);
  const state = await open(world);
  assert.deepEqual([state?.entry, state?.state, state?.due, state?.operator], [index, "overdue", null, null]);
  await assert.rejects(review(world, { by: "jo", entry: index }), { code: "entry-redacted" });
});
