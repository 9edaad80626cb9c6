/** Why an agent applies nothing. What runs keeps running in every one of these cases. */
import type { CodeEntry } from "../code-entry.ts";

export const AGENT_CODES = {
  "agent-busy": {
    class: "error",
    means: "Another agent is running with the same state folder.",
    example: "`sluice agent --once` while the agent's service is in the middle of a run.",
    fix: "Wait until it is done, or give the second agent its own `state:` in agent.yaml.",
  },
  "agent-key-name": {
    class: "usage",
    means: "The agent's key carries another name than agent.yaml says.",
    example: "`name: prod-2` with the key of prod-1.",
    fix: "Make a key for it: sluice keygen agent --name NAME",
  },
  "agent-state-missing": {
    class: "refused",
    means:
      "The agent does not remember what it saw, so it could be given an old release. A person has to say from which release on.",
    example: "The volume with the state folder was replaced.",
    fix: "Look which release must run at least, then raise `minimumSequence` in agent.yaml to it.",
  },
  "agent-state-malformed": {
    class: "error",
    means: "The file with the agent's memory is damaged. It is not taken for an empty one.",
    example: "state.json was edited by hand.",
    fix: "Restore it, or move it away and raise `minimumSequence` in agent.yaml.",
  },
  "agent-state-other": {
    class: "error",
    means: "The state folder is the memory of another target or another log.",
    example: "Two agents share one `state:` folder.",
    fix: "Give each agent its own `state:` in agent.yaml.",
  },
  "head-missing": {
    class: "error",
    means: "The channel has no head.json, so nobody says which release is current.",
    example: "The channel's folder is not mounted.",
    fix: "Look at `channel:` in agent.yaml; the gate writes the first head with: sluice head TARGET --config gate.yaml",
  },
  "head-other": {
    class: "refused",
    means: "The head is of another target or another log.",
    example: "The folder of staging is copied over the channel of prod.",
    fix: "Look at `channel:`, `target:` and `log.origin` in agent.yaml.",
  },
  "head-replayed": {
    class: "refused",
    means: "The head is older than one that the agent has seen.",
    example: "The channel was restored from a backup, or somebody hides what is new.",
    fix: "Publish a fresh head: sluice head TARGET --config gate.yaml   If it stays, find out who writes to the channel.",
  },
  "head-held": {
    class: "wait",
    means: "The head says that a hold is on. Nothing is applied; what runs stays.",
    example: "`sluice hold prod --reason TEXT` a minute ago.",
    fix: "When it is resolved: sluice resume SCOPE --reason TEXT",
  },
  "witness-quorum": {
    class: "wait",
    means:
      "Fewer witnesses cosigned the log's checkpoint than agent.yaml asks for. Nothing is applied; what runs stays.",
    example: "`witnesses: {quorum: 2}`, and one of the two is down.",
    fix: "Ask whoever runs the missing witness; the next head tries again. On the gate: sluice head TARGET --config gate.yaml",
  },
  "witness-wrong": {
    class: "refused",
    means: "The checkpoint carries a line in the name of a witness that is not its signature.",
    example: "Somebody who holds the channel copied a cosignature of another checkpoint.",
    fix: "Keep the head as evidence, and compare the witness's key in agent.yaml with the one it prints.",
  },
  "checkpoint-missing": {
    class: "refused",
    means: "The channel has no checkpoint of the log.",
    example: "Only a part of the channel's folder was copied.",
    fix: "Copy the whole folder; the checkpoint comes before head.json.",
  },
  "checkpoint-older": {
    class: "refused",
    means: "The log is shown shorter than it was seen before. A log only grows.",
    example: "The gate's database was restored from a backup.",
    fix: "Compare with `sluice log verify`; put back the newest copy of the log, or begin a new one under a new origin.",
  },
  "release-replayed": {
    class: "refused",
    means:
      "An older release is offered again, or the same sequence with other content, or an old decision for a new release.",
    example: "Release 4 under a fresh head after release 7 was applied.",
    fix: "To go back use a rollback, which is a new release: sluice rollback TARGET --to SEQ",
  },
  "release-below-minimum": {
    class: "refused",
    means: "The release is below the sequence from which on agent.yaml accepts releases.",
    example: "`minimumSequence: 8` and the channel's head names release 7.",
    fix: "Wait for that release, or correct `minimumSequence` in agent.yaml.",
  },
  "release-differs": {
    class: "refused",
    means: "release.json is not the release that the head names.",
    example: "A byte of release.json was changed in the channel.",
    fix: "Publish it again: sluice release TARGET --config gate.yaml   If it stays, find out who writes to the channel.",
  },
  "release-incomplete": {
    class: "refused",
    means: "A file of the release is missing in the channel. Nothing of it is applied.",
    example: "An object was not copied.",
    fix: "Copy the whole folder, head.json last, or publish it again: sluice release TARGET --config gate.yaml",
  },
  "release-entry-differs": {
    class: "refused",
    means:
      "The log entry that comes with the release is not the decision that the release names, or is about another state.",
    example: "entry.json of release 6 in the folder of release 7.",
    fix: "Publish it again: sluice release TARGET --config gate.yaml   If it stays, find out who writes to the channel.",
  },
  "object-differs": {
    class: "refused",
    means: "An object in the channel is not the one that was released.",
    example: "One byte of a manifest was changed in the channel.",
    fix: "Find out who writes to the channel; then publish again: sluice release TARGET --config gate.yaml",
  },
  "apply-blocked": {
    class: "refused",
    means: "Something that is not ours stands where an object of the release belongs. Nothing was switched.",
    example: "Somebody replaced one of the agent's links by a file.",
    fix: "Look at the file, then move it away and run the agent again.",
  },
  "apply-record-lost": {
    class: "error",
    means: "The record of what was applied before is missing or changed, so it is not known which files are ours.",
    example: "Files below `.sluice` were deleted.",
    fix: "Move the `.sluice` folder away and raise `minimumSequence` in agent.yaml.",
  },
  "apply-other-target": {
    class: "error",
    means: "The folder to apply to holds the objects of another target.",
    example: "Two agents write to one folder.",
    fix: "Give each target its own folder under `apply:` in agent.yaml.",
  },
  "apply-failed": {
    class: "error",
    means: "The release was verified but could not be put in place. The next run completes it.",
    example: "The disk is full, or the folder cannot be written.",
    fix: "Make space or correct the permissions of the folder; the agent tries again at its next run.",
  },
  "report-failed": {
    class: "error",
    means:
      "The release is in place, but the report about it could not be written, or was not taken by the gate. The next run sends it again.",
    example: "The folder of reports is not mounted, or the gate is down.",
    fix: "Make the folder under `report:` in agent.yaml writable. Where it names a gate: `sluice doctor --agent agent.yaml`",
  },
  drift: {
    class: "warning",
    means: "A file that the agent put in place is no longer as it was applied. It is reported, not overwritten.",
    example: "Somebody edits a released file on the server.",
    fix: "Bring the change into the repository, or undo it; the next release writes the file anew.",
  },
} as const satisfies Record<string, CodeEntry>;
