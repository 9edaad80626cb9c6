import type { CodeEntry } from "../codes.ts";

export const CLI_CODES = {
  usage: {
    class: "usage",
    means: "The command line is not one that Sluice knows.",
    example: "`sluice chekc`",
    fix: "sluice --help",
  },
  "empty-range": {
    class: "usage",
    means: "There is nothing between base and head, so there is no change to judge.",
    example: "`sluice check` on the target branch itself, with nothing committed on top.",
    fix: "Commit on a branch of your own, or name the commits: `sluice check --base REV --head REV`.",
  },
} as const satisfies Record<string, CodeEntry>;
