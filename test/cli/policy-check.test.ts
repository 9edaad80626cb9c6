import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { policyCheck } from "../../src/cli/policy-check.ts";
import { policyTest } from "../../src/cli/policy-test.ts";
import { policyCheckSchema } from "../../src/cli/reports/schemas.ts";
import { constraint, LABEL_TEMPLATE, template } from "../policy/dialects/fixtures.ts";
import { runSluice } from "../support/sluice.ts";
import { COMPLETE, LABEL_RULE, LABEL_TEST, metadata, runCommand, scene } from "./policy-scene.ts";

async function check(t: TestContext, files: Readonly<Record<string, string>>) {
  const run = await runCommand(policyCheck, ["--format", "json"], scene(t, files));
  assert.equal(run.error, null);
  const report = policyCheckSchema.parse(JSON.parse(run.stdout));
  assert.equal(run.code, report.exitCode);
  return report;
}

test("policy check finds nothing to say about a complete rule", async (t) => {
  const report = await check(t, COMPLETE);
  assert.deepEqual([report.exitCode, report.rules, report.problems], [0, ["label"], []]);
});

test("policy check shows every mistake with file, line and column, and exits 1", async (t) => {
  const rule = (name: string, body: string): string => `${metadata(name)}package rules.${name}\n\n${body}\n`;
  const folder = scene(t, {
    ...COMPLETE,
    "policies/misspelt/policy.rego": rule("misspelt", 'deny contains {"message": "no"} if input.resource.objct'),
    "policies/unused/policy.rego": rule("unused", 'deny contains {"message": "no"} if {\n\tx := 1\n}'),
    "policies/nameless/policy.rego": 'package rules.nameless\n\ndeny contains {"message": "no"}\n',
  });
  const run = await runSluice(["policy", "check"], { cwd: folder });
  assert.equal(run.code, 1, run.stderr);
  assert.match(run.stdout, /^policies\/misspelt\/policy\.rego:10:36 {2}policy-does-not-compile {2}.*objct/m);
  assert.match(run.stdout, /^policies\/unused\/policy\.rego:11:2 {2}policy-does-not-compile {2}.*unused/m);
  assert.match(run.stdout, /^policies\/nameless\/policy\.rego:1:1 {2}policy-metadata {2}/m);
  assert.match(run.stdout, /\n3 rules, 3 mistakes, 6 warnings\n$/);
});

test("policy check says where a file cannot be parsed, and that there is no policy", async (t) => {
  const parse = await check(t, { "policies/a/policy.rego": "package a\n\ndeny contains {\n" });
  assert.deepEqual(parse.problems.map(({ code, file, line }) => [code, file, line]).slice(0, 1), [
    ["policy-does-not-compile", "policies/a/policy.rego", 4],
  ]);
  for (const files of [{ "policies/README.md": "" }, { "policies/a/lib.rego": "package a\n\nf(x) := x\n" }]) {
    const { exitCode, problems } = await check(t, files);
    assert.deepEqual([exitCode, problems.map(({ code, file }) => [code, file])], [1, [["no-policies", null]]]);
  }
});

test("policy check names every use of a function that is not offered, and data that nobody defines", async (t) => {
  const many = Array.from({ length: 7 }, (_, index) => `\thttp.send({"method": "get", "url": "${index}"})`).join("\n");
  const body = `deny contains {"message": "no"} if {\n${many}\n}\n`;
  const denied = await check(t, {
    ...COMPLETE,
    "policies/net/policy.rego": `${metadata("net")}package rules.net\n\n${body}`,
  });
  const uses = denied.problems.filter(({ code }) => code === "builtin-not-supported");
  assert.deepEqual(
    uses.map(({ line }) => line),
    [11, 12, 13, 14, 15, 16, 17],
  );
  const alone = await check(t, {
    "policies/list/policy.rego": `${metadata("list")}package rules.list\n\ndeny contains {"message": "no"} if data.allowed.x\n`,
  });
  assert.ok(
    alone.problems.some(({ code, message }) => code === "policy-does-not-compile" && message.includes("allowed")),
  );
});

test("policy check warns about what nobody tested, showed or described, and still exits 0", async (t) => {
  const bare = LABEL_RULE.replace("# description: Because.\n", "");
  const { exitCode, problems } = await check(t, { "policies/label/policy.rego": bare });
  assert.deepEqual(
    [exitCode, problems.map(({ code, severity }) => `${severity} ${code}`)],
    [
      0,
      ["warning description-missing", "warning tests-missing", "warning examples-missing", "warning examples-missing"],
    ],
  );
  const tested = await check(t, { "policies/label/policy.rego": bare, "policies/label/policy_test.rego": LABEL_TEST });
  assert.equal(
    tested.problems.some(({ code }) => code === "tests-missing"),
    false,
  );
});

