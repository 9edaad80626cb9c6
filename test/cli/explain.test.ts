import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { explainSchema } from "../../src/cli/reports/schemas.ts";
import { CODES, type CodeEntry } from "../../src/lib/codes.ts";
import { repository } from "../support/repository.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";

const SRC = resolve(import.meta.dirname, "../../src");
const ENTRIES: [string, CodeEntry][] = Object.entries(CODES);

test("every code says what it means, shows an example, and ends with a fix", () => {
  assert.ok(ENTRIES.length > 100);
  for (const [code, { means, example, fix }] of ENTRIES) {
    assert.match(code, /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, code);
    assert.ok(means.length >= 20 && /[.!?]$/.test(means), `${code} means: ${means}`);
    assert.ok(example.length >= 5, `${code} example`);
    assert.ok(fix.length >= 5, `${code} fix`);
    assert.equal(/\bError:/.test(means + example + fix), false, code);
  }
});

test("every code of the catalogue is used in src, and by one folder's list only", () => {
  const files = globSync("**/*.ts", { cwd: SRC });
  const sources = files
    .filter((file) => !file.startsWith("lib/codes"))
    .map((file) => readFileSync(join(SRC, file), "utf8"));
  const used = new Set(sources.flatMap((text) => [...text.matchAll(/"([a-z][a-z0-9-]*)"/g)].map((match) => match[1])));
  assert.deepEqual(
    ENTRIES.map(([code]) => code).filter((code) => !used.has(code)),
    [],
  );
  const lists = files
    .filter((file) => /^lib\/codes\/.*\.ts$/.test(file))
    .map((file) => readFileSync(join(SRC, file), "utf8"));
  const listed = lists.flatMap((text) =>
    [...text.matchAll(/^ {2}"?([a-z][a-z0-9-]*)"?: \{$/gm)].map((match) => match[1]),
  );
  assert.deepEqual([...listed].sort(), ENTRIES.map(([code]) => code).sort());
});

test("explain says what a code means, its example and its fix, in 80 columns", async () => {
  const run = await runSluice(["explain", "shallow-clone"]);
  assert.deepEqual([run.code, run.stderr], [0, ""]);
  const flat = run.stdout.replaceAll(/\s+/g, " ");
  for (const part of [CODES["shallow-clone"].means, CODES["shallow-clone"].example, CODES["shallow-clone"].fix]) {
    assert.ok(flat.includes(part), part);
  }
  assert.match(run.stdout, /^shallow-clone {2}usage or configuration, exit 2\n/);
  assert.ok(run.stdout.split("\n").every((line) => line.length <= 80));
});

test("explain reads a rule from the repository's own policies, with its deny example", async (t) => {
  const repo = await repository(t);
  const policy = `# METADATA
# title: Names are short
# custom:
#   id: short-names
#   level: low
#   fix: Choose a shorter name.
package own.names

deny contains {"message": "the name is long", "at": "/metadata/name"} if {
	count(input.resource.object.metadata.name) > 10
}
`;
  repo.write({
    "rules/names/policy.rego": policy,
    "rules/names/examples/deny/long.yaml": "kind: ConfigMap\n",
    "sluice.yaml": "version: 1\npolicies: rules/\ntargets: {prod: {branch: main, path: prod}}\n",
  });
  const run = await runSluice(["explain", "short-names", "--format", "json"], { cwd: repo.path });
  const { entries } = explainSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(entries, [
    {
      name: "short-names",
      kind: "rule",
      class: "low",
      means: "Names are short.",
      example: "kind: ConfigMap\n",
      fix: "Choose a shorter name.",
      file: "rules/names/policy.rego",
    },
  ]);
});

test("explain knows the rules of the library where a repository has none", async (t) => {
  const run = await runSluice(["explain", "k8s-privileged"], { cwd: tempFolder(t) });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /^k8s-privileged {2}rule, level high\nmeans {5}Containers are not privileged\./);
  assert.match(run.stdout, /^fix {7}Remove securityContext\.privileged/m);
});

test("explain --all lists every code and every rule once, sorted", async (t) => {
  const run = await runSluice(["explain", "--all", "--format", "json"], { cwd: tempFolder(t) });
  const names = explainSchema.parse(JSON.parse(run.stdout)).entries.map((one) => one.name);
  assert.deepEqual(names, [...new Set(names)].sort());
  for (const name of [...Object.keys(CODES), "k8s-privileged", "image-digest"]) assert.ok(names.includes(name), name);
});

test("explain of an unknown name is refused with the nearest one", async (t) => {
  const cwd = tempFolder(t);
  const code = await runSluice(["explain", "unsinged-commit"], { cwd });
  assert.deepEqual([code.code, code.stdout], [2, ""]);
  assert.match(code.stderr, /^explain-unknown {2}[\s\S]*fix {2}sluice explain unsigned-commit\n$/);
  const rule = await runSluice(["explain", "k8s-privileged-pod"], { cwd });
  assert.match(rule.stderr, /fix {2}sluice explain k8s-privileged\n$/);
  const nothing = await runSluice(["explain"], { cwd });
  assert.deepEqual([nothing.code, nothing.stderr.split("  ")[0]], [2, "usage"]);
});
