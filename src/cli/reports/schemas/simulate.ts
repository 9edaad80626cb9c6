/** JSON of `simulate`. */
import * as z from "zod";
import {
  apiVersion,
  code,
  commit,
  count,
  exitCode,
  index,
  sha256,
  time,
  ulid,
  verdict,
} from "../../../gate/json/schemas/parts.ts";

const findingSchema = z.strictObject({
  rule: z.string(),
  kind: z.enum(["deny", "warn", "ask"]),
  level: z.enum(["low", "medium", "high", "critical"]),
  resource: z.string().nullable().describe("Kind/namespace/name; null for a rule of scope change."),
  at: z.string().describe("JSON pointer into the object."),
  message: z.string(),
  waivedBy: z.string().nullable(),
  baseline: z.boolean(),
});

export const simulatedSchema = z.strictObject({
  index,
  decision: ulid,
  target: z.string(),
  time: time.describe("When it was recorded."),
  subject: z.enum(["proposed", "landed", "admission", "query"]),
  commit: commit.nullable().describe("The head, or the landed commit; null for an admission and a query."),
  outcome: z
    .enum(["same", "changed", "not-replayed"])
    .describe("changed: another verdict, other findings, or other codes of reasons."),
  verdict: z
    .strictObject({ was: verdict.nullable(), wouldBe: verdict.nullable() })
    .describe("was: null for a query. wouldBe: null where it was not replayed."),
  reasons: z.strictObject({ was: z.array(code), wouldBe: z.array(code) }).describe("Their codes, sorted."),
  appears: z.array(findingSchema).describe("Findings that the new policies have and the recorded decision has not."),
  disappears: z.array(findingSchema),
  findingsOmitted: count.describe("Of both lists, beyond the first 100 of each."),
  why: z.strictObject({ code, message: z.string() }).nullable().describe("Why it was not replayed."),
});

export const simulationSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Simulation"),
  authority: z.literal("preview").describe("Nothing is logged or released by it."),
  exitCode,
  policies: z.strictObject({ named: z.string(), digest: sha256, rules: count }),
  target: z.string().nullable().describe("null for all."),
  since: time,
  until: time,
  counts: z.strictObject({ decisions: count, same: count, changed: count, notReplayed: count }),
  verdicts: z
    .array(z.strictObject({ was: verdict, wouldBe: verdict, count }))
    .describe("Of the decisions whose verdict would be another one."),
  rules: z
    .array(
      z.strictObject({
        rule: z.string(),
        appears: count,
        disappears: count,
        decisions: count.describe("In how many decisions."),
      }),
    )
    .describe("Rules whose findings would appear or disappear, by name."),
  unreplayed: z
    .array(z.strictObject({ code, count, message: z.string().describe("Of the first of them.") }))
    .describe("Why decisions were not replayed, by code."),
  decisions: z
    .array(simulatedSchema)
    .describe("Those that would change or were not replayed, in the order of the log; ndjson has every one."),
  decisionsOmitted: count.describe("Of those, beyond the first 1,000."),
});

export type SimulatedLine = z.infer<typeof simulatedSchema>;
export type SimulationReport = z.infer<typeof simulationSchema>;
