/**
 * npm run bench [-- --only log,signatures] [--quick] [--json FILE] [--write]
 * Everything in one run, each row beside its peer or the machine's own limit. The table goes to standard output.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchAgent } from "./agent.ts";
import { benchCheck } from "./check.ts";
import { benchEvaluations } from "./evaluations.ts";
import { benchFormats } from "./formats.ts";
import { benchGatekeeper } from "./gatekeeper.ts";
import { benchHistory } from "./history.ts";
import { benchLargeLog } from "./large-log.ts";
import { benchLog } from "./log.ts";
import { benchLogPostgres } from "./log-postgres.ts";
import { describeMachine, type Machine, machineLine } from "./machine.ts";
import type { BenchOptions, Row } from "./measure.ts";
import { benchMixed } from "./mixed.ts";
import { benchService } from "./service.ts";
import { benchSignatures } from "./signatures.ts";
import { markdownTable, textTable } from "./table.ts";
import { isBuilt } from "./world.ts";

type Bench = (options: BenchOptions) => Promise<readonly Row[]>;

/** In the order in which they run: the log first, before anything has filled the disk's cache. */
const AREAS: Readonly<Record<string, Bench>> = {
  log: benchLog,
  "log-postgres": benchLogPostgres,
  "large-log": benchLargeLog,
  signatures: benchSignatures,
  formats: benchFormats,
  history: benchHistory,
  mixed: benchMixed,
  evaluations: benchEvaluations,
  gatekeeper: benchGatekeeper,
  check: benchCheck,
  agent: benchAgent,
  service: benchService,
};

const BUILT: readonly string[] = ["check", "agent", "service"];
const README = join(import.meta.dirname, "README.md");
/** The table of the README stands between these two. */
const [BEGIN, END] = ["<!-- results -->", "<!-- end of results -->"];
const SECONDS = 3;
const SECONDS_QUICK = 0.2;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const areas = values.only?.split(",") ?? Object.keys(AREAS);
  const unknown = areas.find((area) => AREAS[area] === undefined);
  if (unknown !== undefined)
    return refuse(`--only knows ${Object.keys(AREAS).join(", ")}; ${unknown} is none of them.`);
  if (values.write && (values.quick || values.only !== undefined))
    return refuse("--write needs a whole run: leave out --quick and --only.");
  if (areas.some((area) => BUILT.includes(area)) && !isBuilt())
    return refuse(`${BUILT.join(", ")} measure the built command: run \`npm run build\` first.`);
  const machine = describeMachine(new Date());
  const rows: Row[] = [];
  for (const area of areas) rows.push(...(await runArea(area, values.quick)));
  process.stdout.write(`${machineLine(machine)}\n\n${textTable(rows)}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  if (values.write) writeReadme(machine, rows);
  return 0;
}

async function runArea(area: string, quick: boolean): Promise<readonly Row[]> {
  const cleanups: (() => unknown)[] = [];
  const options: BenchOptions = {
    seconds: quick ? SECONDS_QUICK : SECONDS,
    quick,
    scope: { after: (cleanup) => void cleanups.push(cleanup) },
    progress: (what) => void process.stderr.write(`${what}\n`),
  };
  try {
    return (await AREAS[area]?.(options)) ?? [];
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function writeReadme(machine: Machine, rows: readonly Row[]): void {
  const text = readFileSync(README, "utf8");
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${README} has no place for results`);
  writeFileSync(README, `${before}${BEGIN}\n${machineLine(machine)}\n\n${markdownTable(rows)}${END}${after}`);
}

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
