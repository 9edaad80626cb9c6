import type { CodeEntry } from "../code-entry.ts";

export const GATE_CODES = {
  "replay-differs": {
    class: "error",
    means:
      "Decided again by other policies, something that policies have no hand in is not what was recorded; so what comes out says nothing about the policies.",
    example: "`sluice simulate` after gate.yaml began to demand two approvals: the recorded decisions counted one.",
    fix: "sluice replay INDEX --config gate.yaml says which parts; another version of Sluice may be the cause.",
  },
  "simulate-nothing": {
    class: "usage",
    means: "The log has no decision in this period, so other policies cannot be tried on anything.",
    example: "`sluice simulate --policies next --since 1h --config gate.yaml` on a quiet night.",
    fix: "Take a longer period: --since 90d",
  },
  "replay-not-a-decision": {
    class: "usage",
    means: "Only decisions can be decided again; this entry of the log is of another kind.",
    example: "`sluice replay 0 --config gate.yaml`: the first entry is the adoption of a target.",
    fix: "sluice log list --kind decision --config gate.yaml shows decisions.",
  },
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
    fix: "Land a change instead. Where the judge cannot judge any more, two operators run `sluice adopt TARGET --again --reason TEXT`.",
  },
  "emergency-release": {
    class: "warning",
    means: "Operators released this although approvals were missing or policies found something. It stands for that.",
    example: "`sluice release prod --emergency --reason TEXT --ticket INC-77`, run by two operators on one commit.",
    fix: "Mend afterwards what was stood in for: the next change is judged as ever.",
  },
  "emergency-refused": {
    class: "refused",
    means:
      "An emergency stands in for missing approvals and what policies found; never for a signature, coverage, rendering, a Secret or a hold, nor where a file that judges is changed.",
    example: "`sluice release prod --emergency ...` while the tip of main is unsigned.",
    fix: "Land a commit that cures what is named, or go back: sluice rollback TARGET --to SEQ",
  },
  "emergency-governance": {
    class: "refused",
    means:
      "What landed changes a file that judges. Such a change needs the people whom the trust folder names, always.",
    example: "An emergency is asked for a commit that also edits trust/people.yaml.",
    fix: "Land the change of that file on its own, with its approvals.",
  },
  "review-due": {
    class: "warning",
    means:
      "One operator alone released this in an emergency. Another person, an operator or an approver of the target, looks at it by the time that is said.",
    example: "`sluice release prod --emergency --alone --reason TEXT --ticket INC-77`, where gate.yaml allows it.",
    fix: "sluice review DECISION --accept --reason TEXT, or --contest",
  },
  "emergency-not-alone": {
    class: "refused",
    means: "The operator's gate.yaml does not let one operator alone release this target in an emergency.",
    example: "`sluice release prod --emergency --alone ...` where gate.yaml says nothing of it.",
    fix: "Leave --alone out, and a second operator runs the same command. To allow it: emergency: {operators: 1} beside the target in gate.yaml",
  },
  "review-open": {
    class: "refused",
    means:
      "What one operator alone released before was not reviewed yet, so the next emergency of the target takes two operators again.",
    example: "sam runs `sluice release prod --emergency --alone ...` again, and nobody has looked at the first one.",
    fix: "Another person reviews it: sluice review DECISION --accept --reason TEXT; or two operators run the command without --alone.",
  },
  "review-own": {
    class: "refused",
    means: "Whoever released it alone, or signed what was released, does not review it: another person does.",
    example: "sam runs `sluice review 42 --accept --reason TEXT` after his own emergency.",
    fix: "Ask another operator, or an approver of the target.",
  },
  "review-not-owed": {
    class: "usage",
    means: "The entry is no decision by which one operator alone released in an emergency, so nobody reviews it.",
    example:
      "`sluice review 0 --accept --reason TEXT --config gate.yaml`: the first entry is the adoption of a target.",
    fix: "sluice doctor --config gate.yaml names what is to be reviewed.",
  },
  "review-done": {
    class: "refused",
    means: "Another person has reviewed it already; what they said stands in the log.",
    example: "jo and lin both run `sluice review 42 --accept --reason TEXT`.",
    fix: "sluice log list --kind review --config gate.yaml",
  },
  "second-operator-needed": {
    class: "wait",
    means: "One operator has said it, and it is logged. It is done when another one says the same within 15 minutes.",
    example: "The first `sluice release prod --emergency --reason TEXT --ticket INC-77`.",
    fix: "A second operator runs the same command with a token of their own.",
  },
  "second-operator-same": {
    class: "refused",
    means: "The second word comes from the same person as the first; two are needed.",
    example: "sam runs `sluice release prod --emergency ...` twice.",
    fix: "Ask another operator to run the same command with a token of their own.",
  },
  "operator-unnamed": {
    class: "refused",
    means: "What needs two operators is logged with the name, the reason and the ticket of each.",
    example: "An emergency asked for by `POST /v1/releases` with a reason of blanks.",
    fix: "--reason TEXT --ticket ID",
  },
  "not-fast-forward": {
    class: "deny",
    means: "What landed does not descend from what was released last: the branch was rewritten.",
    example: "Somebody force-pushed main to a commit that stands beside the released one.",
    fix: "Land a commit that descends from the released one, or release an earlier sequence with `sluice rollback`.",
  },
  "branch-rollback": {
    class: "deny",
    means:
      "The branch was moved back to a state that is older than what was released last, signed and approved as it was.",
    example: "Somebody pushes last week's commit to main with --force.",
    fix: "To run an earlier release: sluice rollback TARGET --to SEQ. Otherwise land a commit that descends from the released one.",
  },
  "branch-teleport": {
    class: "deny",
    means:
      "The branch was pointed at a commit that landed on another branch of the repository, and does not descend from what was released last.",
    example: "The tip of branch staging, signed as it is, is pushed to main with --force.",
    fix: "Merge that branch into the target's, so that the change is judged for the target: git merge BRANCH",
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
    fix: "Somebody who did not write it looks at it and approves what landed: `sluice approve COMMIT --target TARGET`",
  },
  "head-superseded": {
    class: "error",
    means: "A newer head of the same proposal came before this one was judged; only the newer one is.",
    example: "Somebody pushes again while the service still has the last push in its queue.",
    fix: "Look at the decision about the newer head.",
  },
  "change-deadline": {
    class: "error",
    means: "Judging the change took longer than one change may take, so it was ended without a verdict on its content.",
    example: "A repository whose policies take minutes on every object.",
    fix: "Split the change, or look at `timings` of `sluice check --format json` for the step that is slow.",
  },
  "queue-full": {
    class: "error",
    means: "More proposals wait to be judged than the service keeps; nothing of this one was looked at.",
    example: "A robot opens five hundred pull requests within a minute.",
    fix: "Ask again in a minute; proposals that the service finds by itself are taken at a later look.",
  },
  "service-stopping": {
    class: "error",
    means: "The service was told to stop: it finishes what it began and takes nothing new.",
    example: "A check that arrives after SIGTERM.",
    fix: "Ask again when it runs again; what it found by itself is judged after the next start.",
  },
  "disk-low": {
    class: "error",
    means: "The volume that holds the log is nearly full, so the service takes no more proposals; landings go on.",
    example: "Less than 100 MiB are free where `log: {store: sqlite:./data/log.db}` lies.",
    fix: "Make room there: `df -h FOLDER`; the service is ready again by itself.",
  },
  "restart-needed": {
    class: "usage",
    means: "A new gate.yaml names another log or other keys, which a running service does not change.",
    example: "`log: {store: sqlite:./other.db}` in gate.yaml, then SIGHUP.",
    fix: "Stop the service and start it again.",
  },
  "resource-not-live": {
    class: "refused",
    means: "The named resource is not part of what is released to the target.",
    example: "`sluice log why Deployment/web` where the release holds Deployment/apps/web.",
    fix: "Name it as Kind/namespace/name, or Kind/name for a cluster-scoped object.",
  },
} as const satisfies Record<string, CodeEntry>;
