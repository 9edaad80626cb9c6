import type { CodeEntry } from "../code-entry.ts";

export const CLI_CODES = {
  usage: {
    class: "usage",
    means: "The command line is not one that Sluice knows.",
    example: "`sluice chekc`",
    fix: "sluice --help",
  },
  "output-failed": {
    class: "error",
    means: "The answer could not be written to standard output, so whoever reads it has no answer or half of one.",
    example: "`sluice log list --config gate.yaml > FILE` on a volume without space.",
    fix: "Make space where the output goes, then run the command again.",
  },
  "empty-range": {
    class: "usage",
    means: "There is nothing between base and head, so there is no change to judge.",
    example: "`sluice check` on the target branch itself, with nothing committed on top.",
    fix: "Commit on a branch of your own, or name the commits: `sluice check --base REV --head REV`.",
  },
  "key-exists": {
    class: "usage",
    means:
      "The file that a new key is to be written to exists; replacing a key would make what it signed unverifiable.",
    example: "`sluice keygen log --name gate.example/log --out log.key` for the second time.",
    fix: "Name another file with --out, or move the old key away yourself.",
  },
  "init-exists": {
    class: "usage",
    means: "A file that `sluice init` would write exists already. Nothing was written.",
    example: "`sluice init` in a repository that has a sluice.yaml.",
    fix: "Edit the files that are there, then run `sluice config check`.",
  },
  "environment-unmapped": {
    class: "deny",
    means: "A folder that looks like an environment belongs to no target, so nothing of it can ever be released.",
    example: "`sluice check --coverage` where clusters/staging has files and only clusters/prod is a target.",
    fix: "Name a target with that path in sluice.yaml, or say under `ignore:` that it is none.",
  },
  "resource-unknown": {
    class: "usage",
    means: "The target has no resource of this name, neither in the change nor in what it would delete.",
    example: "`sluice policy input Deployment/web` where the resource is Deployment/apps/web.",
    fix: "Write it as Kind/namespace/name, or Kind/name for one without a namespace: `sluice policy input Deployment/apps/web`.",
  },
  "explain-unknown": {
    class: "usage",
    means: "There is neither a code nor a rule of this name.",
    example: "`sluice explain unsinged-commit`",
    fix: "Run `sluice explain --all` for all codes and rules.",
  },
} as const satisfies Record<string, CodeEntry>;
