/** `sluice adopt`: an operator makes the first approved state of a target; two of them repair its judge. */
import { adoptAgain, adoptTarget } from "../gate/adopt.ts";
import { type AdoptionReport, adoptionReport } from "../gate/json/adoption.ts";
import { SluiceError } from "../lib/errors.ts";
import { compareWithLive } from "../render/live.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { gateWords } from "./gate-words.ts";
import { comparisonLines, readLive } from "./live-manifests.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";
import { provenOperator } from "./operator.ts";
import { adoptionAnswer, GATE_OPTIONS, type GateCall, remoteGate } from "./remote-gate.ts";

export const adopt: Command = {
  name: "adopt",
  summary: "make the first approved state of a target",
  usage: [
    "adopt TARGET --config gate.yaml --reason TEXT [--at REV] [--as NAME] [--compare-with FOLDER]",
    "adopt TARGET --gate URL --token-file FILE --reason TEXT [--at REV]",
    "adopt TARGET --again --reason TEXT --token-file FILE [--at REV] (--config gate.yaml | --gate URL)",
  ],
  options: {
    config: CONFIG_OPTION,
    ...GATE_OPTIONS,
    reason: { type: "string", value: "TEXT", description: "why this state is the one to start from; recorded" },
    at: { type: "string", value: "REV", description: "the commit (default: the tip of the target's branch)" },
    as: AS_OPTION,
    again: { type: "boolean", description: "repair a judge that cannot judge: two operators, each with a token" },
    "compare-with": {
      type: "string",
      value: "FOLDER",
      description:
        "manifests of what is live (kubectl get ... -o yaml): say what is equal, different, unmanaged, missing",
    },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "adopted"],
    [1, "refused: it is adopted already"],
    [4, "waiting for the second operator"],
  ],
  example:
    'sluice adopt prod --config gate.yaml --reason "what runs since March"\ntakes the tip of main as it is; only what changes from then on is judged',
  run,
};

interface Order {
  readonly target: string;
  readonly at: string | null;
  readonly reason: string;
  readonly isAgain: boolean;
}

async function run(invocation: Invocation): Promise<number> {
  const [target = ""] = invocation.positionals;
  const reason = required(invocation, "reason", "TEXT");
  const order: Order = {
    target,
    at: textOption(invocation, "at") ?? null,
    reason,
    isAgain: isSet(invocation, "again"),
  };
  const isHere = textOption(invocation, "gate") === undefined && (order.isAgain || !hasToken(invocation));
  const remote = isHere ? null : remoteGate(invocation);
  const report = await (remote === null ? adoptHere(order, invocation) : ask(remote, order, invocation));
  answer(invocation, report, () => text(report, order, gateWords(invocation)));
  return 0;
}

function hasToken(invocation: Invocation): boolean {
  return textOption(invocation, "token-file") !== undefined;
}

/** Adopting again needs two people who are told apart; a first state needs one who says who he is. */
async function adoptHere({ isAgain, ...order }: Order, invocation: Invocation): Promise<AdoptionReport> {
  const live = await readLive(invocation);
  const adoption = await withGate(invocation, (gate) => {
    if (!isAgain) return adoptTarget(gate, { ...order, by: personOf(invocation) });
    return adoptAgain(gate, { ...order, by: provenOperator(invocation, gate.configuration, order.target) });
  });
  const comparison =
    live === null ? null : { folder: live.folder, ...compareWithLive(adoption.resources, live.resources) };
  return adoptionReport(order.target, adoption, comparison);
}

async function ask(call: GateCall, { isAgain, ...order }: Order, invocation: Invocation): Promise<AdoptionReport> {
  formatsOf(invocation);
  if (textOption(invocation, "compare-with") !== undefined) {
    throw new SluiceError("usage", "What is live is compared where the gate is opened, not through a service.", {
      fix: "leave --compare-with out; sluice log reconcile compares later",
    });
  }
  return call("/v1/adoptions", { ...order, again: isAgain }, adoptionAnswer);
}

function text(
  { target, commit, objects, baseline, copy, index, comparison }: AdoptionReport,
  { isAgain }: Order,
  gate: string,
): string {
  const word = isAgain ? "ADOPTED AGAIN" : "ADOPTED";
  return [
    `${word}  ${target}  ${commit.slice(0, 7)}: ${objects} objects, ${baseline} findings as of today do not count   log ${index}`,
    ...(isAgain ? ["judge       it judges from now on; sequence and log go on, what is released stays"] : []),
    ...(comparison === null ? [] : comparisonLines(comparison)),
    "previews    put this in sluice.yaml, so that they look at the same commits:",
    `            after: "${commit}"`,
    ...(baseline === 0
      ? []
      : ["            and this in baseline.yaml, so that they let the same findings pass:", copy.trimEnd()]),
    `next        sluice check ${gate} --target ${target}`,
    "",
  ].join("\n");
}
