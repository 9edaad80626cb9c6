/** What the queue does to real changes: superseded, out of time, not taken. A gate is open in this process. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, type TestContext, test } from "node:test";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { admit } from "../../src/gate/gate.ts";
import { gateProposal } from "../../src/gate/proposal.ts";
import type { QueueLimits } from "../../src/gate/queue.ts";
import { openGate } from "../../src/gate/wiring.ts";
import { type CommitId, commitId } from "../../src/git/object.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { Facts } from "../../src/server/facts.ts";
import { Judging } from "../../src/server/judging.ts";
import { givingWay, Way } from "../../src/server/way.ts";
import { makeGateWorld } from "../gate/gate-world.ts";
import { deployment } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";

const scope = ownScope();
const world = await makeGateWorld(scope);
const heads = [3, 4, 5].map((replicas) =>
  world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas }) } }),
);
const [one, two, three] = heads.map(commitId) as [CommitId, CommitId, CommitId];
const surroundings = readSurroundings({ HOME: world.path("home") });
const means = { surroundings, clock: Date.now, random: randomBytes, onStep: () => undefined };
const gate = await openGate(readGateYaml(world.path("gate.yaml")), means);
after(() => gate.close().finally(scope.end));

const LIMITS: QueueLimits = { parallel: 1, waiting: 10, waitingPerAuthor: 10, deadlineMs: 600_000 };

function openJudging(t: TestContext, limits: Partial<QueueLimits> = {}): Judging {
  const journal = { say: () => undefined };
  const judging = new Judging({ gate, limits: { ...LIMITS, ...limits }, facts: new Facts(Date.now), journal });
  t.after(() => judging.stop());
  return judging;
}

function proposal(head: CommitId, place = "refs/pull/1/head") {
  return { target: "prod", place, head, author: "ada@example.com", isAgain: false, onlyIfOpen: true };
}

const count = (): Promise<number> => gate.log.count({ kinds: ["decision"] });

test("an older head that waits or runs is ended by a newer one, and the log says so of both", async (t) => {
  const judging = openJudging(t);
  const running = judging.proposal(proposal(one));
  const waiting = judging.proposal(proposal(two, "refs/pull/2/head"));
  const newer = judging.proposal(proposal(three, "refs/pull/2/head"));
  const last = judging.proposal(proposal(three));
  const [a, b, c, d] = await Promise.all([running, waiting, newer, last]);
  assert.deepEqual(
    [a, b, c, d].map(({ decision }) => [decision.verdict, decision.failure?.code ?? null]),
    [
      ["error", "head-superseded"],
      ["error", "head-superseded"],
      ["allow", null],
      ["allow", null],
    ],
  );
  assert.ok([a, b].every(({ record }) => record !== null));
});

test("a change whose time is up ends as a logged error", async (t) => {
  const judging = openJudging(t, { deadlineMs: 0 });
  const { decision, record } = await judging.proposal(proposal(one, "refs/pull/3/head"));
  assert.deepEqual([decision.verdict, decision.failure?.code], ["error", "change-deadline"]);
  assert.ok(record !== null);
});

test("a landing is decided before proposals that wait, and before those that have begun", async (t) => {
  const judging = openJudging(t, { parallel: 2 });
  const landed = world.push({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 7 }) } });
  await gate.repositories.refresh("shop");
  const files = (replicas: number) => ({ "clusters/prod/web.yaml": deployment("web", { replicas }) });
  const fresh = [31, 32, 33].map((replicas) => commitId(world.propose({ files: files(replicas) })));
  const proposals = fresh.map((head) => judging.proposal(proposal(head, `refs/pull/${head}/head`)));
  assert.equal(judging.counts.running, 2);
  const [landing] = await judging.landing("prod", Date.now());
  assert.equal(landing?.released?.release.commit, landed);
  const entries = (await Promise.all(proposals)).map(({ record }) => record?.index ?? 0);
  assert.ok(Math.min(...entries) > (landing?.released?.index ?? Infinity), "and before any of them is logged");
});

test("a proposal that stands aside for a landing ends when its time is up", async () => {
  const controller = new AbortController();
  const way = new Way();
  way.set(false);
  const services = givingWay({ ...gate.services, signal: controller.signal }, way);
  const asked = admit(await gateProposal(gate, "prod", three), services);
  controller.abort(new SluiceError("change-deadline", "Time is up."));
  assert.equal((await asked).decision.failure?.code, "change-deadline");
});

test("a way that is closed again keeps those who wait, and one that opens lets all of them go", async () => {
  const way = new Way();
  const passed: string[] = [];
  await way.free(undefined);
  way.set(false);
  const both = ["a", "b"].map((who) => way.free(undefined).then(() => passed.push(who)));
  way.set(true);
  way.set(false);
  await new Promise(setImmediate);
  assert.deepEqual(passed, []);
  way.set(true);
  await Promise.all(both);
  assert.deepEqual(passed, ["a", "b"]);
});

test("time that runs out while a change is judged ends it at its next step", async () => {
  const controller = new AbortController();
  const onStep = (step: string): void => {
    if (step === "git") controller.abort(new SluiceError("change-deadline", "Time is up."));
  };
  const services = { ...gate.services, signal: controller.signal, onStep };
  const { decision } = await admit(await gateProposal(gate, "prod", three), services);
  assert.deepEqual(
    [decision.verdict, decision.failure?.code, decision.failure?.stage],
    ["error", "change-deadline", "signature"],
  );
});

test("what would only repeat the last decision is answered by it, and not logged again", async (t) => {
  const judging = openJudging(t);
  const first = await judging.proposal(proposal(two, "refs/pull/4/head"));
  const size = await count();
  const again = await judging.proposal(proposal(two, "refs/pull/5/head"));
  assert.deepEqual([again.record, again.decision.id, await count()], [first.record, first.decision.id, size]);
});

test("a full queue and a service that stops take nothing, each by its code, and log nothing", async (t) => {
  const size = await count();
  await assert.rejects(openJudging(t, { waiting: 0 }).proposal(proposal(one)), { code: "queue-full" });
  const judging = openJudging(t);
  await judging.stop();
  await assert.rejects(judging.proposal(proposal(one)), { code: "service-stopping" });
  await assert.rejects(judging.landing("prod", 0), { code: "service-stopping" });
  assert.equal(await count(), size);
});

test("a proposal that changes nothing any more is passed over, where it was only found and not asked for", async (t) => {
  const judging = openJudging(t);
  const same = commitId(world.propose({ files: {} }));
  const asked = proposal(same, "refs/pull/6/head");
  await assert.rejects(judging.proposal(asked), { code: "empty-range" });
  assert.equal((await judging.proposal({ ...asked, onlyIfOpen: false })).decision.verdict, "allow");
});
