/** The two dialects that are plain Rego files: Conftest and OPA's admission control. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Code } from "../../../src/lib/codes.ts";
import { dialectName } from "../../../src/policy/dialects.ts";
import type { PolicyInput } from "../../../src/policy/input.ts";
import type { PolicyFile } from "../../../src/policy/policy-set.ts";
import { build as buildSet, denyLabel, document, engine, policy, realToolchain, rejected } from "../support.ts";

const toolchain = realToolchain({ after });
const running = engine({ after }, { jobDeadlineMs: 60_000, totalDeadlineMs: 120_000 });
const build = (files: readonly PolicyFile[]) => buildSet({ after }, files, toolchain);

async function evaluate(files: readonly PolicyFile[], documents: readonly PolicyInput[]) {
  const { findings, rulesExpected, rulesEvaluated, notEvaluated, unruled } = await running.evaluate(
    await build(files),
    documents,
  );
  return {
    said: findings.map(({ kind, rule, resource, message }) => `${kind} ${rule} ${resource?.name}: ${message}`),
    counts: [rulesExpected, rulesEvaluated],
    notEvaluated: notEvaluated.map(({ what, code }) => `${code} ${what}`),
    unruled,
  };
}

const file = (path: string, text: string): PolicyFile => ({ path, text });

/** The same object under each action. */
function changed(action: "create" | "update" | "delete" | "unchanged"): PolicyInput {
  const { resource, ...rest } = document("x", { labels: { bad: "yes" } });
  assert.ok(resource !== null);
  const object = action === "delete" ? null : resource.object;
  return { ...rest, resource: { ...resource, action, object, previous: action === "create" ? null : { old: true } } };
}

describe("policies of Conftest", () => {
  const old = file(
    "old.rego",
    `package main

import data.names

deny[msg] { input.metadata.labels.bad; msg := names.say("deny") }

deny_root[msg] { input.metadata.labels.bad; msg := "root" }

violation[{"msg": "violation", "details": {"a": 1}}] { input.metadata.labels.bad }

warn[msg] { input.metadata.labels.bad; msg := "warn" }

exception[rules] { input.metadata.labels.excepted; rules := ["root", ""] }

allow { true }
`,
  );
  const library = file(
    "names.rego",
    `package names\n\nsay(word) = text { unused := 1; text := sprintf("it is %s", [word]) }\n`,
  );

  it("are asked by the names of their rules; exceptions stay visible", async () => {
    const documents = [
      document("x", { labels: { bad: "yes" } }),
      document("y", { labels: { bad: "yes", excepted: "yes" } }),
    ];
    const { said, counts, notEvaluated } = await evaluate([old, library], documents);
    assert.deepEqual(said, [
      "deny main/deny x: it is deny",
      "warn main/deny y: excepted: it is deny",
      "deny main/deny_root x: root",
      "warn main/deny_root y: excepted: root",
      "deny main/violation x: violation",
      "warn main/violation y: excepted: violation",
      "warn main/warn x: warn",
      "warn main/warn y: excepted: warn",
    ]);
    assert.deepEqual([counts, notEvaluated], [[8, 8], []]);
  });

  it("are one package over several files, and any package whose METADATA says so", async () => {
    const files = [
      file("a.rego", `package main\n\ndeny contains "a" if input.metadata.labels.bad\n`),
      file("b.rego", `package main\n\ndeny contains "b" if helper\n\nhelper if input.metadata.labels.bad\n`),
      file(
        "c.rego",
        `# METADATA\n# title: Teams\n# custom:\n#   dialect: conftest\npackage teams.web\n\ndeny_team contains "c" if data.main.helper\n`,
      ),
      file("d.rego", `package main.below\n\nwarn contains "d" if input.metadata.labels.bad\n`),
    ];
    const { rules } = await build(files);
    assert.deepEqual(
      rules.map((rule) => [rule.id, dialectName(rule), rule.title]),
      [
        ["main.below/warn", "conftest", "main.below warn"],
        ["main/deny", "conftest", "main deny"],
        ["teams.web/deny_team", "conftest", "Teams"],
      ],
    );
    assert.deepEqual((await evaluate(files, [document("x", { labels: { bad: "1" } })])).said, [
      "warn main.below/warn x: d",
      "deny main/deny x: a",
      "deny main/deny x: b",
      "deny teams.web/deny_team x: c",
    ]);
  });

  it("are not asked about deletions, and stay native under METADATA with an id", async () => {
    const { counts, unruled } = await evaluate([old, library], [changed("delete")]);
    assert.deepEqual([counts, unruled], [[0, 0], ["ConfigMap/apps/x"]]);
    const native = policy("own", `deny contains {"message": "own"} if input.resource.object.metadata.labels.bad`);
    const { rules } = await build([file("own.rego", native.text.replace("package rules.own", "package main"))]);
    assert.deepEqual(
      rules.map((rule) => [rule.id, dialectName(rule)]),
      [["own", "native"]],
    );
  });

  it("are remembered by the object", async () => {
    assert.equal((await build([old, library])).readsOnlyOwnParts, true);
    assert.equal((await build([old, library, denyLabel("native")])).readsOnlyOwnParts, true);
  });
});

