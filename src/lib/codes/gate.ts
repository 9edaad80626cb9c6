import type { CodeEntry } from "../code-entry.ts";

export const GATE_CODES = {
  "target-not-adopted": {
    class: "error",
    means:
      "No operator has made a first approved state of the target, so there is nothing to compare with and no judge.",
    example: "`sluice check --config gate.yaml` before `sluice adopt prod`.",
    fix: "sluice adopt TARGET --config gate.yaml --reason TEXT",
  },
  "target-adopted": {
    class: "refused",
    means: "The target has its first approved state already; a second one would forget what was decided since.",
    example: "`sluice adopt prod` for the second time.",
    fix: "Land a change instead; repairing a broken judge (`adopt --again`) is not there yet.",
  },
  "not-fast-forward": {
    class: "deny",
    means: "What landed does not descend from what was released last: the branch was rewritten.",
    example: "Somebody force-pushed main to an older commit.",
    fix: "Land a commit that descends from the released one, or release an earlier sequence with `sluice rollback`.",
  },
  "merge-conflict": {
    class: "deny",
    means: "The change cannot be merged into the target's branch, so there is no state to judge.",
    example: "Base and head edit the same line.",
    fix: "Rebase the branch onto the target's branch: `git rebase BASE`.",
  },
  "merge-not-judged": {
    class: "deny",
    means: "A forge made the landed commit, and no allowed proposal with the same tree, base and judge carries it.",
    example: "The pull request was edited in the merge dialog, or merged before it was checked.",
    fix: "Somebody who did not write it runs `sluice approve COMMIT --target TARGET`; then `sluice release TARGET`.",
  },
  "resource-not-live": {
    class: "refused",
    means: "The named resource is not part of what is released to the target.",
    example: "`sluice log why Deployment/web` where the release holds Deployment/apps/web.",
    fix: "Name it as Kind/namespace/name, or Kind/name for a cluster-scoped object.",
  },
} as const satisfies Record<string, CodeEntry>;
