/** `log redact`. */
import * as z from "zod";
import { apiVersion, count, index, name } from "./parts.ts";

export const redactionSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Redaction"),
  index: index.nullable().describe("The entry that records it; null with --dry-run."),
  by: name,
  reason: z.string(),
  values: count.describe("How many values were erased."),
  erased: z.array(z.strictObject({ index, names: z.array(name) })).describe("By entry, oldest first."),
  kept: z.array(index).describe("Entries of earlier redactions that say it too: they stay."),
});
