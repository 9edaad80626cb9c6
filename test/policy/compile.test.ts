import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Code } from "../../src/lib/codes.ts";
import { AGGREGATE_FILE } from "../../src/policy/entrypoints.ts";
import { INPUT_SCHEMAS } from "../../src/policy/input-schema.ts";
import type { PolicyFile } from "../../src/policy/policy-set.ts";
import { build, denyLabel, policy, ROOT, rejected } from "./support.ts";

test("builds a set of rules sorted by id, with what METADATA says of each", async (t) => {
  const custom = [
    "controls: [SOC2 CC6.8]",
    "match: {kinds: [ConfigMap, Secret], namespaces: [apps, team-*]}",
    "waivable: false",
  ];
  const ask = policy("b-ask", `ask contains {"message": "who knows?"} if input.change.paths[_] == "x"`, [
    "scope: change",
    "role: platform",
    "mode: warn",
  ]);
  const set = await build(t, [ask, denyLabel("a-label", custom)]);
  assert.deepEqual(set.rules, [
    {
      id: "a-label",
      package: "rules.a_label",
      file: "a-label/policy.rego",
      title: "a-label",
      description: "",
      level: "high",
      fix: "Do something else.",
      controls: ["SOC2 CC6.8"],
      scope: "resource",
      match: { kinds: ["ConfigMap", "Secret"], namespaces: ["apps", "team-*"] },
      waivable: false,
      role: null,
      mode: "enforce",
      kinds: ["deny"],
      imported: null,
    },
    {
      id: "b-ask",
      package: "rules.b_ask",
      file: "b-ask/policy.rego",
      title: "b-ask",
      description: "",
      level: "high",
      fix: "Do something else.",
      controls: [],
      scope: "change",
      match: { kinds: null, namespaces: null },
      waivable: true,
      role: "platform",
      mode: "warn",
      kinds: ["ask"],
      imported: null,
    },
  ]);
});

test("has one digest for one content, whatever the order, and another for every other content", async (t) => {
  const [a, b] = [denyLabel("a"), denyLabel("b")];
  const digest = async (files: readonly PolicyFile[]) => (await build(t, files)).digest;
  const first = await digest([a, b]);
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(await digest([b, a]), first);
  assert.equal(
    await digest([a, b, { path: "a/policy_test.rego", text: "package a_test" }, { path: "README.md", text: "x" }]),
    first,
  );
  assert.notEqual(await digest([a]), first);
  assert.notEqual(await digest([a, { ...b, text: `${b.text}\n` }]), first);
  assert.notEqual(await digest([a, { ...b, path: "c/policy.rego" }]), first);
});

const library = (text: string): PolicyFile => ({ path: "lib/lib.rego", text });

/** [what, files, code, what the message says] */
const REFUSED: readonly (readonly [string, readonly PolicyFile[], Code, RegExp])[] = [
  ["no file at all", [], "no-policies", /no policy/],
  [
    "only tests and other files",
    [
      { path: "a_test.rego", text: "package a" },
      { path: "a.yaml", text: "" },
    ],
    "no-policies",
    /no policy/,
  ],
  ["only functions", [library("package lib\nf(x) := x")], "no-policies", /no policy/],
  ["what is not Rego", [policy("a", "deny contains")], "policy-does-not-compile", /^a\/policy\.rego:\d+/],
  [
    "a misspelt field of the input",
    [policy("a", `deny contains {"message": "x"} if input.resource.objct.kind`)],
    "policy-does-not-compile",
    /^a\/policy\.rego:9.*objct/s,
  ],
  [
    "a field that only the other scope has",
    [policy("a", `deny contains {"message": "x"} if input.pod.containers`, ["scope: change"])],
    "policy-does-not-compile",
    /^a\/policy\.rego:10/,
  ],
  [
    "an unused variable",
    [policy("a", `deny contains {"message": "x"} if { y := input.version }`)],
    "policy-does-not-compile",
    /y/,
  ],
  [
    "a library that says its scope and misspells",
    [denyLabel("a"), library("# METADATA\n# custom: {scope: resource}\npackage lib\nx := input.resource.nme")],
    "policy-does-not-compile",
    /lib\/lib\.rego:4/,
  ],
  [
    "data that no policy defines",
    [policy("a", `deny contains {"message": "x"} if data.lib.bad[input.version]`)],
    "policy-does-not-compile",
    /data\.lib\.bad/,
  ],
  [
    "brackets 5,000 deep",
    [policy("a", `x := ${"[".repeat(5000)}${"]".repeat(5000)}\ndeny contains {"message": "x"} if x`)],
    "policy-does-not-compile",
    /nested/,
  ],
  [
    "http.send",
    [policy("a", `deny contains {"message": "x"} if http.send({"method": "get", "url": "https://x.example"})`)],
    "builtin-not-supported",
    /^a\/policy\.rego:9.*http\.send/s,
  ],
  [
    "the parser of Rego",
    [policy("a", `deny contains {"message": "x"} if rego.parse_module("a.rego", "package a").rules`)],
    "builtin-not-supported",
    /^a\/policy\.rego:9.*rego\.parse_module/s,
  ],
  [
    "the environment",
    [policy("a", `deny contains {"message": "x"} if opa.runtime().env.HOME`)],
    "builtin-not-supported",
    /opa\.runtime/,
  ],
  [
    "our own package",
    [denyLabel("a"), library("package sluice.aggregate\nresult := {}")],
    "policy-metadata",
    /sluice\.aggregate/,
  ],
  [
    "our own package from above",
    [denyLabel("a"), library(`package sluice\naggregate.result["a"] := {}`)],
    "policy-metadata",
    /sluice\.aggregate/,
  ],
  ["our own file", [denyLabel("a"), { path: AGGREGATE_FILE, text: "package x" }], "policy-metadata", /own/],
];

for (const [what, files, code, message] of REFUSED) {
  test(`refuses ${what}`, async (t) => {
    const error = await rejected(build(t, files), code);
    assert.match(error.message, message);
  });
}

test("names the place of a refusal", async (t) => {
  const error = await rejected(
    build(t, [policy("a", `deny contains {"message": "x"} if net.lookup_ip_addr("a.example")`)]),
    "builtin-not-supported",
  );
  assert.deepEqual(error.position && { ...error.position, column: null }, {
    file: "a/policy.rego",
    line: 9,
    column: null,
  });
});

test("publishes the schemas that the compiler uses", () => {
  for (const scope of ["resource", "change"] as const) {
    const path = join(ROOT, "docs", "reference", "schemas", `policy-input.${scope}.schema.json`);
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), INPUT_SCHEMAS[scope]);
  }
});
