/** JSON of `policy fmt`, `policy docs` and `policy bench`. */
import * as z from "zod";
import { apiVersion, exitCode, name } from "../../../gate/json/schemas/parts.ts";

const policyFmtSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyFmt"),
  exitCode,
  folder: z.string(),
  files: z.int().describe("Files that were read."),
  changed: z.array(name).describe("Files that were written, or with --check would be; sorted."),
  written: z.boolean().describe("False with --check."),
});

const policyDocsSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyDocs"),
  exitCode,
  folder: z.string(),
  digest: z.string().describe("Of the policy set that is described."),
  rules: z.array(
    z.strictObject({
      id: name,
      title: z.string(),
      description: z.string(),
      level: z.string(),
      mode: z.string(),
      scope: z.string(),
      kinds: z.array(z.string()).describe("What the rule can say: deny, warn, ask."),
      selects: z.array(z.string()).describe("Kinds of objects and namespaces, in words; empty = everything."),
      fix: z.string().nullable(),
      controls: z.array(z.string()),
      waivable: z.boolean(),
      role: z.string().nullable(),
      dialect: z.string(),
      package: z.string(),
      file: z.string(),
      examples: z.array(z.strictObject({ expected: z.enum(["allow", "deny"]), file: z.string(), text: z.string() })),
    }),
  ),
});

const durations = z.strictObject({
  perSecond: z.int(),
  p50: z.number().describe("Microseconds for one document."),
  p90: z.number(),
  p99: z.number(),
});

const policyBenchSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyBench"),
  exitCode,
  folder: z.string(),
  digest: z.string(),
  documents: z.int(),
  rounds: z.int().describe("How often each document was evaluated."),
  startMilliseconds: z.number().describe("From the compiled module to the first answer."),
  memoryBytes: z.int().describe("Of the module's instance after the last round; it never shrinks."),
  all: durations.describe("All rules of a document at once, as a judge asks."),
  rules: z
    .array(z.strictObject({ rule: name, documents: z.int(), p50: z.number(), share: z.number() }))
    .describe("Each rule asked alone about the documents that it selects, the slowest first; share of their sum."),
});

export const POLICY_TOOL_SCHEMAS = {
  "policy-bench": { title: "Output of `sluice policy bench --format json`", schema: policyBenchSchema },
  "policy-docs": { title: "Output of `sluice policy docs --format json`", schema: policyDocsSchema },
  "policy-fmt": { title: "Output of `sluice policy fmt --format json`", schema: policyFmtSchema },
};

export type PolicyFmtReport = z.infer<typeof policyFmtSchema>;
export type PolicyDocsReport = z.infer<typeof policyDocsSchema>;
export type PolicyBenchReport = z.infer<typeof policyBenchSchema>;
