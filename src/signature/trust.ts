/** Who owns which key: the trust folder (FORMS "Trust") or an `allowed_signers` file, parsed once into this closed shape. */
import type { KeyObject } from "node:crypto";
import type { Instant } from "../lib/time.ts";
import type { DatedIssuers } from "./fulcio-root.ts";
import type { TransparencyLog } from "./rekor-log.ts";
import type { Timestamper } from "./timestamp-token.ts";
import type { SignerClass } from "./verification.ts";
import type { ListedRevocations } from "./x509-revocation.ts";

export type ChangeKind =
  | "application-configuration"
  | "image"
  | "cluster-configuration"
  | "environment-fix"
  | "new-infrastructure"
  | "environment-update";

export type ForgePermission = "squash" | "merge" | "rebase" | "edit";

export interface Revocation {
  readonly at: Instant;
  /** compromised revokes everything the key ever signed; the others only what is received from `at` on. */
  readonly reason: "compromised" | "superseded" | "retired";
}

/** What one listed key may do, and when. `until` is exclusive. */
export interface KeyTerms {
  readonly from: Instant | null;
  readonly until: Instant | null;
  readonly revoked: Revocation | null;
  readonly touch: boolean;
  /** OpenPGP: its signatures of commits and tags over SHA-1 count where they were made before this instant; absent: as the trust says. */
  readonly sha1Until?: Instant;
  /** allowed_signers only: patterns of what the key may sign for; absent for everything. */
  readonly namespaces?: readonly string[];
}

export interface Owner {
  readonly id: string;
  readonly class: SignerClass;
  /** Lower-cased, exact. */
  readonly emails: readonly string[];
  readonly roles: readonly string[];
  /** Forge name to account name. */
  readonly accounts: Readonly<Record<string, string>>;
  /** From this instant on, nothing new of theirs verifies. */
  readonly left: Instant | null;
  /** robots: the change kinds they may make. */
  readonly mayChange: readonly ChangeKind[];
  /** forges: what their key may carry. */
  readonly mayCarry: readonly ForgePermission[];
  /** robots without a key of their own: the forge whose key signs their commits; the forge's word says who the author is. */
  readonly forge?: string;
  /** allowed_signers only: principals with `*`, `?` and `!`, matched as OpenSSH does. */
  readonly principals?: string;
}

export interface SshTrustedKey {
  readonly format: "ssh";
  readonly owner: Owner;
  readonly fingerprint: string;
  readonly blob: Uint8Array;
  readonly key: KeyObject;
  readonly terms: KeyTerms;
}

/** An OpenPGP certificate; validity of its keys is judged in formats/openpgp.ts. */
export interface OpenPgpTrustedKey {
  readonly format: "openpgp";
  readonly owner: Owner;
  /** 40 upper-case hex digits. */
  readonly fingerprint: string;
  /** Binary transferable public key, as one certificate. */
  readonly certificate: Uint8Array;
  readonly terms: KeyTerms;
}

/** An authority for SSH user certificates. */
export interface SshAuthority {
  /** Its name in the trust folder; absent in allowed_signers. */
  readonly id?: string;
  /** `SHA256:...` of the authority's key. */
  readonly fingerprint: string;
  /** Pattern list as OpenSSH has it: the principals that this authority may certify. */
  readonly principals: string;
  readonly terms: KeyTerms;
  /** Those whom a principal can mean, by e-mail address; null: the principals themselves are the owner (allowed_signers). */
  readonly owners: readonly Owner[] | null;
}

/** On whose word a key is somebody's, and when: what must hold again before a signature of that key lends anything. */
export interface Certification {
  /** `SHA256:...` of the authority's key. */
  readonly authority: string;
  readonly principals: readonly string[];
  readonly from: Instant | null;
  readonly until: Instant | null;
}

export type TrustedKey = SshTrustedKey | OpenPgpTrustedKey;

/** Says by certificates whose a key is: a company's own authority, or a Sigstore instance. */
export interface X509Authority {
  readonly id: string;
  /** Where it is listed, `file:line:column`; only of a company's. Found when it is asked for. */
  readonly place?: () => string;
  /** OIDs of extended key usages, one of which a signer's certificate must name. */
  readonly purposes: readonly string[];
  readonly issuers: readonly DatedIssuers[];
  /** null where none are configured; otherwise every certificate must be covered by a current one. */
  readonly revocations: readonly ListedRevocations[] | null;
  readonly names: X509Names;
  readonly logs: readonly TransparencyLog[];
  /** With at least one, a certificate must carry a promise of one of them. */
  readonly certificateLogs: readonly TransparencyLog[];
  readonly timestampers: readonly Timestamper[];
}

export type X509Names =
  | {
      readonly kind: "emails";
      /** Lower-cased addresses, or `*@` and a domain, for which alone it speaks. */
      readonly patterns: readonly string[];
      readonly owners: ReadonlyMap<string, Owner>;
    }
  | { readonly kind: "identities"; readonly identities: readonly FulcioIdentity[] };

export interface FulcioIdentity {
  /** Exactly, every character. */
  readonly issuer: string;
  readonly name:
    | { readonly kind: "email"; readonly email: string }
    | { readonly kind: "uri"; readonly uri: string }
    | { readonly kind: "pattern"; readonly pattern: string };
  readonly owner: Owner;
}

/** Who may change governance files: `change:` of the trust folder. */
export interface ChangeRule {
  readonly count: number;
  readonly roles: readonly string[];
}

export interface Trust {
  readonly owners: readonly Owner[];
  readonly keys: readonly TrustedKey[];
  readonly sshAuthorities?: readonly SshAuthority[];
  /** OpenPGP signatures of commits and tags over SHA-1 count where they were made before this instant; absent or null: none does. */
  readonly sha1Until?: Instant | null;
  /** Absent for lists that know none, as allowed_signers. */
  readonly x509Authorities?: readonly X509Authority[];
  readonly change: ChangeRule | null;
  /** Key fingerprints taken away by the operator (`gate.yaml` revoked), hard. */
  readonly revokedKeys: readonly string[];
  /** Sentences for people about how the files were read; none changes a verdict. */
  readonly notes?: readonly string[];
  /** SHA-256 over the canonical content that this trust was read from. */
  readonly digest: string;
}
