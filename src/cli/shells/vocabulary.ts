/** What a shell can complete after `sluice`, read from the table of commands: the same for every shell. */
import type { Command, OptionText } from "../command.ts";

/** What an argument is: one of a few words, the name of a file or of a folder, or something that only its author knows. */
export type Argument =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "file" | "folder" | "free" };

export interface KnownOption {
  readonly name: string;
  readonly short: string | null;
  readonly description: string;
  /** null for an option that takes no value. */
  readonly value: Argument | null;
}

export interface KnownCommand {
  /** One or two words. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly KnownOption[];
  /** null for a command that takes no argument. */
  readonly argument: Argument | null;
}

export interface Vocabulary {
  readonly commands: readonly KnownCommand[];
  /** First words of commands that have two, each with the second ones. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** What may stand first, sorted. */
  readonly firstWords: readonly string[];
}

const FILES = /^(?:FILE|PATH)\b/;
const FOLDERS = /^(?:DIR|FOLDER)\b/;
const HELP: KnownOption = { name: "help", short: "h", description: "options, exit codes, an example", value: null };

export function vocabularyOf(commands: readonly Command[]): Vocabulary {
  const known = commands.map(knownCommand);
  const groups = new Map<string, readonly string[]>();
  for (const { name } of known) {
    const [first = "", second] = name.split(" ");
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), second].sort());
  }
  const firstWords = [...new Set(known.map(({ name }) => name.split(" ")[0] ?? name))].sort();
  return { commands: known, groups, firstWords };
}

function knownCommand({ name, summary, options, positionals, words, usage }: Command): KnownCommand {
  const given = Object.entries(options).map(([option, text]) => knownOption(option, text));
  // The first form of a command names its argument: `policy eval FILE...`, `policy test [DIR]`.
  const form = (usage[0] ?? "").slice(name.length + 1).replace(/^\[/, "");
  const argument = positionals[1] === 0 ? null : argumentOf(form, words);
  return { name, summary, options: [...given, HELP], argument };
}

function knownOption(name: string, { type, short, value, values, description }: OptionText): KnownOption {
  return {
    name,
    short: short ?? null,
    description,
    value: type === "boolean" ? null : argumentOf(value ?? "", values),
  };
}

function argumentOf(shown: string, words: readonly string[] | undefined): Argument {
  if (words !== undefined) return { kind: "words", words };
  if (FILES.test(shown)) return { kind: "file" };
  return { kind: FOLDERS.test(shown) ? "folder" : "free" };
}
