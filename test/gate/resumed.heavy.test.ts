/** What a crash or a failure leaves between a decision and its release, and what is judged again without being decided again. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { changeHold } from "../../src/gate/holding.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { signedHead } from "../../src/gate/releasing.ts";
import type { Gate } from "../../src/gate/wiring.ts";
import { deployment } from "../support/shop.ts";
import { makeGateWorld, withGate } from "./gate-world.ts";

const WEB = "clusters/prod/web.yaml";
const web = (replicas: number) => ({ [WEB]: deployment("web", { replicas }) });
const base = await makeGateWorld({ after });

/** As a crash does: the decision is logged, and the release is not. */
function cutOff(gate: Gate): Gate {
  const put = () => Promise.reject(new Error("the power is gone"));
  return { ...gate, objects: { ...gate.objects, put } };
}

const decisions = (gate: Gate) => gate.log.find({ kinds: ["decision"], order: "oldest" });
const released = async (gate: Gate): Promise<readonly (string | null | undefined)[]> =>
  (await gate.log.find({ kinds: ["release"], order: "oldest" })).map((entry) => entry.leaf.subject["commit"]);

test("a release that a crash cut off is made under the decision that is logged, before what landed since", async (t) => {
  const world = base.copy(t);
  const first = world.push({ files: web(3) });
  await withGate(world, async (gate) => {
    await assert.rejects(judgeLandings(cutOff(gate), "prod"), /the power is gone/);
    assert.deepEqual([(await decisions(gate)).length, await released(gate)], [1, []]);
  });
  const second = world.push({ files: web(4) });
  await withGate(world, async (gate) => {
    const [decided] = await decisions(gate);
    const landed = await judgeLandings(gate, "prod");
    assert.deepEqual(
      landed.map(({ admitted }) => [admitted.decision.head, admitted.record?.index === decided?.index]),
      [
        [first, true],
        [second, false],
      ],
    );
    assert.deepEqual(await released(gate), [first, second]);
    assert.equal((await decisions(gate)).length, 2);
    assert.deepEqual(await judgeLandings(gate, "prod"), []);
  });
});

test("a tip that is denied is decided once, however often it is looked at, and anew when it is decided otherwise", async (t) => {
  const world = base.copy(t);
  world.push({ files: web(3), signed: false });
  await withGate(world, async (gate) => {
    for (const _ of [1, 2, 3]) {
      const [one] = await judgeLandings(gate, "prod");
      assert.deepEqual([one?.admitted.decision.verdict, one?.admitted.record?.index], ["deny", 5]);
    }
    assert.equal((await decisions(gate)).length, 1);
  });
  world.approve("lin", "HEAD");
  await withGate(world, async (gate) => {
    assert.equal((await judgeLandings(gate, "prod"))[0]?.admitted.decision.verdict, "allow");
    assert.equal((await decisions(gate)).length, 2);
  });
});

test("what stopped counting since is judged by today: a cut off allow is not released when its key was taken away", async (t) => {
  const world = base.copy(t);
  world.push({ files: web(3) });
  await withGate(world, (gate) => assert.rejects(judgeLandings(cutOff(gate), "prod"), /power/));
  world.configure("gate.yaml", () => ({ revoked: [world.fingerprint("ada")] }));
  await withGate(world, async (gate) => {
    const [one] = await judgeLandings(gate, "prod");
    assert.deepEqual([one?.admitted.decision.verdict, one?.released], ["deny", null]);
    assert.deepEqual(await released(gate), []);
  });
});

test("an older head never follows a newer one: a hold is in the head whatever signs beside it", async (t) => {
  const world = base.copy(t);
  await withGate(world, async (gate) => {
    const early = [signedHead(gate, "prod"), signedHead(gate, "prod")];
    await changeHold(gate, "hold", { scope: "prod", reason: "migration", by: "sam" });
    await Promise.all([...early, signedHead(gate, "prod")]);
    assert.match(world.read("channel/head.json"), /"hold":\{/);
  });
});
