/** `sluice simulate`: recorded decisions decided once more by other policies, before those are landed. */
import { countDecisions, type Simulated, simulate as simulateAll } from "../gate/simulate.ts";
import { openReplayer } from "../gate/wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant, parseDuration, parseTime } from "../lib/time.ts";
import { buildPolicySet } from "../policy/compile.ts";
import { ANSWER_OPTIONS, answer } from "./answer.ts";
import { type Command, type Invocation, listOption, textOption } from "./command.ts";
import { DATA_OPTIONS, givenRecords } from "./given-data.ts";
import { withLines } from "./line-stream.ts";
import { CONFIG_OPTION, gateConfiguration, means, required } from "./opening.ts";
import { BUNDLE_OPTIONS, openPolicies } from "./policy-bundle.ts";
import type { SimulationReport } from "./reports/schemas/simulate.ts";
import { simulatedLine } from "./reports/simulate-line.ts";
import { simulationText } from "./reports/simulate-text.ts";
import { openTally } from "./simulate-tally.ts";

const FORMATS = ["text", "json", "ndjson"] as const;
const DEFAULT_SINCE = "30d";

export const simulate: Command = {
  name: "simulate",
  summary: "try other policies on recorded decisions",
  usage: [
    "simulate --policies DIR|BUNDLE.tar.gz --config gate.yaml [--since 30d] [--until TIME] [--target T] [--format F]",
  ],
  options: {
    policies: { type: "string", value: "DIR", description: "the policies to try; a signed bundle (.tar.gz) too" },
    since: {
      type: "string",
      value: "WHEN",
      description: `30d, 12h, a day or a time in UTC (default: ${DEFAULT_SINCE})`,
    },
    until: { type: "string", value: "WHEN", description: "before this (default: now)" },
    target: { type: "string", value: "T", description: "only decisions of this target" },
    config: CONFIG_OPTION,
    ...DATA_OPTIONS,
    ...BUNDLE_OPTIONS,
    ...ANSWER_OPTIONS,
    format: {
      ...ANSWER_OPTIONS.format,
      values: FORMATS,
      description: "text (default), json; may be repeated; or ndjson, a decision a line",
    },
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "nothing would change"],
    [1, "something would change"],
    [3, "nothing would, of what could be replayed; but not all could"],
  ],
  example:
    "sluice simulate --policies policies --since 30d --config gate.yaml\nshows what would be decided otherwise; logs nothing, changes nothing",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const configuration = await gateConfiguration(invocation, FORMATS);
  const isStream = listOption(invocation, "format").includes("ndjson");
  if (isStream && listOption(invocation, "format").length > 1)
    throw new SluiceError("usage", "ndjson is a format by itself.", { fix: "--format ndjson" });
  const period = periodOf(invocation);
  const { shown, files } = await openPolicies(invocation, required(invocation, "policies", "DIR"));
  const replayer = await openReplayer(configuration, { ...means(invocation), external: givenRecords(invocation) });
  let [seen, all] = [0, 0];
  const done = invocation.output.progress(() => `simulating, ${seen} of ${all} decisions,`);
  try {
    all = await countDecisions(replayer.log, period);
    if (all === 0) throw nothing(period);
    const { toolchain, compiledCache: cache } = replayer.services;
    const policies = await buildPolicySet({ toolchain, files, cache });
    const tally = openTally();
    const each = async (show: (one: Simulated) => void): Promise<void> => {
      for await (const one of simulateAll(replayer, policies, period)) {
        seen += 1;
        tally.add(one);
        show(one);
      }
    };
    if (isStream)
      await withLines(invocation, (write) => each((one) => write(`${JSON.stringify(simulatedLine(one))}\n`)));
    else await each(() => undefined);
    done();
    const { digest, rules } = policies;
    const report: SimulationReport = {
      apiVersion: "sluice/v1",
      kind: "Simulation",
      authority: "preview",
      policies: { named: shown, digest, rules: rules.length },
      target: period.target ?? null,
      since: formatTime(period.from),
      until: formatTime(period.to),
      ...tally.sum(),
    };
    if (!isStream) answer(invocation, report, () => simulationText(report));
    return report.exitCode;
  } finally {
    done();
    await replayer.close();
  }
}

interface Period {
  readonly target?: string;
  readonly from: Instant;
  readonly to: Instant;
}

/** What is recorded while this runs is not part of it. */
function periodOf(invocation: Invocation): Period {
  const now = invocation.clock();
  const from = instantOf("since", textOption(invocation, "since") ?? DEFAULT_SINCE, now);
  const until = textOption(invocation, "until");
  const to = until === undefined ? now : instantOf("until", until, now);
  const target = textOption(invocation, "target");
  if (from < to) return { ...(target === undefined ? {} : { target }), from, to };
  throw new SluiceError("usage", "--since is not before --until.", { fix: "--since 30d --until 7d" });
}

function instantOf(name: string, text: string, now: Instant): Instant {
  const back = parseDuration(text);
  const at = back === null ? parseTime(text) : now - back;
  if (at !== null && at >= 0) return at;
  throw new SluiceError("usage", `--${name} takes how long ago, a day, or a time in UTC.`, { fix: `--${name} 30d` });
}

function nothing({ target, from, to }: Period): SluiceError {
  const of = target === undefined ? "" : ` about ${target}`;
  return new SluiceError(
    "simulate-nothing",
    `There is no decision${of} from ${formatTime(from)} to ${formatTime(to)}.`,
  );
}
