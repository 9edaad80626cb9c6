/** `sluice adopt`: an operator makes the first approved state of a target. */
import { type Adoption, adoptTarget } from "../gate/adopt.ts";
import { SluiceError } from "../lib/errors.ts";
import { type Comparison, compareWithLive } from "../render/live.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, isSet, textOption } from "./command.ts";
import { comparisonLines, readLive } from "./live-manifests.ts";
import { AS_OPTION, CONFIG_OPTION, personOf, required, withGate } from "./opening.ts";

export const adopt: Command = {
  name: "adopt",
  summary: "make the first approved state of a target",
  usage: ["adopt TARGET --config gate.yaml --reason TEXT [--at REV] [--as NAME] [--compare-with FOLDER]"],
  options: {
    config: CONFIG_OPTION,
    reason: { type: "string", value: "TEXT", description: "why this state is the one to start from; recorded" },
    at: { type: "string", value: "REV", description: "the commit (default: the tip of the target's branch)" },
    as: AS_OPTION,
    again: { type: "boolean", description: "repair a judge that is broken (not there yet)" },
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
  ],
  example:
    'sluice adopt prod --config gate.yaml --reason "what runs since March"\ntakes the tip of main as it is; only what changes from then on is judged',
  run,
};

async function run(invocation: Invocation): Promise<number> {
  if (isSet(invocation, "again")) throw againRefused();
  const [target = ""] = invocation.positionals;
  const reason = required(invocation, "reason", "TEXT");
  const wish = { target, at: textOption(invocation, "at") ?? null, reason, by: personOf(invocation) };
  const live = await readLive(invocation);
  const adoption = await withGate(invocation, (gate) => adoptTarget(gate, wish));
  const comparison =
    live === null ? null : { folder: live.folder, ...compareWithLive(adoption.resources, live.resources) };
  answer(invocation, report(target, adoption, comparison), () => text(target, adoption, comparison));
  return 0;
}

/** It needs two operators who are told apart, and nothing tells them apart here. */
function againRefused(): SluiceError {
  return new SluiceError("not-supported", "A target cannot be adopted again yet; nothing was recorded.", {
    fix: "land a change that mends what judges, or begin a new log: docs/runbook.md",
  });
}

type LiveComparison = Comparison & { readonly folder: string };

function report(target: string, { receipt, commit, decision, baseline }: Adoption, comparison: LiveComparison | null) {
  const { index, id, time } = receipt;
  return {
    apiVersion: "sluice/v1",
    kind: "Adoption",
    target,
    commit,
    tree: decision.tree,
    index,
    id,
    time,
    baseline: baseline.length,
    digests: decision.digests,
    comparison,
  };
}

function text(
  target: string,
  { receipt, commit, decision, baseline }: Adoption,
  comparison: LiveComparison | null,
): string {
  return [
    `ADOPTED  ${target}  ${commit.slice(0, 7)}: ${decision.objects.length} objects, ${baseline.length} findings as of today do not count   log ${receipt.index}`,
    ...(comparison === null ? [] : comparisonLines(comparison)),
    "previews    put this in sluice.yaml, so that they look at the same commits:",
    `            after: "${commit}"`,
    `next        sluice check --config gate.yaml --target ${target}`,
    "",
  ].join("\n");
}
