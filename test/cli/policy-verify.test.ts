import assert from "node:assert/strict";
import { resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { policyVerify } from "../../src/cli/policy-verify.ts";
import { policyVerifySchema } from "../../src/cli/reports/schemas/policy-verify.ts";
import { constraint, LABEL_TEMPLATE, template } from "../policy/dialects/fixtures.ts";
import { configMap, runCommand, scene } from "./policy-scene.ts";

const FILES = {
  "template.yaml": template("K8sLabels", LABEL_TEMPLATE).text,
  "constraint.yaml": constraint("K8sLabels", "all").text,
  "bad.yaml": configMap("bad", '{bad: "yes"}'),
  "good.yaml": configMap("good", '{good: "yes"}'),
};

function suite(tests: string): string {
  return `apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\ntests:\n${tests}`;
}

function oneTest(cases: string, more = ""): string {
  return suite(
    `  - name: t\n    template: template.yaml\n    constraint: constraint.yaml\n${more}    cases:\n${cases}`,
  );
}

function oneCase(name: string, object: string, assertions: string, more = ""): string {
  return `      - name: ${name}\n        object: ${object}\n${more}        assertions: ${assertions}\n`;
}

async function verify(t: TestContext, files: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const folder = scene(t, { ...FILES, ...files });
  const run = await runCommand(policyVerify, [".", "--format", "json", ...args], folder);
  if (run.error !== null) return { code: run.code, error: run.error, summary: null, cases: [] };
  const report = policyVerifySchema.parse(JSON.parse(run.stdout));
  assert.equal(run.code, report.exitCode);
  const cases = report.suites.flatMap((one) => one.cases);
  return { code: run.code, error: null, summary: report.summary, cases };
}

test("policy verify passes what the assertions say, and shows what they do not", async (t) => {
  const cases = [
    oneCase("yes", "bad.yaml", "[{violations: yes}]"),
    oneCase("default", "bad.yaml", "[{}]"),
    oneCase("number", "bad.yaml", "[{violations: 1}]"),
    oneCase("no", "good.yaml", "[{violations: no}]"),
    oneCase(
      "message",
      "bad.yaml",
      "[{violations: 1, message: '^bad is labelled \\w+$'}, {violations: no, message: other}]",
    ),
    oneCase("wrong-yes", "good.yaml", "[{violations: yes}]"),
    oneCase("wrong-no", "bad.yaml", "[{violations: no}]"),
    oneCase("wrong-number", "bad.yaml", "[{violations: 2}]"),
    oneCase("wrong-message", "bad.yaml", "[{violations: 1, message: other}]"),
    oneCase("absent", "absent.yaml", "[{violations: no}]"),
  ];
  const { code, summary, cases: found } = await verify(t, { "suite.yaml": oneTest(cases.join("")) });
  assert.equal(code, 1);
  assert.deepEqual(summary, { suites: 1, tests: 10, passed: 5, failed: 5, skipped: 0 });
  for (const one of found) assert.equal(one.result, /^(?:wrong|absent)/.test(one.case) ? "failed" : "passed", one.case);
  assert.match(found[7]?.message ?? "", /^1 violations, exactly 2 expected; it said: "bad is labelled yes"$/);
});

test("policy verify takes a skipped case for a failure, unless it is told that it may be skipped", async (t) => {
  const one = oneCase("runs", "bad.yaml", "[{violations: 1}]");
  const skips = {
    "a.yaml": oneTest(`${one}${oneCase("waits", "bad.yaml", "[{}]", "        skip: true\n")}`),
    "b.yaml": oneTest(one, "    skip: true\n"),
    "c.yaml": `${oneTest(one)}skip: true\n`,
  };
  const strict = await verify(t, skips);
  assert.deepEqual([strict.code, strict.summary], [1, { suites: 3, tests: 4, passed: 1, failed: 3, skipped: 3 }]);
  const lenient = await verify(t, skips, ["--allow-skip"]);
  assert.deepEqual([lenient.code, lenient.summary], [0, { suites: 3, tests: 4, passed: 1, failed: 0, skipped: 3 }]);
  const nothing = await verify(t, { "b.yaml": skips["b.yaml"] }, ["--allow-skip"]);
  assert.equal(nothing.code, 1, "what runs nothing proves nothing");
});

test("policy verify refuses a suite that says what no suite may say, with its place", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [oneTest("").replace("tests:", "tsts:"), "a key of the suite"],
    [oneTest(oneCase("x", "bad.yaml", "[{violation: no}]")), "a key of an assertion"],
    [oneTest("      - name: x\n        object: bad.yaml\n        assertion: []\n"), "no assertions"],
    [oneTest(oneCase("x", "bad.yaml", "[]")), "an empty list of assertions"],
    [oneTest(oneCase("x", "bad.yaml", "[{violations: maybe}]")), "another word than yes and no"],
    [oneTest(oneCase("x", "bad.yaml", "[{violations: -1}]")), "less than none"],
    [oneTest(oneCase("x", "bad.yaml", "[{message: '('}]")), "a pattern that is none"],
    [suite("  - {name: x, constraint: constraint.yaml}\n"), "a test without a template"],
    [`${suite("  - [")}`, "no YAML"],
  ];
  for (const [text, what] of cases) {
    const { code, error } = await verify(t, { "suite.yaml": text });
    assert.deepEqual([code, error], [1, "suite-malformed"], what);
  }
  const { error } = await verify(t, {});
  assert.equal(error, "no-tests");
});

