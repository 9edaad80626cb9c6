import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyFile } from "../../src/policy/policy-set.ts";
import { build, denyLabel, policy, rejected } from "./support.ts";

const DENY = `deny contains {"message": "x"} if input.version == 2`;
const replaced = (from: RegExp | string, to: string): PolicyFile => {
  const file = policy("a", DENY);
  return { ...file, text: file.text.replace(from, to) };
};

/** [what, files, what the message says] */
const REFUSED: readonly (readonly [string, readonly PolicyFile[], RegExp])[] = [
  ["a deny without METADATA", [{ path: "a.rego", text: `package a\n${DENY}` }], /^a\.rego:1:1 .*no METADATA/],
  [
    "a deny beside a rule with METADATA",
    [policy("b", DENY), { path: "a.rego", text: `package a\n${DENY}` }],
    /^a\.rego:1:1 .*no METADATA/,
  ],
  [
    "a default deny without METADATA",
    [policy("b", DENY), { path: "a.rego", text: "package a\ndefault deny := false" }],
    /no METADATA/,
  ],
  [
    "a deny below a reference without METADATA",
    [policy("b", DENY), { path: "a.rego", text: "package a\ndeny.x := 1" }],
    /no METADATA/,
  ],
  ["METADATA without an id", [replaced("#   id: a\n", "")], /^a\/policy\.rego:1:1 custom\.id/],
  ["METADATA without a level", [replaced("#   level: high\n", "")], /custom\.level/],
  ["METADATA without a fix", [replaced(/# {3}fix:.*\n/, "")], /custom\.fix/],
  ["METADATA without a title", [replaced(/# title:.*\n/, "")], /title is missing/],
  ["an unknown key", [policy("a", DENY, ["levle: high"])], /^a\/policy\.rego:7:5 .*unknown key levle/],
  [
    "an unknown key of match",
    [policy("a", DENY, ["match: {kind: [Pod]}"])],
    /^a\/policy\.rego:7:13 custom\.match has the unknown key kind/,
  ],
  ["an unknown level", [replaced("level: high", "level: huge")], /^a\/policy\.rego:5:5 custom\.level/],
  ["an unknown scope", [policy("a", DENY, ["scope: cluster"])], /custom\.scope/],
  ["an unknown mode", [policy("a", DENY, ["mode: off"])], /custom\.mode/],
  ["an id of another form", [replaced("id: a", "id: A b")], /custom\.id/],
  ["an empty list of kinds", [policy("a", DENY, ["match: {kinds: []}"])], /custom\.match\.kinds/],
  ["a kind that is no kind", [policy("a", DENY, ['match: {kinds: ["Pod\\" or true"]}'])], /custom\.match\.kinds/],
  ["a namespace with a star inside", [policy("a", DENY, ["match: {namespaces: [a*b]}"])], /custom\.match\.namespaces/],
  ["kinds that are a text", [policy("a", DENY, ["match: {kinds: Pod}"])], /custom\.match\.kinds/],
  ["waivable that is a text", [policy("a", DENY, ['waivable: "no"'])], /custom\.waivable/],
  [
    "match on a change",
    [policy("a", DENY, ["scope: change", "match: {kinds: [Pod]}"])],
    /match is only for scope resource/,
  ],
  ["a role without ask", [policy("a", DENY, ["role: platform"])], /role is only/],
  ["a rule id without deny, warn or ask", [policy("a", "x := 1")], /none of deny, warn, ask/],
  [
    "two packages with one id",
    [policy("a", DENY), { path: "b.rego", text: policy("a", DENY).text.replace("rules.a", "rules.b") }],
    /the id a is used/,
  ],
  [
    "custom on a single rule",
    [{ ...policy("a", DENY), text: policy("a", `# METADATA\n# custom: {level: low}\n${DENY}`).text }],
    /only scope package/,
  ],
  [
    "a library with more than a scope",
    [policy("a", DENY), { path: "l.rego", text: "# METADATA\n# custom: {level: high}\npackage l\nx := 1" }],
    /^l\.rego:2:12 custom has the unknown key level/,
  ],
  [
    "METADATA custom twice for one package",
    [policy("a", DENY), { path: "b.rego", text: "# METADATA\n# custom: {scope: change}\npackage rules.a\nx := 1" }],
    /twice/,
  ],
  [
    "a package with quoted parts",
    [{ path: "a.rego", text: policy("a", DENY).text.replace("rules.a", 'rules["a b"]') }],
    /not a plain word/,
  ],
];

for (const [what, files, message] of REFUSED) {
  test(`refuses ${what}`, async (t) => {
    const error = await rejected(build(t, files), "policy-metadata");
    assert.match(error.message, message);
    assert.ok(error.position?.file.endsWith(".rego") && error.position.line !== null, JSON.stringify(error.position));
  });
}

test("takes a package of several files, and libraries beside it", async (t) => {
  const text = `package rules.a\nimport data.lib\nwarn contains {"message": lib.word} if input.version == 3`;
  const more = { path: "a/more.rego", text };
  const set = await build(t, [
    policy("a", DENY),
    more,
    { path: "lib.rego", text: 'package lib\nword := "x"' },
    denyLabel("b"),
  ]);
  assert.deepEqual(
    set.rules.map((rule) => [rule.id, rule.kinds]),
    [
      ["a", ["deny", "warn"]],
      ["b", ["deny"]],
    ],
  );
});
