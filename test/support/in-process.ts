/** Runs one command in this process: for tests of what a command says, where the start of Node would be most of the time. */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import type { Command } from "../../src/cli/command.ts";
import { errorText, exitCodeOf } from "../../src/cli/failure.ts";
import { readSurroundings } from "../../src/config/environment.ts";
import { asSluiceError } from "../../src/lib/errors.ts";

export interface InProcessRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As src/cli/main.ts does it: options by the command's own table, a refusal as words and an exit code. */
export async function runHere(
  command: Command,
  args: readonly string[],
  folder: string,
  clock: () => number = Date.now,
  home = folder,
): Promise<InProcessRun> {
  const said: Record<"out" | "remarks", string[]> = { out: [], remarks: [] };
  const output = {
    isTerminal: false,
    width: 80,
    colours: false,
    write: (text: string) => void said.out.push(text),
    remark: (text: string) => void said.remarks.push(text),
    progress: () => () => undefined,
    readInput: async () => new Uint8Array(),
  };
  const table = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  const random = (count: number) => new Uint8Array(randomBytes(count));
  const surroundings = readSurroundings({ HOME: home });
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: table, allowPositionals: true });
    const options = { ...values } as Record<string, string | boolean | readonly string[] | undefined>;
    const means = { folder, surroundings, clock, random, commands: [], output };
    const code = await command.run({ options, positionals, ...means });
    return { code, stdout: said.out.join(""), stderr: said.remarks.join("") };
  } catch (thrown) {
    const error = asSluiceError(thrown);
    return { code: exitCodeOf(error.code), stdout: said.out.join(""), stderr: errorText(error) };
  }
}
