/** `sluice review`: another person says what it was worth that one operator alone released in an emergency. */
import { OUTCOMES, type Outcome, type ReviewState, reviewEmergency } from "../gate/review.ts";
import { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { readEntry } from "./log-show.ts";
import { CONFIG_OPTION, required, withGate } from "./opening.ts";
import { provenReviewer } from "./operator.ts";
import { GATE_OPTIONS, remoteGate, reviewAnswer } from "./remote-gate.ts";

export const review: Command = {
  name: "review",
  summary: "review what one operator alone released",
  usage: ["review DECISION --accept|--contest --reason TEXT --token-file FILE (--config gate.yaml | --gate URL)"],
  options: {
    config: CONFIG_OPTION,
    ...GATE_OPTIONS,
    accept: { type: "boolean", description: "it was right to release it" },
    contest: { type: "boolean", description: "it should not have been released; recorded, and nothing is undone" },
    reason: { type: "string", value: "TEXT", description: "why; recorded and shown to everybody" },
    ...ANSWER_OPTIONS,
  },
  positionals: [1, 1],
  exitCodes: [
    [0, "recorded"],
    [1, "refused: it is your own, or it was reviewed already"],
    [2, "the entry is no such decision"],
  ],
  example:
    'sluice review 42 --accept --reason "the right cure" --gate URL --token-file me\nsluice doctor and the page of targets say what is owed, and until when',
  run,
};

interface Order {
  /** As it was given: an index. */
  readonly entry: string;
  readonly outcome: Outcome;
  readonly reason: string;
}

async function run(invocation: Invocation): Promise<number> {
  const [entry = ""] = invocation.positionals;
  const order = { entry, outcome: outcomeOf(invocation), reason: required(invocation, "reason", "TEXT") };
  formatsOf(invocation); // an unknown format is said before anything is logged
  const state = await (textOption(invocation, "gate") === undefined
    ? reviewHere(order, invocation)
    : ask(order, invocation));
  answer(invocation, { apiVersion: "sluice/v1", kind: "Review", ...state }, () => text(state));
  return 0;
}

/** Nothing is said by leaving a word out. @throws SluiceError `usage` */
function outcomeOf(invocation: Invocation): Outcome {
  const [accepted, contested] = [isSet(invocation, "accept"), isSet(invocation, "contest")];
  if (accepted !== contested) return OUTCOMES[accepted ? 0 : 1];
  throw new SluiceError("usage", "A review says one of two things.", { fix: "--accept or --contest" });
}

function reviewHere({ entry, outcome, reason }: Order, invocation: Invocation): Promise<ReviewState> {
  return withGate(invocation, async (gate) => {
    const { index, leaf } = await readEntry(gate.log, entry);
    const by = provenReviewer(invocation, gate.configuration, leaf.target);
    return reviewEmergency(gate, { entry: index, outcome, reason, by });
  });
}

function ask(order: Order, invocation: Invocation): Promise<ReviewState> {
  const call = remoteGate(invocation);
  if (call === null) throw new SluiceError("usage", "--gate is missing.", { fix: "--gate https://gate.example" });
  return call("/v1/reviews", { ...order }, reviewAnswer);
}

function text({ target, entry, state, operator, review: given }: ReviewState): string {
  const line = `${target}: what ${operator ?? "one operator"} released alone in log ${entry} is ${state} by ${given?.by}   log ${given?.index}`;
  const next = state === "contested" ? "next       sluice rollback TARGET --to SEQ, or land the cure\n" : "";
  return `${printable(line)}\n${next}`;
}
