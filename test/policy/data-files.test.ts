import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { SluiceError } from "../../src/lib/errors.ts";
import { policyDigest } from "../../src/policy/compile.ts";
import { entriesOf, nestedText, policyFile, readDataFiles } from "../../src/policy/data-files.ts";
import { examinePolicies } from "../../src/policy/examine.ts";
import type { PolicyFile } from "../../src/policy/policy-set.ts";
import { build, document, engine, policy, realToolchain } from "./support.ts";

const shared = { after };
const toolchain = realToolchain(shared);
const judging = engine(shared);

const data = (path: string, text: string): PolicyFile => policyFile("policies", path, text);
const ALLOWED = data("shop/images/data.json", '{"allowed": ["a", "b"], "limit": 123456789012345678901234567890}');
const TEAMS = data("shop/data.yaml", "teams:\n  web: {lead: ada}\n");

/** Says what a native rule, a Conftest policy and an OPA admission policy find under one name. */
function readers(expression: string, packages: { conftest?: string; admission?: string } = {}): readonly PolicyFile[] {
  const says = `sprintf("%v", [${expression}])`;
  return [
    policy("native", `deny contains {"message": m} if m := ${says}`),
    {
      path: "policies/conftest.rego",
      text: `# METADATA\n# custom:\n#   dialect: conftest\npackage ${packages.conftest ?? "main"}\n\nimport rego.v1\n\ndeny contains m if m := ${says}\n`,
    },
    {
      path: "policies/admission.rego",
      text: `package ${packages.admission ?? "kubernetes.admission"}\n\nimport rego.v1\n\ndeny contains m if m := ${says}\n`,
    },
  ];
}

async function said(files: readonly PolicyFile[]): Promise<readonly string[]> {
  const set = await build(shared, files, toolchain);
  const { findings, notEvaluated } = await judging.evaluate(set, [document("web")]);
  assert.deepEqual(notEvaluated, []);
  return findings.map(({ rule, message }) => `${rule} ${message}`);
}

async function refusalOf(files: readonly PolicyFile[]): Promise<string> {
  const thrown = await build(shared, files, toolchain).then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof SluiceError, "it was built");
  return `${thrown.code} ${thrown.message}`;
}

const THREE = ["kubernetes.admission/deny", "main/deny", "native"] as const;

