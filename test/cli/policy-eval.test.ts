import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { policyEval } from "../../src/cli/policy-eval.ts";
import { policyEvalSchema } from "../../src/cli/reports/schemas.ts";
import { runSluice } from "../support/sluice.ts";
import { COMPLETE, configMap, LABEL_RULE, metadata, runCommand, scene } from "./policy-scene.ts";

async function evaluate(t: TestContext, files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const cwd = scene(t, { ...COMPLETE, ...files });
  const run = await runCommand(policyEval, [...args, "--format", "json"], cwd);
  assert.equal(run.error, null);
  const report = policyEvalSchema.parse(JSON.parse(run.stdout));
  assert.equal(run.code, report.exitCode);
  return report;
}

const BAD = configMap("a", '{good: yes please, bad: "no"}');

test("policy eval shows each finding at its place, and exits 1", async (t) => {
  const folder = scene(t, { ...COMPLETE, "a.yaml": `# two objects\n${configMap("b", "{}")}---\n${BAD}` });
  const run = await runSluice(["policy", "eval", "a.yaml"], { cwd: folder });
  const expected = `DENIED (preview)  1 to fix, 0 warnings, 0 not evaluated
label  a.yaml:14:30  ConfigMap/apps/a  a is labelled no
       fix  Change it.
2 objects, 2 of 2 rules
`;
  assert.deepEqual([run.code, run.stdout, run.stderr], [1, expected, ""]);
});

test("policy eval --explain says which line of the rule spoke, with which values", async (t) => {
  const twice = `${LABEL_RULE}
deny contains {"message": "bad is bad", "at": ""} if input.resource.object.metadata.labels.bad == "no"

deny contains {"message": "bad is bad", "at": ""} if {
	some word in ["yes", "no"]
	input.resource.object.metadata.labels.bad == word
}
`;
  const report = await evaluate(t, { "a.yaml": BAD, "policies/label/policy.rego": twice }, "a.yaml", "--explain");
  const why = report.findings.map(({ message, explanation }) => [message, explanation]);
  assert.deepEqual(why, [
    [
      "bad is bad",
      [
        { file: "policies/label/policy.rego", line: 15, values: {} },
        { file: "policies/label/policy.rego", line: 17, values: { word: '"no"' } },
      ],
    ],
    [
      "a is labelled no",
      [{ file: "policies/label/policy.rego", line: 10, values: { message: '"a is labelled no"', value: '"no"' } }],
    ],
  ]);
});

test("policy eval explains a rule on trial and shows no value that may be secret", async (t) => {
  const trial = `${metadata("env", ["mode: warn"])}package rules.env

deny contains {"message": message} if {
	entry := input.pod.containers[0].spec.env[0]
	message := sprintf("%s is set to %s", [entry.name, entry.value])
}
`;
  const pod =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - name: web\n      env: [{name: TOKEN, value: hunter22}]\n";
  const folder = scene(t, { ...COMPLETE, "web.yaml": pod, "policies/env/policy.rego": trial });
  const run = await runSluice(["policy", "eval", "web.yaml", "--explain"], { cwd: folder });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /^warn env {2}web\.yaml:1:1 {2}Pod\/web {2}TOKEN is set to \*\*\*$/m);
  assert.match(
    run.stdout,
    /^ +why {2}policies\/env\/policy\.rego:11 {2}entry = \{"name": "TOKEN", "value": "\*\*\*"\}$/m,
  );
  assert.equal(run.stdout.includes("hunter22"), false);
});

test("policy eval allows what no rule denies, and names rules about changes that it cannot ask", async (t) => {
  const change = `${metadata("about-changes", ["scope: change"])}package rules.changes\n\ndeny contains {"message": "never"} if input.change.head == ""\n`;
  const report = await evaluate(t, { "a.yaml": configMap("a", "{}"), "policies/change/policy.rego": change }, "a.yaml");
  const { verdict, exitCode, authority, notAsked, rulesExpected, rulesEvaluated } = report;
  assert.deepEqual(
    [verdict, exitCode, authority, notAsked, rulesExpected, rulesEvaluated],
    ["allow", 0, "preview", ["about-changes"], 1, 1],
  );
});

test("policy eval denies what nothing looked at, and what cannot be rendered", async (t) => {
  const pods = `${metadata("label", ["match: {kinds: [Pod]}"])}${LABEL_RULE.slice(LABEL_RULE.indexOf("package"))}`;
  const silent = await evaluate(t, { "a.yaml": BAD, "policies/label/policy.rego": pods }, "a.yaml");
  assert.deepEqual(
    [silent.verdict, silent.exitCode, silent.reasons.map(({ code }) => code), silent.unruled],
    ["deny", 1, ["no-rule-evaluated"], ["ConfigMap/apps/a"]],
  );
  const files = {
    "a.yaml": `${configMap("a", "{}")}data: {}\ndata: {}\n`,
    "b.yaml": configMap("b", "{}"),
    "c.json": "{",
  };
  const broken = await evaluate(t, files, "a.yaml", "b.yaml", "c.json");
  assert.deepEqual([broken.verdict, broken.exitCode, broken.resources], ["deny", 1, ["ConfigMap/apps/b"]]);
  assert.deepEqual(
    broken.reasons.map(({ code, message }) => [code, message.split("  ")[0]]),
    [
      ["yaml-duplicate-key", "a.yaml:8:1"],
      ["json-malformed", "c.json:1:2"],
    ],
  );
});

