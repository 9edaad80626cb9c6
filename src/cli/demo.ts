/** `sluice demo`: the main job, seen to happen: nine steps, each run as the real command line and checked. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../gate/judge-wiring.ts";
import { SluiceError } from "../lib/errors.ts";
import { jsonText } from "./answer.ts";
import { type Command, type Invocation, isSet } from "./command.ts";
import { type DemoCommand, type Report, runCommand } from "./demo-run.ts";
import { DEMO_STEPS } from "./demo-steps.ts";
import { makeWorld, removeWorld, type World } from "./demo-world.ts";
import { EXIT } from "./failure.ts";

export const demo: Command = {
  name: "demo",
  summary: "see the main job happen",
  usage: ["demo [--json] [--keep]"],
  options: {
    json: { type: "boolean", description: "print [{step, argv, exitCode, expected, ok}] instead of the story" },
    keep: { type: "boolean", description: "leave the temporary folder, to look around in it" },
  },
  positionals: [0, 0],
  exitCodes: [
    [0, "all nine steps hold"],
    [1, "a step did not do what it should"],
  ],
  example: "sluice demo\nplays nine steps in a temporary folder, with real keys, and removes it",
  run,
};

/** One line of `--json`. */
interface Line {
  readonly step: number;
  readonly argv: readonly string[];
  readonly exitCode: number | null;
  readonly expected: number;
  readonly ok: boolean;
}

async function run(invocation: Invocation): Promise<number> {
  const { output, surroundings } = invocation;
  const quiet = isSet(invocation, "json");
  const tell = quiet ? (): void => undefined : output.write;
  const folder = mkdtempSync(join(surroundings.temporaryFolder, "sluice-demo-"));
  const done = output.progress("making a repository, keys, a gate and an agent");
  const world = makeWorld(folder, surroundings.environment["PATH"] ?? "");
  done();
  try {
    tell(opening(world));
    const lines = await tellStory(world, surroundings.sluiceBinary, tell);
    if (quiet) output.write(jsonText(lines));
    const failed = lines.filter((line) => !line.ok);
    tell(closing(failed));
    return failed.length === 0 ? EXIT.fine : EXIT.denied;
  } finally {
    if (isSet(invocation, "keep")) output.remark(`kept: ${world.folder}\n`);
    else removeWorld(world);
  }
}

async function tellStory(world: World, binary: string | null, tell: (text: string) => void): Promise<readonly Line[]> {
  const start = binary === null ? [process.execPath, commandLine()] : [binary];
  const lines: Line[] = [];
  for (const [index, step] of DEMO_STEPS.entries()) {
    tell(`\n${index + 1}. ${step.title}\n`);
    const play = async (command: DemoCommand): Promise<unknown> => {
      tell(`\n   $ sluice ${command.argv.map(quoted).join(" ")}\n`);
      const { exitCode, text, report } = await runCommand(world, start, command);
      const ok = exitCode === command.expected && isAsExpected(command, report);
      tell(
        `${text.replace(/^(?=.)/gm, "   ")}   ${ok ? "ok" : "NOT AS EXPECTED"}: exit ${exitCode}, ${command.shows}\n`,
      );
      lines.push({ step: index + 1, argv: ["sluice", ...command.argv], exitCode, expected: command.expected, ok });
      return report;
    };
    try {
      await step.play({ world, play, tell: (text) => tell(`   ${text}\n`) });
    } catch (thrown) {
      // After a command that did not do what it should, what comes next may miss what it builds on.
      if (lines.every((line) => line.ok)) throw thrown;
      tell("   the rest cannot be shown\n");
      break;
    }
  }
  return lines;
}

/** An answer that is missing or of another form is not as expected, whatever the exit code says. */
function isAsExpected({ holds }: DemoCommand, report: Report): boolean {
  try {
    return report !== null && holds(report);
  } catch {
    return false;
  }
}

/** This very command line, as an installed package or as sources. */
function commandLine(): string {
  const script = process.argv[1];
  if (script === undefined) throw new SluiceError("internal", "the demo does not know how it was started");
  return script.endsWith("sluice") ? join(packageRoot(), "bin", "sluice.cjs") : script;
}

function quoted(word: string): string {
  return /^[\w./:=,@#+-]+$/.test(word) ? word : `"${word}"`;
}

function opening({ folder, hasGpg }: World): string {
  const keys = hasGpg
    ? "people sign with SSH keys, the forge with an OpenPGP key"
    : "everybody signs with SSH keys (gpg is not installed)";
  return `A forge, two clones, a gate and an agent, all real, in ${folder}; ${keys}.\n`;
}

function closing(failed: readonly Line[]): string {
  if (failed.length === 0) return "\nAll nine steps hold.\nnow yours: cd your-repo && sluice init\n";
  const names = failed.map((line) => `step ${line.step}: ${line.argv.join(" ")}`);
  return `\n${failed.length} commands did not do what they should:\n${names.join("\n")}\n`;
}
