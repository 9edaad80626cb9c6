/** Whoever can write the log's storage has no key. What he writes beside the tree must not decide anything. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { readHistory } from "../../src/gate/history.ts";
import { readHolds } from "../../src/release/holds.ts";
import { deployment } from "../support/shop.ts";
import type { World } from "../support/world.ts";
import { makeGateWorld, propose, withGate } from "./gate-world.ts";

/** Sets one value beside an entry, its salt kept. */
function forge(world: World, index: number, name: string, value: unknown): void {
  const db = new DatabaseSync(world.path("data/log.db"));
  const row = db.prepare("SELECT json FROM disclosures WHERE idx = ?").get(index);
  const json = JSON.parse(String(row?.["json"]));
  json[name].value = value;
  db.prepare("UPDATE disclosures SET json = ? WHERE idx = ?").run(JSON.stringify(json), index);
  db.close();
}

test("a baseline that was widened in the log's storage excuses nothing: it is not read at all", async (t) => {
  const world = await makeGateWorld(t);
  const head = world.propose({ files: { "clusters/prod/api.yaml": deployment("api", { privileged: true }) } });
  const denied = await propose(world, head);
  assert.equal(denied.verdict, "deny");
  const keys = denied.findings.map(({ rule, resource }) => `${rule} ${JSON.stringify(resource)}`);
  forge(world, 0, "baseline", keys);
  await assert.rejects(propose(world, head), { code: "log-corrupt" });
  await withGate(world, (gate) => assert.rejects(readHistory(gate.log, "prod"), { code: "log-corrupt" }));
});

test("a hold that was given another scope in the log's storage is not lifted: no head is signed over it", async (t) => {
  const world = await makeGateWorld(t);
  const held = await world.sluice(["hold", "prod", "--reason", "an incident", "--config", world.path("gate.yaml")]);
  assert.equal(held.code, 0, held.stderr);
  const index = await withGate(world, async (gate) => (await readHolds(gate.log))[0]?.index ?? -1);
  forge(world, index, "scope", "staging");
  await withGate(world, (gate) => assert.rejects(readHolds(gate.log), { code: "log-corrupt" }));
  const head = await world.sluice(["head", "prod", "--config", world.path("gate.yaml")]);
  assert.equal(head.code, 3);
  assert.match(head.stderr, /log-corrupt/);
});
