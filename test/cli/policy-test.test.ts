import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { policyBench } from "../../src/cli/policy-bench.ts";
import { policyTest } from "../../src/cli/policy-test.ts";
import { policyTestSchema } from "../../src/cli/reports/schemas.ts";
import { runSluice } from "../support/sluice.ts";
import { COMPLETE, configMap, LABEL_RULE, LABEL_TEST, metadata, runCommand, scene } from "./policy-scene.ts";

async function runTests(t: TestContext, files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const run = await runCommand(policyTest, [...args, "--format", "json"], scene(t, files));
  assert.equal(run.error, null);
  const report = policyTestSchema.parse(JSON.parse(run.stdout));
  assert.equal(run.code, report.exitCode);
  return report;
}

test("policy test runs OPA's tests and judges the examples", async (t) => {
  const report = await runTests(t, COMPLETE);
  assert.deepEqual([report.exitCode, report.counts], [0, { passed: 4, failed: 0, skipped: 0 }]);
  const [denied] = report.examples.filter(({ expected }) => expected === "deny");
  assert.deepEqual(denied?.findings, [{ rule: "label", kind: "deny", message: "bad is labelled of course" }]);
  assert.equal(report.coverage, null);
});

test("policy test says which test and which example failed, and why", async (t) => {
  const folder = scene(t, {
    ...COMPLETE,
    "policies/label/policy_test.rego": `${LABEL_TEST}\ntest_wrong if {\n\tprint("seen", 1)\n\tcount(label.deny) == 7 with input as {}\n}\n`,
    "policies/label/examples/allow/wrong.yaml": configMap("wrong", "{bad: oh}"),
    "policies/label/examples/deny/wrong.yaml": configMap("wrong", "{}"),
  });
  const run = await runSluice(["policy", "test"], { cwd: folder });
  assert.equal(run.code, 1, run.stderr);
  const expected = `FAIL  policies/label  2 of 3 tests, 2 of 4 examples
      policies/label/policy_test.rego:11  test_wrong
        seen 1
      policies/label/examples/allow/wrong.yaml
        label says: wrong is labelled oh
      policies/label/examples/deny/wrong.yaml
        label finds nothing to deny
3 tests, 4 examples: 4 passed, 3 failed
`;
  assert.equal(run.stdout, expected);
});

test("policy test fails an example that shows nothing: not selected, malformed, hostile, or beside no rule", async (t) => {
  const rule = `${metadata("label", ["match: {kinds: [Pod]}"])}${LABEL_RULE.slice(LABEL_RULE.indexOf("package"))}`;
  const { exitCode, examples } = await runTests(t, {
    "policies/label/policy.rego": rule,
    "policies/label/examples/allow/other-kind.yaml": configMap("a", "{}"),
    "policies/label/examples/allow/empty.yaml": "",
    "policies/label/examples/allow/field.yaml": "chnage: {}\n",
    "policies/label/examples/allow/twice.yaml": "kind: Pod\nkind: Pod\n",
    "policies/other/examples/deny/a.yaml": configMap("a", "{}"),
  });
  assert.equal(exitCode, 1);
  assert.deepEqual(
    examples.map(({ file, message }) => [file.split("/").at(-1), message]),
    [
      ["empty.yaml", "policies/label/examples/allow/empty.yaml:1:1 The example is empty."],
      ["field.yaml", "policies/label/examples/allow/field.yaml:1:1 chnage is no field of the policy input."],
      ["other-kind.yaml", "ConfigMap is not selected by label"],
      ["twice.yaml", examples[3]?.message],
      ["a.yaml", "no rule stands beside examples/"],
    ],
  );
  assert.match(examples[3]?.message ?? "", /twice\.yaml:2:1 /);
});

test("policy test takes an example of a rule on trial, or of one that only asks, for what the rule will do", async (t) => {
  const trial = `${metadata("label", ["mode: observe"])}${LABEL_RULE.slice(LABEL_RULE.indexOf("package"))}`;
  const asks = LABEL_RULE.replace("deny contains", "ask contains");
  for (const policy of [trial, asks]) {
    const { counts } = await runTests(t, {
      ...COMPLETE,
      "policies/label/policy.rego": policy,
      "policies/label/policy_test.rego": "package a\n",
    });
    assert.deepEqual(counts, { passed: 2, failed: 0, skipped: 0 });
  }
});

