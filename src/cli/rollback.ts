/** `sluice rollback`: releases an earlier sequence's objects again, judged by today's policies. */

import { rollbackReport } from "../gate/json/landed.ts";
import { type RollbackWish, rollBack } from "../gate/rollback.ts";
import { SluiceError } from "../lib/errors.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { exitCodeOfVerdict } from "./failure.ts";
import { gateWords } from "./gate-words.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";
import { GATE_OPTIONS, type GateCall, landingsAnswer, remoteGate } from "./remote-gate.ts";
import { type LandingsReport, landedText } from "./reports/landed.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "release an earlier sequence again",
  usage: [
    "rollback TARGET --to SEQUENCE --config gate.yaml --reason TEXT [--as NAME]",
    "rollback TARGET --to SEQUENCE --gate URL --token-file FILE --reason TEXT",
  ],
  options: {
    config: CONFIG_OPTION,
    ...GATE_OPTIONS,
    to: { type: "string", value: "SEQUENCE", description: "the release whose objects come back" },
    reason: { type: "string", value: "TEXT", description: "why; recorded" },
    as: AS_OPTION,
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "released under a new sequence"],
    [1, "denied by today's policies, or refused"],
    [4, "waiting, or held"],
  ],
  example:
    'sluice rollback prod --to 212 --config gate.yaml --reason "errors since 213"\nrelease 214 then carries the objects of 212, if the policies of today allow',
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [target = ""] = invocation.positionals;
  const order = { target, to: sequence(invocation), reason: required(invocation, "reason", "TEXT") };
  const started = performance.now();
  const remote = remoteGate(invocation);
  const report = await (remote === null ? rollBackHere(order, invocation) : ask(remote, order, invocation));
  const seconds = (performance.now() - started) / 1000;
  const context = { seconds, hold: null, width: invocation.output.width, gate: gateWords(invocation) };
  answer(invocation, report, (paint) => landedText(report, context, paint));
  return exitCodeOfVerdict(report.landed[0]?.check.verdict ?? "error");
}

type Order = Omit<RollbackWish, "by">;

async function rollBackHere(order: Order, invocation: Invocation): Promise<LandingsReport> {
  const wish = { ...order, by: personOf(invocation) };
  const landed = await withGate(invocation, (gate) => rollBack(gate, wish));
  return rollbackReport(order.target, landed);
}

async function ask(call: GateCall, order: Order, invocation: Invocation): Promise<LandingsReport> {
  formatsOf(invocation);
  return call("/v1/rollbacks", { ...order }, landingsAnswer);
}

function sequence(invocation: Invocation): number {
  const text = textOption(invocation, "to") ?? "";
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new SluiceError("usage", "--to takes the sequence of an earlier release.", {
    fix: "sluice log list --target TARGET --kind release",
  });
}
