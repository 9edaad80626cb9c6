/** `sluice hold` and `sluice resume`: the Andon cord, pulled and released by named people. */
import { changeHold } from "../gate/holding.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";

const OPTIONS: Command["options"] = {
  config: CONFIG_OPTION,
  reason: { type: "string", value: "TEXT", description: "why; recorded and shown to everybody" },
  as: AS_OPTION,
  ...ANSWER_OPTIONS,
};

export const hold: Command = {
  name: "hold",
  summary: "stop releases in a scope",
  usage: ["hold TARGET|repository:NAME|all --config gate.yaml --reason TEXT"],
  options: OPTIONS,
  positionals: [1, 1],
  exitCodes: [[0, "held: agents apply nothing new"]],
  example:
    'sluice hold prod --config gate.yaml --reason "database migration"\nfrom now on nothing of prod is released or applied, until: sluice resume prod',
  run: (invocation) => run("hold", invocation),
};

export const resume: Command = {
  name: "resume",
  summary: "end a hold",
  usage: ["resume TARGET|repository:NAME|all --config gate.yaml --reason TEXT"],
  options: OPTIONS,
  positionals: [1, 1],
  exitCodes: [[0, "resumed"]],
  example:
    'sluice resume prod --config gate.yaml --reason "migration done"\nagents go on; what landed meanwhile waits for: sluice release prod',
  run: (invocation) => run("resume", invocation),
};

async function run(kind: "hold" | "resume", invocation: Invocation): Promise<number> {
  const [scope = ""] = invocation.positionals;
  const request = { scope, reason: required(invocation, "reason", "TEXT"), by: personOf(invocation) };
  const { index, targets } = await withGate(invocation, (gate) => changeHold(gate, kind, request));
  const state = kind === "hold" ? "held" : "resumed";
  const text = `${scope}: ${state} by ${request.by}; fresh heads say so for ${targets.join(", ")}   log ${index}\n${nextText(kind, scope)}`;
  answer(invocation, { apiVersion: "sluice/v1", kind: "Hold", state, ...request, index, targets }, () => text);
  return 0;
}

function nextText(kind: "hold" | "resume", scope: string): string {
  const command = kind === "hold" ? `sluice resume ${scope} --config gate.yaml --reason TEXT` : "sluice release TARGET";
  return `next       ${kind === "hold" ? "when it is over: " : "for what landed meanwhile: "}${command}\n`;
}
