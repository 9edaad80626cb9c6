/** A gate judges by policies of every dialect at once: one set, one verdict, one form of findings; waivers name any rule. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSchema } from "../../../src/gate/json/schemas/check.ts";
import { makeGateWorld, propose } from "../../gate/gate-world.ts";
import { deployment } from "../../support/shop.ts";
import { constraint, template } from "./fixtures.ts";

const REGO = `package replicas

violation[{"msg": msg}] {
	input.review.object.spec.replicas > input.parameters.most
	msg := sprintf("%v has %v replicas", [input.review.object.metadata.name, input.review.object.spec.replicas])
}
`;
const MATCH = "match: {kinds: [{apiGroups: [apps], kinds: [Deployment]}]}";
const FILES = {
  "policies/gatekeeper/template.yaml": template("K8sReplicas", REGO).text,
  "policies/gatekeeper/most.yaml": constraint("K8sReplicas", "most", [MATCH, "parameters: {most: 2}"]).text,
  "policies/gatekeeper/try.yaml": constraint("K8sReplicas", "try", [
    "enforcementAction: dryrun",
    MATCH,
    "parameters: {most: 2}",
  ]).text,
  "policies/conftest.rego": `package main\n\nwarn contains "many" if input.spec.replicas > 2\n`,
};

test("a gate denies by a constraint beside native rules, records what only warns, and counts every pair", async (t) => {
  const world = await makeGateWorld(t, { files: FILES });
  const decision = await propose(
    world,
    world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } }),
  );
  assert.equal(decision.verdict, "deny");
  assert.deepEqual(
    decision.findings.map(({ kind, rule, message, position }) => [kind, rule, message, position?.file]),
    [
      ["deny", "K8sReplicas/most", "web has 3 replicas", "clusters/prod/web.yaml"],
      ["warn", "K8sReplicas/try", "web has 3 replicas", "clusters/prod/web.yaml"],
      ["warn", "main/warn", "many", "clusters/prod/web.yaml"],
    ],
  );
  assert.equal(decision.rulesEvaluated, decision.rulesExpected);
  assert.deepEqual(decision.notEvaluated, []);
});

test("every form of a check's report shows a constraint's finding, which has no fix of its own", async (t) => {
  const world = await makeGateWorld(t, { files: FILES });
  const head = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) } });
  for (const format of ["text", "json", "sarif", "junit", "markdown"]) {
    const { code, stdout, stderr } = await world.sluice(["check", "--head", head, "--format", format]);
    assert.deepEqual([code, stderr], [1, ""], format);
    assert.match(stdout, /K8sReplicas\/most/, format);
    assert.match(stdout, /web has 3 replicas/, format);
    assert.doesNotMatch(stdout, /undefined|fix {2}null/, format);
    if (format === "json") assert.equal(checkSchema.safeParse(JSON.parse(stdout)).error, undefined);
  }
});

test("a gate is given no judge by a template that cannot run", async (t) => {
  const world = await makeGateWorld(t);
  const torn = { "policies/t.yaml": FILES["policies/gatekeeper/template.yaml"].replace("sprintf(", "unknown(") };
  const decision = await propose(world, world.propose({ files: torn }));
  assert.deepEqual(
    [decision.verdict, decision.reasons.some(({ code }) => code === "new-judge-unusable")],
    ["deny", true],
  );
});
