/** Which proposals a look at a repository offers again. A gate, a queue and a watch are open in this process. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { readSurroundings } from "../../src/config/environment.ts";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { openGate } from "../../src/gate/wiring.ts";
import { Facts } from "../../src/server/facts.ts";
import type { Journal } from "../../src/server/journal.ts";
import { Judging } from "../../src/server/judging.ts";
import { RepositoryWatch } from "../../src/server/watch.ts";
import { makeGateWorld } from "../gate/gate-world.ts";
import { deployment } from "../support/shop.ts";
import { ownScope } from "../support/temp.ts";

const scope = ownScope();
const world = await makeGateWorld(scope, {
  gate: { repositories: { shop: { url: "./shop.git", proposals: ["refs/heads/proposal-*"] } } },
});
/** Judgements that came as far as the policies: proposals and landings. */
let judged = 0;
const onStep = (step: string): void => {
  if (step === "policy") judged += 1;
};
const surroundings = readSurroundings({ HOME: world.path("home") });
const gate = await openGate(readGateYaml(world.path("gate.yaml")), {
  ...{ surroundings, clock: Date.now, random: randomBytes, onStep },
});
after(() => gate.close().finally(scope.end));

/** What it says, and a promise of the next time that so much has been said. */
function openHearing() {
  const said: string[] = [];
  let wake = Promise.withResolvers<void>();
  const say: Journal["say"] = (_level, message, fields) => {
    said.push(`${message} ${fields?.["subject"] ?? ""}`.trim());
    wake.resolve();
  };
  const until = async (sentence: string, times: number): Promise<void> => {
    while (said.filter((one) => one === sentence).length < times) {
      wake = Promise.withResolvers();
      await wake.promise;
    }
  };
  return { journal: { say } as Journal, said, until };
}

test("of open proposals each is judged once more after a landing, and not again while it is under way", async () => {
  const { journal, said, until } = openHearing();
  const facts = new Facts(Date.now);
  const limits = { parallel: 4, waiting: 100, waitingPerAuthor: 100, deadlineMs: 600_000 };
  const judging = new Judging({ gate, limits, facts, journal });
  const watch = new RepositoryWatch("shop", { gate, judging, facts, journal });
  for (const number of [1, 2, 3]) {
    const files = { [`clusters/prod/new-${number}.yaml`]: deployment(`new-${number}`) };
    world.propose({ files, branch: `proposal-${number}` });
  }
  assert.ok(await watch.look());
  await until("decided proposed", 3);
  await judging.pause();
  judging.proceed();
  assert.equal(judged, 3);

  world.push({ files: { "clusters/prod/api.yaml": deployment("api", { replicas: 9 }) } });
  // The first look offers the landing; the second one sees the tip too, and the judge of before.
  assert.ok((await Promise.all([watch.look(), watch.look()])).every(Boolean));
  await until("decided proposed", 6);
  assert.ok(await watch.look());
  await judging.pause();
  await watch.stop();
  await judging.pause();
  assert.deepEqual([judged, said.filter((one) => one.startsWith("not "))], [7, []]);
});
