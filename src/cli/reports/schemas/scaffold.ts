/** `policy new` and `waiver new`: what was written into a work tree. */
import * as z from "zod";
import { apiVersion, exitCode, name } from "../../../gate/json/schemas/parts.ts";

export const policyNewSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyNew"),
  exitCode,
  id: name,
  files: z.array(name).describe("Paths in the repository, sorted."),
});

export const waiverNewSchema = z.strictObject({
  apiVersion,
  kind: z.literal("WaiverNew"),
  exitCode,
  file: name.describe("Which has the new entry as its last."),
  waiver: z.strictObject({
    rule: name,
    target: name,
    resource: name,
    reason: name,
    owner: name,
    until: z.iso.date().describe("First day on which it no longer counts."),
    ticket: name.nullable(),
  }),
});

export type PolicyNewReport = z.infer<typeof policyNewSchema>;
export type WaiverNewReport = z.infer<typeof waiverNewSchema>;
