/** The command line: finds the command, reads its options, runs it, and turns whatever happens into words and an exit code. */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { readSurroundings } from "../config/environment.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { VERSION } from "../lib/version.ts";
import type { Command, CommandEntry, Invocation } from "./command.ts";
import { COMMANDS, PLANNED } from "./commands.ts";
import { counted } from "./counted.ts";
import { errorText, exitCodeOf } from "./failure.ts";
import { commandHelp, overview } from "./help.ts";
import { processOutput } from "./output.ts";

/** Runs one command line (without node and the script) and answers its exit code; it never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  const surroundings = readSurroundings();
  const output = processOutput(surroundings.colours);
  try {
    const [first] = argv;
    if (first === "--version" || first === "version") return said(output.write, `sluice ${VERSION}\n`);
    if (first === undefined || first === "--help" || first === "-h" || first === "help")
      return said(output.write, overview(COMMANDS));
    const found = findCommand(argv);
    const command = await found.entry.load();
    if (found.rest.includes("--help") || found.rest.includes("-h")) return said(output.write, commandHelp(command));
    const { options, positionals } = parse(command, found.rest);
    const folder = process.cwd();
    const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));
    const means = { folder, surroundings, clock: Date.now, random, commands: COMMANDS, output };
    return await command.run({ options, positionals, ...means });
  } catch (thrown) {
    const error = asSluiceError(thrown);
    output.remark(errorText(error));
    return exitCodeOf(error.code);
  }
}

function said(write: (text: string) => void, text: string): number {
  write(text);
  return 0;
}

/** Two-word commands win over one-word ones. */
function findCommand(argv: readonly string[]): { entry: CommandEntry; rest: readonly string[] } {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(" ");
    const entry = COMMANDS.find((one) => one.name === name);
    if (entry !== undefined) return { entry, rest: argv.slice(words) };
    if (PLANNED.includes(name)) {
      throw new SluiceError("not-supported", `sluice ${name} does not exist yet.`, {
        fix: "sluice --help shows what does",
      });
    }
  }
  const typed = argv
    .slice(0, 2)
    .filter((word) => !word.startsWith("-"))
    .join(" ");
  const close =
    nearest(
      typed,
      COMMANDS.map((one) => one.name),
    ) ??
    nearest(
      argv[0] ?? "",
      COMMANDS.map((one) => one.name),
    );
  const fix = close === null ? "sluice --help" : `sluice ${close}`;
  throw new SluiceError("usage", `${JSON.stringify(argv[0])} is no command of sluice.`, { fix });
}

function parse(command: Command, args: readonly string[]): Pick<Invocation, "options" | "positionals"> {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple, short }]) => [
      name,
      { type, ...(multiple === undefined ? {} : { multiple }), ...(short === undefined ? {} : { short }) },
    ]),
  );
  const parsed = parseOrThrow(command, args, options);
  refusePositionals(command, parsed.positionals);
  return { options: parsed.values as Invocation["options"], positionals: parsed.positionals };
}

function refusePositionals({ name, usage, positionals: [least, most] }: Command, given: readonly string[]): void {
  if (given.length < least)
    throw new SluiceError("usage", `sluice ${name} lacks an argument.`, { fix: `sluice ${usage[0] ?? name}` });
  const extra = given[most];
  if (extra === undefined) return;
  const takes = most === 0 ? "no argument" : counted(most, "argument");
  throw new SluiceError(
    "usage",
    `sluice ${name} takes ${takes}; ${JSON.stringify(extra.slice(0, 100))} is one too many.`,
    {
      fix: `sluice ${name} --help`,
    },
  );
}

function parseOrThrow(
  command: Command,
  args: readonly string[],
  options: NonNullable<Parameters<typeof parseArgs>[0]>["options"],
) {
  try {
    return parseArgs({ args: [...args], options: options ?? {}, allowPositionals: true, strict: true });
  } catch (cause) {
    throw optionRefusal(command, cause as NodeJS.ErrnoException);
  }
}

/** In our words; those of Node name the option in quotes. */
function optionRefusal({ name: command, options }: Command, cause: NodeJS.ErrnoException): SluiceError {
  const named = /'(?:-\w, )?(--?[^' ,]+)/.exec(cause.message)?.[1] ?? "";
  const option = options[named.replace(/^--/, "")];
  if (option !== undefined && cause.code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") {
    const [rule, form] =
      option.type === "boolean" ? ["takes no value", ""] : ["lacks its value", ` ${option.value ?? "VALUE"}`];
    return new SluiceError("usage", `${named} ${rule}.`, { fix: `${named}${form}`, cause });
  }
  const close = named.startsWith("--") ? nearest(named.slice(2), Object.keys(options)) : null;
  return new SluiceError("usage", `sluice ${command} has no option ${named}.`, {
    fix: close === null ? `sluice ${command} --help` : `--${close}`,
    cause,
  });
}
