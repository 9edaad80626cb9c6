/** What people and agents do: `adopt`, `approve`, `head`, `hold`, `resume`, `agent`. */
import * as z from "zod";
import {
  apiVersion,
  code,
  commit,
  count,
  digestsSchema,
  exitCode,
  index,
  name,
  reviewSchema,
  sha256,
  time,
  ulid,
} from "./parts.ts";

export const adoptionSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Adoption"),
  target: name,
  commit,
  tree: commit,
  index,
  id: ulid,
  time,
  objects: count,
  baseline: count.describe("Findings of that day, which do not count."),
  copy: z.string().describe("`baseline.yaml` with them, for previews."),
  digests: digestsSchema,
  comparison: z
    .strictObject({
      folder: name,
      equal: count.describe("Objects of which everything holds that their manifest says."),
      different: z.array(z.strictObject({ resource: name, at: z.array(z.string()).describe("JSON pointers.") })),
      unmanaged: z.array(name).describe("Live and in no manifest, without what a controller made from other objects."),
      missing: z.array(name).describe("In a manifest and not live."),
      pins: z.array(z.strictObject({ image: name, pinned: name, resources: z.array(name) })),
    })
    .nullable()
    .describe("With the live manifests of --compare-with; null without."),
});

export const approvalSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Approval"),
  ref: z.string().regex(/^refs\/sluice\/approvals\/[0-9a-f]{64}$/),
  statement: z.strictObject({
    repository: name,
    target: name,
    base: commit,
    head: commit,
    tree: commit,
    changeDigest: sha256,
    judge: commit,
    approver: name,
    expiresAt: time,
  }),
  push: z.string().describe("The command that shows it to the gate."),
  repository: z.string().describe("Folder of the repository that holds it."),
});

const holdSchema = z.strictObject({ scope: name, reason: name, by: name, since: time });

export const headSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Head"),
  target: name,
  latestSequence: count.describe("0 before the first release."),
  hold: holdSchema.nullable(),
  issuedAt: time,
  notAfter: time,
  reports: z.strictObject({
    applied: count.describe("Reports of agents that were taken into the log."),
    refused: z.array(z.strictObject({ file: name, code, message: z.string() })),
  }),
});

export const holdingSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Hold"),
  state: z.enum(["held", "resumed"]),
  scope: name,
  reason: name,
  by: name,
  index,
  targets: z.array(name).describe("Whose heads say so now."),
});

export const reviewedSchema = reviewSchema.extend({ apiVersion, kind: z.literal("Review") });

const files = z.array(name).describe("Names of object files, sorted.");

export const agentRunSchema = z.strictObject({
  apiVersion,
  kind: z.literal("AgentRun"),
  outcome: z.enum(["applied", "unchanged", "drifted", "waiting", "refused", "failed"]),
  exitCode,
  agent: name,
  target: name,
  code: code.nullable().describe("null where nothing is wrong."),
  message: z.string(),
  fix: z.string().nullable(),
  sequence: z.int().min(1).nullable().describe("The release that was verified; null where none was."),
  manifestDigest: sha256.nullable(),
  plan: z.strictObject({ create: files, update: files, delete: files, unchanged: files }).nullable(),
  drift: z.array(z.strictObject({ file: name, how: z.enum(["missing", "changed", "replaced", "added"]) })),
});
