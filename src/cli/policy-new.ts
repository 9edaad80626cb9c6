/** `policy new`: a rule with its test and examples, whole from the first minute on; its author changes what it says. */
import { SluiceError } from "../lib/errors.ts";
import { cleanFolder } from "../render/coverage.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { EXIT } from "./failure.ts";
import { writeNewFiles } from "./own-file.ts";
import { findRules, policiesFolder } from "./policy-rules.ts";
import type { PolicyNewReport } from "./reports/schemas/scaffold.ts";

/** As METADATA has it, short enough for a folder's name everywhere. */
const ID = /^[a-z][a-z0-9-]{0,63}$/;
/** Words of Rego (its grammar) that no part of a package can be. */
const RESERVED = /^(?:as|contains|default|else|every|false|if|import|in|not|null|package|some|true|with)$/;

export const policyNew: Command = {
  name: "policy new",
  summary: "write a new rule with test and examples",
  usage: ["policy new NAME"],
  options: ANSWER_OPTIONS,
  positionals: [1, 1],
  exitCodes: [[0, "written"]],
  example: "sluice policy new no-latest\nwrites policies/no-latest, which passes policy check and policy test as it is",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const [id = ""] = invocation.positionals;
  await refuseTaken(invocation, id);
  const folder = [cleanFolder(policiesFolder(invocation.folder)), id].filter((part) => part !== "").join("/");
  const files = new Map(Object.entries(ruleFiles(id)).map(([path, text]) => [`${folder}/${path}`, text]));
  writeNewFiles(invocation.folder, files);
  const paths = [...files.keys()].sort();
  const report: PolicyNewReport = { apiVersion: "sluice/v1", kind: "PolicyNew", exitCode: EXIT.fine, id, files: paths };
  answer(invocation, report, () => text(report));
  return report.exitCode;
}

async function refuseTaken(invocation: Invocation, id: string): Promise<void> {
  if (!ID.test(id)) {
    throw new SluiceError("usage", `${JSON.stringify(id)} is no name of a rule.`, {
      fix: "lower-case letters, digits and hyphens: sluice policy new no-latest",
    });
  }
  const taken = (await findRules(invocation.folder)).find(({ rule }) => rule.id === id);
  if (taken === undefined) return;
  throw new SluiceError("usage", `A rule ${id} stands in ${taken.file}.`, { fix: `sluice explain ${id}` });
}

/** By path below the rule's folder. It looks at a label that nobody has, so that it can land before it is finished. */
function ruleFiles(id: string): Readonly<Record<string, string>> {
  const words = id.replaceAll("-", "_");
  const name = `rules.${RESERVED.test(words) ? `${words}_rule` : words}`;
  return {
    "policy.rego": policyText(id, name),
    "policy_test.rego": testText(id, name),
    "examples/allow/without.yaml": exampleText(id, ""),
    "examples/deny/with.yaml": exampleText(id, `\n  labels:\n    forbidden-by: ${JSON.stringify(id)}`),
  };
}

function policyText(id: string, name: string): string {
  return `# METADATA
# title: What is always true where this rule holds
# description: Why it matters, and what goes wrong otherwise.
# custom:
#   id: ${id}
#   level: medium
#   fix: Remove the label forbidden-by. Say here what to change.
#   match:
#     kinds: [ConfigMap]
package ${name}

deny contains {"message": message, "at": "/metadata/labels/forbidden-by"} if {
	input.resource.object.metadata.labels["forbidden-by"] == "${id}"
	message := sprintf("%s %q is forbidden", [input.resource.id.kind, input.resource.id.name])
}
`;
}

function testText(id: string, name: string): string {
  return `package ${name}_test

import data.${name} as policy

labelled(labels) := {"resource": {
	"id": {"kind": "ConfigMap", "name": "web"},
	"object": {"metadata": {"labels": labels}},
}}

test_denies_the_label if {
	found := policy.deny with input as labelled({"forbidden-by": "${id}"})
	found == {{"message": "ConfigMap \\"web\\" is forbidden", "at": "/metadata/labels/forbidden-by"}}
}

test_allows_another_label if {
	count(policy.deny) == 0 with input as labelled({"forbidden-by": "nobody"})
}

test_allows_a_deletion if {
	count(policy.deny) == 0 with input as {"resource": {"id": {"kind": "ConfigMap", "name": "web"}, "object": null}}
}
`;
}

function exampleText(id: string, labels: string): string {
  return `# An object that ${labels === "" ? "the rule lets through" : `${id} denies`}.
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: apps${labels}
`;
}

function text({ files }: PolicyNewReport): string {
  const [first = "", ...more] = files;
  const shown = [`wrote  ${first}`, ...more.map((path) => `       ${path}`)];
  return `${[...shown, "next   write the rule, then: sluice policy check && sluice policy test"].join("\n")}\n`;
}
