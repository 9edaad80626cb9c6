/** `sluice replay`: recorded decisions decided once more from the recorded evidence, and compared. */

import { type Replayed, type Replayer, replay as replayOne } from "../gate/replay.ts";
import { openReplayer } from "../gate/wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, textOption } from "./command.ts";
import { EXIT } from "./failure.ts";
import { CONFIG_OPTION, gateConfiguration, means } from "./opening.ts";
import type { ReplayReport } from "./reports/schemas/replay.ts";

const MOST = 10_000;

export const replay: Command = {
  name: "replay",
  summary: "decide again what was decided, and compare",
  usage: ["replay INDEX --config gate.yaml", "replay --target T [--last N] --config gate.yaml"],
  options: {
    target: { type: "string", value: "T", description: "the newest decisions of this target" },
    last: { type: "string", value: "N", description: "how many of them (default: 10)" },
    config: CONFIG_OPTION,
    ...ANSWER_OPTIONS,
  },
  positionals: [0, 1],
  exitCodes: [
    [0, "each is byte for byte what was recorded, but for what was erased since"],
    [1, "one is not"],
  ],
  example:
    "sluice replay 4127 --config gate.yaml\njudges again with the clock, log and approvals of then; logs nothing",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const configuration = await gateConfiguration(invocation);
  const replayer = await openReplayer(configuration, means(invocation));
  const done = invocation.output.progress("replaying");
  try {
    const decisions: Replayed[] = [];
    for (const index of await indexes(invocation, replayer)) decisions.push(await replayOne(replayer, index));
    done();
    const report = reportOf(decisions);
    answer(invocation, report, () => decisions.map(line).join(""));
    return report.exitCode;
  } finally {
    done();
    await replayer.close();
  }
}

async function indexes(invocation: Invocation, { log }: Replayer): Promise<readonly number[]> {
  const [text] = invocation.positionals;
  const target = textOption(invocation, "target");
  if ((text === undefined) === (target === undefined))
    throw new SluiceError("usage", "Name one entry, or a target.", {
      fix: "sluice replay --target T --config gate.yaml",
    });
  if (text !== undefined && /^[0-9]{1,15}$/.test(text)) return [Number(text)];
  if (target === undefined)
    throw new SluiceError("usage", `${JSON.stringify(text)} is no index of an entry.`, {
      fix: "sluice log list shows them",
    });
  const last = textOption(invocation, "last") ?? "10";
  const limit = /^[1-9][0-9]{0,4}$/.test(last) ? Number(last) : Number.NaN;
  if (!(limit <= MOST)) throw new SluiceError("usage", `--last is a number from 1 to ${MOST}.`, { fix: "--last 10" });
  return (await log.find({ target, kinds: ["decision"], order: "newest", limit })).map(({ index }) => index);
}

function reportOf(decisions: readonly Replayed[]): ReplayReport {
  const counts = { same: 0, different: 0, withheld: 0 };
  for (const { outcome } of decisions) counts[outcome] += 1;
  const exitCode = counts.different > 0 ? EXIT.denied : EXIT.fine;
  return {
    apiVersion: "sluice/v1",
    kind: "Replay",
    exitCode,
    counts,
    decisions: decisions as ReplayReport["decisions"],
  };
}

function line({ index, decision, target, outcome, verdict, parts, versions }: Replayed): string {
  const named = (wanted: string): string =>
    parts
      .filter((part) => part.outcome === wanted)
      .map(({ name }) => name)
      .join(", ");
  const what = {
    same: `${verdict.recorded} again, ${parts.length} of ${parts.length} parts byte for byte`,
    different: `${verdict.recorded} then, ${verdict.again} now; not alike: ${named("different")}`,
    withheld: `${verdict.recorded}; not decided again, since this was erased: ${named("withheld")}`,
  }[outcome];
  const code =
    outcome === "different" && versions.recorded !== versions.now
      ? `; code ${versions.recorded} then, ${versions.now} now`
      : "";
  return `${outcome.padEnd(9)}  ${target}  log ${index}  decision ${decision.slice(0, 10)}  ${what}${code}\n`;
}
