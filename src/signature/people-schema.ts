/** `people.yaml` of the trust folder (FORMS "Trust"): who owns which key. The schema is exported for editors. */
import * as z from "zod";
import { parseTime } from "../lib/time.ts";
import { asciiLower } from "./email.ts";

const MAXIMUM_OWNERS = 20_000;

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "is a short name of letters, digits, dots and dashes");
const time = z
  .string()
  .refine(
    (text) => parseTime(text) !== null,
    "is a day such as 2026-01-31 or a time in UTC such as 2026-01-31T10:00:00Z",
  )
  .describe("A day (its first instant, UTC) or an RFC 3339 time that ends in Z.");
const email = z
  .string()
  .max(320)
  .regex(/^[^\s@<>]+@[^\s@<>]+$/, "is one e-mail address")
  .describe("Compared exactly, upper and lower case alike.");
const role = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "is a short name of letters, digits, dots and dashes");

const revoked = z.strictObject({
  at: time.describe("When the key was lost or replaced."),
  reason: z
    .enum(["compromised", "superseded", "retired"])
    .describe(
      "compromised: everything the key ever signed is refused; the others: only what is received from then on.",
    ),
});

/** A key that counts at no time was meant to count at some. */
function isStretch({ from, until }: { readonly from?: string | undefined; readonly until?: string | undefined }) {
  return from === undefined || until === undefined || Number(parseTime(from)) < Number(parseTime(until));
}
const EMPTY_STRETCH = { path: ["until"], message: "is later than from" };

const keyTerms = z
  .strictObject({
    file: z
      .string()
      .max(1024)
      .optional()
      .describe("Public key file inside the trust folder, armoured OpenPGP or one SSH line."),
    ssh: z.string().max(16_384).optional().describe("Public SSH key line."),
    from: time.optional().describe("The key counts from this instant on."),
    until: time.optional().describe("The key counts until just before this instant."),
    revoked: revoked.optional().describe("The key was taken away; its place here keeps old signatures named."),
    touch: z.boolean().optional().describe("Only signatures that prove a touch of the security key."),
    sha1Until: time
      .optional()
      .describe(
        "OpenPGP: of this key's signatures over SHA-1 (commits and tags) those count that were made before this instant.",
      ),
  })
  .refine(({ ssh, sha1Until }) => ssh === undefined || sha1Until === undefined, "has sha1Until for an OpenPGP key only")
  .refine((key) => (key.file === undefined) !== (key.ssh === undefined), "has either file or ssh")
  .refine(isStretch, EMPTY_STRETCH);

const key = z.union([
  z.string().min(1).max(16_384).describe("Public SSH key line, or the path of a key file inside the trust folder."),
  keyTerms,
]);
const keys = z.array(key).max(200);
const emails = z.array(email).min(1).max(100);
const accounts = z.record(z.string(), z.string().min(1)).describe("Forge name to account name.");

const person = z.strictObject({
  email: emails.describe("Addresses in commits that are this person's."),
  accounts: accounts.optional(),
  roles: z.array(role).optional().describe("What approval rules and policies ask for."),
  keys: keys.describe("Public keys, of any kinds."),
  left: time
    .optional()
    .describe("Nothing received from this instant on verifies; older signatures still show the name."),
});

const robot = z.strictObject({
  forge: id
    .optional()
    .describe("The forge whose key signs this robot's commits, for robots without a key of their own."),
  email: emails.describe("Addresses in commits that are this robot's."),
  may: z
    .array(
      z.enum([
        "application-configuration",
        "image",
        "cluster-configuration",
        "environment-fix",
        "new-infrastructure",
        "environment-update",
      ]),
    )
    .describe("The kinds of change that it may make; it never approves."),
  keys: keys.optional().describe("Public keys of the robot's own."),
});

const forge = z.strictObject({
  keys: keys.min(1).describe("The keys with which the forge signs what it commits for its users."),
  may: z.array(z.enum(["squash", "merge", "rebase", "edit"])).describe("What its key may carry; it is never a person."),
});

const sshAuthority = z
  .strictObject({
    ssh: z.string().max(16_384).describe("Public SSH key line of the authority that signs user certificates."),
    email: z
      .array(
        z
          .string()
          .max(320)
          .regex(/^!?[^\s,"]+$/, "is an address, with * and ? for any characters and ! to exclude"),
      )
      .min(1)
      .max(100)
      .describe("The principals that it may certify; each means the person or robot with that address."),
    from: time.optional().describe("The authority counts from this instant on."),
    until: time.optional().describe("The authority counts until just before this instant."),
    touch: z.boolean().optional().describe("Only signatures that prove a touch of the security key."),
    revocations: z
      .string()
      .max(1024)
      .optional()
      .describe("File inside the trust folder with revoked public keys, one a line; a KRL is not supported."),
  })
  .refine(isStretch, EMPTY_STRETCH);
const file = z.string().min(1).max(1024);
const issuer = z
  .string()
  .max(1024)
  .regex(/^[!-)+-~]+$/, "is the identity provider's whole name, without `*`")
  .describe("URL of the identity provider, as its certificates have it, compared exactly.");
const identity = z
  .strictObject({
    issuer,
    email: email.optional().describe("E-mail address that the provider vouched for."),
    uri: z
      .string()
      .max(1024)
      .regex(/^[!-)+-~]+$/, "is a whole URI, without `*`")
      .optional()
      .describe("URI that the provider vouched for, compared exactly."),
    pattern: z
      .string()
      .max(1024)
      .regex(/^https:\/\/[!-)+-.0-~]+\/[!-~]+$/, "is a URI that begins with https:// and a whole host name")
      .optional()
      .describe("The whole URI, in which each * stands for characters other than /."),
    person: id.optional().describe("Whose it is: an id under people."),
    robot: id.optional().describe("Whose it is: an id under robots."),
  })
  .refine(
    ({ email, uri, pattern }) => [email, uri, pattern].filter((one) => one !== undefined).length === 1,
    "has one of email, uri and pattern",
  )
  .refine(({ person, robot }) => (person === undefined) !== (robot === undefined), "has either person or robot");

