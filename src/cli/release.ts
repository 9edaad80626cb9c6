/** `sluice release`: judges whatever landed since the last decision, logs it, releases what is allowed. */

import { landedReport } from "../gate/json/landed.ts";
import { bySeverity } from "../gate/json/order.ts";
import { judgeLandings, type Landed } from "../gate/landing.ts";
import { signedHead } from "../gate/releasing.ts";
import { ingestReports } from "../gate/reports.ts";
import { SluiceError } from "../lib/errors.ts";
import { lastRelease } from "../release/record.ts";
import type { Head } from "../release/release.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { exitCodeOfVerdict } from "./failure.ts";
import { CONFIG_OPTION, withGate } from "./opening.ts";
import { landedText } from "./reports/landed.ts";

export const release: Command = {
  name: "release",
  summary: "judge what landed, log it, release it",
  usage: ["release TARGET --config gate.yaml"],
  options: {
    config: CONFIG_OPTION,
    emergency: { type: "boolean", description: "two operators stand in for approvals (not there yet)" },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "released, or nothing new landed"],
    [1, "denied or refused: nothing was released"],
    [4, "waiting for an approval, or held"],
  ],
  example: "sluice release prod --config gate.yaml\njudges what landed on the branch of prod since the last decision",
  run,
};

interface Outcome {
  readonly landed: readonly Landed[];
  readonly current: number | null;
  readonly hold: Head["hold"];
}

async function run(invocation: Invocation): Promise<number> {
  const [target = ""] = invocation.positionals;
  if (isSet(invocation, "emergency")) {
    throw new SluiceError("not-supported", "An emergency release by two operators is not there yet.", {
      fix: `sluice rollback ${target} --to SEQUENCE`,
    });
  }
  const started = performance.now();
  const { landed, current, hold } = await withGate(invocation, async (gate): Promise<Outcome> => {
    await ingestReports(gate, target);
    const found = await judgeLandings(gate, target);
    const held = found.at(-1)?.held ?? null;
    if (held !== null) throw held;
    const isQuiet = found.every((one) => one.released === null);
    const hold = isQuiet ? (await signedHead(gate, target)).hold : null;
    return { landed: found, current: (await lastRelease(gate.log, target))?.release.sequence ?? null, hold };
  });
  const seconds = (performance.now() - started) / 1000;
  const context = { target, current, hold, seconds, width: invocation.output.width };
  answer(invocation, landedReport(landed, context), (paint) => landedText(landed, context, paint));
  return landed.length === 0 ? 0 : exitCodeOfVerdict(bySeverity([landed.at(-1)?.admitted.decision.verdict ?? "error"]));
}
