/** `--help`: forms, options, exit codes and one example, in 80 columns. */
import type { Command } from "./command.ts";

const WIDTH = 80;
/** Stands for a space that is no place to break a line; no text that is shown has it. */
const UNBROKEN = "\u0000";

/** The table is an argument: it names every command, and commands use `wrap` below. */
export function overview(commands: readonly Pick<Command, "name" | "summary">[]): string {
  const width = Math.max(...commands.map((one) => one.name.length)) + 2;
  const lines = commands.map((one) => `  ${one.name.padEnd(width)}${one.summary}`);
  return [
    "sluice: a gate between a git repository and whatever applies it.",
    "",
    "Start here:   sluice demo           see the main job happen",
    "              sluice init           in your repository; it blocks nothing",
    "When stuck:   sluice explain CODE   what a message means, and what to do",
    "              sluice doctor         what is wrong with this machine",
    "",
    ...lines,
    "",
    "sluice COMMAND --help shows options, exit codes and an example.",
    "",
  ].join("\n");
}

export function commandHelp(command: Command): string {
  const usage = command.usage.flatMap(usageLines);
  const exits = [...command.exitCodes, [2, "usage or configuration"], [3, "could not be evaluated"]] as const;
  const codes = [...exits].sort(([a], [b]) => a - b).map(([code, words]) => `  ${code}  ${words}`);
  const example = command.example.split("\n").map((line) => `  ${line}`);
  return [
    `sluice ${command.name}: ${command.summary}`,
    "",
    ...usage,
    "",
    ...optionLines(command),
    "Exit codes",
    ...codes,
    "",
    "Example",
    ...example,
    "",
  ].join("\n");
}

/** A long form goes on below; what stands in brackets stays together. */
function usageLines(form: string): readonly string[] {
  const lines = wrapWords(`sluice ${form}`.split(/ (?![^[\]]*\])/), WIDTH - 6);
  return lines.map((line, index) => `${index === 0 ? "  " : "      "}${line}`);
}

function optionLines(command: Command): readonly string[] {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    return {
      left: `  ${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`,
      right: option.description,
    };
  });
  if (rows.length === 0) return [];
  const width = Math.min(30, Math.max(...rows.map((row) => row.left.length)) + 2);
  const lines = rows.flatMap(({ left, right }) =>
    wrap(right, WIDTH - width).map((text, index) => `${(index === 0 ? left : "").padEnd(width)}${text}`),
  );
  return ["Options", ...lines, ""];
}

/** What stands in backticks is a command to copy: it stays in one line. */
export function wrap(text: string, width: number): readonly string[] {
  const kept = text.replace(/`[^`]*`/g, (command) => command.replaceAll(" ", UNBROKEN));
  return wrapWords(kept.split(" "), width).map((line) => line.replaceAll(UNBROKEN, " "));
}

function wrapWords(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [""];
  for (const word of words) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
