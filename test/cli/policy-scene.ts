/** Small folders of policies on disk for the tests of `sluice policy`, and its commands without a process of their own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { Command, Invocation } from "../../src/cli/command.ts";
import { exitCodeOf } from "../../src/cli/failure.ts";
import { readSurroundings } from "../../src/config/environment.ts";
import { asSluiceError } from "../../src/lib/errors.ts";
import { type Scope, tempFolder } from "../support/temp.ts";

export function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

export function scene(scope: Scope, files: Readonly<Record<string, string>>): string {
  return write(tempFolder(scope), files);
}

/** METADATA of a rule, with lines of `custom` beyond the required ones. */
export function metadata(id: string, custom: readonly string[] = []): string {
  const lines = [
    `title: ${id}`,
    "description: Because.",
    "custom:",
    `  id: ${id}`,
    "  level: high",
    "  fix: Change it.",
  ];
  return ["METADATA", ...lines, ...custom.map((line) => `  ${line}`)].map((line) => `# ${line}\n`).join("");
}

/** Line 10 begins the body: denies whatever has the label `bad`. */
export const LABEL_RULE = `${metadata("label")}package rules.label

deny contains {"message": message, "at": "/metadata/labels/bad"} if {
	value := input.resource.object.metadata.labels.bad
	message := sprintf("%s is labelled %s", [input.resource.id.name, value])
}
`;

export const LABEL_TEST = `package rules.label_test

import data.rules.label

labelled(labels) := {"resource": {"id": {"name": "a"}, "object": {"metadata": {"labels": labels}}}}

test_denies_the_label if count(label.deny) == 1 with input as labelled({"bad": "yes"})

test_allows_others if count(label.deny) == 0 with input as labelled({"good": "yes"})
`;

export function configMap(name: string, labels: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: apps\n  labels: ${labels}\n`;
}

/** One rule with everything that belongs to it. */
export const COMPLETE: Readonly<Record<string, string>> = {
  "policies/label/policy.rego": LABEL_RULE,
  "policies/label/policy_test.rego": LABEL_TEST,
  "policies/label/examples/allow/good.yaml": configMap("good", "{good: yes please}"),
  "policies/label/examples/deny/bad.yaml": configMap("bad", "{bad: of course}"),
};

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  /** Code of what it threw; null when it ended by itself. */
  readonly error: string | null;
}

/** As main() runs it, in this process and without any cache: a process each would cost more than all these tests. */
export async function runCommand(command: Command, args: readonly string[], folder: string): Promise<CommandRun> {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  let stdout = "";
  const invocation: Invocation = {
    options: values as Invocation["options"],
    positionals,
    folder,
    surroundings: readSurroundings({ HOME: folder, CI: "true" }),
    clock: Date.now,
    random: (count) => new Uint8Array(count),
    commands: [],
    output: {
      isTerminal: false,
      width: 80,
      colours: false,
      write: (text) => {
        stdout += text;
      },
      remark: () => undefined,
      progress: () => () => undefined,
      readInput: async () => new Uint8Array(),
    },
  };
  try {
    return { code: await command.run(invocation), stdout, error: null };
  } catch (thrown) {
    const { code } = asSluiceError(thrown);
    return { code: exitCodeOf(code), stdout, error: code };
  }
}
