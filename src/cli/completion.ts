/** `completion`: what lets a shell complete sluice's words, written from the table of commands. */
import { SluiceError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { Command, Invocation } from "./command.ts";
import { EXIT } from "./failure.ts";
import { bashCompletion } from "./shells/bash.ts";
import { fishCompletion } from "./shells/fish.ts";
import { type Vocabulary, vocabularyOf } from "./shells/vocabulary.ts";
import { zshCompletion } from "./shells/zsh.ts";

const SHELLS = new Map<string, (vocabulary: Vocabulary) => string>([
  ["bash", bashCompletion],
  ["zsh", zshCompletion],
  ["fish", fishCompletion],
]);
const NAMES = [...SHELLS.keys()];

export const completion: Command = {
  name: "completion",
  summary: "print what lets a shell complete sluice's words",
  usage: [`completion ${NAMES.join("|")}`],
  options: {},
  positionals: [1, 1],
  words: NAMES,
  exitCodes: [[0, "printed"]],
  example:
    "sluice completion bash\nin ~/.bashrc:  source <(sluice completion bash)\nzsh alike; fish reads ~/.config/fish/completions/sluice.fish",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const [name = ""] = invocation.positionals;
  const write = SHELLS.get(name);
  if (write === undefined) {
    throw new SluiceError(
      "usage",
      `There is no completion for ${JSON.stringify(name)}, only for ${NAMES.join(", ")}.`,
      {
        fix: `sluice completion ${nearest(name, NAMES) ?? "bash"}`,
      },
    );
  }
  const commands = await Promise.all(invocation.commands.map((entry) => entry.load()));
  invocation.output.write(write(vocabularyOf(commands)));
  return EXIT.fine;
}
