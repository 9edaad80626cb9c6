/** Policies of every dialect that say the same: an object labelled `bad` is denied. Written for these tests. */
import type { DialectName } from "../../../src/policy/dialect.ts";
import type { PolicyFile } from "../../../src/policy/policy-set.ts";
import { denyLabel, policy } from "../support.ts";

/** A ConstraintTemplate with Rego in a block of text; `spec` are further lines under `targets[0]`, `schema` a flow map. */
export function template(
  kind: string,
  rego: string,
  { libs = [] as readonly string[], schema = "{type: object, x-kubernetes-preserve-unknown-fields: true}" } = {},
): PolicyFile {
  const indented = (text: string, by: string) => text.replace(/^(?=.)/gm, by).trimEnd();
  const libraries = libs.map((text) => `        - |\n${indented(text, "          ")}`);
  const text = [
    "apiVersion: templates.gatekeeper.sh/v1",
    "kind: ConstraintTemplate",
    `metadata: {name: ${kind.toLowerCase()}}`,
    "spec:",
    "  crd:",
    "    spec:",
    `      names: {kind: ${kind}}`,
    "      validation:",
    `        openAPIV3Schema: ${schema}`,
    "  targets:",
    "    - target: admission.k8s.gatekeeper.sh",
    "      rego: |",
    indented(rego, "        "),
    ...(libs.length > 0 ? ["      libs:", ...libraries] : []),
    "",
  ];
  return { path: `${kind.toLowerCase()}/template.yaml`, text: text.join("\n") };
}

/** `spec` is what stands under it, as lines. */
export function constraint(kind: string, name: string, spec: readonly string[] = []): PolicyFile {
  const lines = ["apiVersion: constraints.gatekeeper.sh/v1beta1", `kind: ${kind}`, `metadata: {name: ${name}}`];
  const body = spec.length === 0 ? [] : ["spec:", ...spec.map((line) => `  ${line}`)];
  return { path: `${kind.toLowerCase()}/${name}.yaml`, text: `${[...lines, ...body].join("\n")}\n` };
}

export const LABEL_TEMPLATE = `package labels

violation[{"msg": msg}] {
	value := input.review.object.metadata.labels.bad
	msg := sprintf("%v is labelled %v", [input.review.object.metadata.name, value])
}
`;

export interface DialectFixture {
  readonly name: DialectName;
  readonly rule: string;
  readonly files: readonly PolicyFile[];
  readonly message: string;
  /** The same policy whose `units.parse_bytes` fails where the label is no amount; it denies above 1,000 bytes. */
  readonly failing: readonly PolicyFile[];
  /** The same rule without a value: never undefined = allow. */
  readonly undefinedRule: readonly PolicyFile[];
}

const SAID = "x is labelled yes";
const AMOUNT = "units.parse_bytes(%.metadata.labels.bad) > 1000";

function conftestFile(body: string): PolicyFile {
  return { path: "conftest/labels.rego", text: `package main\n\n${body}\n` };
}

function admissionFile(body: string): PolicyFile {
  return { path: "opa/labels.rego", text: `package kubernetes.admission\n\n${body}\n` };
}

export const FIXTURES: readonly DialectFixture[] = [
  {
    name: "native",
    rule: "labels",
    files: [denyLabel("labels")],
    message: "the label says so",
    failing: [
      policy("labels", `deny contains {"message": "large"} if ${AMOUNT.replace("%", "input.resource.object")}`),
    ],
    undefinedRule: [policy("labels", `deny := [] if input.resource.object.metadata.labels.never`)],
  },
  {
    name: "gatekeeper",
    rule: "K8sLabels/all",
    files: [template("K8sLabels", LABEL_TEMPLATE), constraint("K8sLabels", "all")],
    message: SAID,
    failing: [
      template(
        "K8sLabels",
        `package labels\n\nviolation[{"msg": "large"}] { ${AMOUNT.replace("%", "input.review.object")} }\n`,
      ),
      constraint("K8sLabels", "all"),
    ],
    undefinedRule: [
      template("K8sLabels", `package labels\n\nviolation = [] { input.review.object.metadata.labels.never }\n`),
      constraint("K8sLabels", "all"),
    ],
  },
  {
    name: "conftest",
    rule: "main/deny",
    files: [
      conftestFile(
        `deny[msg] {\n\tmsg := sprintf("%s is labelled %s", [input.metadata.name, input.metadata.labels.bad])\n}`,
      ),
    ],
    message: SAID,
    failing: [conftestFile(`deny contains "large" if ${AMOUNT.replace("%", "input")}`)],
    undefinedRule: [conftestFile(`deny := [] if input.metadata.labels.never`)],
  },
  {
    name: "opa-admission",
    rule: "kubernetes.admission/deny",
    files: [
      admissionFile(
        `deny contains msg if {\n\tobject := input.request.object\n\tmsg := sprintf("%s is labelled %s", [object.metadata.name, object.metadata.labels.bad])\n}`,
      ),
    ],
    message: SAID,
    failing: [admissionFile(`deny contains "large" if ${AMOUNT.replace("%", "input.request.object")}`)],
    undefinedRule: [admissionFile(`deny := [] if input.request.object.metadata.labels.never`)],
  },
];
