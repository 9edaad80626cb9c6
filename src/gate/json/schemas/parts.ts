/** What the JSON of several commands has in common. Keys are always there, absent values are null, arrays are always there. */
import * as z from "zod";

export const apiVersion = z.literal("sluice/v1");
export const exitCode = z.int().min(0).max(5).describe("What the process exits with.");
export const time = z.iso.datetime({ precision: 3 }).describe("RFC 3339, UTC, milliseconds.");
export const commit = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const code = z.string().regex(/^[a-z][a-z0-9-]*$/);
export const signerClass = z.enum(["person", "robot", "forge"]);
export const verdict = z.enum(["allow", "deny", "wait", "error"]);
export const name = z.string().min(1);
export const count = z.int().min(0);
export const ulid = z.string().regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
export const leafHash = z.base64().length(44).describe("SHA-256 of the leaf, base64.");
export const index = z.int().min(0).describe("Place in the log, from 0.");

export const signerSchema = z.strictObject({
  person: z.string().describe("Id in the trust: of the person, robot or forge."),
  class: signerClass,
  key: z.string().describe("SHA256:... for SSH, 40 hexadecimal digits of the primary key for OpenPGP."),
  roles: z.array(z.string()),
  hardware: z.strictObject({ touch: z.boolean(), pin: z.boolean() }).nullable(),
});

/** A commit's signature as a decision saw it. */
export const judgedVerificationSchema = z.strictObject({
  commit,
  kind: z.enum(["verified", "rejected"]),
  reason: code.nullable().describe("Why it is rejected; null when verified. `sluice explain REASON` says more."),
  detail: z.string().nullable().describe("One sentence with the particulars; null when verified."),
  format: z.enum(["openpgp", "ssh", "x509"]).nullable().describe("null for an unsigned or malformed commit."),
  signer: signerSchema
    .nullable()
    .describe("Who signed; on a rejected commit who it would be, where the mathematics is right."),
  timeBasis: z.enum(["receipt", "now"]).describe("receipt: trust was looked at as of when the gate first saw it."),
});

export const reasonSchema = z.strictObject({ code, message: z.string(), fix: z.string().nullable() });

export const approvalRuleSchema = z.strictObject({
  count: count.describe("How many distinct people."),
  roles: z.array(z.string()).describe("One of the people has each of these roles. Sorted."),
  accept: z.array(z.enum(["signed", "forge"])),
  bind: z.enum(["tree", "change"]),
});

export const givenApprovalSchema = z.strictObject({
  person: name,
  roles: z.array(z.string()),
  at: time.describe("When it was counted."),
  via: z.enum(["signature", "forge"]),
  key: z.string(),
  envelope: sha256.describe("SHA-256 of the approval: its name below refs/sluice/approvals/."),
});

export const waiverSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  rule: name,
  resource: name,
  owner: name,
  until: z.iso.date(),
  ticket: z.string().nullable(),
});

export const carriedSchema = z
  .strictObject({
    proposal: ulid.describe("Id of the decision whose verdict is carried."),
    index,
    how: z.enum(["squash", "merge", "rebase", "rollback"]),
  })
  .nullable();

export const emergencySchema = z
  .array(
    z.strictObject({
      person: name,
      reason: z.string(),
      ticket: z.string().nullable(),
      index: index.describe("Log entry of the word."),
    }),
  )
  .nullable()
  .describe("Operators who stood in for approvals and findings, in the order in which they said so; null elsewhere.");

export const reviewSchema = z.strictObject({
  target: name,
  entry: index.describe("The decision by which one operator alone released; the operator's word where it has none."),
  commit,
  operator: name.nullable().describe("Who did; null where it was erased."),
  due: time.nullable().describe("Until when another person reviews it; null where it was erased."),
  state: z.enum(["due", "overdue", "accepted", "contested"]),
  review: z
    .strictObject({ index, at: time, by: name.nullable(), reason: z.string().nullable() })
    .nullable()
    .describe("null until it is reviewed; names and words are null where they were erased."),
});

export const digestsSchema = z.strictObject({
  policies: sha256.nullable(),
  trust: sha256.nullable(),
  configuration: sha256.nullable(),
  waivers: sha256.nullable(),
  manifests: sha256.nullable().describe("Of all objects: what a release would carry."),
  input: sha256.nullable().describe("Of all documents that policies saw."),
});

/** What a rule said of a document, and where. */
export const spokenSchema = z.strictObject({
  rule: name,
  policy: name.describe("Package of the policy."),
  kind: z.enum(["deny", "warn", "ask"]),
  level: z.enum(["low", "medium", "high", "critical"]),
  message: z.string(),
  fix: z.string().nullable(),
  resource: z
    .strictObject({
      group: z.string().describe("Empty for the core group."),
      version: name,
      kind: name,
      namespace: z.string().describe("Empty for a cluster-scoped object."),
      name,
    })
    .nullable()
    .describe("null for a rule about the change."),
  position: z
    .strictObject({
      file: name,
      line: z.int().min(1),
      column: z.int().min(1),
      exact: z.boolean().describe("False where the named field is absent and its nearest parent is shown."),
    })
    .nullable(),
});
