/** `log list`, `log show`, `log why`, `log proof`, `log verify`. */
import * as z from "zod";
import { ENTRY_KINDS } from "../../../log/entry.ts";
import {
  apiVersion,
  carriedSchema,
  code,
  commit,
  count,
  emergencySchema,
  givenApprovalSchema,
  index,
  judgedVerificationSchema,
  leafHash,
  name,
  reviewSchema,
  sha256,
  time,
  ulid,
  verdict,
  waiverSchema,
} from "./parts.ts";

const entrySchema = z.strictObject({
  index,
  id: ulid,
  time,
  kind: z.enum(ENTRY_KINDS),
  target: name.nullable().describe("null for entries of the whole gate."),
  purpose: z.enum(["gate", "dry-run", "observe"]),
  verdict: verdict.nullable(),
  reasons: z.array(code),
  subject: z.record(z.string(), z.string().nullable()).describe("Commit and tree ids."),
  digests: z.strictObject({
    policies: sha256.nullable(),
    trust: sha256.nullable(),
    configuration: sha256.nullable(),
    waivers: sha256.nullable(),
    code: z.string().nullable().describe("Version of Sluice."),
  }),
  previous: leafHash.nullable().describe("Leaf hash of the target's entry before."),
  leafHash,
});

export const entriesSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Entries"),
  count: count.describe("How many there are in all."),
  entries: z.array(entrySchema).describe("Newest first; a sample in the order of the log."),
  next: index.nullable().describe("For --after; null at the end."),
  sample: z
    .strictObject({
      size: z.int().min(1).describe("As asked for; fewer where fewer are found."),
      seed: z.string(),
      below: count.describe("For --after: with it a log that has grown gives the same sample."),
    })
    .nullable()
    .describe("The entries whose SHA-256(seed, line end, leafHash) is least; null without --sample."),
});

/** A line of `log list --format ndjson`. */
export const entryLineSchema = entrySchema.extend({
  disclosed: z.record(z.string(), z.json()).optional().describe("With --disclosed; null where a value was erased."),
});

export const entryReportSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Entry"),
  entry: entrySchema,
  commitments: z.record(z.string(), z.base64().length(44)).describe("Salted commitment to each disclosed value."),
  disclosed: z.record(z.string(), z.json()).describe("null where a value was erased."),
});

export const logShowSchema = entryReportSchema.extend({
  redactions: z
    .array(
      z.strictObject({
        index,
        time,
        by: z.string().nullable(),
        reason: z.string().nullable(),
        names: z.array(name),
      }),
    )
    .describe("The redactions that erased values of this entry."),
});

export const whySchema = z.strictObject({
  apiVersion,
  kind: z.literal("Why"),
  resource: name,
  target: name,
  release: z.strictObject({
    sequence: z.int().min(1),
    commit,
    tree: commit,
    rollbackOf: z.int().min(1).nullable(),
    manifestDigest: sha256,
  }),
  applied: z.strictObject({ agent: name, at: time }).nullable().describe("null until an agent reports it."),
  decision: z
    .strictObject({
      id: ulid,
      index,
      leafHash,
      verdict,
      decidedAt: time,
      proven: z.boolean().describe("Its inclusion in the newest checkpoint was computed and holds."),
    })
    .describe("The decision on the landed state that last changed the resource."),
  carried: carriedSchema,
  emergency: emergencySchema,
  review: reviewSchema.nullable().describe("Where one operator alone released it; null elsewhere."),
  verifications: z.array(judgedVerificationSchema).describe("Of the proposal where one is carried."),
  approvals: z.array(givenApprovalSchema),
  rules: z.strictObject({
    evaluated: count,
    expected: count,
    policies: sha256.nullable(),
    waivers: z.array(waiverSchema),
  }),
});

export const proofSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Proof"),
  index,
  leafHash,
  proof: z.string().describe("C2SP tlog-proof, with the checkpoint that it leads to."),
});

export const logVerificationSchema = z.strictObject({
  apiVersion,
  kind: z.literal("LogVerification"),
  path: z.string(),
  intact: z.boolean(),
  origin: name.nullable(),
  size: count.nullable().describe("Number of entries; null when broken."),
  code: code.nullable().describe("null when intact."),
  index: index.nullable().describe("The first entry that is not what was recorded, where one can be named."),
  differs: z
    .enum(["entry", "hash", "chain", "time", "disclosure", "columns", "bundle", "checkpoint", "tree"])
    .nullable()
    .describe("What differs; null when intact."),
  detail: z.string().nullable(),
  disclosures: z.strictObject({ matching: count, redacted: count }).nullable(),
  redactions: z.array(index).describe("Entries of the redactions that say what is withheld."),
});

export const logBackupSchema = z.strictObject({
  apiVersion,
  kind: z.literal("LogBackup"),
  file: z.string().describe("The copy: readable by its owner only."),
  origin: name,
  size: count.describe("Number of entries; all were verified in the copy."),
  bytes: count,
});

export const logRestoreSchema = z.strictObject({
  apiVersion,
  kind: z.literal("LogRestore"),
  file: z.string().describe("The backup."),
  store: z.string().describe("Where it was put."),
  origin: name,
  size: count.describe("Number of entries; all were verified where they are now."),
});

export const logRetentionSchema = z.strictObject({
  apiVersion,
  kind: z.literal("LogRetention"),
  dryRun: z.boolean().describe("Nothing was erased; the numbers are what would be."),
  entries: count,
  values: count.describe("Erased beside those entries."),
  redactions: z.array(index).describe("The entries that say so."),
  needed: count.describe("Entries older than their values are kept, which the gate still goes on from."),
});

export const logExportSchema = z.strictObject({
  apiVersion,
  kind: z.literal("LogExport"),
  folder: z.string(),
  origin: name,
  query: z
    .strictObject({ from: time.nullable(), to: time.nullable(), start: count, end: count })
    .describe("The entries from start to end - 1 are those of the period; null for no bound."),
  entries: count,
  changes: count.describe("Decisions on landed commits: rows of changes.csv."),
  policies: z
    .strictObject({ judged: count, held: count })
    .describe("Policy sets of the period, and how many have their sources in the bundle."),
  read: index.nullable().describe("The entry that logged this export; null with --unlogged."),
  size: count.describe("Number of entries of the checkpoint."),
  by: z.string(),
});
