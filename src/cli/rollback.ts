/** `sluice rollback`: releases an earlier sequence's objects again, judged by today's policies. */

import { landedReport } from "../gate/json/landed.ts";
import { rollBack } from "../gate/rollback.ts";
import { SluiceError } from "../lib/errors.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { exitCodeOfVerdict } from "./failure.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";
import { landedText } from "./reports/landed.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "release an earlier sequence again",
  usage: ["rollback TARGET --to SEQUENCE --config gate.yaml --reason TEXT [--as NAME]"],
  options: {
    config: CONFIG_OPTION,
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
  const wish = {
    target,
    to: sequence(invocation),
    reason: required(invocation, "reason", "TEXT"),
    by: personOf(invocation),
  };
  const started = performance.now();
  const landed = await withGate(invocation, (gate) => rollBack(gate, wish));
  const report = landedReport([landed], { target, current: landed.released?.release.sequence ?? null });
  const context = { seconds: (performance.now() - started) / 1000, hold: null, width: invocation.output.width };
  answer(invocation, report, (paint) => landedText(report, context, paint));
  return exitCodeOfVerdict(landed.admitted.decision.verdict);
}

function sequence(invocation: Invocation): number {
  const text = textOption(invocation, "to") ?? "";
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new SluiceError("usage", "--to takes the sequence of an earlier release.", {
    fix: "sluice log list --target TARGET --kind release",
  });
}