describe("policies of OPA's admission control", () => {
  const deny = (body: string) => file("deny.rego", `package kubernetes.admission\n\n${body}\n`);

  it("say texts or objects, and see an AdmissionReview", async () => {
    const files = [
      deny(`deny[msg] { input.kind == "AdmissionReview"; input.request.kind.kind == "ConfigMap"; msg := input.request.operation }
deny[{"id": "a", "msg": "object"}] { input.request.object.metadata.labels.bad }
deny[{"message": "message"}] { input.request.object.metadata.labels.bad }`),
    ];
    const said = async (action: Parameters<typeof changed>[0]) =>
      (await evaluate(files, [changed(action)])).said.map((one) =>
        one.replace("deny kubernetes.admission/deny x: ", ""),
      );
    assert.deepEqual(await said("create"), ["CREATE", "message", "object"]);
    assert.deepEqual(await said("unchanged"), ["CREATE", "message", "object"]);
    assert.deepEqual(await said("update"), ["CREATE", "UPDATE", "message", "object"]);
    assert.deepEqual(await said("delete"), []);
  });

  it("answer a whole AdmissionReview where there is system.main, which alone is asked then", async () => {
    const main = file(
      "main.rego",
      `package system

import data.kubernetes.admission

main = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}

default uid = ""

uid = input.request.uid

response = {"allowed": false, "uid": uid, "status": {"message": reason}} {
	reason := concat(", ", admission.deny)
	reason != ""
} else = {"allowed": true, "uid": uid, "warnings": ["mind the label"]}
`,
    );
    const files = [main, deny(`deny[msg] { input.request.object.metadata.labels.bad; msg := "labelled" }`)];
    const { said, counts } = await evaluate(files, [changed("create"), document("y")]);
    assert.deepEqual(said, ["deny system/main x: labelled", "warn system/main y: mind the label"]);
    assert.deepEqual(counts, [2, 2]);
  });

  it("stand beside Conftest's, each under its own names", async () => {
    const files = [
      deny(`deny contains "admission" if input.request`),
      file("main.rego", `package main\n\ndeny contains "conftest" if input.kind\n`),
    ];
    assert.deepEqual((await evaluate(files, [document("x")])).said, [
      "deny kubernetes.admission/deny x: admission",
      "deny main/deny x: conftest",
    ]);
  });
});

