/** `--format`: one word from the list that the command has. */
import { SluiceError } from "../lib/errors.ts";
import { type Invocation, type OptionText, textOption } from "./command.ts";

export function formatOption(formats: readonly string[]): OptionText {
  return { type: "string", value: "FORMAT", description: `${formats.join(" or ")}; ${formats[0]} when absent` };
}

/** @throws SluiceError `usage` for a format that the command does not have */
export function chosenFormat<F extends string>(invocation: Invocation, formats: readonly [F, ...F[]]): F {
  const wanted = textOption(invocation, "format") ?? formats[0];
  const found = formats.find((format) => format === wanted);
  if (found !== undefined) return found;
  throw new SluiceError("usage", `${JSON.stringify(wanted)} is no format; this command has ${formats.join(", ")}.`, {
    fix: `--format ${formats[0]}`,
  });
}

/** A report as its own document, readable by people too. */
export function writeJson(invocation: Invocation, report: unknown): void {
  invocation.output.write(`${JSON.stringify(report, null, 2)}\n`);
}
