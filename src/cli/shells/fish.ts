/** Completion for fish: one line for each thing that can be said, each with the words that are said of it in help. */
import type { Argument, KnownCommand, KnownOption, Vocabulary } from "./vocabulary.ts";

export function fishCompletion({ commands, groups, firstWords }: Vocabulary): string {
  const summaries = new Map(commands.map(({ name, summary }) => [name, summary]));
  const lines = [
    ...firstWords.map((word) =>
      wordLine("__sluice_at 1", word, summaries.get(word) ?? groups.get(word)?.join(", ") ?? ""),
    ),
    ...[...groups].flatMap(([group, seconds]) =>
      seconds.map((second) => wordLine(`__sluice_at 2 ${group}`, second, summaries.get(`${group} ${second}`) ?? "")),
    ),
    ...commands.flatMap(commandLines),
  ];
  return `# Completion of sluice for fish:  sluice completion fish > ~/.config/fish/completions/sluice.fish
function __sluice_at --description 'whether so many words stand, and which'
    set -l words (commandline -opc)
    test (count $words) -eq $argv[1]; or return 1
    test "$words[2..-1]" = "$argv[2..-1]"
end

function __sluice_in --description 'whether a command of this name stands'
    set -l words (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $words) -ge $last; or return 1
    test "$words[2..$last]" = "$argv"
end

complete -c sluice -f
${lines.join("\n")}
`;
}

function wordLine(condition: string, word: string, summary: string): string {
  return `complete -c sluice -n ${quoted(condition)} -a ${quoted(word)} -d ${quoted(summary)}`;
}

function commandLines({ name, options, argument }: KnownCommand): readonly string[] {
  const start = `complete -c sluice -n ${quoted(`__sluice_in ${name}`)}`;
  const lines = options.map((option) => `${start} ${optionText(option)}`);
  return argument === null ? lines : [...lines, `${start}${values(argument)}`];
}

function optionText({ name, short, description, value }: KnownOption): string {
  const shorter = short === null ? "" : ` -s ${short}`;
  return `-l ${name}${shorter} -d ${quoted(description)}${value === null ? "" : ` -r${values(value)}`}`;
}

function values(argument: Argument): string {
  switch (argument.kind) {
    case "words":
      return ` -f -a ${quoted(argument.words.join(" "))}`;
    case "file":
      return " -F";
    case "folder":
      return " -f -a '(__fish_complete_directories)'";
    default:
      return " -f";
  }
}

/** In fish's '...' a backslash escapes a quote and itself (fish manual, "Quotes"). */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
