import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { JsonObject } from "../../../src/lib/canonical.ts";
import type { Code } from "../../../src/lib/codes.ts";
import type { PolicyInput } from "../../../src/policy/input.ts";
import type { PolicyFile } from "../../../src/policy/policy-set.ts";
import { build as buildSet, denyLabel, document, engine, realToolchain, rejected } from "../support.ts";
import { constraint, LABEL_TEMPLATE, template } from "./fixtures.ts";
import { MATCHES } from "./matches.ts";

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

const BAD = document("x", { labels: { bad: "yes" } });
const says = (text: string, version = "v0"): string =>
  `package same\n\nviolation${version === "v0" ? '[{"msg": "' : ' contains {"msg": "'}${text}"}${version === "v0" ? "] {" : " if {"}\n\tinput.review.object\n}\n`;

describe("templates of Gatekeeper", () => {
  it("fire both where two have one package name and different rules, and where two libraries are called alike", async () => {
    const rego = `package same\n\nimport data.lib.words\n\nviolation[{"msg": words.word}] {\n\tinput.review.object\n}\n`;
    const library = (word: string) => `package lib.words\n\nword = "${word}"\n`;
    const files = [
      template("K8sOne", says("one")),
      template("K8sTwo", says("two")),
      template("K8sThree", rego, { libs: [library("three")] }),
      template("K8sFour", rego, { libs: [library("four")] }),
      ...["K8sOne", "K8sTwo", "K8sThree", "K8sFour"].map((kind) => constraint(kind, "all")),
    ];
    const { said, counts } = await evaluate(files, [document("x")]);
    assert.deepEqual(said, [
      "deny K8sFour/all x: four",
      "deny K8sOne/all x: one",
      "deny K8sThree/all x: three",
      "deny K8sTwo/all x: two",
    ]);
    assert.deepEqual(counts, [4, 4]);
  });

  it("are asked once for each constraint, with its parameters and the template's defaults", async () => {
    const rego = `package p\n\nviolation[{"msg": msg, "details": {}}] {\n\tmsg := sprintf("%v %v", [input.parameters.words, input.parameters.size])\n}\n`;
    const schema =
      "{type: object, properties: {words: {type: array, items: {type: string}}, size: {type: integer, default: 3}}}";
    const files = [
      template("K8sWords", rego, { schema }),
      constraint("K8sWords", "a", ["parameters: {words: [a]}"]),
      constraint("K8sWords", "b", ["parameters: {words: [b, c], size: 5}"]),
    ];
    assert.deepEqual((await evaluate(files, [document("x")])).said, [
      'deny K8sWords/a x: ["a"] 3',
      'deny K8sWords/b x: ["b", "c"] 5',
    ]);
  });

  it("may be Rego v1, and lists as kubectl prints them", async () => {
    const one = template("K8sNew", says("new", "v1"));
    const rego = one.text.replace(
      /rego: \|\n([\s\S]*)$/,
      (_, body: string) =>
        `code:\n        - engine: Rego\n          source:\n            version: v1\n            rego: |\n${body.replace(/^(?=.)/gm, "      ")}`,
    );
    const [first, second] = [rego, constraint("K8sNew", "all").text].map((text) => text.replace(/^(?=.)/gm, "    "));
    const list = `apiVersion: v1\nkind: List\nitems:\n  -\n${first}  -\n${second}`;
    assert.deepEqual((await evaluate([{ path: "list.yaml", text: list }], [document("x")])).said, [
      "deny K8sNew/all x: new",
    ]);
  });

  it("stand beside native rules; one set, one order of findings", async () => {
    const files = [template("K8sLabels", LABEL_TEMPLATE), constraint("K8sLabels", "all"), denyLabel("labels")];
    const { said, counts } = await evaluate(files, [BAD]);
    assert.deepEqual(said, ["deny K8sLabels/all x: x is labelled yes", "deny labels x: the label says so"]);
    assert.deepEqual(counts, [2, 2]);
  });

  it("enforce what the constraint says: deny, warn, dryrun, and scoped where a gate stands", async () => {
    const scoped = (...points: string[]) => [
      "enforcementAction: scoped",
      `scopedEnforcementActions: [{action: deny, enforcementPoints: [${points.map((name) => `{name: ${name}}`).join(", ")}]}]`,
    ];
    const files = [
      template("K8sSays", says("it")),
      constraint("K8sSays", "a-default"),
      constraint("K8sSays", "b-deny", ["enforcementAction: deny"]),
      constraint("K8sSays", "c-warn", ["enforcementAction: warn"]),
      constraint("K8sSays", "d-dryrun", ["enforcementAction: dryrun"]),
      constraint("K8sSays", "e-here", scoped("audit.gatekeeper.sh", "validation.gatekeeper.sh")),
      constraint("K8sSays", "f-all", scoped('"*"')),
      constraint("K8sSays", "g-elsewhere", scoped("audit.gatekeeper.sh")),
    ];
    const { said } = await evaluate(files, [document("x")]);
    assert.deepEqual(
      said.map((one) => one.replace("K8sSays/", "").replace(" x: it", "")),
      [
        "deny a-default",
        "deny b-deny",
        "warn c-warn",
        "warn d-dryrun",
        "deny e-here",
        "deny f-all",
        "warn g-elsewhere",
      ],
    );
    const { rules } = await build(files);
    assert.deepEqual(
      rules.map(({ mode }) => mode),
      ["enforce", "enforce", "warn", "observe", "enforce", "enforce", "observe"],
    );
  });

  it("see the other objects of the rendering as data.inventory", async () => {
    const rego = `package unique\n\nviolation[{"msg": msg}] {
	other := data.inventory.namespace[namespace]["v1"].ConfigMap[name]
	not name == input.review.object.metadata.name
	other.data.host == input.review.object.data.host
	data.inventory.cluster.v1.Namespace[namespace]
	msg := sprintf("%v has the host of %v/%v", [input.review.name, namespace, name])
}
`;
    const host = (name: string, value: string): PolicyInput =>
      document(name, {
        object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "apps" }, data: { host: value } },
      });
    const namespace = document("apps", { kind: "Namespace", namespace: "", object: namespaceObject("apps", {}) });
    const files = [
      template("K8sUnique", rego),
      constraint("K8sUnique", "hosts", ["match: {kinds: [{kinds: [ConfigMap]}]}"]),
    ];
    const { said, counts } = await evaluate(files, [host("a", "x"), host("b", "x"), host("c", "y"), namespace]);
    assert.deepEqual(said, [
      "deny K8sUnique/hosts a: a has the host of apps/b",
      "deny K8sUnique/hosts b: b has the host of apps/a",
    ]);
    assert.deepEqual(counts, [3, 3]);
    const set = await build(files);
    assert.deepEqual([set.readsInventory, set.readsOnlyOwnParts], [true, false]);
    const given = (
      await running.evaluate(set, [host("a", "x")], undefined, [
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "z", namespace: "apps" }, data: { host: "x" } },
        namespaceObject("apps", {}),
      ])
    ).findings;
    assert.deepEqual(
      given.map(({ message }) => message),
      ["a has the host of apps/z"],
    );
  });

  it("are remembered by the object where they see nothing else", async () => {
    const plain = [template("K8sLabels", LABEL_TEMPLATE), constraint("K8sLabels", "all")];
    assert.equal((await build(plain)).readsOnlyOwnParts, true);
    const selecting = [
      ...plain,
      constraint("K8sLabels", "some", ["match: {namespaceSelector: {matchLabels: {a: b}}}"]),
    ];
    assert.equal((await build(selecting)).readsOnlyOwnParts, false);
  });

  it("are asked what the change does and what it leads to, and about no deletion unless they say so", async () => {
    const rego = `package p\n\nviolation[{"msg": msg}] {\n\told := object.get(input.review, "oldObject", "absent")\n\tmsg := sprintf("%v %v %v %v %v", [input.review.operation, input.review.object.data, old, input.review.kind.kind, input.review.userInfo])\n}\n`;
    const plain = template("K8sOperation", rego);
    const deletions = {
      ...plain,
      text: plain.text.replace("      rego: |", "      operations: [CREATE, DELETE]\n      rego: |"),
    };
    const asked = async (file: PolicyFile, action: "create" | "update" | "delete" | "unchanged") => {
      const { resource, ...rest } = document("x");
      assert.ok(resource !== null);
      const [object, previous] = [{ data: "new" }, { data: "old" }] as readonly JsonObject[];
      const changed = {
        ...resource,
        action,
        object: action === "delete" ? null : (object ?? null),
        previous: action === "create" ? null : (previous ?? null),
      };
      return evaluate([file, constraint("K8sOperation", "all")], [{ ...rest, resource: changed }]);
    };
    const said = async (file: PolicyFile, action: Parameters<typeof asked>[1]) =>
      (await asked(file, action)).said.map((one) => one.replace("deny K8sOperation/all x: ", ""));
    assert.deepEqual(await said(plain, "create"), ["CREATE new null ConfigMap {}"]);
    assert.deepEqual(await said(plain, "update"), [
      " new null ConfigMap {}",
      'UPDATE new {"data": "old"} ConfigMap {}',
    ]);
    assert.deepEqual(await said(plain, "unchanged"), [" new null ConfigMap {}"]);
    assert.deepEqual(await said(deletions, "delete"), ['DELETE old {"data": "old"} ConfigMap {}']);
    const { counts, unruled } = await asked(plain, "delete");
    assert.deepEqual([counts, unruled], [[0, 0], ["ConfigMap/apps/x"]]);
  });

  it("are given the request itself where the door is one for requests", async () => {
    const rego = `package p\n\nviolation[{"msg": msg}] {\n\tmsg := sprintf("%v %v", [input.review.userInfo.username, input.review.object.spec])\n}\n`;
    const request = {
      operation: "DELETE",
      userInfo: { username: "ada" },
      object: null,
      oldObject: { spec: "old" },
      namespace: "apps",
    };
    const plain = template("K8sUser", rego);
    const file = { ...plain, text: plain.text.replace("      rego: |", "      operations: [DELETE]\n      rego: |") };
    const { said } = await evaluate([file, constraint("K8sUser", "all")], [{ ...document("x"), request }]);
    assert.deepEqual(said, ["deny K8sUser/all x: ada old"]);
  });
});

