/** `--format ndjson` of what may be long: written as it comes, to standard output or the file of --output. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Invocation, listOption } from "./command.ts";

/** Lines are written while `work` runs. */
export async function withLines<T>(
  invocation: Invocation,
  work: (write: (text: string) => void) => Promise<T>,
): Promise<T> {
  const [file] = listOption(invocation, "output");
  const descriptor = file === undefined ? null : openSync(resolve(invocation.folder, file), "w");
  try {
    return await work((text) => {
      if (descriptor === null) invocation.output.write(text);
      else writeFileSync(descriptor, text);
    });
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