test("policy test fails an example on which the rule fails, and a test in which a built-in fails", async (t) => {
  for (const name of ["time.parse_rfc3339_ns", "to_number"]) {
    const broken = LABEL_RULE.replace("value :=", `${name}("soon") > 0\n\tvalue :=`);
    const { exitCode, examples, tests } = await runTests(t, { ...COMPLETE, "policies/label/policy.rego": broken });
    assert.equal(exitCode, 1);
    assert.ok(
      examples.every(({ message }) => message?.includes("(builtin-error)")),
      JSON.stringify(examples),
    );
    const denies = tests.find((one) => one.name === "rules.label_test.test_denies_the_label");
    assert.equal(denies?.result, "failed");
    assert.ok(denies.message?.includes(name), denies.message ?? "");
  }
});

test("policy test measures coverage and fails below the threshold, naming the lines", async (t) => {
  const half = {
    ...COMPLETE,
    "policies/label/policy.rego": `${LABEL_RULE}\nwarn contains {"message": "x"} if {\n\tinput.resource.id.kind == "Pod"\n}\n`,
  };
  const folder = scene(t, half);
  const run = await runSluice(["policy", "test", "--threshold", "95"], { cwd: folder });
  assert.equal(run.code, 1);
  assert.match(run.stdout, /\nnot covered {2}policies\/label\/policy\.rego:15-16\n/);
  assert.match(run.stdout, /\ncoverage-too-low {2}The tests cover \d+(\.\d+)? % of the lines; 95 % are asked for\.\n/);
  assert.equal((await runTests(t, half, "--threshold", "50")).exitCode, 0);
  assert.equal((await runTests(t, COMPLETE, "--coverage")).coverage?.percent, 100);
});

test("policy test with nothing to run says so and exits 1, and takes no threshold or pattern that is none", async (t) => {
  const empty = { "policies/label/policy.rego": LABEL_RULE };
  const report = await runTests(t, empty);
  assert.deepEqual([report.exitCode, report.problems.map(({ code }) => code)], [1, ["no-tests"]]);
  assert.deepEqual(
    (await runTests(t, COMPLETE, "--run", "no_such_name")).problems.map(({ code }) => code),
    ["no-tests"],
  );
  const chosen = await runTests(t, COMPLETE, "--run", "den(y|ies)");
  assert.deepEqual([chosen.tests.length, chosen.examples.length], [1, 1]);
  const folder = scene(t, COMPLETE);
  for (const args of [
    ["--threshold", "101"],
    ["--threshold", "many"],
    ["--run", "("],
    ["--run", "(?<=x)y"],
  ]) {
    const run = await runCommand(policyTest, args, folder);
    assert.deepEqual([run.code, run.stdout, run.error], [2, "", "usage"], args.join(" "));
  }
});

test("policy test gives tests and examples the data files, and tests replace them", async (t) => {
  const body = `deny contains {"message": "bad"} if input.resource.object.metadata.labels[_] in data.labels.bad\n`;
  const tests = `package rules.label_test

import data.rules.label

one := {"resource": {"object": {"metadata": {"labels": {"a": "worse"}}}}}

test_reads_the_file if count(data.labels.bad) == 2

test_denies if count(label.deny) == 1 with input as one

test_replaced if count(label.deny) == 0 with input as one with data.labels.bad as []
`;
  const folder = scene(t, {
    "policies/label/policy.rego": `${metadata("label")}package rules.label\n\n${body}`,
    "policies/label/policy_test.rego": tests,
    "policies/labels/data.json": '{"bad": ["bad", "worse"]}',
    "policies/label/examples/allow/good.yaml": configMap("good", "{a: good}"),
    "policies/label/examples/deny/bad.yaml": configMap("bad", "{a: worse}"),
  });
  const run = await runCommand(policyTest, ["--threshold", "100", "--format", "json"], folder);
  const { counts, coverage } = policyTestSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual([run.code, counts, coverage?.percent], [0, { passed: 5, failed: 0, skipped: 0 }, 100]);
  const measured = await runCommand(policyBench, ["policies/label/examples/deny/bad.yaml", "--rounds", "2"], folder);
  assert.deepEqual([measured.code, measured.error], [0, null]);
});