/** A certificate authority of one's own. */
const companyAuthority = z.strictObject({
  certificate: file.describe("Certificates of the authority (PEM) inside the trust folder; each is trusted."),
  intermediates: file
    .optional()
    .describe("Certificates between the authority and the signers, where signatures do not carry them."),
  email: z
    .array(
      z
        .string()
        .max(320)
        .regex(/^(?:\*|[^\s@<>*]+)@[^\s@<>*]+$/, "is one e-mail address, or *@ and a domain"),
    )
    .min(1)
    .max(100)
    .describe("Addresses for which it may speak; each means the person or robot with that address."),
  revocations: z
    .union([file, z.array(file).min(1).max(20)])
    .optional()
    .describe("Revocation lists (PEM or DER); every certificate must then be covered by a current one."),
});
/** A Sigstore instance, whose Fulcio issues certificates for identities. */
const fulcioAuthority = z.strictObject({
  root: file.describe("public-good, or a trusted_root.json inside the trust folder."),
  identities: z.array(identity).max(5000).describe("Whose certificates of that instance count."),
});

export const peopleSchema = z
  .strictObject({
    change: z
      .strictObject({
        count: z.int().min(1).max(20).describe("How many other people approve a change of governance files."),
        roles: z.array(role).default([]).describe("One of them has each of these roles."),
      })
      .optional()
      .describe("Who may change this folder and the other files that judge."),
    people: z.record(id, person).describe("Human beings."),
    robots: z.record(id, robot).optional().describe("Automations that commit."),
    forges: z.record(id, forge).optional().describe("Forges that sign merges for their users."),
    authorities: z
      .record(id, z.union([sshAuthority, companyAuthority, fulcioAuthority]))
      .optional()
      .describe("Who may say by certificates whose a key is."),
    sha1Until: time
      .optional()
      .describe(
        "OpenPGP signatures of commits and tags over SHA-1 count where they were made before this instant, for old history; a key may have an instant of its own.",
      ),
  })
  .superRefine((document, context) => {
    for (const { path, message } of contradictions(document)) context.addIssue({ code: "custom", path, message });
  });

export type PeopleYaml = z.infer<typeof peopleSchema>;
export type KeyYaml = z.infer<typeof key>;
export type SshAuthorityYaml = z.infer<typeof sshAuthority>;
export type CompanyAuthorityYaml = z.infer<typeof companyAuthority>;
export type FulcioAuthorityYaml = z.infer<typeof fulcioAuthority>;

interface Contradiction {
  readonly path: (string | number)[];
  readonly message: string;
}

type Section = "people" | "robots" | "forges";

/** What one entry alone cannot show: ids, addresses and accounts that two owners claim, and forges that are not listed. */
function contradictions(document: {
  readonly people: Readonly<Record<string, Pick<z.infer<typeof person>, "email" | "accounts">>>;
  readonly robots?: Readonly<Record<string, Pick<z.infer<typeof robot>, "email" | "forge">>> | undefined;
  readonly forges?: Readonly<Record<string, unknown>> | undefined;
}): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const claimed = new Map<string, string>();
  const claim = (what: string, owner: string, path: (string | number)[]): void => {
    const earlier = claimed.get(what);
    if (earlier !== undefined) found.push({ path, message: `${what} is already ${earlier}'s` });
    else claimed.set(what, owner);
  };
  const { people, robots = {}, forges = {} } = document;
  const sections: readonly [Section, readonly string[]][] = [
    ["people", Object.keys(people)],
    ["robots", Object.keys(robots)],
    ["forges", Object.keys(forges)],
  ];
  for (const [section, ids] of sections) for (const one of ids) claim(`the id ${one}`, section, [section, one]);
  if (claimed.size > MAXIMUM_OWNERS) found.push({ path: ["people"], message: "more than 20,000 owners are listed" });
  for (const [one, entry] of Object.entries(people)) {
    for (const [index, text] of entry.email.entries()) claim(asciiLower(text), one, ["people", one, "email", index]);
    for (const [name, account] of Object.entries(entry.accounts ?? {})) {
      claim(`the account ${account} on ${name}`, one, ["people", one, "accounts", name]);
    }
  }
  for (const [one, entry] of Object.entries(robots)) {
    for (const [index, text] of entry.email.entries()) claim(asciiLower(text), one, ["robots", one, "email", index]);
    if (entry.forge !== undefined && !Object.hasOwn(forges, entry.forge)) {
      found.push({ path: ["robots", one, "forge"], message: `${entry.forge} is not listed under forges` });
    }
  }
  return found;
}