/** [what, text, code, what the message says] */
const REFUSED: readonly (readonly [string, string, Code, RegExp])[] = [
  [
    "data that it may not read",
    `package main\n\ndeny contains "x" if data.settings.x`,
    "data-not-readable",
    /^p\.rego:3:22 data\.settings\.x/,
  ],
  ["all data", `package main\n\ndeny contains "x" if data[_].x`, "data-not-readable", /^p\.rego:3:22 /],
  [
    "recursion",
    `package main\n\ndeny contains "x" if a\n\na if b\n\nb if a`,
    "policy-does-not-compile",
    /^p\.rego:\d+:1 .*recursive/,
  ],
  ["what is neither v1 nor v0", `package main\n\ndeny contains { x`, "policy-does-not-compile", /^p\.rego:3/],
  ["no rule", `package main\n\nallow if input.x`, "no-policies", /no policy/],
  [
    "keys of METADATA that mean nothing",
    `# METADATA\n# custom:\n#   dialect: conftest\n#   level: high\npackage x\n\ndeny contains "x" if input.x`,
    "policy-metadata",
    /^p\.rego:1 custom\.level/,
  ],
  [
    "a dialect that is none",
    `# METADATA\n# custom:\n#   dialect: other\npackage x\n\ndeny contains "x" if input.x`,
    "policy-metadata",
    /dialect/,
  ],
  ["a package of Sluice's own", `package sluice.p_1\n\nx := 1`, "policy-metadata", /sluice\.p_1/],
  ["the inventory", `package sluice.inventory\n\nx := 1`, "policy-metadata", /sluice\.inventory/],
  [
    "a native rule in Rego v0",
    policy("v0", `deny[{"message": "x"}] { input.pod }`).text,
    "policy-does-not-compile",
    /^p\.rego:\d+/,
  ],
  [
    "a function that reaches out",
    `package main\n\ndeny contains "x" if http.send({"url": "x", "method": "get"})`,
    "builtin-not-supported",
    /^p\.rego:3:22/,
  ],
];

describe("a policy of another engine", () => {
  for (const [what, text, code, message] of REFUSED) {
    it(`is refused with ${what}`, async () => {
      assert.match((await rejected(build([file("p.rego", text)]), code)).message, message);
    });
  }

  it("is not read by native policies", async () => {
    const own = denyLabel("own").text.replace("input.resource.object.metadata.labels.bad\n", "data.main.helper\n");
    const files = [
      file("main.rego", `package main\n\ndeny contains "x" if helper\n\nhelper if input.x\n`),
      file("own.rego", own),
    ];
    assert.match((await rejected(build(files), "policy-does-not-compile")).message, /data\.main/);
  });
});

it("a limit of our built-ins is an error where the engine that a policy is for would have answered", async () => {
  const long = `package main\n\ndeny contains msg if msg := sprintf("%2000000d", [1])\n`;
  const { counts, notEvaluated } = await evaluate([file("p.rego", long)], [document("x")]);
  assert.deepEqual([counts, notEvaluated], [[1, 0], ["builtin-error main/deny on ConfigMap/apps/x"]]);
});

it("what a module answers otherwise than OPA is asked of the host, and what fails there has no value and a warning", async () => {
  const text = `package main

deny[msg] { json.unmarshal(input.data.number) == 0; msg := "read" }

deny[msg] { base64.decode(input.data.text); msg := "decoded" }

deny[msg] { msg := concat(",", {key | input.data[key]}) }

deny[msg] { not json.is_valid(input.data.number); msg := json.marshal({"b": 1, "a": "<"}) }
`;
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { text: "YQ", number: "0x10" } };
  const { said, counts } = await evaluate([file("p.rego", text)], [document("x", { object })]);
  const [denied, warned] = ["deny", "warn"].map((kind) => said.filter((one) => one.startsWith(`${kind} `)).sort());
  assert.deepEqual(
    [counts, denied],
    [
      [1, 1],
      ["deny main/deny x: number,text", 'deny main/deny x: {"a":"\\u003c","b":1}'],
    ],
  );
  assert.deepEqual(
    warned?.map((one) => /builtin-error\): (\S+):/.exec(one)?.[1]),
    ["base64.decode", "json.unmarshal"],
  );
});
