/** Data files judge like the policies beside them: in a gate's decisions, when they are decided again, and in what is tried. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SimulationReport } from "../../src/cli/reports/schemas/simulate.ts";
import { configMap, type Files, NO_POLICIES, policy } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";
import { write } from "./policy-scene.ts";

const RULE = policy(
  "known-colour",
  `deny contains {"message": message, "at": "/data"} if {
	colour := input.resource.object.data.colour
	not colour in data.shop.colours
	message := sprintf("%s is none of %d colours", [colour, count(data.shop.colours)])
}`,
  ["match: {kinds: [ConfigMap]}"],
);
const FILES: Files = {
  ...NO_POLICIES,
  "policies/known-colour/policy.rego": RULE,
  "policies/shop/data.yaml": "colours: [green, blue]\n",
};

test("what a gate decided with a data file is decided again with it, and otherwise with another", async (t) => {
  const world = await makeWorld(t, { files: FILES });
  const colours = (colour: string): Files => ({ "clusters/prod/colours.yaml": configMap("colours", { colour }) });
  const denied = await world.check(world.propose({ files: colours("red") }));
  assert.equal(denied.code, 1);
  assert.match(JSON.stringify(denied.report), /red is none of 2 colours/);
  assert.equal((await world.check(world.propose({ files: colours("blue") }))).code, 4, "it waits for an approval only");

  const replayed = await world.sluice(["replay", "--target", "prod", "--config", "../gate.yaml"]);
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);

  const other = { "policies/known-colour/policy.rego": RULE, "policies/shop/data.json": '{"colours": ["red"]}' };
  write(world.path("next"), other);
  const tried = await world.sluice<SimulationReport>([
    ...["simulate", "--policies", "../next/policies", "--config", "../gate.yaml", "--format", "json"],
  ]);
  assert.equal(tried.code, 1, tried.stderr);
  assert.deepEqual(
    tried.report.decisions.map(({ subject, verdict: { was, wouldBe } }) => [subject, was, wouldBe]),
    [
      ["proposed", "deny", "wait"],
      ["proposed", "wait", "deny"],
    ],
  );

  const widened = await world.check(
    world.propose({ files: { ...colours("red"), "policies/shop/data.yaml": "colours: [green, blue, red]\n" } }),
  );
  assert.equal(widened.code, 1, "a change never brings its own judge");
  assert.match(JSON.stringify(widened.report), /red is none of 2 colours/);
  const broken = await world.check(world.propose({ files: { "policies/shop/data.yaml": "colours: [green, green\n" } }));
  assert.match(JSON.stringify(broken.report), /new-judge-unusable.*policies\/shop\/data\.yaml:/);
});
