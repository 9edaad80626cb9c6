/** `config check`: every configuration file as it lies on disk, with all that is wrong in it. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { SLUICE_YAML } from "../config/sluice-yaml.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { examineAgent, examineBranches, examineGate, examineRepository } from "./configuration-files.ts";
import { EXIT } from "./failure.ts";
import { hasFailure, type Remark, remarksText } from "./remark.ts";
import type { ConfigCheckReport } from "./reports/schemas.ts";

export const configCheck: Command = {
  name: "config check",
  summary: "check configuration files",
  usage: ["config check [--repo DIR] [--config gate.yaml] [--agent agent.yaml]"],
  options: {
    repo: {
      type: "string",
      value: "DIR",
      description: "folder of sluice.yaml, as it lies on disk; the current folder when absent",
    },
    config: { type: "string", value: "FILE", description: "the operator's gate.yaml, and its key files" },
    agent: { type: "string", value: "FILE", description: "an agent's agent.yaml, and its key file" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [[0, "every file can be used"]],
  example: "sluice config check --config gate.yaml\nsays of each configuration and key file whether it can be used",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  const remarks = await examineAll(invocation);
  const exitCode = hasFailure(remarks) ? EXIT.usage : EXIT.fine;
  const report: ConfigCheckReport = { apiVersion: "sluice/v1", kind: "ConfigCheck", exitCode, remarks: [...remarks] };
  answer(invocation, report, (paint) => remarksText(remarks, paint));
  return exitCode;
}

async function examineAll(invocation: Invocation): Promise<readonly Remark[]> {
  const { environment } = invocation.surroundings;
  const gatePath = textOption(invocation, "config");
  const agentPath = textOption(invocation, "agent");
  const gate = gatePath === undefined ? null : await examineGate(gatePath, environment, invocation.clock);
  const agent = agentPath === undefined ? null : await examineAgent(agentPath, environment);
  const folder = resolve(invocation.folder, textOption(invocation, "repo") ?? ".");
  // On a gate's or an agent's own machine there is no repository; one that was named must have its file.
  const isWanted = textOption(invocation, "repo") !== undefined || (gate === null && agent === null);
  const repository =
    isWanted || existsSync(join(folder, SLUICE_YAML))
      ? await examineRepository(folder, gate?.value?.gate.revoked ?? [], invocation.clock)
      : null;
  const sluice = repository?.value ?? null;
  return [
    ...(repository?.remarks ?? []),
    ...(gate?.remarks ?? []),
    ...(sluice === null || gate === null || gate.value === null ? [] : examineBranches(sluice, gate.value)),
    ...(agent?.remarks ?? []),
  ];
}
