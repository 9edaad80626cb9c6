/**
 * The published attacks on signed commits and tags, and what Sluice and its peers say of each. `docs/reference/attacks.md`
 * is written from here (scripts/write-reference.ts); table.test.ts makes every case and holds it to its verdict, ours and
 * those of the tools that it runs. No code here: the makers are in cases.ts.
 */

/** Tools that the test runs, in the versions whose verdicts stand in the page. */
export const RAN = { git: "2.39.5", gpg: "2.2.40", "ssh-keygen": "9.2p1" } as const;

export interface AttackCase {
  /** Name of its maker in cases.ts. */
  readonly id: string;
  readonly name: string;
  /** A reason, or `verified` where this form is no attack, or the code of the refusal. */
  readonly verdict: string;
  /** What the tools say that the test runs: verify-commit, verify-tag, --verify, -Y verify. */
  readonly ran?: Readonly<Partial<Record<keyof typeof RAN, "accepts" | "rejects">>>;
}

/** A case that another test makes: the file must hold the text. */
export interface CaseElsewhere {
  readonly name: string;
  readonly verdict: string;
  readonly file: string;
  readonly text: string;
}

export interface AttackRow {
  readonly number: number;
  readonly title: string;
  readonly origin: string;
  readonly cases: readonly AttackCase[];
  readonly elsewhere?: readonly CaseElsewhere[];
  /** What other tools do, by reading their sources or documentation. */
  readonly byReading?: readonly { readonly tool: string; readonly verdict: string }[];
  /** What is not covered, said plainly. */
  readonly limit?: string;
}

const X509 = "test/signature/x509-attacks.test.ts";
const FULCIO = "test/signature/x509-fulcio.test.ts";

