/** One answer in every format that was asked for. */
import { accessSync, closeSync, constants, existsSync, openSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { type Command, type Invocation, listOption } from "./command.ts";
import { type Paint, paint } from "./reports/paint.ts";

/** Options of every command that answers in text or JSON; each output belongs to one of the formats named last. */
export const ANSWER_OPTIONS = {
  format: {
    type: "string",
    multiple: true,
    value: "FORMAT",
    values: ["text", "json"],
    description: "text (default) or json; may be repeated",
  },
  output: { type: "string", multiple: true, value: "FILE", description: "write the last format there instead" },
} as const satisfies Command["options"];

const FORMATS: readonly string[] = ["text", "json"];
/** A long history is tens of megabytes. */
const LINES_AT_ONCE = 1000;

/**
 * `--format text --format json --output FILE` shows text and keeps JSON. `lines` are what ndjson has one a line, for the
 * commands that offer it, `others` write what further formats hold. A file has no colours, whatever the terminal has.
 */
export function answer(
  invocation: Invocation,
  report: unknown,
  text: (paint: Paint) => string,
  lines: readonly unknown[] | null = null,
  others: ReadonlyMap<string, () => string> = new Map(),
): void {
  const formats = formatsOf(invocation, [...FORMATS, ...(lines === null ? [] : ["ndjson"]), ...others.keys()]);
  const outputs = listOption(invocation, "output");
  for (const [index, format] of formats.entries()) {
    const file = outputs[index - (formats.length - outputs.length)];
    const colours = file === undefined && invocation.output.colours;
    const written = new Map([["text", () => text(paint(colours))], ["json", () => jsonText(report)], ...others]);
    const whole = written.get(format);
    const pieces = whole === undefined ? piecesOf(lines ?? []) : [whole()];
    if (file === undefined) for (const piece of pieces) invocation.output.write(piece);
    else writePieces(resolve(invocation.folder, file), file, pieces);
  }
}

/**
 * Asked before any work, so that an unknown format or a file in no folder is said before anything is logged.
 * @throws SluiceError `usage`
 */
export function formatsOf(invocation: Invocation, offered: readonly string[] = FORMATS): readonly string[] {
  const formats = listOption(invocation, "format");
  const outputs = listOption(invocation, "output");
  if (outputs.length > Math.max(1, formats.length)) {
    throw new SluiceError("usage", "There are more outputs than formats.", { fix: "--format json --output FILE" });
  }
  for (const file of outputs) refuseUnwritable(resolve(invocation.folder, file), file);
  return formats.length === 0 ? ["text"] : formats.map((name) => knownFormat(name, offered));
}

function knownFormat(name: string, offered: readonly string[]): string {
  if (offered.includes(name)) return name;
  const fix = offered.map((one) => `--format ${one}`).join(" or ");
  throw new SluiceError("usage", `${JSON.stringify(name)} is no format of this command.`, { fix });
}

function refuseUnwritable(path: string, shown: string): void {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (cause) {
    throw unwritable(shown, cause);
  }
}

function writePieces(path: string, shown: string, pieces: Iterable<string>): void {
  try {
    const file = openSync(path, "w");
    try {
      for (const piece of pieces) writeFileSync(file, piece);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unwritable(shown, cause);
  }
}

function unwritable(shown: string, cause: unknown): SluiceError {
  return new SluiceError("usage", `${shown} cannot be written.`, {
    fix: "--output FILE in a folder that is there and yours to write to",
    cause,
  });
}

function* piecesOf(lines: readonly unknown[]): Generator<string> {
  for (let start = 0; start < lines.length; start += LINES_AT_ONCE) {
    const some = lines.slice(start, start + LINES_AT_ONCE);
    yield some.map((line) => `${JSON.stringify(line)}\n`).join("");
  }
}

/** JSON for scripts, indented so that people can read it too. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
