/**
 * Gatekeeper's own `gator verify` is asked the same suites as we: every case must have the same result. gator is looked
 * for in GATOR and in PATH; `go install github.com/open-policy-agent/gatekeeper/v3/cmd/gator@v3.20.1` brings it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { policyVerify } from "../../src/cli/policy-verify.ts";
import { policyVerifySchema } from "../../src/cli/reports/schemas/policy-verify.ts";
import { runCommand } from "../cli/policy-scene.ts";
import { tempFolder } from "../support/temp.ts";
import { constraint, LABEL_TEMPLATE, template } from "./dialects/fixtures.ts";
import { MATCHES } from "./dialects/matches.ts";

const GATOR = process.env["GATOR"] ?? "gator";
const IS_MISSING = spawnSync(GATOR, ["--version"]).status !== 0;

const object = (apiVersion: string, kind: string, name: string, namespace: string, labels: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace === "" ? "" : `  namespace: ${namespace}\n`}  labels: ${labels}\n`;

const OBJECTS: Readonly<Record<string, string>> = {
  apps: object("v1", "Namespace", "apps", "", "{team: web, env: prod}"),
  "kube-system": object("v1", "Namespace", "kube-system", "", "{team: core}"),
  web: object("apps/v1", "Deployment", "web", "apps", "{app: web, tier: front}"),
  "web-config": object("v1", "ConfigMap", "web-config", "apps", "{app: web}"),
  token: object("v1", "Secret", "token", "kube-system", "{}"),
  admin: object("rbac.authorization.k8s.io/v1", "ClusterRole", "admin", "", "{app: admin}"),
  lost: object("v1", "ConfigMap", "lost", "nowhere", '{app: web, bad: "1"}'),
};

const ALWAYS = `package always\n\nviolation[{"msg": "it"}] { input.review.object }\n`;
/** Says everything that a template can see of a plain object and of its parameters. */
const REVEALS = `package reveals

violation[{"msg": msg}] {
	review := json.remove(input.review, ["object"])
	msg := sprintf("%v %v %v", [review, input.review.object.metadata.name, input.parameters])
}
`;
/** Formats what templates format: sets, numbers, nested values. */
const FORMATS = `package formats

violation[{"msg": sprintf("%v %v %v %d %s %q", [{"b", "a"}, [1, 2.5, null], {"k": {1}}, 7, "text", "quoted"])}] { true }
violation[{"msg": sprintf("%v", [input.parameters])}] { true }
violation[{"msg": "duplicate", "details": {"x": x}}] { x := {1, 2}[_] }
`;

/** [kind, template's Rego, constraint's spec, schema of its parameters] */
const CONSTRAINTS: readonly (readonly [string, string, readonly string[], string?])[] = [
  ...MATCHES.map(([match]) => ["K8sAlways", ALWAYS, [`match: ${match}`]] as const),
  ["K8sLabels", LABEL_TEMPLATE, []],
  ["K8sReveals", REVEALS, ["parameters: {a: {b: [1, two, 3.5, null]}}"]],
  ["K8sFormats", FORMATS, ["parameters: {b: 1, a: [x]}"]],
  ["K8sAlways", ALWAYS, ["enforcementAction: dryrun"]],
  [
    "K8sAlways",
    ALWAYS,
    ["enforcementAction: scoped", 'scopedEnforcementActions: [{action: warn, enforcementPoints: [{name: "*"}]}]'],
  ],
  [
    "K8sAlways",
    ALWAYS,
    [
      "enforcementAction: scoped",
      "scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]",
    ],
  ],
  ["K8sAlways", ALWAYS, ["match: {scope: Namespaced, excludedNamespaces: [no*, x]}"]],
  ["K8sAlways", ALWAYS, ["match: {namspaces: [x]}"]],
  ["K8sTyped", ALWAYS, ["parameters: {size: many}"], "{type: object, properties: {size: {type: integer}}}"],
  ["K8sTyped", ALWAYS, ["parameters: {sise: 1}"], "{type: object, properties: {size: {type: integer}}}"],
  ["K8sBroken", 'package broken\n\nviolation[{"msg": "x"}] { data.secrets.x }\n', []],
  ["K8sNothing", 'package nothing\n\nviolation[{"msg": "x"}] { to_number("x") == 1 }\n', []],
  [
    "K8sUnits",
    'package units\n\nviolation[{"msg": "x"}] { not units.parse("x") }\nviolation[{"msg": "y"}] { units.parse("x") }\n',
    [],
  ],
];

