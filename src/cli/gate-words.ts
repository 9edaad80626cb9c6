/** How a command line named its gate, for the next command that a message names: it works where this one did. */
import { typed } from "../lib/shell-word.ts";
import { type Invocation, textOption } from "./command.ts";

/** `--config gate.yaml`, or `--gate URL` with the files that go with it. */
export function gateWords(invocation: Invocation): string {
  const names = textOption(invocation, "gate") === undefined ? ["config"] : ["gate", "token-file", "ca"];
  return names
    .flatMap((name) => {
      const value = textOption(invocation, name);
      return value === undefined ? [] : [`--${name} ${typed(value)}`];
    })
    .join(" ");
}

/** A service releases what landed by itself. */
export function isService(invocation: Invocation): boolean {
  return textOption(invocation, "gate") !== undefined;
}
