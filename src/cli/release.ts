/** `sluice release`: judges whatever landed since the last decision, logs it, releases what is allowed. */

import { releaseInEmergency } from "../gate/emergency.ts";
import { landedReport } from "../gate/json/landed.ts";
import { bySeverity } from "../gate/json/order.ts";
import { judgeLandings } from "../gate/landing.ts";
import { signedHead } from "../gate/releasing.ts";
import { ingestReports } from "../gate/reports.ts";
import { SluiceError } from "../lib/errors.ts";
import { lastRelease } from "../release/record.ts";
import type { Head } from "../release/release.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { exitCodeOfVerdict } from "./failure.ts";
import { gateWords } from "./gate-words.ts";
import { CONFIG_OPTION, required, withGate } from "./opening.ts";
import { provenOperator } from "./operator.ts";
import { GATE_OPTIONS, type GateCall, landingsAnswer, remoteGate } from "./remote-gate.ts";
import { type LandingsReport, landedText } from "./reports/landed.ts";

export const release: Command = {
  name: "release",
  summary: "judge what landed, log it, release it",
  usage: [
    "release TARGET --config gate.yaml",
    "release TARGET --gate URL --token-file FILE",
    "release TARGET --emergency [--alone] --reason TEXT --ticket ID --token-file FILE (--config gate.yaml | --gate URL)",
  ],
  options: {
    config: CONFIG_OPTION,
    ...GATE_OPTIONS,
    emergency: {
      type: "boolean",
      description: "two operators, each with a token, stand in for approvals and what policies found",
    },
    alone: {
      type: "boolean",
      description:
        "nobody else is there: where gate.yaml allows it one operator is enough, and another person reviews it",
    },
    reason: { type: "string", value: "TEXT", description: "why it is an emergency; recorded" },
    ticket: { type: "string", value: "ID", description: "what the emergency is known by elsewhere; recorded" },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "released, or nothing new landed"],
    [1, "denied or refused: nothing was released"],
    [4, "waiting for an approval or a second operator, or held"],
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
  const emergency = emergencyOf(invocation);
  const started = performance.now();
  const isRemote = textOption(invocation, "gate") !== undefined || emergency === null;
  const remote = isRemote ? remoteGate(invocation) : null;
  const order = { target, emergency };
  const { report, hold } = await (remote === null ? releaseHere(order, invocation) : ask(remote, order, invocation));
  const seconds = (performance.now() - started) / 1000;
  const context = { hold, seconds, width: invocation.output.width, gate: gateWords(invocation) };
  answer(invocation, report, (paint) => landedText(report, context, paint));
  const { landed } = report;
  return landed.length === 0 ? 0 : exitCodeOfVerdict(bySeverity([landed.at(-1)?.check.verdict ?? "error"]));
}

interface Order {
  readonly target: string;
  /** null where nothing stands in for anything. */
  readonly emergency: { readonly reason: string; readonly ticket: string; readonly alone: boolean } | null;
}

/** @throws SluiceError `usage`: a reason is asked for before anything is judged, and is nothing without --emergency */
function emergencyOf(invocation: Invocation): Order["emergency"] {
  const alone = isSet(invocation, "alone");
  if (isSet(invocation, "emergency"))
    return { reason: required(invocation, "reason", "TEXT"), ticket: required(invocation, "ticket", "ID"), alone };
  const other = alone ? "alone" : ["reason", "ticket"].find((name) => textOption(invocation, name) !== undefined);
  if (other === undefined) return null;
  throw new SluiceError("usage", `--${other} is for --emergency.`, { fix: "leave it out, or add --emergency" });
}

function releaseHere({ target, emergency }: Order, invocation: Invocation): Promise<Outcome> {
  return withGate(invocation, async (gate) => {
    const by = emergency === null ? null : provenOperator(invocation, gate.configuration, target);
    await ingestReports(gate, target);
    const landed =
      emergency === null || by === null
        ? await judgeLandings(gate, target)
        : await releaseInEmergency(gate, { target, by, ...emergency });
    const held = landed.at(-1)?.held ?? null;
    if (held !== null) throw held;
    const isQuiet = landed.every((one) => one.released === null);
    const hold = isQuiet ? (await signedHead(gate, target)).hold : null;
    const current = (await lastRelease(gate.log, target))?.release.sequence ?? null;
    return { report: landedReport(landed, { target, current }), hold };
  });
}

/** A hold that keeps anything back is the gate's refusal `release-held`. */
async function ask(call: GateCall, { target, emergency }: Order, invocation: Invocation): Promise<Outcome> {
  formatsOf(invocation);
  const body = { target, ...(emergency === null ? {} : { emergency }) };
  return { report: await call("/v1/releases", body, landingsAnswer), hold: null };
}
