/** Completion for bash 3.2 and later, which macOS still has: no associative arrays, no helpers of bash-completion. */
import { singleQuoted } from "../../lib/shell-word.ts";
import type { Argument, KnownCommand, Vocabulary } from "./vocabulary.ts";

export function bashCompletion({ commands, groups, firstWords }: Vocabulary): string {
  return `# Completion of sluice for bash. In ~/.bashrc:  source <(sluice completion bash)
_sluice_candidates() {
  local kind=$1 words=$2 word=$3 line
  COMPREPLY=()
  case $kind in
    words) while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$words" -- "$word") ;;
    file | folder)
      # A terminal's completion only: there the shell adds slashes and quotes what needs it.
      compopt -o filenames 2>/dev/null
      local action=-f
      [[ $kind == folder ]] && action=-d
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen $action -- "$word")
      ;;
  esac
}

_sluice() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]}
  COMPREPLY=()
  # bash takes --format=json for three words.
  if [[ $word == '=' ]]; then
    word=
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
    _sluice_candidates words ${singleQuoted([...firstWords, "--help", "--version"].join(" "))} "$word"
    return
  fi
  case $name in
${[...groups].map(([first, seconds]) => groupCase(first, seconds)).join("\n")}
  esac
  case "$name $previous" in
${commands.flatMap(valueCases).join("\n")}
  esac
  case "$name" in
${commands.map(commandCase).join("\n")}
  esac
}
complete -F _sluice sluice
`;
}

function groupCase(first: string, seconds: readonly string[]): string {
  return `    ${first})
      if ((COMP_CWORD == 2)); then
        _sluice_candidates words ${singleQuoted(seconds.join(" "))} "$word"
        return
      fi
      name="$name \${COMP_WORDS[2]}"
      ;;`;
}

/** After an option that takes a value comes that value and nothing else. */
function valueCases({ name, options }: KnownCommand): readonly string[] {
  return options.flatMap(({ name: option, short, value }) => {
    if (value === null) return [];
    const patterns = [`--${option}`, ...(short === null ? [] : [`-${short}`])];
    return [
      `    ${patterns.map((one) => singleQuoted(`${name} ${one}`)).join(" | ")}) ${candidates(value)}; return ;;`,
    ];
  });
}

function commandCase({ name, options, argument }: KnownCommand): string {
  const flags = options.map((option) => `--${option.name}`).join(" ");
  const rest = argument === null ? flagsOnly(flags) : `${candidates(argument)}`;
  return `    ${singleQuoted(name)})
      if [[ $word == -* ]]; then ${flagsOnly(flags)}; else ${rest}; fi
      ;;`;
}

function flagsOnly(flags: string): string {
  return `_sluice_candidates words ${singleQuoted(flags)} "$word"`;
}

function candidates(argument: Argument): string {
  const words = argument.kind === "words" ? argument.words.join(" ") : "";
  return `_sluice_candidates ${argument.kind} ${singleQuoted(words)} "$word"`;
}