test("policy check shows how each policy is written, and counts what runs unchanged", async (t) => {
  const files = {
    ...COMPLETE,
    "policies/gatekeeper/template.yaml": template("K8sLabels", LABEL_TEMPLATE).text,
    "policies/gatekeeper/all.yaml": constraint("K8sLabels", "all").text,
    "policies/main.rego": `package main\n\ndeny contains "x" if input.metadata.labels.bad\n`,
    "policies/main_test.rego": `package main\n\ntest_denies if deny["x"] with input as {"metadata": {"labels": {"bad": "1"}}}\n`,
    "policies/admission.rego": `package kubernetes.admission\n\ndeny["x"] { input.request.object.metadata.labels.bad }\n`,
  };
  const report = await check(t, files);
  assert.deepEqual(
    report.policies.map(({ rule, dialect, file }) => [rule, dialect, file]),
    [
      ["K8sLabels/all", "gatekeeper", "policies/gatekeeper/all.yaml"],
      ["kubernetes.admission/deny", "opa-admission", "policies/admission.rego"],
      ["label", "native", "policies/label/policy.rego"],
      ["main/deny", "conftest", "policies/main.rego"],
    ],
  );
  assert.deepEqual(
    [report.exitCode, report.problems, report.templates],
    [0, [], { total: 1, unchanged: 1, others: [] }],
  );
  const tested = await runCommand(policyTest, [], scene(t, files));
  assert.equal(tested.code, 0, tested.stdout);
});

test("policy check says of everything that a cluster has what runs unchanged, and why the rest does not", async () => {
  const body = (text: string) => `package p\n\nviolation[{"msg": "x"}] {\n\t${text}\n}\n`;
  const cel = template("K8sCel", body("true")).text.replace(
    /rego: \|[\s\S]*/,
    "code: [{engine: K8sNativeValidation, source: {}}]\n",
  );
  const objects = [
    template("K8sGood", body("input.review.object")).text,
    constraint("K8sGood", "all").text,
    template("K8sFine", body("data.inventory.cluster")).text,
    cel,
    cel.replaceAll("K8sCel", "K8sCelToo").replaceAll("k8scel", "k8sceltoo"),
    template("K8sExternal", body('external_data({"provider": "x", "keys": []})')).text,
    template("K8sOutside", body('http.send({"method": "get", "url": "x"})')).text,
    template("K8sTorn", "package p\n\nviolation[{").text,
    template("K8sUnknown", body("unknown.f(1)")).text,
  ];
  const items = objects.map((text) => `- ${text.trimEnd().replaceAll("\n", "\n  ")}\n`).join("");
  const run = await runSluice(["policy", "check", "-"], { input: `apiVersion: v1\nkind: List\nitems:\n${items}` });
  assert.equal(run.code, 1, run.stderr);
  const why = "2 CEL only; 1 external data; 1 with functions that Sluice does not offer; 2 that cannot be compiled";
  assert.match(run.stdout, new RegExp(`^templates: 2 of 8 run unchanged; ${why}$`, "m"));
  assert.match(run.stdout, /^ {2}CEL only: K8sCel, K8sCelToo$/m);
  assert.match(run.stdout, /^ {2}that cannot be compiled: K8sTorn, K8sUnknown$/m);
  assert.match(run.stdout, /^stdin\.yaml:\d+(?::\d+)? {2}policy-does-not-compile/m);
  const binary = await runSluice(["policy", "check", "-"], { input: new Uint8Array([0xff, 0xfe]) });
  assert.equal(binary.code, 2);
});

test("policy check takes tests in Rego v0 beside policies in Rego v0", async (t) => {
  const folder = scene(t, {
    "policies/main.rego": 'package main\n\ndeny[msg] {\n\tinput.kind == "Pod"\n\tmsg := "no"\n}\n',
    "policies/main_test.rego":
      'package main_test\n\nimport data.main\n\ntest_pod { count(main.deny) == 1 with input as {"kind": "Pod"} }\n',
  });
  const { code, stdout } = await runCommand(policyCheck, [], folder);
  assert.deepEqual([code, stdout], [0, "conftest  main/deny  policies/main.rego\n1 rule, 0 mistakes, 0 warnings\n"]);
});

test("policy check lists data files with what policies call them, and says what is wrong with one", async (t) => {
  const files = {
    ...COMPLETE,
    "policies/shop/data.yaml": "teams: {}\n",
    "policies/shop/lists/data.json": '{"allowed": []}',
  };
  const run = await runCommand(policyCheck, [], scene(t, files));
  assert.equal(run.code, 0);
  assert.match(
    run.stdout,
    /^data {4}data\.shop {2}policies\/shop\/data\.yaml\ndata {4}data\.shop\.lists {2}policies\/shop\/lists\/data\.json$/m,
  );
  const wrong = await check(t, { ...files, "policies/shop/lists/data.json": '{"allowed": [}' });
  assert.deepEqual(
    wrong.problems.map(({ code, file, line, column }) => [code, file, line, column]),
    [["data-invalid", "policies/shop/lists/data.json", 1, 14]],
  );
});
