/** `check`, and `release` and `rollback`, which hold one check for each state that landed. */
import * as z from "zod";
import {
  apiVersion,
  approvalRuleSchema,
  carriedSchema,
  code,
  commit,
  count,
  digestsSchema,
  emergencySchema,
  exitCode,
  givenApprovalSchema,
  index,
  judgedVerificationSchema,
  leafHash,
  name,
  reasonSchema,
  sha256,
  spokenSchema,
  time,
  ulid,
  verdict,
  waiverSchema,
} from "./parts.ts";

const findingSchema = spokenSchema.extend({
  waivable: z.boolean().describe("False where no waiver may help."),
  waivedBy: z.string().nullable().describe("Id of the waiver that marks it; it is still shown."),
  baseline: z.boolean().describe("True when it existed at adoption."),
});

const decisionSchema = z
  .strictObject({ id: ulid, index, leafHash, origin: name.describe("Name of the log.") })
  .nullable()
  .describe("Where it is logged; null in a preview.");

const ignoredApprovalSchema = z.strictObject({
  person: name.nullable(),
  code,
  message: z.string(),
  envelope: sha256,
});

const targetSchema = z.strictObject({
  target: name,
  mode: z.enum(["observe", "warn", "enforce"]).describe("What the verdict does; never what it is."),
  verdict,
  base: commit.nullable(),
  judge: commit.nullable(),
  tree: commit.nullable(),
  decision: decisionSchema,
  findings: z.array(findingSchema).describe("Sorted by file, line, column, rule and message."),
  reasons: z.array(reasonSchema).describe("Sorted by code and message; empty only for allow."),
  approvals: z.strictObject({
    required: approvalRuleSchema,
    given: z.array(givenApprovalSchema).describe("What counts, sorted by person."),
    ignored: z.array(ignoredApprovalSchema).describe("What does not count, and why. Sorted by envelope."),
    missing: z.array(z.string()).describe("In words."),
  }),
  governance: z
    .strictObject({
      paths: z.array(z.string()),
      rule: approvalRuleSchema,
      given: z.array(givenApprovalSchema),
      unusable: z.string().nullable().describe("Why the new files could not judge the next change."),
    })
    .nullable()
    .describe("null where no file that judges is changed."),
  unsignedAllowed: z.boolean().describe("True where the target asks for no signature at all."),
  waivers: z.array(waiverSchema).describe("Those that marked a finding, sorted by id."),
  carried: carriedSchema.describe("The allowed proposal whose verdict a forge's landing carries."),
  emergency: emergencySchema,
  objects: z.strictObject({ create: count, update: count, delete: count, unchanged: count }),
  rulesExpected: count,
  rulesEvaluated: count,
  unruled: z.array(z.string()).describe("Objects that no rule selected, sorted."),
  notEvaluated: z.array(z.strictObject({ what: name, code, message: z.string() })).describe("Sorted by what."),
  digests: digestsSchema,
});

export const checkSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Check"),
  authority: z.enum(["gate", "preview"]).describe("A preview logs and releases nothing."),
  verdict: verdict.describe("The worst of all targets: error, deny, wait, allow."),
  exitCode,
  repository: name,
  subject: z.enum(["proposed", "landed"]),
  base: commit.nullable().describe("null where the targets differ in it, as for judge and tree."),
  head: commit,
  judge: commit.nullable().describe("The commit at which configuration, trust, policies and waivers are read."),
  tree: commit.nullable().describe("Of the merge result."),
  verifications: z
    .array(judgedVerificationSchema)
    .describe("Every commit of the range, parents before children; a commit that one target rejects is rejected here."),
  ignored: z.array(z.string()).describe("Changed paths that `ignore` covers, sorted."),
  targets: z.array(targetSchema).describe("Sorted by name."),
  timings: z.record(z.string(), z.number().min(0)).describe("Milliseconds by step; empty in a landing."),
});

export const landingsSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Landings"),
  target: name,
  current: z.int().min(1).nullable().describe("Sequence of the newest release."),
  landed: z
    .array(
      z.strictObject({
        check: checkSchema,
        release: z
          .strictObject({
            sequence: z.int().min(1),
            commit,
            tree: commit,
            rollbackOf: z.int().min(1).nullable(),
            objects: count,
            manifestDigest: sha256,
            index,
            notAfter: time.describe("Until when its head counts."),
          })
          .nullable()
          .describe("null when the verdict is not allow."),
      }),
    )
    .describe("Each state that landed since the last decision, oldest first."),
});
