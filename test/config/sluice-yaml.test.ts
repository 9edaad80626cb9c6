import assert from "node:assert/strict";
import { test } from "node:test";
import { approvalRule, currentPermit, readSluiceYaml, signatureRule } from "../../src/config/sluice-yaml.ts";
import { refusal } from "./refusal.ts";

/** The whole example of the documentation, without the one part that is not there yet. */
const EXAMPLE = `version: 1
policies: policies/
trust: trust/
waivers: waivers.yaml
ignore: ["*.md", docs/**]
targets:
  prod:
    branch: main
    path: clusters/prod
    mode: enforce
    signatures: {require: every-commit, signer: either, touch: false}
    approvals: {count: 2, roles: [platform], accept: [signed], bind: tree}
    after: "5d2c0aa0e15d2c0aa0e15d2c0aa0e15d2c0aa0e1"
    unruled: report
    permit: {prune: 40, empty: false, until: 2026-12-01}
`;

function target(lines: string): string {
  return `version: 1\ntargets:\n  prod:\n    branch: main\n    path: clusters/prod\n    ${lines}\n`;
}

function refused(text: string): readonly [string, string] {
  const { code, message } = refusal(() => readSluiceYaml(text));
  return [code, message];
}

test("the whole example is read, every key of it", () => {
  const { targets, ...rest } = readSluiceYaml(EXAMPLE);
  assert.deepEqual(rest, {
    version: 1,
    policies: "policies/",
    trust: "trust/",
    waivers: "waivers.yaml",
    ignore: ["*.md", "docs/**"],
  });
  assert.deepEqual(targets, {
    prod: {
      branch: "main",
      path: "clusters/prod",
      mode: "enforce",
      labels: {},
      signatures: { require: "every-commit", signer: "either", touch: false },
      approvals: { count: 2, roles: ["platform"], accept: ["signed"], bind: "tree" },
      after: "5d2c0aa0e15d2c0aa0e15d2c0aa0e15d2c0aa0e1",
      unruled: "report",
      permit: { prune: 40, empty: false, until: "2026-12-01" },
    },
  });
});

test("what is left out is as strict as it can be without people", () => {
  const one = readSluiceYaml(target("unruled: report")).targets["prod"];
  assert.ok(one !== undefined);
  assert.equal(one.mode, "enforce");
  assert.deepEqual(signatureRule(one), { require: "every-commit", signer: "either", touch: false });
  assert.deepEqual(approvalRule(one), { count: 0, roles: [], accept: ["signed"], bind: "tree" });
});

/** Each is refused because the part is not there yet, never guessed. */
const NOT_YET: readonly (readonly [string, string])[] = [
  ["approvals given on a forge", "approvals: {count: 1, accept: [signed, forge]}"],
  ["rendering by helm", "render: helm"],
  ["rendering by kustomize", "render: kustomize"],
];

for (const [name, lines] of NOT_YET) {
  test(`${name} is refused as not supported, with the target's name`, () => {
    const [code, message] = refused(target(lines));
    assert.equal(code, "not-supported");
    assert.equal(message, `Target prod asks for ${name}, which is not there yet.`);
  });
}

