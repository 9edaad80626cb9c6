/** Reasons for which one signature is rejected, and what can be wrong with the files that say who owns which key. */
import type { CodeEntry } from "../code-entry.ts";

const RE_SIGN = "git rebase -f -S BASE && git push --force-with-lease";
const APPROVE = "sluice approve COMMIT --target TARGET";

export const SIGNATURE_CODES = {
  "unsigned-commit": {
    class: "rejected",
    means: "The commit carries no signature. Anybody who can push could have written it under any name.",
    example: 'git commit -m "bump web", with `commit.gpgSign` off.',
    fix: `No key yet: \`sluice signing setup\`. Then sign the commits of the change again: \`${RE_SIGN}\``,
  },
  "malformed-commit": {
    class: "rejected",
    means:
      "The commit object breaks git's own form (a header twice, in the wrong place, or a NUL byte), so that two readers could see two different commits.",
    example: "A commit object with two `tree` headers, written with `git hash-object --literally`.",
    fix: `Let git write the commit anew: ${RE_SIGN}`,
  },
  "malformed-tag": {
    class: "rejected",
    means:
      "The tag object breaks git's own form (headers that git does not write, or a NUL byte), so that two readers could see two different tags.",
    example: "A tag object with two `object` headers, written with `git hash-object --literally`.",
    fix: "Let git write the tag anew: git tag -f -s NAME COMMIT && git push --force origin refs/tags/NAME",
  },
  "unsigned-tag": {
    class: "rejected",
    means: "The tag carries no signature: it is a bare name for a commit, or an annotated tag that nobody signed.",
    example: "git tag v1.0",
    fix: "Sign it: git tag -f -s NAME COMMIT && git push --force origin refs/tags/NAME",
  },
  "tag-mismatch": {
    class: "rejected",
    means: "The signed tag has another name than the reference it lies under: somebody shows one release as another.",
    example: "The signed tag v1.0, stored as refs/tags/v9.9.",
    fix: "Remove the reference, or put the tag under its own name: git update-ref -d refs/tags/NAME",
  },
  "tag-target": {
    class: "rejected",
    means:
      "The tag does not name a commit that can be trusted by it: a tree, a file, another tag that does not verify, or a commit that was not merged.",
    example: "git tag -s keys $(git hash-object -w keys.asc)",
    fix: "Tag the commit itself: git tag -f -s NAME COMMIT",
  },
  "malformed-signature": {
    class: "rejected",
    means:
      "The signature is not exactly one well-formed block: damaged armour, text after its end, unknown fields, or bytes left over.",
    example: "An OpenTimestamps block after `-----END PGP SIGNATURE-----`.",
    fix: `Sign again with git alone: ${RE_SIGN}`,
  },
  "ambiguous-signature": {
    class: "rejected",
    means: "More than one signature is present, so it is not clear which of them speaks for the commit.",
    example: "A commit with two `gpgsig` headers, or two signatures in one block.",
    fix: `Sign again with one key: ${RE_SIGN}`,
  },
  "bad-signature": {
    class: "rejected",
    means:
      "The signature does not belong to these bytes: the commit was changed after it was signed, or another key signed it.",
    example: "The message was edited after signing, with the old signature kept.",
    fix: `Look at what changed, then sign again: git show COMMIT && ${RE_SIGN}`,
  },
  "unknown-signer": {
    class: "rejected",
    means: "The signature is made by a key that nobody in the trust folder owns.",
    example: "A new colleague signs before their key has landed in `trust/people.yaml`.",
    fix: `Another key than yours signed: \`${RE_SIGN}\`. It is yours and new: print the block that a colleague lands first: \`sluice trust request\``,
  },
  "wrong-namespace": {
    class: "rejected",
    means: "The SSH signature was made for another purpose than git commits, so it says nothing about this commit.",
    example: "`ssh-keygen -Y sign -n file` over the commit's bytes.",
    fix: `Sign with git, which uses the namespace git: ${RE_SIGN}`,
  },
  "weak-algorithm": {
    class: "rejected",
    means:
      "The signature uses a hash or a key that can be forged today (MD5, RIPEMD-160, SHA-1, RSA or DSA below 2,048 bits, ssh-dss).",
    example: "`gpg --digest-algo SHA1`, or an `ssh-rsa` signature.",
    fix: `Sign with SHA-256 or better and a current key: ${RE_SIGN}`,
  },
  "key-expired": {
    class: "rejected",
    means:
      "The key, or the time for which the trust folder lists it, was over when the commit was first seen, and at the time that the commit says of itself.",
    example: "A key listed with `until: 2026-06-30` signs in July.",
    fix: `Extend the key or use the new one, let the trust folder land, then sign again: ${RE_SIGN}`,
  },
  "key-not-yet-valid": {
    class: "rejected",
    means: "The key was not valid yet when the commit was first seen.",
    example: "A key listed with `from: 2027-01-01` signs in 2026.",
    fix: `Use the key that is valid now: ${RE_SIGN}`,
  },
  "key-revoked": {
    class: "rejected",
    means:
      "The key was revoked: by its owner, in the trust folder, or by the operator. A compromised key verifies nothing, whenever it signed.",
    example: "`revoked: {at: 2026-05-01, reason: compromised}` beside the key.",
    fix: `Sign again with a key that was not revoked: ${RE_SIGN}`,
  },
  "key-not-for-signing": {
    class: "rejected",
    means: "The key exists, but its certificate does not let it sign data, or does not prove that it belongs there.",
    example:
      "An encryption subkey, a signing subkey without its back-signature, or an X.509 certificate of a TLS server.",
    fix: `Sign with a key that has the signing flag: gpg --edit-key KEY addkey && ${RE_SIGN}`,
  },
  "untrusted-certificate": {
    class: "rejected",
    means:
      "The certificate leads to a listed authority, but the way there breaks a rule: an issuer that is no authority, a path that is too long, a critical extension that nobody here knows, or no promise of a certificate log.",
    example: "A certificate issued by an intermediate whose `pathlen` is 0 for another intermediate.",
    fix: `Get a certificate that the authority issued properly, then sign again: ${RE_SIGN}`,
  },
  "revocation-unknown": {
    class: "rejected",
    means:
      "The trust folder asks for revocation lists, and none that is current covers this certificate. An old list could hide a revocation.",
    example: "The list in the trust folder said `nextUpdate` yesterday.",
    fix: "Put the authority's newest list into the trust folder in a change of its own, then: sluice trust check",
  },
  "bad-log-entry": {
    class: "rejected",
    means: "The transparency log entry in the signature is not one that a listed log made for exactly this signature.",
    example: "The entry of another commit was put into the signature.",
    fix: `Sign again with gitsign: ${RE_SIGN}`,
  },
  "bad-timestamp": {
    class: "rejected",
    means:
      "The timestamp in the signature is not one that a listed timestamping authority made for exactly this signature.",
    example: "A token over another commit's signature, or by an authority that is not in the trust root.",
    fix: `Sign again with the timestamping authority of the trust root: ${RE_SIGN}`,
  },
  "time-not-proven": {
    class: "rejected",
    means:
      "The key or certificate was over when the commit was first seen, and nothing proves that it signed before: what the commit says of its own time does not count, and there is no log entry and no timestamp.",
    example:
      "A gitsign commit without an embedded log entry is first seen an hour after it was made; or a commit that says June, by a key that ended in July, is pushed in August.",
    fix: `Already landed: somebody else runs \`${APPROVE}\`. Otherwise sign again and push at once: \`${RE_SIGN}\``,
  },
  "signer-left": {
    class: "rejected",
    means: "The owner of the key has left; nothing that was first seen after that day verifies.",
    example: "`left: 2026-10-01` stands beside the person, and the commit was seen on 2 October.",
    fix: `Somebody who is still here signs the change: ${RE_SIGN}`,
  },
  "touch-required": {
    class: "rejected",
    means: "A touch of the security key is required here, and the signature does not prove one.",
    example: "A key made with `ssh-keygen -t ed25519-sk -O no-touch-required` signs for a target with `touch: true`.",
    fix: `Sign with a key that asks for a touch: ssh-keygen -t ed25519-sk && ${RE_SIGN}`,
  },
  "pin-required": {
    class: "rejected",
    means:
      "The SSH certificate of the signer requires the PIN of the security key, and the signature does not prove that it was given.",
    example: "A certificate made with `ssh-keygen -s ca -O verify-required` for a key that signs without PIN.",
    fix: `Sign with a key that asks for its PIN: ssh-keygen -t ed25519-sk -O verify-required && ${RE_SIGN}`,
  },
  "signer-mismatch": {
    class: "rejected",
    means: "The signature is right, but its owner is not who the commit names as author or committer.",
    example: "ada signs a commit whose author and committer are ceo@example.com.",
    fix: `Commit under your own name and sign: git config user.email YOU && git rebase -f --exec "git commit --amend --no-edit --reset-author -S" BASE`,
  },
  "forge-not-permitted": {
    class: "rejected",
    means:
      "Only a forge's key signed this commit. A forge carries changes that were judged before; it is never a person.",
    example: "A file edited in the forge's web page, signed by its web-flow key.",
    fix: `Already landed: somebody else runs \`${APPROVE}\`. Otherwise a person signs it: \`${RE_SIGN}\``,
  },
  "robot-not-permitted": {
    class: "rejected",
    means: "A robot's commit does more than the trust folder lets it.",
    example: "renovate, which `may: [image]`, changes a ClusterRole.",
    fix: `A person looks at it and signs it: \`${RE_SIGN}\``,
  },
  "evil-merge": {
    class: "rejected",
    means:
      "The merge commit holds content that merging its two parents does not give, so nobody reviewed it as a change.",
    example: "A line is slipped in with `git commit --amend` on a merge.",
    fix: "Put the branches in a line instead, so that every edit has a commit: git rebase -S BASE && git push --force-with-lease",
  },
  "unrelated-merge": {
    class: "rejected",
    means:
      "The merge joins two histories without a common commit, so that whole files come in that no change of this history brought.",
    example: "git merge --allow-unrelated-histories other/main",
    fix: "Bring the files in as a signed commit of their own: git rebase -f -S BASE && git push --force-with-lease",
  },
  "octopus-merge": {
    class: "rejected",
    means: "The merge has more than two parents, and its content cannot be compared with a merge of two.",
    example: "git merge a b c",
    fix: "Merge one branch at a time: git merge -S a && git merge -S b",
  },
  "trust-missing": {
    class: "error",
    means: "There is no `people.yaml` in the trust folder, so nobody's signature could count.",
    example: "`trust: trust/` in sluice.yaml while the folder is empty.",
    fix: "Make one: sluice init",
  },
  "trust-invalid": {
    class: "error",
    means: "`people.yaml` does not have the documented form. Nothing of it is used until it has.",
    example: "`until: 2027-01-31 10:00` (a time needs the form 2027-01-31 or 2027-01-31T10:00:00Z).",
    fix: "Correct the named line, then: sluice trust check",
  },
  "trust-file-outside": {
    class: "error",
    means: "A key file is named by a path that leaves the trust folder or is not a plain relative path.",
    example: "{file: ../../etc/ada.asc}",
    fix: "Copy the key into the trust folder and name it from there, then: sluice trust check",
  },
  "trust-file-missing": {
    class: "error",
    means: "`people.yaml` names a key file that the trust folder does not have.",
    example: "{file: keys/ada.asc} without the file keys/ada.asc.",
    fix: "Add the file in the same commit, then: sluice trust check",
  },
  "trust-key-invalid": {
    class: "error",
    means: "A listed key cannot be used: not a public key, damaged, too weak, or of a kind that signs nothing.",
    example: "An `ssh-rsa` key of 1,024 bits, or a private key pasted by mistake.",
    fix: "Put the owner's public key there (ssh-keygen -y, gpg --armor --export KEY), then: sluice trust check",
  },
  "trust-key-shared": {
    class: "error",
    means: "One key is listed twice. A key belongs to one owner only, otherwise nobody can say who signed.",
    example: "The same line stands under ada and under jo.",
    fix: "Leave the key with its one owner, then: sluice trust check",
  },
  "trust-authority-invalid": {
    class: "error",
    means:
      "An entry under `authorities` cannot be used: a file that holds no certificate of an authority, a revocation list that it did not sign, or a name that is not listed.",
    example: "revocations: ca.crl, where ca.crl was signed by another authority.",
    fix: "Correct the named entry or its file, then: sluice trust check",
  },
  "revoked-key-invalid": {
    class: "error",
    means: "An entry of `revoked:` is not a whole fingerprint, so it would take away nothing.",
    example: 'revoked: ["0xDEADBEEF"]',
    fix: "Write the whole fingerprint as printed by: sluice trust list",
  },
  "allowed-signers-invalid": {
    class: "error",
    means: "A line of the allowed_signers file does not follow its grammar; the whole file is refused.",
    example: 'ada@example.com valid-until="20270101" ssh-ed25519 AAAA...',
    fix: "Correct the named line as described in `man ssh-keygen`, then: sluice verify HEAD --trust FILE",
  },
  "signer-principal-missing": {
    class: "usage",
    means:
      "A line that should be of an allowed_signers file is a bare public key: whose it is does not stand before it.",
    example: "ssh-ed25519 AAAA... ada@example.com (a file id_ed25519.pub as --trust)",
    fix: 'echo "ada@example.com $(cat id_ed25519.pub)" > allowed_signers, then: sluice verify HEAD --trust allowed_signers',
  },
  "trust-import-invalid": {
    class: "error",
    means: "The file to import from does not have the form that its option names.",
    example: "`--flux FILE` for a file that holds a ConfigMap and no Secret.",
    fix: "Name the right file: kubectl get secret NAME -o yaml > secret.yaml, then: sluice trust import --flux secret.yaml",
  },
  "trust-import-empty": {
    class: "error",
    means: "Nothing was found that could become an entry of people.yaml.",
    example: "`--from-history 500` in a repository where nobody signs.",
    fix: "Sign a commit first (git commit -S), or import keys: sluice trust import --allowed-signers FILE",
  },
  "keyring-invalid": {
    class: "error",
    means: "The keyring is not armoured OpenPGP public keys, or one of its keys is damaged.",
    example: "A file made with `gpg --export` without `--armor`.",
    fix: "Export it again: gpg --armor --export > keys.asc",
  },
} as const satisfies Record<string, CodeEntry>;
