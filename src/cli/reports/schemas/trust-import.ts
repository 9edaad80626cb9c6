/** The JSON of `trust import`. */
import * as z from "zod";
import { apiVersion, exitCode } from "../../../gate/json/schemas/parts.ts";

const source = z.string().describe("Where it was found.");

export const trustImportSchema = z.strictObject({
  apiVersion,
  kind: z.literal("TrustImport"),
  exitCode,
  people: z.array(
    z.strictObject({
      id: z.string().describe("Proposed from the first address."),
      emails: z.array(z.string()),
      keys: z.array(z.strictObject({ format: z.enum(["ssh", "openpgp"]), fingerprint: z.string(), source })),
    }),
  ),
  authorities: z.array(z.strictObject({ fingerprint: z.string(), patterns: z.array(z.string()), source })),
  skipped: z.array(z.strictObject({ what: z.string(), why: z.string() })).describe("What cannot become an entry."),
  files: z.record(z.string(), z.string()).describe("Proposed content by path from the trust folder."),
  written: z.array(z.string()).describe("Files written with --into; none without it."),
});

export type TrustImportReport = z.infer<typeof trustImportSchema>;
