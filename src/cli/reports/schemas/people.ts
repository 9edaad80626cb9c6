/** Commands about people and their keys, by the name of their file in docs/reference/schemas. */
import * as z from "zod";
import { apiVersion, exitCode, name } from "../../../gate/json/schemas/parts.ts";

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

export const PEOPLE_SCHEMAS: Readonly<Record<string, { readonly title: string; readonly schema: z.ZodType }>> = {
  "signing-setup": { title: "Output of `sluice signing setup --format json`", schema: signingSetupSchema },
};
