/** Exit codes and the words of what went wrong. 0 fine, 1 denied, 2 usage, 3 not evaluated, 4 waiting, 5 drift. */
import { EXIT, exitCodeOfVerdict } from "../gate/json/exit.ts";
import { type Code, codeEntry } from "../lib/codes.ts";
import type { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";

export { EXIT, exitCodeOfVerdict };

export function exitCodeOf(code: Code): number {
  switch (codeEntry(code).class) {
    case "deny":
    case "refused":
    case "rejected":
      return EXIT.denied;
    case "usage":
      return EXIT.usage;
    case "wait":
      return EXIT.waiting;
    default:
      return EXIT.error;
  }
}

/** `code  sentence` and, below it, what to type: the error's own fix, else the catalogue's. Strangers' text is made printable. */
export function errorText(error: SluiceError): string {
  const indent = " ".repeat(error.code.length + 2);
  const sentence = error.message.split("\n").map(printable).join(`\n${indent}`);
  const fix = printable(error.fix ?? codeEntry(error.code).fix);
  return `${error.code}  ${sentence}\n${indent}fix  ${fix}\n`;
}
