/** `sluice agent`: verifies and applies the current release of one target. */
import { resolve } from "node:path";
import { runOnce } from "../agent/agent.ts";
import type { AgentOutcome } from "../agent/outcome.ts";
import { readAgentYaml } from "../config/agent-yaml.ts";
import { readSecret } from "../config/secret.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { objectName } from "../release/object-file.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { required } from "./opening.ts";

export const agent: Command = {
  name: "agent",
  summary: "verify and apply the current release",
  usage: ["agent --once --config agent.yaml"],
  options: {
    config: { type: "string", value: "FILE", description: "the agent's own agent.yaml" },
    once: { type: "boolean", description: "one round, then leave" },
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "applied, or nothing to do"],
    [1, "refused: something does not verify; what runs is kept"],
    [4, "waiting: the head is stale, or a hold is on"],
  ],
  example:
    "sluice agent --once --config agent.yaml\nverifies head, release and proof, applies what changed, and says what it was",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  formatsOf(invocation);
  if (!isSet(invocation, "once")) {
    throw new SluiceError("not-supported", "An agent that keeps running is not there yet.", {
      fix: "sluice agent --once, from a timer every minute",
    });
  }
  const configuration = readAgentYaml(resolve(invocation.folder, required(invocation, "config", "FILE")));
  const { key } = configuration.agent;
  const { environment } = invocation.surroundings;
  const outcome = await runOnce({
    configuration,
    key: readSecret(key, configuration.folder, environment, { use: "agent", name: configuration.agent.name }),
    environment,
    clock: invocation.clock,
  });
  const { target, name } = configuration.agent;
  answer(
    invocation,
    { ...outcome, apiVersion: "sluice/v1", kind: "AgentRun", outcome: outcome.kind, agent: name, target },
    () => text(outcome),
  );
  return outcome.exitCode;
}

function text(outcome: AgentOutcome): string {
  const { kind, code, message, fix, plan, drift } = outcome;
  const lines = [`${kind.padEnd(10)} ${message}${code === null ? "" : `   ${code}`}`];
  if (plan !== null && kind === "applied") {
    lines.push(
      ...plan.create.map((file) => `  + ${printable(objectName(file))}`),
      ...plan.update.map((file) => `  ~ ${printable(objectName(file))}`),
      ...plan.delete.map((file) => `  - ${printable(objectName(file))}`),
    );
  }
  lines.push(...drift.map((one) => `  ${one.how.padEnd(8)} ${printable(objectName(one.file))}`));
  if (fix !== null) lines.push(`fix        ${fix}`);
  return `${lines.join("\n")}\n`;
}