function namespaceObject(name: string, labels: JsonObject): JsonObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

function object(
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string,
  labels: JsonObject = {},
): PolicyInput {
  const metadata = { name, labels, ...(namespace === "" ? {} : { namespace }) };
  return document(name, { kind, namespace, object: { apiVersion, kind, metadata } });
}

const NAMESPACES = [
  object("v1", "Namespace", "apps", "", { team: "web", env: "prod" }),
  object("v1", "Namespace", "kube-system", "", { team: "core" }),
];
const OBJECTS = [
  ...NAMESPACES,
  object("apps/v1", "Deployment", "web", "apps", { app: "web", tier: "front" }),
  object("v1", "ConfigMap", "web-config", "apps", { app: "web" }),
  object("v1", "Secret", "token", "kube-system"),
  object("rbac.authorization.k8s.io/v1", "ClusterRole", "admin", "", { app: "admin" }),
];

describe("spec.match", () => {
  it("selects as Gatekeeper does", async () => {
    const files = [
      template("K8sSays", says("it")),
      ...MATCHES.map(([match], index) => constraint("K8sSays", `m${index}`, [`match: ${match}`])),
    ];
    const { said, counts, notEvaluated } = await evaluate(files, OBJECTS);
    for (const [index, [match, names]] of MATCHES.entries()) {
      const own = said.flatMap((one) => one.match(new RegExp(`^deny K8sSays/m${index} (\\S+): it$`))?.[1] ?? []);
      assert.deepEqual(own.sort(), [...names].sort(), match);
    }
    const total = MATCHES.reduce((sum, [, names]) => sum + names.length, 0);
    assert.deepEqual([counts, notEvaluated], [[total, total], []]);
  });

  it("says so where a Namespace that it selects by is not there, and takes that for no answer", async () => {
    const files = [
      template("K8sSays", says("it")),
      constraint("K8sSays", "deny", ["match: {namespaceSelector: {matchLabels: {team: web}}}"]),
      constraint("K8sSays", "other", ["match: {kinds: [{kinds: [Pod]}]}"]),
      constraint("K8sSays", "try", [
        "enforcementAction: dryrun",
        "match: {namespaceSelector: {matchLabels: {team: web}}}",
      ]),
    ];
    const { said, counts, notEvaluated, unruled } = await evaluate(files, OBJECTS.slice(2, 3));
    assert.deepEqual(
      [counts, notEvaluated, unruled],
      [[1, 0], ["namespace-absent K8sSays/deny on Deployment/apps/web"], []],
    );
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^warn K8sSays\/try web: .*namespace-absent/);
  });
});

