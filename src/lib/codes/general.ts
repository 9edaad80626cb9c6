import type { CodeEntry } from "../code-entry.ts";

export const GENERAL_CODES = {
  internal: {
    class: "error",
    means: "Sluice met a state that it did not expect. Nothing was approved or released.",
    example: "A worker ends in a way that no rule describes.",
    fix: "Run the command again; if it stays, report it with the output of `sluice doctor`.",
  },
  "not-supported": {
    class: "usage",
    means: "This part of Sluice does not exist yet, so it is refused instead of being guessed.",
    example: "`sluice drift`",
    fix: 'See "What is not there yet" in the README for what to use instead.',
  },
} as const satisfies Record<string, CodeEntry>;
