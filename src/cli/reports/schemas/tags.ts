/** Tags in the JSON of `verify`: those of `--tags`, and those that merge commits keep. */
import * as z from "zod";
import { apiVersion, code, exitCode, sha256, signerSchema, time } from "../../../gate/json/schemas/parts.ts";

const objectId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

export const mergetagSchema = z.strictObject({
  kind: z.enum(["verified", "rejected"]),
  reason: code.nullable().describe("Why it is rejected; null when verified."),
  detail: z.string().nullable(),
  tag: objectId.describe("Id of the tag object; of a bare name, what it names."),
  name: z.string().nullable().describe("The name inside the tag object; null where there is none to be read."),
  target: z.strictObject({ id: objectId, type: z.enum(["commit", "tree", "blob", "tag"]) }).nullable(),
  format: z.enum(["openpgp", "ssh", "x509"]).nullable(),
  signer: signerSchema.nullable(),
  timeBasis: z.enum(["now", "given"]),
  payloadSha256: sha256.nullable().describe("SHA-256 of the bytes that were signed."),
});

export const tagSchema = mergetagSchema.extend({ ref: z.string().describe("Whole name of the reference.") });

export const trustSourceSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(["folder", "allowed_signers", "keyring"]),
  digest: sha256,
  notes: z.array(z.string()).describe("How a doubtful place of it was read, such as a time without zone."),
});

export const verifyTagsSchema = z.strictObject({
  apiVersion,
  kind: z.literal("VerifyTags"),
  authority: z.literal("preview").describe("Nothing is logged or released by it."),
  exitCode,
  repository: z.string().describe("Folder of the repository as found."),
  trust: trustSourceSchema,
  at: time.describe("Instant at which the trust was looked at."),
  informational: z.boolean().describe("True with --at: what would have been said then, not what is said now."),
  counts: z.strictObject({ tags: z.int(), verified: z.int(), rejected: z.int() }),
  tags: z.array(tagSchema).describe("By name."),
});

export type MergetagReport = z.infer<typeof mergetagSchema>;
export type TagReport = z.infer<typeof tagSchema>;
export type VerifyTagsReport = z.infer<typeof verifyTagsSchema>;