const OK = template("K8sSays", says("it"));
const ASKED = constraint("K8sSays", "asked");
const edit = ({ path, text }: PolicyFile, from: string | RegExp, to: string): PolicyFile => {
  assert.notEqual(text.replace(from, to), text);
  return { path, text: text.replace(from, to) };
};

/** [what, files, code, what the message says] */
const REFUSED: readonly (readonly [string, readonly PolicyFile[], Code, RegExp])[] = [
  [
    "a template that is not YAML",
    [edit(OK, "spec:", "spec: {")],
    "template-invalid",
    /^k8ssays\/template\.yaml:\d+:\d+ /,
  ],
  [
    "a template without targets",
    [edit(OK, /targets:[\s\S]*/, "targets: []\n")],
    "template-invalid",
    /:\d+:\d+ .*exactly one target/,
  ],
  [
    "a template for another target",
    [edit(OK, "admission.k8s", "other.k8s")],
    "template-invalid",
    /^k8ssays\/template\.yaml:11:\d+ /,
  ],
  [
    "a template that is not called like its kind",
    [edit(OK, "name: k8ssays", "name: other")],
    "template-invalid",
    /^k8ssays\/template\.yaml:3:\d+ .*k8ssays/,
  ],
  [
    "a template without the rule violation",
    [edit(OK, "violation[", "deny[")],
    "template-invalid",
    /^k8ssays\/template\.yaml:12:\d+ .*no rule violation/,
  ],
  [
    "a library outside package lib",
    [template("K8sSays", says("it"), { libs: ["package other\n\nx = 1\n"] })],
    "template-invalid",
    /other is not in package lib/,
  ],
  [
    "Rego that does not parse, at its line of the file",
    [edit(OK, "input.review.object", "input.review.")],
    "policy-does-not-compile",
    /^k8ssays\/template\.yaml:1[67](?::\d+)? /,
  ],
  [
    "Rego that does not compile, at its place in the file",
    [edit(OK, "input.review.object", "unknown.f(input)")],
    "policy-does-not-compile",
    /^k8ssays\/template\.yaml:16:10 .*unknown/,
  ],
  [
    "recursion",
    [edit(OK, "input.review.object", "violation[x]")],
    "policy-does-not-compile",
    /^k8ssays\/template\.yaml:15:\d+ .*recursive/,
  ],
  [
    "data that it may not read",
    [edit(OK, "input.review.object", "data.secrets.x")],
    "data-not-readable",
    /^k8ssays\/template\.yaml:16:10 data\.secrets\.x/,
  ],
  [
    "a library that it does not bring",
    [edit(OK, "package same\n", "package same\n\n        import data.lib.absent\n")],
    "data-not-readable",
    /data\.lib\.absent/,
  ],
  [
    "external data",
    [edit(OK, "input.review.object", 'external_data({"provider": "p", "keys": []})')],
    "not-supported",
    /^k8ssays\/template\.yaml:12:\d+ .*external data/,
  ],
  [
    "CEL",
    [
      edit(
        OK,
        /rego: \|[\s\S]*/,
        "code:\n        - engine: K8sNativeValidation\n          source: {validations: []}\n",
      ),
    ],
    "not-supported",
    /^k8ssays\/template\.yaml:12:\d+ .*CEL/,
  ],
  [
    "a function that reaches out",
    [edit(OK, "input.review.object", 'http.send({"url": "x", "method": "get"})')],
    "builtin-not-supported",
    /^k8ssays\/template\.yaml:16:10 /,
  ],
  [
    "two templates of one kind",
    [OK, { ...OK, path: "other.yaml" }],
    "template-duplicate",
    /^other\.yaml:7:\d+ K8sSays/,
  ],
  [
    "a constraint without its template",
    [OK, constraint("K8sOther", "all")],
    "constraint-without-template",
    /^k8sother\/all\.yaml:2:1 K8sOther/,
  ],
  [
    "two constraints of one name",
    [OK, constraint("K8sSays", "a"), { ...constraint("K8sSays", "a"), path: "z.yaml" }],
    "constraint-invalid",
    /^z\.yaml:3:\d+ K8sSays\/a is there twice/,
  ],
  [
    "an unknown key of match",
    [OK, constraint("K8sSays", "a", ["match: {namspaces: [x]}"])],
    "constraint-invalid",
    /^k8ssays\/a\.yaml:5:11 .*namspaces/,
  ],
  [
    "an unknown key of spec",
    [OK, constraint("K8sSays", "a", ["enforcmentAction: warn"])],
    "constraint-invalid",
    /:5:3 .*enforcmentAction/,
  ],
  ["an unknown action", [OK, constraint("K8sSays", "a", ["enforcementAction: refuse"])], "constraint-invalid", /:5:3 /],
  [
    "scoped without actions",
    [OK, constraint("K8sSays", "a", ["enforcementAction: scoped"])],
    "constraint-invalid",
    /scopedEnforcementActions/,
  ],
  [
    "a selector without values",
    [OK, constraint("K8sSays", "a", ["match: {labelSelector: {matchExpressions: [{key: a, operator: In}]}}"])],
    "constraint-invalid",
    /In and NotIn have values/,
  ],
  [
    "a name in the middle of which anything may stand",
    [OK, constraint("K8sSays", "a", ['match: {namespaces: ["a*b"]}'])],
    "constraint-invalid",
    /:5:/,
  ],
  [
    "objects that a cluster would make from others",
    [OK, constraint("K8sSays", "a", ["match: {source: Generated}"])],
    "constraint-invalid",
    /source/,
  ],
  [
    "parameters that the template does not name",
    [
      template("K8sSays", says("it"), { schema: "{type: object, properties: {a: {type: string}}}" }),
      constraint("K8sSays", "a", ["parameters: {b: 1}"]),
    ],
    "constraint-invalid",
    /^k8ssays\/a\.yaml:5:16 parameters\/b/,
  ],
  [
    "parameters of another type",
    [
      template("K8sSays", says("it"), {
        schema: "{type: object, properties: {a: {type: array, items: {type: string}}}}",
      }),
      constraint("K8sSays", "a", ["parameters: {a: [x, 1]}"]),
    ],
    "constraint-invalid",
    /parameters\/a\/1: it is not a string/,
  ],
  ["only a template, which nobody asks", [OK], "no-policies", /no policy/],
  [
    "objects that change others",
    [
      OK,
      constraint("K8sSays", "a"),
      { path: "m.yaml", text: "apiVersion: mutations.gatekeeper.sh/v1\nkind: Assign\nmetadata: {name: a}\n" },
    ],
    "not-supported",
    /^m\.yaml:2:1 Assign/,
  ],
];

describe("a policy folder with objects of Gatekeeper", () => {
  for (const [what, files, code, message] of REFUSED) {
    it(`is refused with ${what}`, async () => {
      const asked = files.some(({ path }) => path === "k8ssays/template.yaml") && code !== "no-policies" ? [ASKED] : [];
      const error = await rejected(build([...files, ...asked]), code);
      assert.match(error.message, message);
      if (code !== "no-policies") assert.notEqual(error.position?.line ?? null, null);
    });
  }

  it("counts its files in the digest, and no other YAML", async () => {
    const files = [OK, constraint("K8sSays", "a")];
    const { digest } = await build(files);
    const suite = { path: "suite.yaml", text: "kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\ntests: []\n" };
    const example = { path: "x/examples/deny/t.yaml", text: constraint("K8sOther", "b").text };
    const plain = { path: "web.yaml", text: "kind: Pod\n" };
    assert.equal((await build([...files, suite, example, plain])).digest, digest);
    assert.notEqual((await build([OK, constraint("K8sSays", "a", ["enforcementAction: warn"])])).digest, digest);
  });
});
