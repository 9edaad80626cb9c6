/**
 * The JSON that commands print, as schemas: the JSON Schemas in docs/reference/schemas are written from here, and tests
 * hold real output against them. Keys are always there, absent values are null, arrays are always there.
 */
import * as z from "zod";
import { entryLineSchema } from "../../gate/json/schemas/log.ts";
import {
  apiVersion,
  code,
  commit,
  exitCode,
  judgedVerificationSchema,
  reasonSchema,
  sha256,
  spokenSchema,
  time,
} from "../../gate/json/schemas/parts.ts";
import { redactionSchema } from "../../gate/json/schemas/redaction.ts";
import { CHAIN_SCHEMAS } from "./schemas/chain.ts";
import { coverageSchema } from "./schemas/coverage.ts";
import { PEOPLE_SCHEMAS } from "./schemas/people.ts";
import { POLICY_TOOL_SCHEMAS } from "./schemas/policy-tools.ts";
import { policyVerifySchema } from "./schemas/policy-verify.ts";
import { reconciliationSchema } from "./schemas/reconciliation.ts";
import { replaySchema } from "./schemas/replay.ts";
import { policyNewSchema, waiverNewSchema } from "./schemas/scaffold.ts";
import { mergetagSchema, tagSchema, trustSourceSchema, verifyTagsSchema } from "./schemas/tags.ts";
import { tokenNewSchema } from "./schemas/token.ts";
import { trustImportSchema } from "./schemas/trust-import.ts";
import { trustListSchema } from "./schemas/trust-list.ts";
import { trustRequestSchema } from "./schemas/trust-request.ts";

export { trustListSchema };

/** Also the shape of one line of `verify --format ndjson`. */
export const verificationSchema = judgedVerificationSchema.extend({
  timeBasis: z.enum(["now", "given"]).describe("given: trust was looked at as of --at, which is for information only."),
  payloadSha256: sha256.nullable().describe("SHA-256 of the bytes that were signed."),
  mergetags: z
    .array(mergetagSchema)
    .describe("Signed tags that the merge keeps in its headers; facts, never required."),
});

export const verifySchema = z.strictObject({
  apiVersion,
  kind: z.literal("Verify"),
  authority: z.literal("preview").describe("Nothing is logged or released by it."),
  exitCode,
  repository: z.string().describe("Folder of the repository as found."),
  base: commit.nullable().describe("Commits reachable from it are not looked at; null with --all and for one commit."),
  head: commit,
  trust: trustSourceSchema,
  at: time.describe("Instant at which the trust was looked at."),
  informational: z.boolean().describe("True with --at: what would have been said then, not what is said now."),
  counts: z.strictObject({ commits: z.int(), verified: z.int(), rejected: z.int() }),
  verifications: z.array(verificationSchema).describe("Parents before children."),
});

const remarkSchema = z.strictObject({
  group: z.string(),
  what: z.string(),
  state: z.enum(["ok", "warn", "FAIL"]),
  code: code.nullable(),
  message: z.string(),
  fix: z.string().nullable().describe("What to type or change; null only where nothing is wrong."),
});

export const doctorSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Doctor"),
  exitCode,
  remarks: z.array(remarkSchema).describe("Grouped: machine, repository, gate, agent."),
});

export const configCheckSchema = z.strictObject({
  apiVersion,
  kind: z.literal("ConfigCheck"),
  exitCode,
  remarks: z.array(remarkSchema).describe("One for each file."),
});

const approvalRuleSchema = z.strictObject({
  target: z.string().nullable().describe("null for the rule about governance files."),
  count: z.int(),
  roles: z.array(z.string()),
  people: z.array(z.strictObject({ id: z.string(), roles: z.array(z.string()) })).describe("Who could approve."),
  isMet: z.boolean().describe("Whether these people can meet the rule."),
});

export const trustCheckSchema = z.strictObject({
  apiVersion,
  kind: z.literal("TrustCheck"),
  exitCode,
  path: z.string(),
  digest: sha256,
  at: time,
  rules: z.array(approvalRuleSchema),
  roles: z.array(z.strictObject({ role: z.string(), people: z.array(z.string()) })).describe("The bus factor."),
  expiring: z.array(z.strictObject({ owner: z.string(), fingerprint: z.string(), on: z.iso.date() })),
  remarks: z.array(remarkSchema),
});

export const keygenSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Key"),
  use: z.enum(["log", "release", "agent", "witness"]),
  name: z.string(),
  file: z.string().describe("Where the private key was written, mode 0600."),
  verifierKey: z.string().describe("The public half, to hand out: name+hash+base64."),
});

export const initSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Init"),
  exitCode,
  written: z.boolean().describe("False with --dry-run."),
  found: z.array(z.string()).describe("What the repository holds, in words."),
  targets: z.array(z.strictObject({ name: z.string(), path: z.string() })),
  unsupported: z
    .array(z.strictObject({ folder: z.string(), tool: z.enum(["Kustomize", "Helm"]) }))
    .describe("Folders that cannot be targets yet, sorted."),
  person: z
    .strictObject({ id: z.string(), key: z.string().nullable().describe("Fingerprint; null when no key is known.") })
    .nullable()
    .describe("The first entry of people.yaml."),
  files: z.array(z.string()).describe("Paths in the repository, sorted."),
});

const explanationSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(["code", "rule"]),
  class: z.string().describe("Class of a code, level of a rule."),
  means: z.string(),
  example: z.string().nullable().describe("Something that produces it; null for a rule without an example."),
  fix: z.string().nullable(),
  file: z.string().nullable().describe("Where a rule stands."),
});

export const explainSchema = z.strictObject({
  apiVersion,
  kind: z.literal("Explanation"),
  entries: z.array(explanationSchema).describe("One, or with --all every code and rule, sorted by name."),
});

export const policyBuildSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyBuild"),
  exitCode,
  folder: z.string(),
  digest: sha256.describe("What decisions name; paths are part of it, so build at the repository's root."),
  bytes: z.int().describe("Size of the WebAssembly module."),
  entrypoints: z.array(z.string()).describe("The first answers for all rules, then one a rule in their order."),
  rules: z
    .array(
      z.strictObject({
        id: z.string(),
        package: z.string(),
        file: z.string(),
        title: z.string(),
        level: z.enum(["low", "medium", "high", "critical"]),
        scope: z.enum(["resource", "change"]),
        mode: z.enum(["observe", "warn", "enforce"]),
        kinds: z.array(z.enum(["deny", "warn", "ask"])),
      }),
    )
    .describe("Sorted by id."),
  output: z.string().nullable().describe("Where the module or the bundle was written."),
});

const policyProblemSchema = z.strictObject({
  severity: z.enum(["mistake", "warning"]),
  code,
  message: z.string(),
  file: z.string().nullable().describe("null where the problem has no place."),
  line: z.int().nullable(),
  column: z.int().nullable(),
  fix: z.string(),
});

export const policyCheckSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyCheck"),
  exitCode,
  folder: z.string(),
  rules: z.array(z.string()).describe("Ids of the rules that could be read."),
  policies: z
    .array(
      z.strictObject({
        rule: z.string(),
        dialect: z.enum(["native", "gatekeeper", "conftest", "opa-admission"]).describe("How it is written and asked."),
        package: z.string().describe("As its author wrote it."),
        file: z.string(),
      }),
    )
    .describe("The same rules, with how each is written."),
  templates: z
    .strictObject({
      total: z.int(),
      unchanged: z.int().describe("Run here as they are."),
      others: z.array(
        z.strictObject({ reason: z.enum(["cel", "external-data", "builtin", "invalid"]), kinds: z.array(z.string()) }),
      ),
    })
    .nullable()
    .describe("ConstraintTemplates of Gatekeeper; null where there is none."),
  external: z
    .array(
      z.strictObject({
        name: z.string(),
        file: z.string().nullable(),
        line: z.int().nullable(),
        column: z.int().nullable(),
      }),
    )
    .describe("Sources of data from outside that the policies read, with the first place that does."),
  data: z
    .array(z.strictObject({ name: z.string().describe("What policies call it: data.shop."), file: z.string() }))
    .describe("Data files."),
  problems: z.array(policyProblemSchema).describe("All of them, sorted by file, line and column."),
});

export const policyTestSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyTest"),
  exitCode,
  folder: z.string(),
  tests: z
    .array(
      z.strictObject({
        name: z.string().describe("Package and name of the test rule."),
        file: z.string(),
        line: z.int(),
        result: z.enum(["passed", "failed", "skipped"]),
        message: z.string().nullable().describe("Why it failed, with what it printed; null when it did not."),
        milliseconds: z.number(),
      }),
    )
    .describe("Rules named test_..., run by OPA. Sorted by file and line."),
  examples: z
    .array(
      z.strictObject({
        file: z.string(),
        expected: z.enum(["allow", "deny"]),
        rules: z.array(z.string()).describe("The rules beside which the example lies."),
        result: z.enum(["passed", "failed"]),
        message: z.string().nullable(),
        findings: z.array(
          z.strictObject({ rule: z.string(), kind: z.enum(["deny", "warn", "ask"]), message: z.string() }),
        ),
      }),
    )
    .describe("Files under examples/, judged by the WebAssembly host of the gate. Sorted by file."),
  counts: z.strictObject({ passed: z.int(), failed: z.int(), skipped: z.int() }),
  coverage: z
    .strictObject({
      percent: z.number().describe("Of the lines of all policies, by OPA's tests alone."),
      threshold: z.number().nullable(),
      notCovered: z.array(z.strictObject({ file: z.string(), first: z.int(), last: z.int() })),
    })
    .nullable()
    .describe("null unless asked for."),
  problems: z.array(z.strictObject({ code, message: z.string() })).describe("no-tests, coverage-too-low."),
});

