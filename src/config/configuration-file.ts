/** The text of a file that an operator names. */
import { readFileSync } from "node:fs";
import { SluiceError } from "../lib/errors.ts";

/** `shown` is what the operator wrote, where that is another text. @throws SluiceError `configuration-missing` */
export function readConfigurationFile(path: string, shown = path): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new SluiceError("configuration-missing", `${shown} cannot be read.`, { fix: "name an existing file", cause });
  }
}
