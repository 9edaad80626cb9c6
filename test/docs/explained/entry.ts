/** How one code's example is shown to produce its code: made here by a real door, or by a named test of another file. */
import type { SluiceRun } from "../../support/sluice.ts";
import type { Scope } from "../../support/temp.ts";

/** The example is made and put to a real door. Each answer are the codes that one form of the example met. */
export interface Made {
  readonly make: (scope: Scope, example: string) => Promise<readonly (readonly string[])[]>;
}

/** A test that makes the situation; the code stands in it. For what no command line brings about: a disk, a broken part. */
export interface Elsewhere {
  /** Below test/. */
  readonly file: string;
  /** Name of the test, or the words of its row, exactly as they stand there once. */
  readonly text: string;
}

export type Shown = Made | Elsewhere;

export function made(make: Made["make"]): Made {
  return { make };
}

export function elsewhere(file: string, text: string): Elsewhere {
  return { file, text };
}

/** What stands between backticks in an example, in its order. */
export function quoted(example: string): readonly string[] {
  return [...example.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}

/** The words of the first command line of an example as a shell splits them, without `sluice`. */
export function commandOf(example: string): readonly string[] {
  const line = quoted(example).find((text) => text.startsWith("sluice "));
  if (line === undefined) throw new Error(`no command in: ${example}`);
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, bare]) => double ?? single ?? bare ?? "")
    .filter((word) => word !== "...")
    .slice(1);
}

/** Codes that a run said: at the beginning of a line, and in its JSON. */
export function codesOf({ stdout, stderr }: Pick<SluiceRun, "stdout" | "stderr">): readonly string[] {
  const lines = [...`${stderr}\n${stdout}`.matchAll(/^(?:warn |\S+:\d+(?::\d+)? +)?([a-z][a-z0-9-]+)(?: |$)/gm)];
  const members = [...stdout.matchAll(/"(?:code|reason)": ?"([a-z][a-z0-9-]+)"/g)];
  return [...new Set([...lines, ...members].map((match) => match[1] ?? ""))];
}