test("policy eval exits 3 where a rule could not be evaluated, and 4 where one asks", async (t) => {
  for (const name of ["time.parse_rfc3339_ns", "to_number"]) {
    const broken = LABEL_RULE.replace("value :=", `${name}("soon") > 0\n\tvalue :=`);
    const error = await evaluate(t, { "a.yaml": BAD, "policies/label/policy.rego": broken }, "a.yaml");
    const [first] = error.notEvaluated;
    assert.deepEqual(
      [error.verdict, error.exitCode, error.notEvaluated.length, first?.code, first?.message.split(":")[0]],
      ["error", 3, 1, "builtin-error", name],
    );
  }
  const asks = await evaluate(
    t,
    { "a.yaml": BAD, "policies/label/policy.rego": LABEL_RULE.replace("deny", "ask") },
    "a.yaml",
  );
  assert.deepEqual([asks.verdict, asks.exitCode], ["wait", 4]);
});

test("policy eval judges as in a target of sluice.yaml, with policies from elsewhere", async (t) => {
  const sluice =
    "version: 1\npolicies: rules/\ntargets:\n  prod: {branch: main, path: prod, labels: {tier: gold}, unruled: deny}\n";
  const gold = `${metadata("gold")}package rules.gold\n\ndeny contains {"message": input.subject.kind} if input.subject.target.labels.tier == "gold"\n`;
  const files = { "sluice.yaml": sluice, "rules/gold/policy.rego": gold, "a.yaml": BAD };
  const inTarget = await evaluate(t, files, "a.yaml", "--target", "prod");
  assert.deepEqual(
    [inTarget.target, inTarget.findings.map(({ rule, message }) => [rule, message])],
    ["prod", [["gold", "file"]]],
  );
  assert.deepEqual((await evaluate(t, files, "a.yaml")).findings, []);
  assert.deepEqual(
    (await evaluate(t, files, "a.yaml", "--policies", "policies")).findings.map(({ rule }) => rule),
    ["label"],
  );
  const folder = scene(t, { ...COMPLETE, ...files });
  for (const [args, code, exit] of [
    [["a.yaml", "--target", "staging"], "target-unknown", 2],
    [["absent.yaml"], "usage", 2],
    [["policies"], "usage", 2],
  ] as const) {
    const run = await runCommand(policyEval, args, folder);
    assert.deepEqual([run.code, run.stdout, run.error], [exit, "", code]);
  }
  const bare = await runCommand(policyEval, ["a.yaml", "--target", "prod"], scene(t, { "a.yaml": BAD }));
  assert.equal(bare.error, "configuration-absent");
});

test("policy eval --explain says of rules of other engines which line spoke, in the file as it is written", async (t) => {
  const template = `apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: k8steam}
spec:
  crd: {spec: {names: {kind: K8sTeam}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package k8steam

        violation[{"msg": msg}] {
          team := input.review.object.metadata.labels.team
          msg := sprintf("%s is no team", [team])
        }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sTeam
metadata: {name: team}
spec: {match: {kinds: [{apiGroups: [""], kinds: [ConfigMap]}]}}
`;
  const conftest = `package main

deny[msg] {
	team := input.metadata.labels.team
	msg := sprintf("%s speaks", [team])
}

warn[{"msg": sprintf("%s warns", [team])}] {
	team := input.metadata.labels.team
}

exception[rules] {
	input.metadata.labels.team == "red"
	rules := ["warn"]
}
`;
  const files = { "policies/team.yaml": template, "policies/main.rego": conftest };
  const web = { "web.yaml": configMap("web", "{team: red}") };
  const report = await evaluate(t, { ...files, ...web }, "web.yaml", "--explain");
  assert.deepEqual(
    report.findings.map(({ rule, message, explanation }) => [rule, message, explanation]),
    [
      [
        "K8sTeam/team",
        "red is no team",
        [{ file: "policies/team.yaml", line: 11, values: { msg: '"red is no team"', team: '"red"' } }],
      ],
      [
        "main/deny",
        "red speaks",
        [{ file: "policies/main.rego", line: 3, values: { msg: '"red speaks"', team: '"red"' } }],
      ],
      ["main/warn", "red warns", [{ file: "policies/main.rego", line: 8, values: { team: '"red"' } }]],
    ],
  );
});

test("policy eval gives policies their data files, and --explain the values that came of them", async (t) => {
  const body = `deny contains {"message": message} if {
	some limit in data.shop.limits
	message := sprintf("%s is under %d", [input.resource.id.name, limit])
}
`;
  const files = {
    "a.yaml": BAD,
    "policies/shop/data.yaml": "limits: [3]\n",
    "policies/limit/policy.rego": `${metadata("limit")}package rules.limit\n\n${body}`,
    "policies/limits.rego": `package main\n\nimport rego.v1\n\ndeny contains m if m := sprintf("main %d", [data.shop.limits[0]])\n`,
    "policies/label/policy.rego": LABEL_RULE,
  };
  const { findings } = await evaluate(t, files, "a.yaml", "--explain");
  assert.deepEqual(
    findings.map(({ message, explanation }) => [message, explanation?.map(({ values }) => values)]),
    [
      ["a is labelled no", [{ message: '"a is labelled no"', value: '"no"' }]],
      ["a is under 3", [{ limit: "3", message: '"a is under 3"' }]],
      ["main 3", [{ m: '"main 3"' }]],
    ],
  );
});
