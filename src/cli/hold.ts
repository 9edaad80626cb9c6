/** `sluice hold` and `sluice resume`: the Andon cord, pulled and released by named people. */
import type * as z from "zod";
import { changeHold } from "../gate/holding.ts";
import { holdingSchema } from "../gate/json/schemas/acts.ts";
import { typed } from "../lib/shell-word.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import type { Command, Invocation } from "./command.ts";
import { gateWords, isService } from "./gate-words.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";
import { GATE_OPTIONS, type GateCall, remoteGate } from "./remote-gate.ts";

const OPTIONS: Command["options"] = {
  config: CONFIG_OPTION,
  ...GATE_OPTIONS,
  reason: { type: "string", value: "TEXT", description: "why; recorded and shown to everybody" },
  as: AS_OPTION,
  ...ANSWER_OPTIONS,
};

export const hold: Command = {
  name: "hold",
  summary: "stop releases in a scope",
  usage: [
    "hold TARGET|repository:NAME|all --reason TEXT --config gate.yaml",
    "hold TARGET|repository:NAME|all --reason TEXT --gate URL --token-file FILE",
  ],
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
  usage: [
    "resume TARGET|repository:NAME|all --reason TEXT --config gate.yaml",
    "resume TARGET|repository:NAME|all --reason TEXT --gate URL --token-file FILE",
  ],
  options: OPTIONS,
  positionals: [1, 1],
  exitCodes: [
    [0, "resumed"],
    [2, "nothing is held there"],
  ],
  example:
    'sluice resume prod --config gate.yaml --reason "migration done"\nagents go on; what landed meanwhile waits for: sluice release prod',
  run: (invocation) => run("resume", invocation),
};

async function run(kind: "hold" | "resume", invocation: Invocation): Promise<number> {
  const [scope = ""] = invocation.positionals;
  const reason = required(invocation, "reason", "TEXT");
  formatsOf(invocation); // an unknown format is said before anything is logged
  const remote = remoteGate(invocation);
  const report = await (remote === null
    ? changeHere(kind, scope, reason, invocation)
    : ask(remote, kind, scope, reason));
  const { state, by, index, targets } = report;
  const text = `${scope}: ${state} by ${by}; fresh heads say so for ${targets.join(", ")}   log ${index}\n${nextText(kind, scope, invocation)}`;
  answer(invocation, report, () => text);
  return 0;
}

type HoldReport = z.infer<typeof holdingSchema>;

async function changeHere(
  kind: "hold" | "resume",
  scope: string,
  reason: string,
  invocation: Invocation,
): Promise<HoldReport> {
  const request = { scope, reason, by: personOf(invocation) };
  const { index, targets } = await withGate(invocation, (gate) => changeHold(gate, kind, request));
  const state = kind === "hold" ? "held" : "resumed";
  return { apiVersion: "sluice/v1", kind: "Hold", state, ...request, index, targets: [...targets] };
}

/** Who acts is whom the token names; `--as` would be a second opinion on that. */
async function ask(call: GateCall, kind: "hold" | "resume", scope: string, reason: string): Promise<HoldReport> {
  return call(kind === "hold" ? "/v1/holds" : "/v1/resumes", { scope, reason }, async () => holdingSchema);
}

function nextText(kind: "hold" | "resume", scope: string, invocation: Invocation): string {
  const gate = gateWords(invocation);
  if (kind === "hold") return `next       when it is over: sluice resume ${typed(scope)} --reason TEXT ${gate}\n`;
  if (isService(invocation)) return "next       what landed meanwhile is released by the service\n";
  const target = scope === "all" || scope.includes(":") ? "TARGET" : scope;
  return `next       for what landed meanwhile: sluice release ${target} ${gate}\n`;
}
