/** `--data NAME=FILE`: what commands without a gate are given in the place of a source. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Command } from "../../src/cli/command.ts";
import { policyBench } from "../../src/cli/policy-bench.ts";
import { policyCheck } from "../../src/cli/policy-check.ts";
import { policyEval } from "../../src/cli/policy-eval.ts";
import { policyTest } from "../../src/cli/policy-test.ts";
import { type PolicyEvalReport, policyCheckSchema } from "../../src/cli/reports/schemas.ts";
import { configMap, metadata, runCommand, scene } from "./policy-scene.ts";

const RULE = `${metadata("teams")}package rules.teams

deny contains {"message": message, "at": ""} if {
	team := input.resource.object.metadata.labels.team
	not team in data.external.teams
	message := sprintf("nobody knows %s", [team])
}
`;

const folder = scene(
  { after },
  {
    "policies/teams/policy.rego": RULE,
    "policies/teams/policy_test.rego": `package rules.teams_test

import data.rules.teams

test_knows_a_team if {
	given := {"resource": {"object": {"metadata": {"labels": {"team": "red"}}}}}
	count(teams.deny) == 0 with input as given with data.external.teams as ["red"]
	count(teams.deny) == 1 with input as given with data.external.teams as []
}
`,
    "policies/teams/examples/allow/red.yaml": configMap("red", "{team: red}"),
    "policies/teams/examples/deny/blue.yaml": configMap("blue", "{team: blue}"),
    "web.yaml": configMap("web", "{team: blue}"),
    "teams.json": '["red"]',
    "both.json": '["red", "blue"]',
    "twice.json": '{"a": 1, "a": 2}',
  },
);

const run = (command: Command, ...args: readonly string[]) => runCommand(command, args, folder);

test("policy check says which sources are read, and where", async () => {
  const { code, stdout } = await run(policyCheck, "--format", "json");
  assert.equal(code, 0, stdout);
  assert.deepEqual(policyCheckSchema.parse(JSON.parse(stdout)).external, [
    { name: "teams", file: "policies/teams/policy.rego", line: 12, column: 14 },
  ]);
  assert.match(
    (await run(policyCheck)).stdout,
    /\npolicies\/teams\/policy\.rego:12:14 {2}reads data\.external\.teams\n/,
  );
});

test("policy eval, test and bench judge by the file that is given, and explain with it", async () => {
  const report = async (file: string) => {
    const { stdout } = await run(policyEval, "web.yaml", "--data", `teams=${file}`, "--explain", "--format", "json");
    return JSON.parse(stdout) as PolicyEvalReport;
  };
  assert.equal((await report("both.json")).verdict, "allow");
  const { verdict, findings } = await report("teams.json");
  assert.equal(verdict, "deny");
  assert.equal(findings[0]?.explanation?.[0]?.values["team"], '"blue"');
  const tested = await run(policyTest, "--data", "teams=teams.json");
  assert.deepEqual([tested.code, tested.error], [0, null], tested.stdout);
  assert.equal((await run(policyTest, "--data", "teams=both.json")).code, 1);
  assert.equal((await run(policyBench, "web.yaml", "--rounds", "1", "--data", "teams=teams.json")).code, 0);
});

test("without the file nothing is judged, and a file that is no strict JSON is refused", async () => {
  for (const [command, ...args] of [[policyEval, "web.yaml"], [policyTest], [policyBench]] as const)
    assert.equal((await run(command, ...args)).error, "external-not-given", command.name);
  writeFileSync(join(folder, "large.json"), `"${"x".repeat(1024 * 1024)}"`);
  for (const [data, code] of [
    ["teams=twice.json", "external-malformed"],
    ["teams=large.json", "external-too-large"],
    ["teams=absent.json", "configuration-missing"],
    ["teams", "usage"],
    ["Teams=teams.json", "usage"],
    ["=teams.json", "usage"],
  ] as const)
    assert.equal((await run(policyEval, "web.yaml", "--data", data)).error, code, data);
});