/** Text, and what is said of it: place first, then what is wrong, then what was meant. */
const INVALID: readonly (readonly [string, string, string | RegExp])[] = [
  [
    "an unknown key at the top",
    `${EXAMPLE}polices: p\n`,
    'sluice.yaml:16:1 unknown key "polices"; did you mean "policies"?',
  ],
  [
    "an unknown key of a target",
    target("singatures: {}"),
    'sluice.yaml:6:5 unknown key "singatures"; did you mean "signatures"?',
  ],
  [
    "an unknown key inside",
    target("signatures: {touch: true, requier: head}"),
    'sluice.yaml:6:31 unknown key "requier"; did you mean "require"?',
  ],
  ["an unknown key that is near to nothing", target("colour: red"), 'sluice.yaml:6:5 unknown key "colour".'],
  ["a number for a text", target("labels: {tier: 1}"), /^sluice\.yaml:6:14 targets\.prod\.labels\.tier: /],
  ["a text for a number", target('approvals: {count: "2"}'), /^sluice\.yaml:6:17 targets\.prod\.approvals\.count: /],
  ["a fraction of a person", target("approvals: {count: 1.5}"), /^sluice\.yaml:6:17 /],
  ["fewer than no people", target("approvals: {count: -1}"), /^sluice\.yaml:6:17 /],
  ["a mode that does not exist", target("mode: off-duty"), /^sluice\.yaml:6:5 targets\.prod\.mode: /],
  ["a renderer that does not exist", target("render: magic"), /^sluice\.yaml:6:5 targets\.prod\.render: /],
  ["an empty list of what is accepted", target("approvals: {accept: []}"), /targets\.prod\.approvals\.accept: /],
  ["a permit without an end", target("permit: {prune: 40}"), /targets\.prod\.permit\.until: /],
  ["a permit until a day that does not exist", target("permit: {until: 2026-02-30}"), /permit\.until: /],
  ["a path out of the repository", EXAMPLE.replace("clusters/prod", "../prod"), /^sluice\.yaml:9:5 .*inside the rep/],
  ["a path from the root", EXAMPLE.replace("clusters/prod", "/prod"), /^sluice\.yaml:9:5 .*inside the repository/],
  ["a trust folder outside", EXAMPLE.replace("trust: trust/", "trust: a/../../b"), /^sluice\.yaml:3:1 trust: /],
  ["a target's name in capitals", EXAMPLE.replace("prod:", "Prod:"), /^sluice\.yaml:7:3 targets\.Prod: /],
  ["no target", "version: 1\ntargets: {}\n", /^sluice\.yaml:2:1 targets: names at least one target\.$/],
  ["another version", EXAMPLE.replace("version: 1", "version: 2"), /^sluice\.yaml:1:1 version: /],
  ["a version in quotes", EXAMPLE.replace("version: 1", 'version: "1"'), /^sluice\.yaml:1:1 version: /],
  ["nothing at all", "", /^sluice\.yaml is not valid YAML: /],
  ["a list", "- a\n", /^sluice\.yaml:1:1 the file: /],
  ["a repeated key", `${EXAMPLE}version: 1\n`, /^sluice\.yaml:16:1 is not valid YAML: duplicated mapping key\.$/],
  ["two documents", `${EXAMPLE}---\n${EXAMPLE}`, /is not valid YAML: /],
  ["a tag", target("labels: {a: !!str x, b: !foo y}"), /is not valid YAML: /],
  ["an alias", target("labels: {a: &x red, b: *x}"), /^sluice\.yaml:6:28 is not valid YAML: aliases are not used/],
  ["a target named __proto__", `${EXAMPLE}  __proto__: {branch: main, path: p}\n`, /^sluice\.yaml:16:3 is not valid/],
  ["a word for true that others read as text", target("signatures: {touch: yes}"), /6:25 .*true or false; write it/],
  ["a number that is not decimal", target("approvals: {count: 0o2}"), /^sluice\.yaml:6:24 .*not decimal; write it/],
];

for (const [name, text, expected] of INVALID) {
  test(`sluice.yaml with ${name} is refused with its place`, () => {
    const [code, message] = refused(text);
    assert.equal(code, "configuration-invalid");
    if (typeof expected === "string") assert.equal(message, expected);
    else assert.match(message, expected);
  });
}

test("a commit id without quotes that is a number to a reader is refused, short or whole, and in quotes only whole", () => {
  const whole = "5e20000000000000000000000000000000000000";
  for (const bare of ["5e20000", whole, "1234567890123456789012345678901234567890"]) {
    const [code, message] = refused(target(`after: ${bare}`));
    assert.equal(code, "configuration-invalid");
    assert.match(message, /^sluice\.yaml:6:12 .*write it in quotes/, bare);
  }
  assert.match(refused(target('after: "5e20000"'))[1], /after: is a whole commit id in quotes\.$/);
  assert.equal(readSluiceYaml(target(`after: "${whole}"`)).targets["prod"]?.after, whole);
});

test("at most five problems are said at once, each on a line of its own", () => {
  const keys = ["aa", "bb", "cc", "dd", "ee", "ff"].map((key) => `${key}: 1`).join("\n");
  assert.equal(refused(`${EXAMPLE}${keys}\n`)[1].split("\n").length, 5);
});

test("a file over one megabyte is refused unread", () => {
  assert.deepEqual(refused(`${EXAMPLE}#${"x".repeat(1024 * 1024)}`), [
    "configuration-invalid",
    "sluice.yaml is larger than 1 MiB.",
  ]);
});

test("a permit counts up to the first instant of its last day, and none is none", () => {
  const one = readSluiceYaml(EXAMPLE).targets["prod"];
  assert.ok(one !== undefined);
  const end = Date.parse("2026-12-01T00:00:00Z");
  assert.deepEqual(currentPermit(one, end - 1), { prune: 40, empty: false });
  assert.equal(currentPermit(one, end), null);
  const without = readSluiceYaml(target("unruled: report")).targets["prod"];
  assert.equal(without === undefined || currentPermit(without, end), null);
});
