/** One answer in every format that was asked for. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { type Command, type Invocation, listOption } from "./command.ts";

/** Options of every command that answers in text or JSON; each output belongs to one of the formats named last. */
export const ANSWER_OPTIONS = {
  format: { type: "string", multiple: true, value: "FORMAT", description: "text (default) or json; may be repeated" },
  output: { type: "string", multiple: true, value: "FILE", description: "write the last format there instead" },
} as const satisfies Command["options"];

/** `--format text --format json --output FILE` shows text and keeps JSON. */
export function answer(invocation: Invocation, report: unknown, text: () => string): void {
  const formats = formatsOf(invocation);
  const outputs = listOption(invocation, "output");
  for (const [index, format] of formats.entries()) {
    const written = format === "json" ? json(report) : text();
    const file = outputs[index - (formats.length - outputs.length)];
    if (file === undefined) invocation.output.write(written);
    else writeFileSync(resolve(invocation.folder, file), written);
  }
}

type Format = "text" | "json";

/** Asked before any work, so that an unknown format is said before anything is logged. @throws SluiceError `usage`, `not-supported` */
export function formatsOf(invocation: Invocation): readonly Format[] {
  const formats = listOption(invocation, "format");
  if (listOption(invocation, "output").length > Math.max(1, formats.length)) {
    throw new SluiceError("usage", "There are more outputs than formats.", { fix: "--format json --output FILE" });
  }
  return formats.length === 0 ? ["text"] : formats.map(knownFormat);
}

function knownFormat(name: string): Format {
  if (name === "text" || name === "json") return name;
  if (["sarif", "junit", "markdown", "ndjson"].includes(name)) {
    throw new SluiceError("not-supported", `The format ${name} is not there yet.`, { fix: "--format json" });
  }
  throw new SluiceError("usage", `${JSON.stringify(name)} is no format.`, { fix: "--format text or --format json" });
}

/** JSON for scripts, indented so that people can read it too. */
function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
