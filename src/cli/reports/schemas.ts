/**
 * The JSON that commands print, as schemas: the JSON Schemas in docs/reference/schemas are written from here, and tests
 * hold real output against them. Keys are always there, absent values are null, arrays are always there.
 */
import { z } from "zod";

const apiVersion = z.literal("sluice/v1");
const exitCode = z.int().min(0).max(5).describe("What the process exits with.");
const time = z.iso.datetime({ precision: 3 }).describe("RFC 3339, UTC, milliseconds.");
const commit = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const code = z.string().regex(/^[a-z][a-z0-9-]*$/);
const signerClass = z.enum(["person", "robot", "forge"]);

export const signerSchema = z.strictObject({
  person: z.string().describe("Id in the trust: of the person, robot or forge."),
  class: signerClass,
  key: z.string().describe("SHA256:... for SSH, 40 hexadecimal digits of the primary key for OpenPGP."),
  roles: z.array(z.string()),
  hardware: z.strictObject({ touch: z.boolean(), pin: z.boolean() }).nullable(),
});

/** Also the shape of one line of `verify --format ndjson`. */
export const verificationSchema = z.strictObject({
  commit,
  kind: z.enum(["verified", "rejected"]),
  reason: code.nullable().describe("Why it is rejected; null when verified. `sluice explain REASON` says more."),
  detail: z.string().nullable().describe("One sentence with the particulars; null when verified."),
  format: z.enum(["openpgp", "ssh", "x509"]).nullable().describe("null for an unsigned or malformed commit."),
  signer: signerSchema
    .nullable()
    .describe("Who signed; on a rejected commit who it would be, where the mathematics is right."),
  timeBasis: z.enum(["now", "given"]).describe("given: trust was looked at as of --at, which is for information only."),
  payloadSha256: sha256.nullable().describe("SHA-256 of the bytes that were signed."),
});

export const verifySchema = z.strictObject({
  apiVersion,
  kind: z.literal("Verify"),
  authority: z.literal("preview").describe("Nothing is logged or released by it."),
  exitCode,
  repository: z.string().describe("Folder of the repository as found."),
  base: commit.nullable().describe("Commits reachable from it are not looked at; null with --all and for one commit."),
  head: commit,
  trust: z.strictObject({
    path: z.string(),
    kind: z.enum(["folder", "allowed_signers", "keyring"]),
    digest: sha256,
  }),
  at: time.describe("Instant at which the trust was looked at."),
  informational: z.boolean().describe("True with --at: what would have been said then, not what is said now."),
  counts: z.strictObject({ commits: z.int(), verified: z.int(), rejected: z.int() }),
  verifications: z.array(verificationSchema).describe("Parents before children."),
});

export const remarkSchema = z.strictObject({
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

const keySchema = z.strictObject({
  fingerprint: z.string(),
  format: z.enum(["ssh", "openpgp"]),
  isUsable: z.boolean().describe("Whether a signature of it counts at that time."),
  reason: code.nullable().describe("Why it does not count."),
  expiresOn: z.iso.date().nullable().describe("Day within the next 30 on which it stops counting."),
});

const ownerSchema = z.strictObject({
  id: z.string(),
  class: signerClass,
  emails: z.array(z.string()),
  roles: z.array(z.string()),
  may: z.array(z.string()).describe("Kinds of change for robots, what a forge's key may carry for forges."),
  left: time.nullable(),
  keys: z.array(keySchema),
});

export const trustListSchema = z.strictObject({
  apiVersion,
  kind: z.literal("TrustList"),
  exitCode,
  path: z.string(),
  digest: sha256,
  at: time,
  owners: z.array(ownerSchema).describe("People, then robots, then forges, each sorted by id."),
  change: z
    .strictObject({ count: z.int(), roles: z.array(z.string()) })
    .nullable()
    .describe("Who may change governance files; null: one other person."),
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
  use: z.enum(["log", "release", "agent"]),
  name: z.string(),
  file: z.string().describe("Where the private key was written, mode 0600."),
  verifierKey: z.string().describe("The public half, to hand out: name+hash+base64."),
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

export type SignerReport = z.infer<typeof signerSchema>;
export type VerificationReport = z.infer<typeof verificationSchema>;
export type VerifyReport = z.infer<typeof verifySchema>;
export type DoctorReport = z.infer<typeof doctorSchema>;
export type ConfigCheckReport = z.infer<typeof configCheckSchema>;
export type OwnerReport = z.infer<typeof ownerSchema>;
export type KeyReport = z.infer<typeof keySchema>;
export type TrustListReport = z.infer<typeof trustListSchema>;
export type TrustCheckReport = z.infer<typeof trustCheckSchema>;
export type KeygenReport = z.infer<typeof keygenSchema>;
export type Explanation = z.infer<typeof explanationSchema>;
export type ExplainReport = z.infer<typeof explainSchema>;

/** By the name of the file in docs/reference/schemas: `verify.schema.json`. */
export const REPORT_SCHEMAS: Readonly<Record<string, { readonly title: string; readonly schema: z.ZodType }>> = {
  "config-check": { title: "Output of `sluice config check --format json`", schema: configCheckSchema },
  doctor: { title: "Output of `sluice doctor --format json`", schema: doctorSchema },
  explain: { title: "Output of `sluice explain --format json`", schema: explainSchema },
  keygen: { title: "Output of `sluice keygen --format json`", schema: keygenSchema },
  "trust-check": { title: "Output of `sluice trust check --format json`", schema: trustCheckSchema },
  "trust-list": { title: "Output of `sluice trust list --format json`", schema: trustListSchema },
  verification: { title: "One line of `sluice verify --format ndjson`", schema: verificationSchema },
  verify: { title: "Output of `sluice verify --format json`", schema: verifySchema },
};