describe("data files of policies", () => {
  it("stand at the place of their folder, in every dialect, with integers of any size", async () => {
    const files = [ALLOWED, TEAMS, data("data.json", '{"top": 1.0}')];
    for (const [expression, answer] of [
      ["data.shop.images.limit + 1", "123456789012345678901234567891"],
      ['data.shop.teams.web["lead"]', "ada"],
      ["count(data.shop.images.allowed)", "2"],
      ["sort([x | some x, _ in data.shop])", '["images", "teams"]'],
      ["data.top", "1"],
    ] as const) {
      assert.deepEqual(
        await said([...files, ...readers(expression)]),
        THREE.map((rule) => `${rule} ${answer}`),
        expression,
      );
    }
  });

  it("are seen by imported policies below, around and beside their own packages as one document with their rules", async () => {
    const files = [
      data("main/data.json", '{"limit": 3}'),
      data("data.json", '{"kubernetes": {"admission": {"limit": 3}, "version": 1}}'),
      data("shop/main/data.json", '{"limit": 3}'),
      ...readers("data.main.limit"),
    ];
    assert.deepEqual(
      await said(files),
      THREE.map((rule) => `${rule} 3`),
    );
    const around = readers("[data.kubernetes.admission.limit, data.kubernetes.version]");
    assert.deepEqual(
      await said([...files.slice(0, 3), ...around]),
      THREE.map((rule) => `${rule} [3, 1]`),
    );
    const own = {
      path: "policies/own.rego",
      text: "package shop.main\n\nimport rego.v1\n\nhelper := 4\n",
    };
    const below = readers("data.shop.main.limit");
    assert.deepEqual(
      await said([...files.slice(0, 3), own, ...below]),
      THREE.map((rule) => `${rule} 3`),
    );
  });

  it("and the rules of a package are one document where a policy reads all of it", async () => {
    const rules = { path: "policies/main.rego", text: "package main.rules\n\nimport rego.v1\n\nmine := 1\n" };
    const numbers = "sum([x | some x in data.main[_]; is_number(x)])";
    const whole = {
      path: "policies/asks.rego",
      text: `# METADATA\n# custom:\n#   dialect: conftest\npackage asks\n\nimport rego.v1\n\ndeny contains sprintf("%v", [${numbers}])\n`,
    };
    const given = data("main/data.json", '{"rules": {"limit": 3}, "more": {"limit": 5}}');
    assert.deepEqual(await said([given, rules, whole]), ["asks/deny 9"]);
  });

  it("that define one name twice are refused with both places", async () => {
    const native = policy("native", 'deny contains {"message": "m"} if data.shop.teams');
    const twice = await refusalOf([TEAMS, data("shop/data.json", '{\n  "teams": {"web": {"lead": "jo"}}\n}'), native]);
    assert.match(
      twice,
      /^data-conflict policies\/shop\/data\.yaml:2:9 data\.shop\.teams\.web\.lead is defined by policies\/shop\/data\.json:2:21 too/,
    );
    const blocked = await refusalOf([ALLOWED, data("shop/data.json", '{"images": 1}'), native]);
    assert.match(
      blocked,
      /^data-conflict policies\/shop\/images\/data\.json:1:1 data\.shop\.images is defined by policies\/shop\/data\.json:1:2 too/,
    );
  });

  it("that a rule contradicts are refused with both places, in every dialect", async () => {
    for (const [text, name, line] of [
      ["package shop.images\n\nimport rego.v1\n\nallowed := 1\n", "data.shop.images.allowed", 5],
      [
        '# METADATA\n# custom:\n#   dialect: conftest\npackage shop.images\n\nallowed = 1\ndeny[m] { m := "a" }\n',
        "data.shop.images.allowed",
        6,
      ],
      ["package shop.images.allowed\n\nimport rego.v1\n\nx := 1\n", "data.shop.images.allowed.x", 5],
    ] as const) {
      const rule = { path: "policies/rule.rego", text };
      const refused = await refusalOf([
        ALLOWED,
        rule,
        policy("native", 'deny contains {"message": "m"} if input.resource'),
      ]);
      assert.equal(
        refused,
        `data-conflict policies/rule.rego:${line}:1 ${name} is defined by this rule and by policies/shop/images/data.json:1:2.`,
      );
    }
  });

  it("that every reader would not read alike are refused with their place", async () => {
    const native = policy("native", 'deny contains {"message": "m"} if data.shop.a');
    for (const [path, text, place] of [
      ["shop/data.json", '{"a": 1, "a": 2}', ":1:10 This key stands twice"],
      ["shop/data.json", '{"a": NaN}', ":1:7 A value is expected"],
      ["shop/data.json", '{"a": "\\ud800"}', ":1:7 A text holds half"],
      ["shop/data.json", '{"a": 0.1000000000000000055511151231257827}', ":1:7 This number changes"],
      ["shop/data.json", '{"a": -0}', ":1:7 This number changes"],
      ["shop/data.json", `{"a": ${"1".repeat(401)}}`, ":1:7 This number changes"],
      ["shop/data.json", `{"a": ${"[".repeat(100)}${"]".repeat(100)}}`, ":1:106 Lists and objects nest deeper"],
      ["shop/data.json", '{"__proto__": 1}', ":1:2 The key __proto__"],
      ["shop/data.json", '{"a": 1} {"a": 2}', ":1:10 There is more text"],
      ["shop/data.json", "", ":1:1 A value is expected"],
      ["shop/data.yaml", "a: 010\n", ":1:4 "],
      ["shop/data.yaml", "a: 12345678901234567890\n", ":1:4 "],
      ["shop/data.yaml", "a: .nan\n", ":1:4 "],
      ["shop/data.yml", "a: 1\n---\na: 2\n", ":3 The file holds more than one document."],
      ["shop/data.yml", "", ":1 The file holds no document."],
      ["data.json", "[1]", ":1 What stands at the top of data is an object, and this is none."],
      ["data.json", `{"a": "${"a".repeat(8 * 1024 * 1024)}"}`, ":1 The data files are larger than 8 MiB together."],
    ] as const) {
      const refused = await refusalOf([data(path, text), native]);
      assert.ok(refused.startsWith(`data-invalid policies/${path}${place}`), refused.slice(0, 200));
    }
  });

  it("that take what the host gives are refused", async () => {
    const native = policy("native", 'deny contains {"message": "m"} if input.resource');
    for (const name of ["external", "inventory", "sluice"]) {
      for (const file of [data(`${name}/data.json`, "{}"), data("data.json", `{"${name}": {"a": 1}}`)])
        assert.match(
          await refusalOf([file, native]),
          new RegExp(`^data-reserved policies/.*:1:[12] data\\.${name} is`),
        );
    }
  });

  it("are not for templates of Gatekeeper, which know no data but the inventory", async () => {
    const template = {
      path: "policies/template.yaml",
      text: [
        "apiVersion: templates.gatekeeper.sh/v1",
        "kind: ConstraintTemplate",
        "metadata: {name: k8sdata}",
        "spec:",
        "  crd: {spec: {names: {kind: K8sData}}}",
        "  targets:",
        "    - target: admission.k8s.gatekeeper.sh",
        "      rego: |",
        "        package k8sdata",
        '        violation[{"msg": "m"}] { data.shop.teams }',
        "---",
        "apiVersion: constraints.gatekeeper.sh/v1beta1",
        "kind: K8sData",
        "metadata: {name: one}",
      ].join("\n"),
    };
    assert.match(await refusalOf([TEAMS, template]), /^data-not-readable policies\/template\.yaml:10/);
  });

  it("of native policies are held against what they read: a misspelt name is an error", async () => {
    const misspelt = policy("native", 'deny contains {"message": "m"} if data.shop.tems.web');
    assert.match(
      await refusalOf([TEAMS, misspelt]),
      /^policy-does-not-compile native\/policy\.rego:9:35 data\.shop\.tems\.web is read, and no data file has it/,
    );
    const absent = policy("native", 'deny contains {"message": "m"} if data.shopping.teams');
    assert.match(
      await refusalOf([TEAMS, absent]),
      /^policy-does-not-compile .*data\.shopping\.teams, which no policy and no data file defines/,
    );
    const other = { path: "main.rego", text: 'package main\n\ndeny["m"] { not data.shop.tems }\n' };
    assert.deepEqual(await said([TEAMS, other]), ["main/deny m"]);
  });

  it("are part of the digest, with the folder that they stand in", () => {
    const native = policy("native", 'deny contains {"message": "m"} if data.shop.teams');
    const digests = [
      [native],
      [native, TEAMS],
      [native, { ...TEAMS, text: "teams: {}\n" }],
      [native, { ...TEAMS, at: "policies/shop" }],
      [native, { path: "policies/shop/data.yml", text: TEAMS.text, at: "shop" }],
    ].map(policyDigest);
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(policyDigest([TEAMS, native]), digests[1]);
  });

  it("are listed by the examination of a folder, mistakes among them", async () => {
    const native = policy("native", 'deny contains {"message": "m"} if data.shop.teams');
    const examined = await examinePolicies(toolchain, [TEAMS, ALLOWED, native], []);
    assert.deepEqual(examined.data, [
      { name: "data.shop", file: "policies/shop/data.yaml" },
      { name: "data.shop.images", file: "policies/shop/images/data.json" },
    ]);
    assert.deepEqual(
      examined.problems.filter(({ severity }) => severity === "mistake"),
      [],
    );
    const wrong = await examinePolicies(toolchain, [TEAMS, data("shop/data.json", '{"teams": 1}'), native], []);
    assert.deepEqual(
      wrong.problems.filter(({ severity }) => severity === "mistake").map(({ code, file, line }) => [code, file, line]),
      [["data-conflict", "policies/shop/data.yaml", 1]],
    );
  });

  it("are loaded once by an instance, and what documents share does not disturb them", async () => {
    const rule = policy(
      "native",
      'deny contains {"message": m} if m := sprintf("%d %s", [count(data.big), data.big[input.resource.id.name]])',
    );
    const big = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`web-${at}`, `value ${at}`]));
    const set = await build(shared, [data("big/data.json", JSON.stringify(big)), rule], toolchain);
    for (const round of [0, 1, 2]) {
      const names = [`web-${round}`, `web-${round + 7}`];
      const { findings } = await judging.evaluate(
        set,
        names.map((name) => document(name)),
      );
      assert.deepEqual(findings.map(({ message }) => message).sort(), names.map((name) => `20000 ${big[name]}`).sort());
    }
  });

  it("keep a folder's name whatever it is, but for what reaches a prototype", () => {
    const read = readDataFiles([data("a.b/toString/data.json", '{"c": {"x": 1}}')]);
    assert.deepEqual(read.problems, []);
    assert.equal(nestedText(entriesOf(read.document)), '{"a.b":{"toString":{"c":{"x":1}}}}');
    assert.deepEqual(read.places, [{ name: 'data["a.b"].toString', file: "policies/a.b/toString/data.json" }]);
    const hostile = readDataFiles([data("a/__proto__/data.json", '{"c": 1}')]);
    assert.deepEqual(
      hostile.problems.map(({ code, file }) => [code, file]),
      [["data-invalid", "policies/a/__proto__/data.json"]],
    );
    const entries = [
      [["b"], "2"],
      [["a", "b"], "1"],
      [["a", "c", "d"], "3"],
    ] as const;
    assert.equal(nestedText(entries), '{"a":{"b":1,"c":{"d":3}},"b":2}');
  });
});