export const ROWS: readonly AttackRow[] = [
  {
    number: 1,
    title: "A second `tree` header, and the signature over both",
    origin: "CVE-2026-44309 (gitsign), CVE-2026-45022 (go-git)",
    cases: [
      { id: "two-trees", name: "second tree after the first", verdict: "malformed-commit", ran: { git: "accepts" } },
      { id: "late-tree", name: "second tree at the end", verdict: "malformed-commit", ran: { git: "accepts" } },
    ],
    byReading: [
      { tool: "gitsign before 0.16", verdict: "verified one tree and showed the other" },
      { tool: "Flux (go-git 5)", verdict: "encodes the object anew before it verifies" },
    ],
  },
  {
    number: 2,
    title: "A CMS signature without certificates",
    origin: "CVE-2026-44310 (gitsign)",
    cases: [],
    elsewhere: [
      {
        name: "no certificate",
        verdict: "malformed-signature",
        file: X509,
        text: "no certificate at all (CVE-2026-44310)",
      },
    ],
    byReading: [{ tool: "gitsign before the fix", verdict: "crashed" }],
  },
  {
    number: 3,
    title: "A transparency log's entry of another commit",
    origin: "GO-2024-3252, GO-2023-2332 (gitsign)",
    cases: [],
    elsewhere: [
      {
        name: "entry of another signature",
        verdict: "bad-log-entry",
        file: FULCIO,
        text: "the entry of another signature (GO-2024-3252)",
      },
      { name: "a log that nobody listed", verdict: "bad-log-entry", file: FULCIO, text: "a log that nobody listed" },
    ],
    byReading: [
      {
        tool: "gitsign before the fixes",
        verdict: "took the entry of another commit, and the log's keys from its server",
      },
    ],
  },
  {
    number: 4,
    title: "An inline-signed message, or data beside the signature",
    origin: "CVE-2025-47934 (OpenPGP.js)",
    cases: [
      { id: "inline", name: "inline-signed message", verdict: "malformed-signature", ran: { git: "rejects" } },
      {
        id: "inline-armour",
        name: "the same in the armour of a signature",
        verdict: "malformed-signature",
        ran: { git: "rejects" },
      },
      {
        id: "literal",
        name: "a literal data packet behind the signature",
        verdict: "malformed-signature",
        ran: { git: "rejects" },
      },
    ],
    byReading: [{ tool: "OpenPGP.js before 5.11.3 and 6.1.1", verdict: "verified other data than it returned" }],
  },
  {
    number: 5,
    title: "Two signatures",
    origin: "git gpg-interface.c; gittuf",
    cases: [
      {
        id: "two-packets",
        name: "a good and a bad one in one block",
        verdict: "ambiguous-signature",
        ran: { git: "rejects" },
      },
      { id: "two-armours", name: "two blocks in one header", verdict: "ambiguous-signature", ran: { git: "rejects" } },
      { id: "two-headers", name: "two headers", verdict: "ambiguous-signature", ran: { git: "accepts" } },
    ],
  },
  {
    number: 6,
    title: "A message forged behind a line that looks like the end of the signature",
    origin: "measured on isomorphic-git's `payload`",
    cases: [
      { id: "look-alike-end", name: "END line in the message", verdict: "bad-signature", ran: { git: "rejects" } },
    ],
    byReading: [{ tool: "isomorphic-git with OpenPGP.js", verdict: "accepts the forged message" }],
  },
  {
    number: 7,
    title: "Another object under the same signature",
    origin: "measured on git",
    cases: [
      {
        id: "gpgsigx",
        name: "a header that begins like gpgsig",
        verdict: "ambiguous-signature",
        ran: { git: "accepts" },
      },
      {
        id: "other-hash",
        name: "junk as the signature of the other hash",
        verdict: "ambiguous-signature",
        ran: { git: "accepts" },
      },
      {
        id: "after-end",
        name: "text after the end of the signature",
        verdict: "malformed-signature",
        ran: { git: "accepts" },
      },
      {
        id: "reserved",
        name: "the reserved field filled",
        verdict: "malformed-signature",
        ran: { git: "accepts", "ssh-keygen": "accepts" },
      },
      {
        id: "repeated-header",
        name: "gpgsig repeated on every line",
        verdict: "ambiguous-signature",
        ran: { git: "accepts" },
      },
    ],
  },
  {
    number: 8,
    title: "Status lines of GnuPG forged by a notation or a file name (SigSpoof)",
    origin: "CVE-2018-12020",
    cases: [
      {
        id: "sigspoof",
        name: "a stranger's signature with such a notation",
        verdict: "unknown-signer",
        ran: { gpg: "rejects" },
      },
    ],
    limit: "No program's output is read: the form does not exist here.",
  },
  {
    number: 9,
    title: "Damaged armour",
    origin: "CVE-2025-68972, CVE-2025-68973 (GnuPG)",
    cases: [
      { id: "form-feed", name: "a form feed for the empty line", verdict: "malformed-signature" },
      { id: "long-line", name: "a line of 70,000 characters", verdict: "malformed-signature", ran: { git: "rejects" } },
      { id: "checksum", name: "a wrong checksum", verdict: "malformed-signature", ran: { git: "rejects" } },
    ],
  },
  {
    number: 10,
    title: "Signatures over SHA-1",
    origin: "SHAttered, Shambles; Bitcoin's gpg.sh",
    cases: [
      { id: "sha1", name: "today", verdict: "weak-algorithm", ran: { git: "accepts", gpg: "accepts" } },
      {
        id: "sha1-allowed",
        name: "made before the day that the trust folder states",
        verdict: "verified",
        ran: { gpg: "accepts" },
      },
      {
        id: "sha1-late",
        name: "made on that day or later",
        verdict: "weak-algorithm",
        ran: { gpg: "accepts" },
      },
      {
        id: "sha1-other",
        name: "made before that day, by a key whose own day was earlier",
        verdict: "weak-algorithm",
        ran: { gpg: "accepts" },
      },
      {
        id: "sha1-certified",
        name: "by a key that is not listed, certified over SHA-1 by one that is",
        verdict: "unknown-signer",
        ran: { gpg: "accepts" },
      },
    ],
    byReading: [{ tool: "OpenPGP.js", verdict: "rejects all, also the old history of Monero and Bitcoin" }],
    limit:
      "No library here looks for the marks of a collision while it computes SHA-1. What the allowance rests on is the day: whoever looks for a collision needs the owner to sign one half of it, and the time that the owner wrote is in what is signed.",
  },
  {
    number: 11,
    title: "A key that may not sign",
    origin: "RFC 9580",
    cases: [
      { id: "no-back-signature", name: "subkey without back-signature", verdict: "key-not-for-signing" },
      { id: "certify-only", name: "primary key without the flag for signing", verdict: "key-not-for-signing" },
    ],
    elsewhere: [
      {
        name: "another's subkey adopted",
        verdict: "key-not-for-signing",
        file: "test/signature/openpgp.test.ts",
        text: "refuses another's signing subkey that was put under one's own primary key",
      },
    ],
    byReading: [{ tool: "GnuPG", verdict: "rejects a subkey without back-signature (--require-cross-certification)" }],
  },
  {
    number: 12,
    title: "A revoked key",
    origin: "RFC 9580",
    cases: [
      {
        id: "compromised",
        name: "compromised, signed and received before",
        verdict: "key-revoked",
        ran: { gpg: "rejects" },
      },
      { id: "superseded-before", name: "superseded, received before", verdict: "verified", ran: { gpg: "rejects" } },
      { id: "superseded-after", name: "superseded, received after", verdict: "key-revoked", ran: { gpg: "rejects" } },
    ],
    elsewhere: [
      {
        name: "an older copy of the certificate beside the revoked one",
        verdict: "key-revoked",
        file: "test/signature/openpgp.test.ts",
        text: "an older copy of a certificate revives nothing that a newer one beside it revokes",
      },
    ],
  },
  {
    number: 13,
    title: "A back-dated commit by an expired key",
    origin: "measured on git",
    cases: [
      {
        id: "back-dated",
        name: "dates of the commit inside the key's time",
        verdict: "time-not-proven",
        ran: { git: "accepts" },
      },
    ],
  },
  {
    number: 14,
    title: "Fields of an SSH signature",
    origin: "OpenSSH sshsig.c",
    cases: [
      { id: "namespace", name: "namespace file", verdict: "wrong-namespace", ran: { git: "rejects" } },
      { id: "version", name: "version 2", verdict: "malformed-signature", ran: { git: "rejects" } },
      { id: "ssh-rsa", name: "type ssh-rsa (SHA-1)", verdict: "weak-algorithm", ran: { git: "rejects" } },
      { id: "trailing", name: "bytes left over", verdict: "malformed-signature", ran: { git: "rejects" } },
      {
        id: "mixed-type",
        name: "signature of another type than the key",
        verdict: "malformed-signature",
        ran: { git: "rejects" },
      },
      { id: "untouched", name: "security key, not touched", verdict: "verified", ran: { git: "accepts" } },
      { id: "untouched-required", name: "security key, not touched, where touch is asked", verdict: "touch-required" },
    ],
  },
  {
    number: 15,
    title: "allowed_signers read in two ways",
    origin: "measured on git; OpenSSH sshsig.c",
    cases: [
      { id: "zone", name: "a time without zone, read in three zones", verdict: "same verdict" },
      {
        id: "unknown-option",
        name: "an unknown option",
        verdict: "allowed-signers-invalid",
        ran: { "ssh-keygen": "rejects" },
      },
      { id: "negated", name: "an excluded principal", verdict: "rejected", ran: { "ssh-keygen": "rejects" } },
      {
        id: "ca-plain",
        name: "an authority's line for a plain key",
        verdict: "unknown-signer",
        ran: { "ssh-keygen": "rejects" },
      },
    ],
  },
  {
    number: 16,
    title: "A configured list of revoked keys that is not there",
    origin: "measured on git",
    cases: [
      { id: "revocations-missing", name: "plain list missing", verdict: "trust-file-missing", ran: { git: "accepts" } },
      { id: "krl", name: "a binary KRL", verdict: "not-supported" },
    ],
  },
  {
    number: 17,
    title: "An unknown SSH key, which git's letter U hides among valid ones",
    origin: "measured on git",
    cases: [{ id: "unknown", name: "a key that nobody owns", verdict: "unknown-signer", ran: { git: "rejects" } }],
    byReading: [{ tool: "tools that take %G? = U", verdict: "accept every SSH key" }],
  },
  {
    number: 18,
    title: "Somebody else's name over one's own valid signature",
    origin: "measured on git",
    cases: [
      { id: "ceo", name: "author and committer are the CEO", verdict: "signer-mismatch", ran: { git: "accepts" } },
    ],
    byReading: [
      { tool: "Flux, Argo CD, gittuf, guix, Gitea (default)", verdict: "accept" },
      { tool: "GitHub, GitLab", verdict: "bind the committer only" },
    ],
  },
  {
    number: 19,
    title: "Another history than the one that was pushed",
    origin: "measured on git",
    cases: [
      {
        id: "replace",
        name: "a replace reference over an unsigned commit",
        verdict: "unsigned-commit",
        ran: { git: "accepts" },
      },
    ],
    elsewhere: [
      {
        name: "grafts",
        verdict: "ignored",
        file: "test/git/preview.test.ts",
        text: "replace references and grafts are ignored",
      },
      {
        name: "a shallow boundary",
        verdict: "shallow-clone",
        file: "test/git/source.test.ts",
        text: "a shallow clone is refused",
      },
      {
        name: "borrowed objects, at a gate",
        verdict: "alternates-refused",
        file: "test/git/gate.test.ts",
        text: "borrowed objects and shallow clones are refused by a gate",
      },
    ],
  },
  {
    number: 20,
    title: "A repository that configures the program which verifies",
    origin: "git configuration gpg.program, gpg.ssh.program",
    cases: [
      {
        id: "program",
        name: "gpg.ssh.program in the judged repository",
        verdict: "never executed",
        ran: { git: "accepts" },
      },
    ],
    elsewhere: [
      {
        name: "every other setting that executes",
        verdict: "never executed",
        file: "test/git/canary.test.ts",
        text: "no canary sings when a gate fetches and reads the repository",
      },
    ],
  },
  {
    number: 21,
    title: "Tags",
    origin: "measured on git; git's own v1.0.1",
    cases: [
      { id: "tag-name", name: "signed v1.0 under the name v9.9", verdict: "tag-mismatch", ran: { git: "accepts" } },
      { id: "tag-of-tag", name: "signed over an unsigned tag", verdict: "tag-target", ran: { git: "accepts" } },
      { id: "tag-of-tree", name: "signed over a tree", verdict: "tag-target", ran: { git: "accepts" } },
      {
        id: "tag-of-unsigned",
        name: "signed over an unsigned commit: the tag, and the commit by itself",
        verdict: "verified, unsigned-commit",
        ran: { git: "accepts" },
      },
    ],
  },
  {
    number: 22,
    title: "References moved: teleport, deletion, rollback, freeze",
    origin: "Torres-Arias 2016; gittuf",
    cases: [],
    elsewhere: [
      {
        name: "history rewritten behind the release",
        verdict: "not-fast-forward",
        file: "test/gate/landing.heavy.test.ts",
        text: "a branch that was rewritten behind the last release is refused",
      },
      {
        name: "moved back to an older released state",
        verdict: "branch-rollback",
        file: "test/gate/moved-branch.heavy.test.ts",
        text: "a branch that is moved back to an older released state is denied as that, until it goes on",
      },
      {
        name: "pointed at what landed on another branch",
        verdict: "branch-teleport",
        file: "test/gate/moved-branch.heavy.test.ts",
        text: "a branch that is pointed at what landed on another one is denied as that",
      },
      {
        name: "a signed tag under another name",
        verdict: "tag-mismatch",
        file: "test/signature/tags.test.ts",
        text: "refuses a signed tag under another name, which git verify-tag accepts",
      },
      {
        name: "the branch deleted",
        verdict: "said, what is released stays",
        file: "test/server/scenes.heavy.test.ts",
        text: "a branch that is deleted is said once, keeps no other target back, and goes on when it is there again",
      },
      {
        name: "rollback undone by what waits",
        verdict: "refused",
        file: "test/gate/rollback.heavy.test.ts",
        text: "what already waits on the branch when somebody rolls back does not undo it",
      },
      {
        name: "an old head shown to an agent",
        verdict: "head-stale",
        file: "test/invariants/04-no-proof-no-apply.test.ts",
        text: "a head older than ten minutes waits and applies nothing",
      },
    ],
    byReading: [{ tool: "Flux, Argo CD", verdict: "accept a signed commit of another branch" }],
    limit:
      "A state of another branch that descends from the release is a change like any other: judged by the target's rules, with the target's approvals. A gate follows branches; tags are looked at by `sluice verify --tags`.",
  },
  {
    number: 23,
    title: "An older policy put back",
    origin: "CVE-2026-44544 (gittuf)",
    cases: [],
    elsewhere: [
      {
        name: "a branch cut before a stricter policy",
        verdict: "judged by the stricter",
        file: "test/invariants/05-own-judge.test.ts",
        text: "a branch cut before a stricter policy landed is judged by the stricter one",
      },
      {
        name: "a rollback",
        verdict: "judge stays",
        file: "test/invariants/05-own-judge.test.ts",
        text: "a rollback does not move the judge back",
      },
    ],
    byReading: [{ tool: "gittuf before the fix", verdict: "took an older policy of the same roots" }],
  },
  {
    number: 24,
    title: "A threshold met by one person",
    origin: "gittuf#1315",
    cases: [],
    elsewhere: [
      {
        name: "one person, two keys",
        verdict: "counts once",
        file: "test/decision/approval.test.ts",
        text: "a person counts once, whatever they sign with",
      },
      {
        name: "one person listed twice",
        verdict: "counts once",
        file: "test/decision/decide.test.ts",
        text: "one person who is listed twice is one person",
      },
    ],
    byReading: [{ tool: "gittuf before #1315", verdict: "counted who is trusted, not who signed" }],
  },
  {
    number: 25,
    title: "Content hidden in a merge",
    origin: "Bitcoin's verify-commits",
    cases: [
      { id: "evil-merge", name: "a tree that merging does not give", verdict: "evil-merge", ran: { git: "accepts" } },
      { id: "octopus", name: "three parents", verdict: "octopus-merge", ran: { git: "accepts" } },
      {
        id: "unrelated",
        name: "a history that has nothing in common",
        verdict: "unrelated-merge",
        ran: { git: "accepts" },
      },
    ],
  },
  {
    number: 26,
    title: "A commit that does not descend from what was released",
    origin: "guix: introductory commit",
    cases: [],
    elsewhere: [
      {
        name: "rewritten history",
        verdict: "not-fast-forward",
        file: "test/gate/landing.heavy.test.ts",
        text: "a branch that was rewritten behind the last release is refused",
      },
    ],
    byReading: [
      { tool: "guix git authenticate", verdict: "rejects" },
      { tool: "Flux, Argo CD", verdict: "ask for no descent" },
    ],
  },
  {
    number: 27,
    title: "A forge that signs for anybody",
    origin: 'iter.ca, "Forging signed commits on GitHub"',
    cases: [
      { id: "two-authors", name: "two author lines", verdict: "malformed-commit", ran: { git: "accepts" } },
      {
        id: "forge-alone",
        name: "the forge's key under anybody's name",
        verdict: "forge-not-permitted",
        ran: { git: "accepts" },
      },
    ],
  },
  {
    number: 28,
    title: "A seal quoted in a message",
    origin: "Argo CD's seal commits",
    cases: [
      {
        id: "seal",
        name: "an unsigned commit with the words of a seal",
        verdict: "unsigned-commit",
        ran: { git: "rejects" },
      },
    ],
    limit: "Messages are never read for a verdict.",
  },
  {
    number: 29,
    title: "Quotes, escapes and direction marks in names",
    origin: "Argo CD's CSV, by reading",
    cases: [
      {
        id: "hostile-name",
        name: "quotes, ESC and bytes that are not UTF-8 in a name",
        verdict: "verified",
        ran: { git: "accepts" },
      },
    ],
    elsewhere: [
      {
        name: "on the terminal",
        verdict: "shown harmlessly",
        file: "test/cli/verify.heavy.test.ts",
        text: "verify never writes a stranger's control characters to the terminal",
      },
    ],
    byReading: [{ tool: "Argo CD", verdict: "a quote in a name makes the check fail" }],
  },
  {
    number: 30,
    title: "Odd bytes",
    origin: "go-gitea/gitea#30119; git fsck nulInCommit",
    cases: [
      { id: "nul", name: "NUL in the message", verdict: "malformed-commit" },
      { id: "no-newline", name: "no final newline", verdict: "verified", ran: { git: "accepts" } },
      { id: "crlf", name: "CRLF", verdict: "verified", ran: { git: "accepts" } },
      { id: "latin1", name: "encoding ISO-8859-1", verdict: "verified", ran: { git: "accepts" } },
    ],
  },
  {
    number: 31,
    title: "A malformed signature first in a range",
    origin: "git b9882d90c5: `git log --format=%G?` ends there",
    cases: [{ id: "range", name: "the commits behind it", verdict: "verified" }],
    byReading: [{ tool: "git log --format=%G?", verdict: "ends at that commit with 128" }],
  },
  {
    number: 32,
    title: "Two hashes",
    origin: "git's hash function transition; SHAttered",
    cases: [
      {
        id: "both-hashes",
        name: "signatures of both hashes in one commit",
        verdict: "ambiguous-signature",
        ran: { git: "accepts" },
      },
    ],
    limit:
      "Collisions of object ids are looked for by git itself when a gate fetches (sha1dc); a preview does not look.",
  },
  {
    number: 33,
    title: "An RSA signature forged for a small exponent",
    origin: "CVE-2026-85393 (node-forge); Bleichenbacher 2006",
    cases: [
      {
        id: "cube-root",
        name: "a cube root for an SSH key with e = 3",
        verdict: "bad-signature",
        ran: { git: "rejects" },
      },
    ],
  },
  {
    number: 34,
    title: "A keyless identity that is almost right, or too late",
    origin: "gitsign's documentation",
    cases: [],
    elsewhere: [
      {
        name: "the address from another issuer",
        verdict: "unknown-signer",
        file: FULCIO,
        text: "the address from another issuer",
      },
      {
        name: "a name with more after it",
        verdict: "unknown-signer",
        file: FULCIO,
        text: "an address with more after it",
      },
      {
        name: "an ended certificate without proof of time",
        verdict: "time-not-proven",
        file: FULCIO,
        text: "seen later, without any proof",
      },
    ],
    byReading: [{ tool: "git verify-commit with gitsign", verdict: "checks no identity" }],
  },
];
