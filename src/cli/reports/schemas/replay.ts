/** JSON of `replay`. */
import * as z from "zod";
import { apiVersion, exitCode } from "../../../gate/json/schemas/parts.ts";

const likeness = z.enum(["same", "different", "withheld"]);

export const replaySchema = z.strictObject({
  apiVersion,
  kind: z.literal("Replay"),
  exitCode,
  counts: z.strictObject({ same: z.int(), different: z.int(), withheld: z.int() }),
  decisions: z.array(
    z.strictObject({
      index: z.int(),
      decision: z.string().describe("Id of the decision."),
      target: z.string(),
      outcome: likeness.describe("The worst of its parts; withheld when any part was erased: then it is not decided."),
      verdict: z.strictObject({ recorded: z.string(), again: z.string().nullable() }),
      parts: z
        .array(z.strictObject({ name: z.string(), outcome: likeness }))
        .describe("By name, as the entry commits to them."),
      versions: z
        .strictObject({ recorded: z.string().nullable(), now: z.string() })
        .describe("Of Sluice, then and now: another version may decide otherwise for good reason."),
    }),
  ),
});

export type ReplayReport = z.infer<typeof replaySchema>;