test("policy verify fails a test whose template or constraint is unusable, and hides no other", async (t) => {
  const plain = oneCase("x", "bad.yaml", "[{violations: 1}]");
  const broken = template("K8sLabels", 'package p\n\nviolation[{"msg": "x"}] { unknown.f(1) }\n').text;
  const inTest = (from: string, to: string) => oneTest(plain).replace(from, to);
  const files = {
    "good-suite.yaml": oneTest(plain),
    "broken.yaml": broken,
    "broken-suite.yaml": inTest("template: template.yaml", "template: broken.yaml"),
    "absent-suite.yaml": inTest("template: template.yaml", "template: absent.yaml"),
    "other.yaml": constraint("K8sOther", "all").text,
    "other-suite.yaml": inTest("constraint: constraint.yaml", "constraint: other.yaml"),
    "expansion-suite.yaml": oneTest(plain, "    expansion: x.yaml\n"),
    "cel.yaml": template("K8sLabels", LABEL_TEMPLATE).text.replace(
      /rego: \|[\s\S]*/,
      "code: [{engine: K8sNativeValidation, source: {}}]\n",
    ),
    "cel-suite.yaml": inTest("template: template.yaml", "template: cel.yaml"),
  };
  const { summary, cases } = await verify(t, files);
  assert.deepEqual(summary, { suites: 6, tests: 6, passed: 1, failed: 5, skipped: 0 });
  const messages = cases.filter(({ result }) => result === "failed").map(({ message }) => message);
  for (const pattern of [/absent\.yaml is not a file/, /broken\.yaml:15.*unknown/, /CEL/, /expansion/, /K8sLabels/]) {
    assert.ok(
      messages.some((message) => pattern.test(message ?? "")),
      `${pattern} in ${messages}`,
    );
  }
});

test("policy verify knows constraints that are meant to be invalid", async (t) => {
  const schema = "{type: object, required: [size], properties: {size: {type: integer}}}";
  const files = {
    "template.yaml": template("K8sLabels", LABEL_TEMPLATE, { schema }).text,
    "wrong.yaml": constraint("K8sLabels", "wrong", ['parameters: {size: "1"}']).text,
    "missing.yaml": constraint("K8sLabels", "missing", ["parameters: {}"]).text,
    "unknown.yaml": constraint("K8sLabels", "unknown", ["parameters: {size: 1, other: 2}"]).text,
    "valid.yaml": constraint("K8sLabels", "valid", ["parameters: {size: 1}"]).text,
  };
  const tests = ["wrong", "missing", "unknown", "valid"]
    .map((name) => `  - {name: ${name}, template: template.yaml, constraint: ${name}.yaml, invalid: true}\n`)
    .join("");
  const { cases } = await verify(t, { ...files, "suite.yaml": suite(tests) });
  assert.deepEqual(
    cases.map(({ test: name, result }) => `${name} ${result}`),
    ["wrong passed", "missing passed", "unknown failed", "valid failed"],
  );
});

test("policy verify asks with AdmissionReviews, inventories and what is not in force for gator", async (t) => {
  const rego = `package p

violation[{"msg": msg}] {
	names := {name | data.inventory.cluster.v1.Namespace[name]}
	msg := sprintf("%v by %v in %v", [input.review.operation, input.review.userInfo.username, names])
}
`;
  const review = (request: string) =>
    `apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest: {operation: ${request}}\n`;
  const files = {
    "template.yaml": template("K8sLabels", rego).text,
    "delete.yaml": review(
      "DELETE, userInfo: {username: ada}, oldObject: {apiVersion: v1, kind: Pod, metadata: {name: x}}",
    ),
    "torn.yaml": review("DELETE, object: {apiVersion: v1, kind: Pod, metadata: {name: x}}"),
    "empty.yaml": review("CREATE"),
    "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n",
    "elsewhere.yaml": constraint("K8sLabels", "all", [
      "enforcementAction: scoped",
      "scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]",
    ]).text,
    "suite.yaml": oneTest(
      [
        oneCase(
          "delete",
          "delete.yaml",
          "[{violations: 1, message: 'DELETE by ada in .\"apps\".'}]",
          "        inventory: [namespace.yaml]\n",
        ),
        oneCase("torn", "torn.yaml", "[{violations: no}]"),
        oneCase("empty", "empty.yaml", "[{violations: no}]"),
      ].join(""),
    ),
    "elsewhere-suite.yaml": oneTest(oneCase("elsewhere", "delete.yaml", "[{violations: no}]")).replace(
      "constraint: constraint.yaml",
      "constraint: elsewhere.yaml",
    ),
  };
  const { cases } = await verify(t, files);
  assert.deepEqual(
    cases.map(({ case: name, result }) => `${name} ${result}`),
    ["elsewhere passed", "delete passed", "torn failed", "empty failed"],
  );
});

test("policy verify runs the suites of the examples, and one file", async () => {
  const folder = resolve(import.meta.dirname, "../../examples/gatekeeper");
  const all = await runCommand(policyVerify, ["policies"], folder);
  assert.deepEqual([all.code, all.stdout.split("\n").at(-2)], [0, "2 suites, 5 tests: 5 passed, 0 failed, 0 skipped"]);
  const one = await runCommand(policyVerify, ["policies/unique-host/suite.yaml"], folder);
  assert.match(one.stdout, /1 suites, 2 tests: 2 passed/);
});
