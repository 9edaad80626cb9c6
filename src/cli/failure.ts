/** Exit codes and the words of what went wrong. 0 fine, 1 denied, 2 usage, 3 not evaluated, 4 waiting, 5 drift. */
import type { Verdict } from "../decision/decision.ts";
import { type Code, codeEntry } from "../lib/codes.ts";
import type { SluiceError } from "../lib/errors.ts";
import { printable } from "../lib/printable.ts";

export const EXIT = { fine: 0, denied: 1, usage: 2, error: 3, waiting: 4, drift: 5 } as const;

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

export function exitCodeOfVerdict(verdict: Verdict): number {
  return { allow: EXIT.fine, deny: EXIT.denied, error: EXIT.error, wait: EXIT.waiting }[verdict];
}

/** `code  sentence` and, below it, what to type: the error's own fix, else the catalogue's. Strangers' text is made printable. */
export function errorText(error: SluiceError): string {
  const indent = " ".repeat(error.code.length + 2);
  const sentence = error.message.split("\n").map(printable).join(`\n${indent}`);
  const fix = printable(error.fix ?? codeEntry(error.code).fix);
  return `${error.code}  ${sentence}\n${indent}fix  ${fix}\n`;
}
