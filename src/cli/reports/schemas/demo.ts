/** `demo --json`. */
import * as z from "zod";
import { name } from "../../../gate/json/schemas/parts.ts";

export const demoSchema = z
  .array(
    z.strictObject({
      step: z.int().min(1).max(9),
      argv: z.array(name).min(1),
      exitCode: z.int().nullable().describe("null for a process that was stopped."),
      expected: z.int(),
      ok: z.boolean().describe("Exit code and JSON are as expected."),
    }),
  )
  .describe("One line for each command that was run.");
