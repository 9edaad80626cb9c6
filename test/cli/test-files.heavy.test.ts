import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { testFiles } from "../../src/cli/test.ts";
import { runSluice } from "../support/sluice.ts";
import { runCommand, scene } from "./policy-scene.ts";

const POLICY = `package main

import data.names

deny_root[msg] { input.root; msg := names.say("root") }

warn[msg] { input.warn; msg := "warned" }

exception[rules] { input.excepted; rules := ["root"] }
`;
const FILES = {
  "policy/main.rego": POLICY,
  "policy/names.rego": `package names\n\ndeny[x] { x := "never asked" }\n\nsay(x) = y { y := sprintf("%s is there", [x]) }\n`,
  "policy/teams.rego": `package teams\n\ndeny contains {"msg": "team", "code": 7} if not input.team\n`,
  "root.yaml": "root: true\nteam: a\n",
  "warn.json": '{"warn": true, "team": "a"}\n',
  "fine.yaml": "team: a\n---\n[team]\n",
  "excepted.yml": "root: true\nexcepted: true\nteam: a\n",
};

interface Result {
  readonly filename: string;
  readonly namespace: string;
  readonly successes: number;
  readonly warnings?: readonly { readonly msg: string }[];
  readonly failures?: readonly { readonly msg: string; readonly metadata?: unknown }[];
  readonly exceptions?: readonly { readonly msg: string }[];
}

async function judged(t: TestContext, args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const run = await runCommand(testFiles, args, scene(t, { ...FILES, ...files }));
  return { ...run, results: (): readonly Result[] => JSON.parse(run.stdout) as readonly Result[] };
}

test("test judges each document of each file in Conftest's namespace and form", async (t) => {
  const { code, results } = await judged(t, [
    "root.yaml",
    "warn.json",
    "fine.yaml",
    "excepted.yml",
    "--output",
    "json",
  ]);
  assert.equal(code, 1);
  assert.deepEqual(results(), [
    { filename: "root.yaml", namespace: "main", successes: 1, failures: [{ msg: "root is there" }] },
    { filename: "warn.json", namespace: "main", successes: 1, warnings: [{ msg: "warned" }] },
    { filename: "fine.yaml", namespace: "main", successes: 4 },
    { filename: "excepted.yml", namespace: "main", successes: 1, exceptions: [{ msg: "root is there" }] },
  ]);
});

test("test has Conftest's exit codes", async (t) => {
  const cases: readonly (readonly [readonly string[], number])[] = [
    [["fine.yaml"], 0],
    [["warn.json"], 0],
    [["root.yaml"], 1],
    [["fine.yaml", "--fail-on-warn"], 0],
    [["warn.json", "--fail-on-warn"], 1],
    [["root.yaml", "--fail-on-warn"], 2],
    [["root.yaml", "--no-fail"], 0],
    [["excepted.yml", "--fail-on-warn"], 0],
  ];
  for (const [args, code] of cases) assert.equal((await judged(t, args)).code, code, args.join(" "));
});

test("test asks the namespaces that are named, or all that have rules", async (t) => {
  const team = await judged(t, ["fine.yaml", "--namespace", "teams", "--output", "json"]);
  assert.deepEqual(team.results(), [
    { filename: "fine.yaml", namespace: "teams", successes: 1, failures: [{ msg: "team", metadata: { code: 7 } }] },
  ]);
  const all = await judged(t, ["root.yaml", "--all-namespaces", "--output", "json"]);
  assert.deepEqual(
    all
      .results()
      .map(({ namespace }) => namespace)
      .sort(),
    ["main", "names", "teams"],
  );
  const absent = await judged(t, ["root.yaml", "--namespace", "absent"]);
  assert.deepEqual([absent.code, absent.error], [3, "no-policies"]);
});

test("test takes a rule that cannot be evaluated for a failure", async (t) => {
  const torn = { "policy/torn.rego": `package torn\n\ndeny := "no set" if input.team\n` };
  const { code, results } = await judged(t, ["fine.yaml", "--namespace", "torn", "--output", "json"], torn);
  assert.equal(code, 1);
  assert.deepEqual(
    results()[0]?.failures?.map(({ msg }) => /^not evaluated \((.*)\)/.exec(msg)?.[1]),
    ["finding-malformed", "rules-missing"],
  );
});

