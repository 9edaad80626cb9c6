/** What a command is: its words for people, its options, and the function that runs it. One file a command. */
import type { Surroundings } from "../config/environment.ts";
import type { Clock } from "../lib/time.ts";

export interface OptionText {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly short?: string;
  /** What stands for the value in help, for example `REV`. */
  readonly value?: string;
  /** All that the value can be, where it is one of a few words. */
  readonly values?: readonly string[];
  readonly description: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Forms after `sluice `, one a line. */
  readonly usage: readonly string[];
  readonly options: Readonly<Record<string, OptionText>>;
  /** Least and most positional arguments after the command's name. */
  readonly positionals: readonly [number, number];
  /** Words that the first of them can be, where a list knows them. */
  readonly words?: readonly string[];
  /** Which exit codes it has, beside 2 (usage) and 3 (could not be evaluated). */
  readonly exitCodes: readonly (readonly [number, string])[];
  /** One command line that works, with what it shows. */
  readonly example: string;
  run(invocation: Invocation): Promise<number>;
}

/** A line of the table of commands, which loads a command's own file when it is asked for. */
export interface CommandEntry {
  /** One or two words: `check`, `log why`. */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Everything a command may touch; no command reads `process` itself. */
export interface Invocation {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
  readonly folder: string;
  readonly surroundings: Surroundings;
  readonly clock: Clock;
  readonly random: (count: number) => Uint8Array;
  /** Every command that there is, this one among them. */
  readonly commands: readonly CommandEntry[];
  readonly output: Output;
}

/** Standard output carries the answer and nothing else; progress and remarks go to standard error. */
export interface Output {
  readonly isTerminal: boolean;
  readonly width: number;
  readonly colours: boolean;
  write(text: string): void;
  remark(text: string): void;
  /** Shows what is being done, on a terminal only, asked anew each second; the returned function ends it. */
  progress(text: string | (() => string)): () => void;
  /** All of standard input, at most 32 MiB. */
  readInput(): Promise<Uint8Array>;
  /** One line typed by whoever sits at the terminal; absent where nobody does. */
  ask?(question: string): Promise<string>;
}

export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

export function listOption(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name];
  if (Array.isArray(value)) return value as readonly string[];
  return typeof value === "string" ? [value] : [];
}

export function isSet(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true;
}
