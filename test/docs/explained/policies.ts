/** Codes of policies: folders as each example describes them, put to the commands that work on policies. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Command } from "../../../src/cli/command.ts";
import { policyBuild } from "../../../src/cli/policy-build.ts";
import { policyCheck } from "../../../src/cli/policy-check.ts";
import { policyEval } from "../../../src/cli/policy-eval.ts";
import { policyTest } from "../../../src/cli/policy-test.ts";
import { policyVerify } from "../../../src/cli/policy-verify.ts";
import { asSluiceError } from "../../../src/lib/errors.ts";
import { readExample } from "../../../src/policy/example.ts";
import { COMPLETE, LABEL_RULE, LABEL_TEST, metadata, scene } from "../../cli/policy-scene.ts";
import { constraint, template } from "../../policy/dialects/fixtures.ts";
import { runHere } from "../../support/in-process.ts";
import { codesOf, commandOf, type Made, made } from "./entry.ts";

type Folder = Readonly<Record<string, string>>;

const RULE = { "policies/label/policy.rego": LABEL_RULE };
const MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: apps}\n";
const rule = (body: string, custom: readonly string[] = []): Folder => ({
  "policies/label/policy.rego": `${metadata("label", custom)}package rules.label\n\n${body}\n`,
});
const textOf = ({ text }: { readonly text: string }): string => text;
const REQUIRED = 'package p\n\nviolation[{"msg": "no"}] {\n\tinput.review.object\n}\n';

function given(command: Command, args: readonly string[], folder: Folder): Made {
  return made(async (scope) => [codesOf(await runHere(command, [...args, "--format", "json"], scene(scope, folder)))]);
}

const checked = (folder: Folder): Made => given(policyCheck, ["policies"], folder);
const evaluated = (folder: Folder): Made =>
  given(policyEval, ["web.yaml", "--policies", "policies"], { "web.yaml": MAP, ...folder });
const tested = (folder: Folder, ...args: readonly string[]): Made => given(policyTest, ["policies", ...args], folder);
const gatekeeper = (files: readonly { readonly path: string; readonly text: string }[]): Made =>
  checked(
    Object.fromEntries(files.map(({ path, text }) => [path.startsWith("policies/") ? path : `policies/${path}`, text])),
  );

export const POLICY_TABLE = {
  "no-policies": checked({ "policies/README.md": "nothing\n" }),
  "policy-does-not-compile": checked(rule('deny contains {"message": "x"} if input.resource.objct.kind == "Pod"')),
  "policy-metadata": checked({ "policies/a.rego": 'package rules.a\n\ndeny contains {"message": "x"} if true\n' }),
  "builtin-not-supported": checked(
    rule(
      'deny contains {"message": "x"} if http.send({"method": "get", "url": "http://127.0.0.1"}).status_code == 200',
    ),
  ),
  "data-not-readable": gatekeeper([
    template("K8sRequiredLabels", 'package p\n\nimport data.settings\n\nviolation[{"msg": settings.a}] {\n\ttrue\n}\n'),
  ]),
  "data-invalid": checked({ ...RULE, "policies/shop/data.json": '{"a": 1, "a": 1}' }),
  "data-conflict": checked({
    ...RULE,
    "policies/shop/data.json": '{"allowed": []}',
    "policies/shop/shop.rego": "package shop\n\nallowed := []\n",
  }),
  "data-reserved": checked({ ...RULE, "policies/external/data.json": "{}" }),
  "template-invalid": gatekeeper([template("K8sRequiredLabels", "package p\n\nallow {\n\ttrue\n}\n")]),
  "template-duplicate": checked({
    "policies/a.yaml": textOf(template("K8sRequiredLabels", REQUIRED)),
    "policies/b.yaml": textOf(template("K8sRequiredLabels", REQUIRED)),
  }),
  "constraint-invalid": gatekeeper([
    template("K8sRequiredLabels", REQUIRED),
    constraint("K8sRequiredLabels", "a", ["match: {namspaces: [apps]}"]),
  ]),
  "constraint-without-template": gatekeeper([constraint("K8sRequiredLabels", "a")]),
  "namespace-absent": evaluated({
    "policies/a.yaml": textOf(template("K8sRequiredLabels", REQUIRED)),
    "policies/b.yaml": textOf(
      constraint("K8sRequiredLabels", "a", ["match: {namespaceSelector: {matchLabels: {a: b}}}"]),
    ),
  }),
  "builtin-error": evaluated(rule('deny contains {"message": "x"} if time.parse_rfc3339_ns("yesterday") > 0')),
  "finding-malformed": evaluated(rule('deny contains "no" if true')),
  "no-rule-evaluated": evaluated(rule('deny contains {"message": "x"} if true', ["match: {kinds: [Deployment]}"])),
  "no-tests": tested(RULE),
  "coverage-too-low": made(async (scope, example) => {
    const body = 'warn contains {"message": "x"} if {\n\tinput.resource.id.kind == "Pod"\n}\n';
    const folder = scene(scope, { ...COMPLETE, "policies/label/policy.rego": `${LABEL_RULE}\n${body}` });
    const [, , ...args] = commandOf(example);
    return [codesOf(await runHere(policyTest, ["policies", ...args], folder))];
  }),
  "tests-missing": checked(RULE),
  "description-missing": checked({ "policies/label/policy.rego": LABEL_RULE.replace("# description: Because.\n", "") }),
  "examples-missing": checked({ ...RULE, "policies/label/examples/deny/a.yaml": MAP }),
  "example-malformed": made(async () => {
    try {
      readExample("examples/deny/nobody.yaml", "chnage: {}\n");
      return [[]];
    } catch (cause) {
      return [[asSluiceError(cause).code]];
    }
  }),
  "suite-malformed": given(policyVerify, ["policies"], {
    "policies/suite.yaml": `kind: Suite
apiVersion: test.gatekeeper.sh/v1alpha1
metadata: {name: a}
tests:
  - name: a
    template: t.yaml
    constraint: c.yaml
    cases: [{name: one, object: o.yaml, assertion: [{violations: yes}]}]
`,
  }),
  "signing-key-unusable": made(async (scope) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const folder = scene(scope, { ...RULE, "policies/label/policy_test.rego": LABEL_TEST });
    writeFileSync(`${folder}/key.pem`, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const args = ["policies", "--output", "policies.tar.gz", "--sign", "key.pem"];
    return [codesOf(await runHere(policyBuild, args, folder))];
  }),
  "bundle-unsigned": made(async (scope) => {
    const folder = scene(scope, { "web.yaml": MAP, ...RULE });
    await runHere(policyBuild, ["policies", "--output", "policies.tar.gz"], folder);
    return [codesOf(await runHere(policyEval, ["--policies", "policies.tar.gz", "web.yaml"], folder))];
  }),
} as const;
