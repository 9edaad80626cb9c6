/** `policy fmt`, `policy docs`, `policy bench`, and the JUnit of `policy test`. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { policyBench } from "../../src/cli/policy-bench.ts";
import { policyDocs } from "../../src/cli/policy-docs.ts";
import { policyFmt } from "../../src/cli/policy-fmt.ts";
import { policyTest } from "../../src/cli/policy-test.ts";
import { POLICY_TOOL_SCHEMAS } from "../../src/cli/reports/schemas/policy-tools.ts";
import { ROOT } from "../policy/support.ts";
import { tempFolder } from "../support/temp.ts";
import { COMPLETE, configMap, LABEL_RULE, LABEL_TEST, metadata, runCommand, scene } from "./policy-scene.ts";

const UGLY = LABEL_RULE.replace("\tvalue :=", "      value   :=");
const OLD = "package old\ndeny[msg] {  msg :=  input.x }\n";

test("policy fmt writes what opa fmt writes, each file in its own version of Rego, and nothing twice", async (t) => {
  const folder = scene(t, { ...COMPLETE, "policies/label/policy.rego": UGLY, "policies/old/old.rego": OLD });
  const asked = await runCommand(policyFmt, ["--check", "--format", "json"], folder);
  const report = POLICY_TOOL_SCHEMAS["policy-fmt"].schema.parse(JSON.parse(asked.stdout));
  assert.deepEqual(
    [asked.code, report.files, report.written, report.changed],
    [1, 3, false, ["policies/label/policy.rego", "policies/old/old.rego"]],
  );
  assert.equal(readFileSync(join(folder, "policies/label/policy.rego"), "utf8"), UGLY, "--check writes nothing");
  const written = await runCommand(policyFmt, [], folder);
  assert.deepEqual(
    [written.code, written.stdout],
    [0, "written  policies/label/policy.rego\nwritten  policies/old/old.rego\n3 files, 2 written\n"],
  );
  assert.equal(readFileSync(join(folder, "policies/label/policy.rego"), "utf8"), LABEL_RULE);
  assert.equal(
    readFileSync(join(folder, "policies/old/old.rego"), "utf8"),
    "package old\n\ndeny[msg] {\n\tmsg := input.x\n}\n",
  );
  assert.deepEqual(readdirSync(join(folder, "policies/old")), ["old.rego"]);
  assert.equal((await runCommand(policyFmt, ["--check"], folder)).stdout, "3 files, 0 would change\n");
});

test("policy fmt writes nothing when a file does not parse, and refuses a folder without policies", async (t) => {
  const folder = scene(t, { "policies/a.rego": UGLY, "policies/b.rego": "package b\nx := [", "empty/x.txt": "" });
  const run = await runCommand(policyFmt, [], folder);
  assert.deepEqual([run.code, run.error], [3, "policy-does-not-compile"]);
  assert.equal(readFileSync(join(folder, "policies/a.rego"), "utf8"), UGLY);
  assert.equal((await runCommand(policyFmt, ["empty"], folder)).error, "no-policies");
});

test("policy docs writes METADATA and examples as Markdown, and nothing of them is markup", async (t) => {
  const hostile = metadata("label")
    .replace("title: label", 'title: "[click](https://x.example) <b>| it"')
    .replace("description: Because.", 'description: "![x](y) `code`"');
  const folder = scene(t, {
    ...COMPLETE,
    "policies/label/policy.rego": LABEL_RULE.replace(metadata("label"), hostile),
    "policies/label/examples/deny/bad.yaml": `${configMap("bad", "{bad: of course}")}# \`\`\`\`\n`,
  });
  const { code, stdout } = await runCommand(policyDocs, [], folder);
  assert.equal(code, 0);
  assert.match(stdout, /^# Rules\n\n\| rule \| level \| says \| title \|\n/);
  assert.match(
    stdout,
    /\n## `label` \\\[click\\\]\\\(https:\/\/x\.example\\\) \\<b\\>\\\| it\n\n\\!\\\[x\\\]\\\(y\\\) \\`code\\`\n/,
  );
  assert.match(stdout, /\*\*To fix it:\*\* Change it\.\n\n- says: deny\n- level: high\n- looks at: every object\n/);
  assert.match(stdout, /\nAllowed, `policies\/label\/examples\/allow\/good\.yaml`:\n\n```yaml\napiVersion: v1\n/);
  assert.match(stdout, /\n`{5}yaml\n[\s\S]*# ````\n`{5}\n/, "the fence is longer than what stands inside");
  assert.equal((await runCommand(policyDocs, [], folder)).stdout, stdout, "the same bytes");
  const json = await runCommand(policyDocs, ["--format", "json"], folder);
  const { rules } = POLICY_TOOL_SCHEMAS["policy-docs"].schema.parse(JSON.parse(json.stdout));
  assert.deepEqual(
    rules[0]?.examples.map(({ expected }) => expected),
    ["allow", "deny"],
  );
});

test("policy docs describes the library", async (t) => {
  const folder = tempFolder(t);
  cpSync(join(ROOT, "policies"), join(folder, "policies"), { recursive: true });
  const { code, stdout } = await runCommand(policyDocs, [], folder);
  assert.equal(code, 0);
  for (const rule of readdirSync(join(ROOT, "policies")).filter((name) => !name.includes(".")))
    assert.ok(stdout.includes(`\n## \`${rule}\``), rule);
});

test("policy bench measures all rules together and each alone, over files or over the examples", async (t) => {
  const folder = scene(t, {
    ...COMPLETE,
    "policies/other/policy.rego":
      `${metadata("other", ["match: {kinds: [Secret]}"])}package rules.other\n\ndeny contains {"message": "x"} if input.x\n`.replace(
        "input.x",
        "input.resource.object.data",
      ),
    "web.yaml": configMap("web", "{good: x}"),
  });
  const run = await runCommand(policyBench, ["--rounds", "3", "--format", "json"], folder);
  const report = POLICY_TOOL_SCHEMAS["policy-bench"].schema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    [run.code, report.documents, report.rounds, report.rules.map(({ rule }) => rule)],
    [0, 2, 3, ["label"]],
  );
  assert.ok(report.all.p50 > 0 && report.all.p50 <= report.all.p99 && report.memoryBytes > 65_536);
  const named = await runCommand(policyBench, ["web.yaml", "--rounds", "1"], folder);
  assert.match(named.stdout, /^label +[\d.]+ us +100\.0 % +1 document\n\d+ evaluations\/s, p50 /);
  for (const rounds of ["0", "x", "9999999"])
    assert.equal((await runCommand(policyBench, ["--rounds", rounds], folder)).error, "usage");
});

test("policy bench measures nothing that is not answered", async (t) => {
  const failing = LABEL_RULE.replace("value := input", "value := time.parse_rfc3339_ns(input").replace(
    "labels.bad\n",
    "labels.bad)\n",
  );
  const folder = scene(t, { ...COMPLETE, "policies/label/policy.rego": failing });
  const run = await runCommand(policyBench, ["--rounds", "1"], folder);
  assert.deepEqual([run.code, run.error], [3, "policy-aborted"]);
});

test("policy test writes JUnit with a case for each test, example and problem", async (t) => {
  const folder = scene(t, {
    ...COMPLETE,
    "policies/label/policy_test.rego": `${LABEL_TEST}\ntest_wrong if count(label.deny) == 7 with input as {}\n`,
  });
  const { code, stdout } = await runCommand(policyTest, ["--threshold", "100", "--format", "junit"], folder);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="sluice policy test" tests="5" failures="1"/,
  );
  assert.match(
    stdout,
    /<testcase classname="policies\/label" name="rules\.label_test\.test_wrong" file="[^"]+" line="11" time="[\d.]+"><failure message="the rule is not true">/,
  );
  assert.match(
    stdout,
    /<testcase classname="policies\/label" name="policies\/label\/examples\/deny\/bad\.yaml"[^>]*\/>/,
  );
});
