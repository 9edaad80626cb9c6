/** `suggest`: findings that do not count yet, by rule, the cheapest to mend first. */
import * as z from "zod";
import { apiVersion, commit, count, exitCode, name } from "../../../gate/json/schemas/parts.ts";

export const suggestSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Suggestions"),
  exitCode,
  target: name,
  commit: commit.describe("The state that was looked at."),
  of: z.enum(["baseline", "state"]).describe("state: no gate was asked, so all that an adoption would excuse today."),
  findings: count.describe("All of them."),
  files: count,
  rules: count,
  suggestions: z
    .array(
      z.strictObject({
        rule: name,
        level: z.enum(["low", "medium", "high", "critical"]),
        fix: z.string().nullable().describe("What the rule says to do."),
        findings: count,
        files: count,
        places: z
          .array(z.strictObject({ file: name.nullable(), line: z.int().nullable(), resource: name.nullable() }))
          .describe("Sorted by file and line."),
      }),
    )
    .describe("Ten at most: fewest files first; of these, the most findings."),
});

export type SuggestReport = z.infer<typeof suggestSchema>;
