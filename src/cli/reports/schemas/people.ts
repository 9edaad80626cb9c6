/** Commands about people and their keys, by the name of their file in docs/reference/schemas. */
import * as z from "zod";
import { apiVersion, commit, exitCode, index, name, sha256, time } from "../../../gate/json/schemas/parts.ts";
import { suggestSchema } from "./suggest.ts";
import { trustListSchema } from "./trust-list.ts";

export const signingSetupSchema = z.strictObject({
  apiVersion,
  kind: z.literal("SigningSetup"),
  exitCode,
  written: z.boolean().describe("False with --dry-run, and where the answer was no."),
  scope: z.enum(["repository", "global"]),
  file: name.describe("git's file of settings."),
  key: z.strictObject({
    file: name.describe("The public key."),
    fingerprint: name.nullable().describe("null where the key has yet to be made."),
    isNew: z.boolean().describe("Whether it is made by this command."),
  }),
  settings: z.array(
    z.strictObject({ name, value: name, before: z.string().nullable().describe("null where it was not set.") }),
  ),
  resign: name.describe("Signs the commits of a branch again."),
  request: name.describe("Prints the block with which a colleague makes the key known."),
});

export type SigningSetupReport = z.infer<typeof signingSetupSchema>;

export const trustAddSchema = z.strictObject({
  apiVersion,
  kind: z.literal("TrustAdd"),
  exitCode,
  person: name,
  isNew: z.boolean().describe("False where only a key of theirs is new."),
  emails: z.array(name),
  roles: z.array(name),
  key: z.strictObject({ format: z.enum(["ssh", "openpgp"]), fingerprint: name }),
  file: name.describe("Path in the repository."),
  line: z.int().min(1).describe("Where the key now stands."),
  files: z.array(name).describe("Everything that was written, to be committed and signed."),
});

export const trustAsOfSchema = trustListSchema.omit({ path: true }).extend({
  kind: z.literal("TrustAsOf"),
  target: name,
  restsOn: z.strictObject({
    index: index.describe("Log entry that put this trust in force: a release, or the adoption."),
    entryKind: z.enum(["genesis", "bypass", "release"]),
    time,
    commit: commit.describe("Whose trust folder it is; its bytes were hashed again."),
    recorded: z
      .strictObject({ index, digest: sha256, isEqual: z.boolean() })
      .nullable()
      .describe(
        "The first decision that was judged by it, and the digest of the trust it recorded; null where none was.",
      ),
  }),
});

export type TrustAddReport = z.infer<typeof trustAddSchema>;
export type TrustAsOfReport = z.infer<typeof trustAsOfSchema>;

export const PEOPLE_SCHEMAS: Readonly<Record<string, { readonly title: string; readonly schema: z.ZodType }>> = {
  "signing-setup": { title: "Output of `sluice signing setup --format json`", schema: signingSetupSchema },
  suggest: { title: "Output of `sluice suggest --format json`", schema: suggestSchema },
  "trust-add": { title: "Output of `sluice trust add --format json`", schema: trustAddSchema },
  "trust-as-of": { title: "Output of `sluice trust as-of --format json`", schema: trustAsOfSchema },
};
