import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { policyCheck } from "../../src/cli/policy-check.ts";
import { policyCheckSchema } from "../../src/cli/reports/schemas.ts";
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
  assert.match(run.stdout, /^policies\/nameless\/policy\.rego:1 {2}policy-metadata {2}/m);
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

test("policy check names every use of a function that is not offered, data that nobody defines, and data files", async (t) => {
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
  const absent = await check(t, {
    ...COMPLETE,
    "policies/list/policy.rego": `${metadata("list")}package rules.list\n\ndeny contains {"message": "no"} if data.allowed.x\n`,
    "policies/data.yaml": "x: 1\n",
  });
  const mistakes = absent.problems.filter(({ severity }) => severity === "mistake");
  assert.deepEqual(
    mistakes.map(({ code, file }) => [code, file]),
    [["not-supported", "policies/data.yaml"]],
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