test("every case has the result that gator gives it", {
  skip: IS_MISSING ? "gator is not installed" : false,
}, async (t) => {
  const folder = tempFolder(t);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [name, text] of Object.entries(OBJECTS)) write(`objects/${name}.yaml`, text);
  for (const [index, [kind, rego, spec, schema]] of CONSTRAINTS.entries()) {
    write(`${index}/template.yaml`, template(kind, rego, schema === undefined ? {} : { schema }).text);
    write(`${index}/constraint.yaml`, constraint(kind, `c${index}`, spec).text);
    const cases = Object.keys(OBJECTS).flatMap((name) =>
      [
        `{violations: yes}`,
        `{violations: no}`,
        `{violations: 2}`,
        `{violations: 1, message: '${REVEALED}'}`,
        `{violations: 1, message: '${FORMATTED}'}`,
      ].map(
        (assertion, number) =>
          `      - {name: ${index}.${name}.${number}, object: ../objects/${name}.yaml, inventory: [../objects/apps.yaml, ../objects/kube-system.yaml], assertions: [${assertion}]}\n`,
      ),
    );
    const paths = "template: template.yaml, constraint: constraint.yaml";
    write(
      `${index}/suite.yaml`,
      `apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\ntests:\n  - name: t${index}\n    template: template.yaml\n    constraint: constraint.yaml\n    cases:\n${cases.join("")}  - {name: i${index}, ${paths}, invalid: true}\n`,
    );
  }
  const theirs = gatorResults(folder);
  const run = await runCommand(policyVerify, [folder, "--format", "json"], folder);
  const report = policyVerifySchema.parse(JSON.parse(run.stdout));
  const ours = new Map(
    report.suites.flatMap(({ cases }) =>
      cases.map((one) => [one.case === "" ? one.test : one.case, one.result] as const),
    ),
  );
  assert.ok(theirs.size > CONSTRAINTS.length * Object.keys(OBJECTS).length, `${theirs.size} results of gator`);
  const other = [...theirs].filter(([name, result]) => ours.get(name) !== undefined && ours.get(name) !== result);
  assert.deepEqual(other, [], "another result than gator's");
  assert.deepEqual(
    [...ours.keys()].filter((name) => !theirs.has(name)),
    [],
    "cases that gator does not have",
  );
  assert.deepEqual(
    [...theirs.keys()].filter((name) => !ours.has(name) && !name.startsWith("t")),
    [],
    "cases that we do not have",
  );
  t.diagnostic(`${theirs.size} results, ${[...theirs.values()].filter((one) => one === "passed").length} passed`);
});

const REVEALED =
  '^\\{"kind": \\{"group": "[a-z0-9.]*", "kind": "[A-Za-z]+", "version": "v1"\\}, "name": "[a-z-]+", ("namespace": "[a-z-]+", )?"oldObject": null, "operation": "", "options": null, "resource": \\{"group": "", "resource": "", "version": ""\\}, "uid": "", "userInfo": \\{\\}\\} [a-z-]+ \\{"a": \\{"b": \\[1, "two", 3.5, null\\]\\}\\}$';
const FORMATTED = '^\\{"a", "b"\\} \\[1, 2.5, null\\] \\{"k": \\{1\\}\\} 7 text "quoted"$';

/** By name of the case; of the test where it has no cases. */
function gatorResults(folder: string): ReadonlyMap<string, "passed" | "failed"> {
  const { stdout } = spawnSync(GATOR, ["verify", "-v", `${resolve(folder)}/...`], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const lines = stdout.matchAll(/^\s*--- (PASS|FAIL): (\S+)\t/gm);
  return new Map([...lines].map(([, result, name = ""]) => [name, result === "PASS" ? "passed" : "failed"] as const));
}
