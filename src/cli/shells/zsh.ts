/** Completion for zsh: one list of options a command, said to `_arguments`, which knows the rest. */
import { singleQuoted } from "../../lib/shell-word.ts";
import type { Argument, KnownCommand, KnownOption, Vocabulary } from "./vocabulary.ts";

export function zshCompletion({ commands, groups, firstWords }: Vocabulary): string {
  const summaries = new Map(commands.map(({ name, summary }) => [name, summary]));
  const first = firstWords.map((word) => described(word, summaries.get(word) ?? groups.get(word)?.join(", ") ?? ""));
  return `#compdef sluice
# Completion of sluice for zsh. In ~/.zshrc, after compinit:  source <(sluice completion zsh)
# or as a file _sluice in a folder of $fpath
_sluice() {
  local name=$words[2]
  local -i count=1
  local -a candidates
  if ((CURRENT == 2)); then
    candidates=(${first.join(" ")})
    _describe -t commands 'command' candidates
    return
  fi
  case $name in
${[...groups].map(([group, seconds]) => groupCase(group, seconds, summaries)).join("\n")}
  esac
  # What follows the command's name is completed as if the name were not there.
  words=(sluice "\${(@)words[count+2,-1]}")
  ((CURRENT -= count))
  case $name in
${commands.map(commandCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}

function groupCase(group: string, seconds: readonly string[], summaries: ReadonlyMap<string, string>): string {
  const shown = seconds.map((second) => described(second, summaries.get(`${group} ${second}`) ?? ""));
  return `    ${group})
      if ((CURRENT == 3)); then
        candidates=(${shown.join(" ")})
        _describe -t commands 'command' candidates
        return
      fi
      name="$name $words[3]"
      count=2
      ;;`;
}

function commandCase({ name, options, argument }: KnownCommand): string {
  // An argument that nobody can offer would only be in the way of the options.
  const rest = argument === null || argument.kind === "free" ? [] : [`*:${action(argument)}`];
  const specs = [...options.flatMap(optionSpecs), ...rest];
  return `    ${singleQuoted(name)}) _arguments -S ${specs.map(singleQuoted).join(" ")} ;;`;
}

/** zsh's own form: \`*--format=[what it is]:value:(text json)\`; a star where it may stand twice, which none forbids. */
function optionSpecs({ name, short, description, value }: KnownOption): readonly string[] {
  const what = `[${escaped(description)}]`;
  const names = [`--${name}${value === null ? "" : "="}`, ...(short === null ? [] : [`-${short}`])];
  return names.map((one) => `*${one}${what}${value === null ? "" : `:${action(value)}`}`);
}

function action(argument: Argument): string {
  switch (argument.kind) {
    case "words":
      return `value:(${argument.words.join(" ")})`;
    case "file":
      return "file:_files";
    case "folder":
      return "folder:_files -/";
    default:
      return "value: ";
  }
}

function described(word: string, summary: string): string {
  return singleQuoted(`${word}:${escaped(summary)}`);
}

function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}
