/** `check --coverage`: whose business each path of a commit is. */
import * as z from "zod";
import { apiVersion, commit, exitCode, name, reasonSchema } from "../../../gate/json/schemas/parts.ts";

const pathSchema = z.strictObject({
  path: name,
  coverage: z
    .enum(["target", "governance", "ignored", "uncovered"])
    .describe("governance: it judges, and belongs to every target of the branch."),
  targets: z.array(name).describe("Sorted; empty unless a target holds it."),
  pattern: z.string().nullable().describe("The pattern of `ignore` that covers it; null unless ignored."),
});

export const coverageSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Coverage"),
  exitCode,
  repository: name,
  commit: commit.describe("Whose tree is listed, by the sluice.yaml that it holds."),
  branch: name,
  paths: z.array(pathSchema).describe("Every file of the tree, sorted."),
  environments: z.array(name).describe("Folders that look like an environment and belong to no target, sorted."),
  reasons: z.array(reasonSchema).describe("Empty only with exit code 0."),
});

export type CoverageReport = z.infer<typeof coverageSchema>;