test("test reads folders and standard input, prints every form, and refuses what it cannot read", async (t) => {
  const folder = scene(t, {
    ...FILES,
    "k8s/a.yaml": "root: 1\n",
    "k8s/b/c.json": "{}",
    "k8s/notes.md": "x",
    "x.toml": "a = 1",
  });
  const inFolder = await runCommand(testFiles, ["k8s"], folder);
  assert.deepEqual(inFolder.stdout.split("\n"), [
    "FAIL - k8s/a.yaml - main - root is there",
    "",
    "4 tests, 3 passed, 0 warnings, 1 failure, 0 exceptions",
    "",
  ]);
  const input = await runSluice(["test", "-", "-p", "policy", "-o", "tap"], {
    cwd: folder,
    input: "warn: 1\nroot: 1\n",
  });
  assert.deepEqual(
    [input.code, input.stdout.split("\n")],
    [1, ["1..2", "ok 1 - - - main - warned # TODO warning", "not ok 2 - - - main - root is there", ""]],
  );
  const junit = await runCommand(testFiles, ["root.yaml", "fine.yaml", "--output", "junit"], folder);
  assert.match(junit.stdout, /<testsuite name="root\.yaml main" tests="1" failures="1">/);
  assert.match(junit.stdout, /<testcase classname="main" name="fine\.yaml"\/>/);
  const github = await runCommand(testFiles, ["root.yaml", "--output", "github"], folder);
  assert.match(github.stdout, /^::error file=root\.yaml::\(main\) root is there$/m);
  for (const [args, error] of [
    [["absent.yaml"], "usage"],
    [["x.toml"], "not-supported"],
    [["root.yaml", "--output", "xml"], "usage"],
  ] as const) {
    assert.equal((await runCommand(testFiles, args, folder)).error, error, args.join(" "));
  }
});

test("test gives policies the documents of --data, at the top of data whatever their files and folders are called", async (t) => {
  const policy = `package main

deny[msg] { input.root; msg := sprintf("%v %v %v", [data.main.limit, data.shop.name, data["a.b"]]) }

deny_absent[msg] { not data.shop.absent; msg := "absent" }
`;
  const files = {
    "policy/main.rego": policy,
    "policy/data.json": '{"shop": {"name": "of the folder of policies, which is not asked"}}',
    "given/deep/limits.yaml": "main: {limit: 12}\n",
    "given/shop.json": '{"shop": {"name": "shop"}, "a.b": 123456789012345678901234567890}',
    "given/notes.txt": "no data",
    "other.yml": "shop: {teams: []}\n",
  };
  const args = ["root.yaml", "--data", "given", "--data", "other.yml", "--output", "json"];
  const { results } = await judged(t, args, files);
  assert.deepEqual(
    results().map(({ failures }) => failures?.map(({ msg }) => msg)),
    [["12 shop 123456789012345678901234567890", "absent"]],
  );
  for (const [more, error] of [
    ["other.yml", null],
    ["given/shop.json", "data-conflict"],
    ["external.json", "data-reserved"],
    ["wrong.json", "data-invalid"],
    ["given/notes.txt", "not-supported"],
    ["absent.json", "usage"],
  ] as const) {
    const given = { ...files, "external.json": '{"external": {}}', "wrong.json": "[]" };
    const run = await judged(t, ["root.yaml", "--data", "given", "--data", more], given);
    assert.equal(run.error, error, more);
  }
  assert.equal((await judged(t, ["root.yaml"], files)).error, "data-not-readable");
});

test("test --combine asks once about all documents, and a file that is a list is as many", async (t) => {
  const policy = `package main

deny[msg] { msg := concat(" ", [sprintf("%v=%v", [one.path, one.contents.id]) | one := input[_]]) }
`;
  const files = {
    "policy/main.rego": policy,
    "b.yaml": "id: 3\n---\nid: 4\n",
    "a/list.json": '[{"id": 1}, {"id": 2}]',
  };
  const { results } = await judged(t, ["b.yaml", "a", "--combine", "--output", "json"], files);
  const msg = "a/list.json=1 a/list.json=2 b.yaml=3 b.yaml=4";
  assert.deepEqual(results(), [{ filename: "Combined", namespace: "main", successes: 0, failures: [{ msg }] }]);
  const each = { ...files, "policy/main.rego": 'package main\n\ndeny[msg] { msg := sprintf("%v", [input.id]) }\n' };
  const alone = await judged(t, ["b.yaml", "a", "--output", "json"], each);
  assert.deepEqual(
    alone.results().map(({ filename, failures }) => [filename, failures?.map((one) => one.msg)]),
    [
      ["b.yaml", ["3", "4"]],
      ["a/list.json", ["1", "2"]],
    ],
  );
});
