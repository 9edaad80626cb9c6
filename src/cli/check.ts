/** `sluice check`: the pull-request check. A preview unless it has a gate. */
import { type Admitted, admit } from "../gate/gate.ts";
import { type CheckReport, checkReport } from "../gate/json/check.ts";
import { gateProposal } from "../gate/proposal.ts";
import { recorder } from "../gate/record.ts";
import type { CommitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { ANSWER_OPTIONS, answer, formatsOf } from "./answer.ts";
import { checkCoverage } from "./check-coverage.ts";
import { type Command, type Invocation, isSet, listOption, textOption } from "./command.ts";
import { gateWords, isService } from "./gate-words.ts";
import { DATA_OPTIONS } from "./given-data.ts";
import { CONFIG_OPTION, type LocalRepository, REPO_OPTION, withGate, withRepository } from "./opening.ts";
import { namedTargets, preview } from "./preview.ts";
import { checkAnswer, GATE_OPTIONS, type GateCall, remoteGate } from "./remote-gate.ts";
import { checkText } from "./reports/check-text.ts";
import { checkJunit } from "./reports/junit.ts";
import { checkMarkdown } from "./reports/markdown.ts";
import type { Paint } from "./reports/paint.ts";
import { checkSarif } from "./reports/sarif.ts";

const REPORTS = new Map([
  ["sarif", checkSarif],
  ["junit", checkJunit],
  ["markdown", checkMarkdown],
]);
const FORMATS = [...ANSWER_OPTIONS.format.values, ...REPORTS.keys()];

export const check: Command = {
  name: "check",
  summary: "judge a proposed change",
  usage: [
    "check [--repo DIR] [--base REV] [--head REV] [--target T]... [--format F] [--output FILE]",
    "check --config gate.yaml [--head REV] [--target T]...",
    "check --gate URL --token-file FILE --repository NAME [--head REV] [--target T]...",
    "check --coverage [--repo DIR] [--head REV] [--target T]",
  ],
  options: {
    repo: REPO_OPTION,
    base: {
      type: "string",
      value: "REV",
      description: "what the change is merged into (default: the target's branch at origin, else the local one)",
    },
    head: { type: "string", value: "REV", description: "the change (default: HEAD)" },
    target: { type: "string", multiple: true, value: "T", description: "only this target; may be repeated" },
    config: { ...CONFIG_OPTION, description: "gate.yaml: decide, log and count; without it this is a preview" },
    coverage: {
      type: "boolean",
      description: "judge nothing: list every path with the target that covers it; exit 1 when one is nobody's",
    },
    ...DATA_OPTIONS,
    ...GATE_OPTIONS,
    repository: {
      type: "string",
      value: "NAME",
      description: "what gate.yaml and approvals call the repository (default: its name at origin)",
    },
    ...ANSWER_OPTIONS,
    format: {
      ...ANSWER_OPTIONS.format,
      values: FORMATS,
      description: "text (default), json, sarif, junit or markdown; may be repeated",
    },
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "approved"],
    [1, "denied: another commit can cure it"],
    [4, "waiting for an approval"],
  ],
  example: "sluice check --target prod\nsays what a gate would say about HEAD; nothing is logged or released",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const remote = remoteGate(invocation);
  if (isSet(invocation, "coverage")) return checkCoverage(invocation);
  formatsOf(invocation, FORMATS);
  refuseData(invocation, remote !== null || textOption(invocation, "config") !== undefined);
  const started = performance.now();
  const timings: Record<string, number> = {};
  const onStep = (step: string, milliseconds: number): void => {
    timings[step] = Math.round(((timings[step] ?? 0) + milliseconds) * 10) / 10;
  };
  const done = invocation.output.progress("judging");
  const admitted = remote === null ? await judge(invocation, onStep).finally(done) : [];
  const report =
    remote === null
      ? checkReport(admitted, { ...timings, total: Math.round(performance.now() - started) })
      : await ask(remote, invocation).finally(done);
  const shown = (paint: Paint): string => text(invocation, report, admitted, performance.now() - started, paint);
  const others = new Map([...REPORTS].map(([format, write]) => [format, () => write(report)]));
  answer(invocation, report, shown, null, others);
  return report.exitCode;
}

/** A gate asks its sources itself. @throws SluiceError `usage` */
function refuseData(invocation: Invocation, isGate: boolean): void {
  if (isGate && listOption(invocation, "data").length > 0)
    throw new SluiceError("usage", "A gate fetches data from outside itself.", { fix: "leave --data out" });
}

function judge(
  invocation: Invocation,
  onStep: (step: string, milliseconds: number) => void,
): Promise<readonly Admitted[]> {
  return textOption(invocation, "config") === undefined
    ? preview(invocation, onStep)
    : decideAtGate(invocation, onStep);
}

/** Every decision is durable in the log before it is said. */
async function decideAtGate(
  invocation: Invocation,
  onStep: (step: string, milliseconds: number) => void,
): Promise<readonly Admitted[]> {
  const head = await headOf(invocation);
  const work = async (gate: Parameters<Parameters<typeof withGate>[1]>[0]): Promise<readonly Admitted[]> => {
    const wanted = namedTargets(invocation);
    const targets = wanted.length > 0 ? wanted : Object.keys(gate.configuration.gate.targets).sort();
    const admitted: Admitted[] = [];
    for (const target of targets) {
      admitted.push(await admit(await gateProposal(gate, target, head), gate.services, recorder(gate.log)));
    }
    return admitted;
  };
  return withGate(invocation, work, onStep, FORMATS);
}

/** The gate fetches the head itself, from where its gate.yaml says; nothing of this clone is sent but a commit's name. */
function ask(call: GateCall, invocation: Invocation): Promise<CheckReport> {
  if (textOption(invocation, "base") !== undefined) {
    throw new SluiceError("usage", "A gate takes the tip of its own branch as base.", { fix: "leave --base out" });
  }
  const asked = async ({ repository, name }: LocalRepository): Promise<CheckReport> => {
    const head = await repository.resolve(textOption(invocation, "head") ?? "HEAD");
    return call("/v1/checks", { repository: name, head, targets: namedTargets(invocation) }, checkAnswer);
  };
  return withRepository(invocation, asked);
}

function headOf(invocation: Invocation): Promise<CommitId> {
  return withRepository(invocation, ({ repository }) => repository.resolve(textOption(invocation, "head") ?? "HEAD"));
}

function text(
  invocation: Invocation,
  report: CheckReport,
  admitted: readonly Admitted[],
  milliseconds: number,
  paint: Paint,
): string {
  const branches = new Map(admitted.map(({ decision }) => [decision.target.name, decision.target.branch]));
  return checkText(report, {
    width: invocation.output.width,
    paint,
    branch: (target) => branches.get(target) ?? "",
    seconds: milliseconds / 1000,
    release: (target) => releaseText(invocation, target),
  });
}

/** A service releases what it allowed by itself; without one somebody types it. */
function releaseText(invocation: Invocation, target: string): string {
  if (isService(invocation)) return `${target} is released within a second of it`;
  return `then \`sluice release ${target} ${gateWords(invocation)}\` releases what landed`;
}
