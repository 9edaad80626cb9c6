/** `trust list`: who is listed, with which keys, and whether they count. */
import * as z from "zod";
import { apiVersion, code, exitCode, sha256, signerClass, time } from "../../../gate/json/schemas/parts.ts";

const keySchema = z.strictObject({
  fingerprint: z.string(),
  format: z.enum(["ssh", "openpgp"]),
  isUsable: z.boolean().describe("Whether a signature of it counts at that time."),
  reason: code.nullable().describe("Why it does not count."),
  expiresOn: z.iso.date().nullable().describe("Day within the next 30 on which it stops counting."),
});

const ownerSchema = z.strictObject({
  id: z.string(),
  class: signerClass,
  emails: z.array(z.string()),
  roles: z.array(z.string()),
  may: z.array(z.string()).describe("Kinds of change for robots, what a forge's key may carry for forges."),
  left: time.nullable(),
  keys: z.array(keySchema),
});

const authoritySchema = z.strictObject({
  kind: z.enum(["ssh", "x509", "sigstore"]),
  id: z.string().nullable().describe("Its name in people.yaml; null where it has none."),
  fingerprints: z.array(z.string()).describe("Of the key, or of the certificates to which every way leads."),
  speaksFor: z
    .array(z.strictObject({ name: z.string(), issuer: z.string().nullable(), owner: z.string().nullable() }))
    .describe("Addresses or patterns of them; for Sigstore identities with their provider and whose they are."),
  hasRevocations: z.boolean().describe("Whether every certificate must be covered by a current revocation list."),
  isUsable: z.boolean().describe("Whether what it certifies counts at that time."),
  reason: code.nullable().describe("Why it does not count."),
  until: time.nullable().describe("When it ends."),
});

export const trustListSchema = z.strictObject({
  apiVersion,
  kind: z.literal("TrustList"),
  exitCode,
  path: z.string(),
  digest: sha256,
  at: time,
  owners: z.array(ownerSchema).describe("People, then robots, then forges, each sorted by id."),
  authorities: z.array(authoritySchema).describe("Those for SSH certificates, companies' own, Sigstore's."),
  change: z
    .strictObject({ count: z.int(), roles: z.array(z.string()) })
    .nullable()
    .describe("Who may change governance files; null: one other person."),
});

export type OwnerReport = z.infer<typeof ownerSchema>;
export type AuthorityReport = z.infer<typeof authoritySchema>;
export type KeyReport = z.infer<typeof keySchema>;
export type TrustListReport = z.infer<typeof trustListSchema>;