const explanationOfFindingSchema = z.strictObject({
  file: z.string(),
  line: z.int().describe("Line of the rule's body that spoke."),
  values: z
    .record(z.string(), z.string())
    .describe("Rego values by the names they have in the body, cut to 400 characters."),
});

export const policyEvalSchema = z.strictObject({
  apiVersion,
  kind: z.literal("PolicyEval"),
  authority: z.literal("preview").describe("Nothing is logged or released by it."),
  verdict: z.enum(["allow", "deny", "wait", "error"]),
  exitCode,
  policies: z.strictObject({ folder: z.string(), digest: sha256, rules: z.int() }),
  target: z.string().nullable(),
  resources: z.array(z.string()).describe("What the files hold, as Kind/namespace/name."),
  findings: z.array(
    spokenSchema.extend({
      explanation: z.array(explanationOfFindingSchema).nullable().describe("null unless asked for with --explain."),
    }),
  ),
  reasons: z.array(reasonSchema),
  rulesExpected: z.int(),
  rulesEvaluated: z.int(),
  notAsked: z.array(z.string()).describe("Rules about changes: files are no change."),
  unruled: z.array(z.string()),
  notEvaluated: z.array(z.strictObject({ what: z.string(), code, message: z.string() })),
});

export type VerificationReport = z.infer<typeof verificationSchema>;
export type VerifyReport = z.infer<typeof verifySchema>;
export type DoctorReport = z.infer<typeof doctorSchema>;
export type ConfigCheckReport = z.infer<typeof configCheckSchema>;
export type TrustCheckReport = z.infer<typeof trustCheckSchema>;
export type KeygenReport = z.infer<typeof keygenSchema>;
export type InitReport = z.infer<typeof initSchema>;
export type Explanation = z.infer<typeof explanationSchema>;
export type ExplainReport = z.infer<typeof explainSchema>;
export type PolicyBuildReport = z.infer<typeof policyBuildSchema>;
export type PolicyCheckReport = z.infer<typeof policyCheckSchema>;
export type PolicyTestReport = z.infer<typeof policyTestSchema>;
export type PolicyEvalReport = z.infer<typeof policyEvalSchema>;

/** By the name of the file in docs/reference/schemas: `verify.schema.json`. */
export const REPORT_SCHEMAS: Readonly<Record<string, { readonly title: string; readonly schema: z.ZodType }>> = {
  ...CHAIN_SCHEMAS,
  ...PEOPLE_SCHEMAS,
  "config-check": { title: "Output of `sluice config check --format json`", schema: configCheckSchema },
  coverage: { title: "Output of `sluice check --coverage --format json`", schema: coverageSchema },
  doctor: { title: "Output of `sluice doctor --format json`", schema: doctorSchema },
  explain: { title: "Output of `sluice explain --format json`", schema: explainSchema },
  init: { title: "Output of `sluice init --format json`", schema: initSchema },
  keygen: { title: "Output of `sluice keygen --format json`", schema: keygenSchema },
  "log-entry": { title: "One line of `sluice log list --format ndjson`", schema: entryLineSchema },
  "log-redact": { title: "Output of `sluice log redact --format json`", schema: redactionSchema },
  "log-reconcile": { title: "Output of `sluice log reconcile --format json`", schema: reconciliationSchema },
  "policy-build": { title: "Output of `sluice policy build --format json`", schema: policyBuildSchema },
  "policy-check": { title: "Output of `sluice policy check --format json`", schema: policyCheckSchema },
  "policy-eval": { title: "Output of `sluice policy eval --format json`", schema: policyEvalSchema },
  ...POLICY_TOOL_SCHEMAS,
  "policy-new": { title: "Output of `sluice policy new --format json`", schema: policyNewSchema },
  "policy-verify": { title: "Output of `sluice policy verify --format json`", schema: policyVerifySchema },
  "policy-test": { title: "Output of `sluice policy test --format json`", schema: policyTestSchema },
  "trust-check": { title: "Output of `sluice trust check --format json`", schema: trustCheckSchema },
  "trust-import": { title: "Output of `sluice trust import --format json`", schema: trustImportSchema },
  "trust-list": { title: "Output of `sluice trust list --format json`", schema: trustListSchema },
  "trust-request": { title: "Output of `sluice trust request --format json`", schema: trustRequestSchema },
  tag: { title: "One line of `sluice verify --tags --format ndjson`", schema: tagSchema },
  verification: { title: "One line of `sluice verify --format ndjson`", schema: verificationSchema },
  verify: { title: "Output of `sluice verify --format json`", schema: verifySchema },
  "token-new": { title: "Output of `sluice token new --format json`", schema: tokenNewSchema },
  "waiver-new": { title: "Output of `sluice waiver new --format json`", schema: waiverNewSchema },
  replay: { title: "Output of `sluice replay --format json`", schema: replaySchema },
  "verify-tags": { title: "Output of `sluice verify --tags --format json`", schema: verifyTagsSchema },
};
