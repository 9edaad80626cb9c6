/** Output of `sluice policy verify --format json`. */
import * as z from "zod";
import { apiVersion, exitCode } from "../../../gate/json/schemas/parts.ts";

export const policyVerifySchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyVerify"),
  exitCode,
  folder: z.string().describe("As it was named."),
  allowSkip: z.boolean(),
  suites: z
    .array(
      z.strictObject({
        file: z.string().describe("From the folder."),
        cases: z
          .array(
            z.strictObject({
              test: z.string(),
              case: z.string().describe("Empty for a test that has no cases to run: it is one itself."),
              result: z.enum(["passed", "failed", "skipped"]),
              message: z.string().nullable().describe("Why it failed."),
            }),
          )
          .describe("In the order of the suite."),
      }),
    )
    .describe("Sorted by file."),
  summary: z
    .strictObject({ suites: z.int(), tests: z.int(), passed: z.int(), failed: z.int(), skipped: z.int() })
    .describe("tests counts cases; failed counts skipped ones too, unless allowSkip is true."),
});

export type PolicyVerifyReport = z.infer<typeof policyVerifySchema>;
