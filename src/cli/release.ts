/** `sluice release`: judges whatever landed since the last decision, logs it, releases what is allowed. */

import { landedReport } from "../gate/json/landed.ts";
import { bySeverity } from "../gate/json/order.ts";
import { judgeLandings } from "../gate/landing.ts";
import { signedHead } from "../gate/releasing.ts";
import { ingestReports } from "../gate/reports.ts";
import { SluiceError } from "../lib/errors.ts";
import { lastRelease } from "../release/record.ts";
import type { Head } from "../release/release.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { exitCodeOfVerdict } from "./failure.ts";
import { CONFIG_OPTION, withGate } from "./opening.ts";
import { GATE_OPTIONS, type GateCall, landingsAnswer, remoteGate } from "./remote-gate.ts";
import { type LandingsReport, landedText } from "./reports/landed.ts";

export const release: Command = {
  name: "release",
  summary: "judge what landed, log it, release it",
  usage: ["release TARGET --config gate.yaml", "release TARGET --gate URL --token-file FILE"],
  options: {
    config: CONFIG_OPTION,
    ...GATE_OPTIONS,
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
  readonly report: LandingsReport;
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
  const remote = remoteGate(invocation);
  const { report, hold } = await (remote === null ? releaseHere(target, invocation) : ask(remote, target, invocation));
  const context = { hold, seconds: (performance.now() - started) / 1000, width: invocation.output.width };
  answer(invocation, report, (paint) => landedText(report, context, paint));
  const { landed } = report;
  return landed.length === 0 ? 0 : exitCodeOfVerdict(bySeverity([landed.at(-1)?.check.verdict ?? "error"]));
}

function releaseHere(target: string, invocation: Invocation): Promise<Outcome> {
  return withGate(invocation, async (gate) => {
    await ingestReports(gate, target);
    const landed = await judgeLandings(gate, target);
    const held = landed.at(-1)?.held ?? null;
    if (held !== null) throw held;
    const isQuiet = landed.every((one) => one.released === null);
    const hold = isQuiet ? (await signedHead(gate, target)).hold : null;
    const current = (await lastRelease(gate.log, target))?.release.sequence ?? null;
    return { report: landedReport(landed, { target, current }), hold };
  });
}

/** A hold that keeps anything back is the gate's refusal `release-held`. */
async function ask(call: GateCall, target: string, invocation: Invocation): Promise<Outcome> {
  formatsOf(invocation);
  return { report: await call("/v1/releases", { target }, landingsAnswer), hold: null };
}
