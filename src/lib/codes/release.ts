/** What can be wrong with a release: while it is made, in a channel, and in what an agent reports of it. */
import type { CodeEntry } from "../code-entry.ts";

export const RELEASE_CODES = {
  "release-not-allowed": {
    class: "refused",
    means: "The log entry is not a gate's allow. Only a landed, allowed and logged state is released.",
    example: "`sluice release prod` while the tip of main is denied.",
    fix: "See why: sluice log why TARGET   then land a commit that cures it.",
  },
  "release-not-landed": {
    class: "refused",
    means: "The entry allows a proposed change. A proposal releases nothing until it has landed and was judged again.",
    example: "A release is asked for a pull request that is approved but not merged.",
    fix: "Merge the change; the gate judges and releases what landed.",
  },
  "release-objects-differ": {
    class: "refused",
    means: "The objects are not the ones that the logged decision allows: one was added, removed, changed or renamed.",
    example: "An object is edited between the decision and the release.",
    fix: "Release what was judged: sluice release TARGET --config gate.yaml",
  },
  "release-evidence-withheld": {
    class: "refused",
    means: "The log entry no longer proves which objects it allows, so nothing can be released from it.",
    example: "The digests of the decision were redacted.",
    fix: "Have the state judged again: sluice release TARGET --config gate.yaml",
  },
  "release-superseded": {
    class: "refused",
    means: "A release that rests on a newer decision exists already.",
    example: "Two gates release the same target, and the slower one comes second.",
    fix: "Nothing; to go back use: sluice rollback TARGET --to SEQ",
  },
  "release-plain-secret": {
    class: "deny",
    means: "The release holds a Secret whose values are not encrypted. That is never released and cannot be waived.",
    example: "A Secret with `stringData: {password: hunter2}` in the target's folder.",
    fix: "Encrypt it with SOPS or kubeseal, or take it out; then treat the value as known to others and change it.",
  },
  "release-held": {
    class: "wait",
    means: "A hold stands over the target, its repository or everything, and nothing is released until it is resolved.",
    example: '`sluice hold prod --reason "database migration"`, then a merge.',
    fix: "When it is resolved: sluice resume SCOPE --reason TEXT",
  },
  "release-empty": {
    class: "deny",
    means: "The release would hold no object at all, which would remove everything.",
    example: "The target's folder is moved, and `path:` in sluice.yaml still names the old one.",
    fix: "If that is meant, land `permit: {empty: true, until: DATE}` for the target in sluice.yaml first.",
  },
  "release-mass-prune": {
    class: "deny",
    means: "The release would remove more than 30 % of the last release's objects, or more than a permit says.",
    example: "A commit deletes half of the target's manifests.",
    fix: "If that is meant, land `permit: {prune: PERCENT, until: DATE}` for the target in sluice.yaml first.",
  },
  "release-record-lost": {
    class: "error",
    means: "The log's entry of a release no longer says what was released, so no next release can be made from it.",
    example: "The disclosed value of a release entry was erased.",
    fix: "Restore the log's database, or let two operators adopt the target again: sluice adopt TARGET --again --reason TEXT",
  },
  "release-unknown": {
    class: "usage",
    means: "The target has no release with that sequence.",
    example: "`sluice rollback prod --to 900` after 12 releases.",
    fix: "List the releases: sluice log list --target TARGET --kind release",
  },
  "release-too-large": {
    class: "deny",
    means: "The release has more objects or more bytes than one release may have (about 5,000 objects, 256 MiB).",
    example: "A target with 20,000 manifests.",
    fix: "Split the target into several, each with a folder of its own.",
  },
  "object-lost": {
    class: "error",
    means: "The gate's own copy of a released object is missing or damaged, and no channel has it as it was.",
    example: "A log was restored without the folder `objects` beside it, and the channel is lost too.",
    fix: "Put back `objects` from a backup, or a channel that has the release; or land a change: its release writes all anew.",
  },
  "object-file-name": {
    class: "refused",
    means: "A release names an object's file in a form that Sluice never makes, or not in its sorted place.",
    example: 'A release.json with the file "../../etc/passwd".',
    fix: "Do not trust this channel; call whoever runs the gate.",
  },
  "release-malformed": {
    class: "refused",
    means: "release.json is not a signed note with one line of canonical JSON in the form of a release.",
    example: "A file that was cut off while it was copied.",
    fix: "Publish it again: sluice release TARGET --config gate.yaml   If it stays, call whoever runs the gate.",
  },
  "release-untrusted": {
    class: "refused",
    means: "No key that is trusted for releases signed release.json, or the signature is wrong.",
    example: "A byte of release.json was changed in the channel.",
    fix: "If the gate has a new release key, compare it with its people, then add it to `releaseKeys` in agent.yaml.",
  },
  "release-entry-malformed": {
    class: "refused",
    means: "The log entry that comes with the release is not in the form of an entry.",
    example: "A byte of entry.json was changed in the channel.",
    fix: "Publish it again: sluice release TARGET --config gate.yaml   If it stays, call whoever runs the gate.",
  },
  "head-malformed": {
    class: "refused",
    means: "head.json is not a signed note with one line of canonical JSON in the form of a head.",
    example: "A head that says it is valid for a year.",
    fix: "Sign a fresh one: sluice head TARGET --config gate.yaml",
  },
  "head-untrusted": {
    class: "refused",
    means: "No key that is trusted for releases signed head.json, or the signature is wrong.",
    example: "A byte of head.json was changed in the channel.",
    fix: "If the gate has a new release key, compare it with its people, then add it to `releaseKeys` in agent.yaml.",
  },
  "head-stale": {
    class: "wait",
    means:
      "The head is over: nobody has signed for ten minutes what is current and whether a hold is on. What runs stays.",
    example: "The gate is down, or the channel is no longer copied.",
    fix: "Start the gate, or sign one head: sluice head TARGET --config gate.yaml",
  },
  "tile-wrong": {
    class: "refused",
    means: "The channel's copy of the log's hashes is missing or is not a part of the log's tree.",
    example: "A file below `tile/` was changed or not copied.",
    fix: "Copy the channel's folder `tile` anew, or publish it again: sluice head TARGET --config gate.yaml",
  },
  "channel-path": {
    class: "error",
    means: "Something asked for a path that no channel has.",
    example: "A path with `..` in it.",
    fix: "Report it with the output of `sluice doctor`; nothing was read or written.",
  },
  "channel-link": {
    class: "refused",
    means: "A link or something else that is not a plain file stands in the channel. Nothing is read through it.",
    example: "An object in the channel is a symlink to /etc/passwd.",
    fix: "Remove it from the channel and publish again: sluice release TARGET --config gate.yaml",
  },
  "channel-conflict": {
    class: "refused",
    means:
      "The channel holds other bytes than the ones to be written, and nothing of an earlier release is overwritten.",
    example: "Two gates with different logs write to one folder.",
    fix: "Find out who wrote the file; move it away, then publish again: sluice release TARGET --config gate.yaml",
  },
  "channel-file-too-large": {
    class: "refused",
    means: "A file of the channel is larger than 16 MiB, which nothing of a release is.",
    example: "A disk image was copied over an object.",
    fix: "Remove it from the channel and publish again: sluice release TARGET --config gate.yaml",
  },
  "hold-scope": {
    class: "usage",
    means: "The scope of a hold is not a target, a repository, or all.",
    example: '`sluice hold "prod, staging" --reason TEXT`.',
    fix: "Name one scope: sluice hold TARGET --reason TEXT   (or repository:NAME, or all)",
  },
  "nothing-held": {
    class: "usage",
    means: "There is no hold with this scope to end, nor a landing that a rollback left behind. Nothing was recorded.",
    example: "`sluice resume prod --reason TEXT`, run twice, or while the hold is one of `all`.",
    fix: "See which holds there are: sluice log list --kind hold --kind resume --config gate.yaml",
  },
  "hold-unnamed": {
    class: "usage",
    means: "A hold, a resume or a rollback lacks a person's name or a reason, and both go into the log.",
    example: "`sluice hold prod --reason TEXT --as ' ' --config gate.yaml`",
    fix: "Say why: sluice hold SCOPE --reason TEXT",
  },
  "report-malformed": {
    class: "refused",
    means: "A report is not a signed note with one line of canonical JSON in the form of a report.",
    example: "A report that was cut off, or a link in the folder of reports.",
    fix: "Remove the file; the agent reports its next release again.",
  },
  "report-unknown-agent": {
    class: "refused",
    means: "A report is not signed by an agent that gate.yaml lists for the target.",
    example: "A new agent whose key is not in `agents:` yet.",
    fix: "Add the verifier key that `sluice keygen agent` printed to `agents:` of the target in gate.yaml.",
  },
  "report-mismatch": {
    class: "refused",
    means: "A report speaks of a release that this gate never made for the target.",
    example: "An agent that follows another gate writes to this gate's folder.",
    fix: "Look at the agent's `channel:` and `report:` in agent.yaml.",
  },
  "report-stale": {
    class: "refused",
    means: "A report speaks of an older release than its agent reported before.",
    example: "Somebody copies last week's report into the folder again.",
    fix: "Nothing; if nobody copied it, look at the agent's state folder.",
  },
} as const satisfies Record<string, CodeEntry>;
