import type { CodeEntry } from "../code-entry.ts";

export const DECISION_CODES = {
  "no-judge": {
    class: "error",
    means: "There is no landed state whose policies, trust and configuration could judge the change.",
    example: "A check in a repository whose target branch has no commit yet.",
    fix: "Land a first state with `sluice.yaml`, then let an operator run `sluice adopt TARGET --reason TEXT`.",
  },
  "no-tree": {
    class: "error",
    means: "The change has no merged tree, so there is nothing to judge.",
    example: "The merge of base and head could not be computed.",
    fix: "Run `sluice check` again; if it stays, run `sluice doctor`.",
  },
  "signatures-missing": {
    class: "error",
    means: "Not every commit that the target's rule names was looked at, so none counts as signed.",
    example: "A range without a single verified commit under `require: every-commit`.",
    fix: "Run `sluice check` again; if it stays, run `sluice doctor`.",
  },
  "path-not-covered": {
    class: "deny",
    means: "A changed path belongs to no target and is not ignored. Nothing passes unseen.",
    example: "A commit adds `tools/run.sh` while the only target is `clusters/prod`.",
    fix: "Move the file below a target's path, or let a change of `ignore:` in sluice.yaml land first. What covers which path: `sluice check --coverage`",
  },
  "object-unruled": {
    class: "deny",
    means: "No rule selects an object, and the target says `unruled: deny`.",
    example: "A Certificate where all rules match workloads.",
    fix: "Write a rule for it, or set `unruled: report`.",
  },
  "no-rule-evaluated": {
    class: "deny",
    means: "No rule selected anything in the target, so nothing was judged. Silence is not an allow.",
    example: "Every policy matches Deployments and the target holds one Namespace.",
    fix: "Write a rule whose `match` names one of these kinds: `sluice policy new NAME`. Which rules there are: `sluice explain --all`",
  },
  "policy-denied": {
    class: "deny",
    means: "A rule denies an object or the change. The finding says which, where and what to do.",
    example: 'k8s-privileged: Deployment/apps/web container "web" is privileged',
    fix: "Do what the finding says, or land a waiver first: waivers.yaml with rule, target, resource, reason, owner, until.",
  },
  "ask-unanswered": {
    class: "wait",
    means: "A rule asks a person to look; nobody who may answer has approved this content yet.",
    example: "A rule asks for one of role security when an Ingress becomes public.",
    fix: "Somebody with the role looks at it and approves it: `sluice approve COMMIT --target TARGET`",
  },
  "approval-missing": {
    class: "wait",
    means: "The target requires more people, or people of a role, to approve exactly this content.",
    example: "prod requires 2 approvals, one of role platform; one is given.",
    fix: "Somebody who did not write the change looks at it and approves it: `sluice approve COMMIT --target TARGET`",
  },
  "governance-approval-missing": {
    class: "wait",
    means: "The change edits files that judge changes; another person has to approve that.",
    example: "A pull request edits `policies/privileged/policy.rego`.",
    fix: "Somebody whom `change:` in the trust folder names looks at it and approves it: `sluice approve COMMIT --target TARGET`",
  },
  "new-judge-unusable": {
    class: "deny",
    means: "The change would leave files that cannot judge the next one.",
    example: "An edited policy does not compile, or the new trust folder has nobody who could approve.",
    fix: "Make the new files usable: `sluice config check`, `sluice policy check`, `sluice trust check`.",
  },
  "waivers-invalid": {
    class: "error",
    means: "The waiver file cannot be read as what FORMS describe.",
    example: 'waivers.yaml:3:3 unknown key "untill"; did you mean "until"?',
    fix: "Correct the named line of the waiver file.",
  },
  "waiver-too-long": {
    class: "deny",
    means: "A waiver runs longer than 180 days, so it never counts.",
    example: "`until: 2030-01-01` written in 2026.",
    fix: "Set `until` to a day within 180 days; renew it then.",
  },
  "approval-malformed": {
    class: "refused",
    means: "An approval is not one signed statement of the right form within 64 KiB, or git refuses what it names.",
    example: "A blob under refs/sluice/approvals/ that is not a DSSE envelope.",
    fix: "Make it again with `sluice approve --target TARGET`.",
  },
  "approval-unread": {
    class: "refused",
    means:
      "More lies under refs/sluice/approvals/ than is looked at: 10,000 references or 64 MiB, 1,000 approvals of one content, names of one part.",
    example: "A thousand references were pushed there, or those of years were never removed.",
    fix: "Remove old ones: git push origin --delete REF..., and let only approvers push below refs/sluice/approvals/.",
  },
  "approval-not-a-person": {
    class: "refused",
    means: "Robots and forges never approve.",
    example: "An approval signed with the web-flow key.",
    fix: "A person runs `sluice approve --target TARGET`.",
  },
  "approval-kind-not-accepted": {
    class: "refused",
    means: "The target does not accept this kind of approval.",
    example: "A signed approval for a target with `accept: [forge]`.",
    fix: "Approve the way the target accepts, or change `approvals.accept`.",
  },
  "approval-other-approver": {
    class: "refused",
    means: "The statement names one person and the key belongs to another.",
    example: "The statement says lin, the signature is jo's.",
    fix: "Each person approves with their own key: `sluice approve --target TARGET`.",
  },
  "approval-other-repository": {
    class: "refused",
    means: "The approval names another repository.",
    example: "The statement says `shop-fork`, the gate calls it `shop`.",
    fix: "Approve again with `sluice approve --target TARGET --repository NAME`.",
  },
  "approval-other-target": {
    class: "refused",
    means: "The approval names another target.",
    example: "An approval of staging shown for prod.",
    fix: "Approve again with `sluice approve --target TARGET`.",
  },
  "approval-other-content": {
    class: "refused",
    means: "The approval names other content: the change was edited after it.",
    example: "A commit was pushed after lin approved.",
    fix: "Look at the new content and run `sluice approve --target TARGET` again.",
  },
  "approval-outdated": {
    class: "refused",
    means: "The approval was given before the last release, for a step from another state to this tree.",
    example: "Content of last week that was approved then, proposed again after something else was released.",
    fix: "Look at what it takes back, run `git fetch origin`, then `sluice approve --target TARGET` again.",
  },
  "approval-expired": {
    class: "refused",
    means: "An approval counts for seven days.",
    example: "A pull request that waited for two weeks.",
    fix: "Run `sluice approve --target TARGET` again.",
  },
  "approval-too-long": {
    class: "refused",
    means: "An approval counts for seven days, whatever later day it names.",
    example: "A statement written by hand with `expiresAt` in 2099.",
    fix: "Run `sluice approve --target TARGET`, which names the day.",
  },
  "approval-by-author": {
    class: "refused",
    means: "Nobody approves a change that they had a hand in.",
    example: "ada wrote the commit and approves it.",
    fix: "Another person runs `sluice approve --target TARGET`.",
  },
  "approval-landed": {
    class: "refused",
    means:
      "What is to be approved is on the target's branch already, where an approval of it changes nothing any more.",
    example: "`sluice approve 5d2c0aa --target prod` when 9be1d02 has landed on top of it.",
    fix: "Approve the branch's tip where that waits for an approval: `sluice approve COMMIT --target TARGET`",
  },
  "approval-signature": {
    class: "refused",
    means: "The approval's signature does not verify with a key that counts today.",
    example: "The key was revoked, or the statement was edited after signing.",
    fix: "Run `sluice approve --target TARGET` with a key of the trust folder.",
  },
} as const satisfies Record<string, CodeEntry>;
