/** `log reconcile`. */
import * as z from "zod";
import { apiVersion, commit, count, index, name, time } from "../../../gate/json/schemas/parts.ts";
import { DIFFERENCE_KINDS } from "../../../log/reconcile/compare.ts";

const differenceSchema = z.strictObject({
  kind: z.enum(DIFFERENCE_KINDS),
  commit: commit.nullable(),
  index: index.nullable().describe("Of an entry of the log."),
  sequence: z.int().min(0).nullable().describe("Of a release; 0 where it was withheld."),
  line: z.int().min(1).nullable().describe("Of the audit log."),
  detail: z.string(),
});

export const reconciliationSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Reconciliation"),
  target: name,
  branch: name,
  origin: name,
  size: count.describe("Entries of the log."),
  keyChecked: z.boolean().describe("Whether the signature of the log's head was verified with --key."),
  period: z.strictObject({ from: time.nullable(), to: time.nullable() }).describe("null for no bound."),
  adopted: commit.describe("The first approved state, where the comparison begins."),
  agrees: z.boolean(),
  git: z
    .strictObject({ commits: count, first: commit.nullable(), last: commit.nullable() })
    .describe("The branch's first-parent commits of the period, told by the log's times."),
  log: z.strictObject({
    decisions: count.describe("Entries that decide a landed commit."),
    decided: count.describe("Of git's commits, those with a decision."),
    leftBehind: count.describe("Of git's commits, those that a released rollback left behind undecided."),
    releases: count,
    applied: count.describe("Of the releases, those that an agent reported as applied."),
    rollbacks: count,
    passedOver: count.describe("Of git's commits, those that two operators adopted undecided: adopt --again."),
    replaced: count.describe(
      "Decisions on commits that are not on the branch since two operators adopted another state.",
    ),
    adoptedAgain: count.describe("How often two operators made a state the judge again."),
    emergencies: count.describe("How often operators released in an emergency."),
  }),
  audit: z
    .strictObject({
      lines: count,
      answered: count.describe("Lines of a request's last stage."),
      writes: count.describe("Writes of objects in the period."),
      byAgent: count.describe("Of released objects, by the agent's user."),
      outside: count.describe("Of released objects, by anybody else."),
      broken: count.describe("Lines that cannot be read: each is a difference."),
      unlisted: count.describe("Differences that are counted and not listed."),
    })
    .nullable()
    .describe("null without --audit."),
  differences: z.array(differenceSchema).describe("Empty where everything agrees."),
});
