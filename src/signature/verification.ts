/** The outcome for one commit, and who a key belongs to: the closed types that all later stages read. */
import type { CommitId } from "../git/object.ts";
import type { ObjectType } from "../git/parse.ts";

export type SignatureFormat = "openpgp" | "ssh" | "x509";

/** A person is a human being, a robot an automation of one, a forge's key carries changes and is never a person or an approval. */
export type SignerClass = "person" | "robot" | "forge";

export interface Signer {
  /** The id in the trust folder: of the person, robot or forge. */
  readonly person: string;
  readonly class: SignerClass;
  /** `SHA256:...` for SSH keys and X.509 certificates, 40 upper-case hex digits of the primary key for OpenPGP. */
  readonly key: string;
  readonly roles: readonly string[];
  readonly hardware: { readonly touch: boolean; readonly pin: boolean } | null;
}

/** receipt: judged when the gate first saw the commit; now: no receipt (previews), or one older than 30 days. */
export type TimeBasis = "receipt" | "now";

/** Closed set; each has an entry in lib/codes/signature.ts. */
export type Rejection =
  | "unsigned-commit"
  | "malformed-commit"
  | "malformed-tag"
  | "unsigned-tag"
  | "tag-mismatch"
  | "tag-target"
  | "malformed-signature"
  | "ambiguous-signature"
  | "not-supported"
  | "bad-signature"
  | "unknown-signer"
  | "wrong-namespace"
  | "weak-algorithm"
  | "key-expired"
  | "key-not-yet-valid"
  | "key-revoked"
  | "key-not-for-signing"
  | "untrusted-certificate"
  | "revocation-unknown"
  | "bad-log-entry"
  | "bad-timestamp"
  | "time-not-proven"
  | "signer-left"
  | "touch-required"
  | "pin-required"
  | "signer-mismatch"
  | "forge-not-permitted"
  | "robot-not-permitted"
  | "evil-merge"
  | "octopus-merge"
  | "unrelated-merge";

export interface Verified {
  readonly kind: "verified";
  readonly commit: CommitId;
  readonly format: SignatureFormat;
  readonly signer: Signer;
  readonly timeBasis: TimeBasis;
  readonly payloadSha256: string;
}

export interface Rejected {
  readonly kind: "rejected";
  readonly commit: CommitId;
  readonly reason: Rejection;
  /** One plain sentence with the particulars; never secret, safe to print after escaping. */
  readonly detail: string;
  readonly format: SignatureFormat | null;
  /** Who it would be, where the mathematics is right but the key may not be used; never an approval of anything. */
  readonly signer: Signer | null;
  readonly timeBasis: TimeBasis;
  readonly payloadSha256: string | null;
}

export type Verification = Verified | Rejected;

/** The outcome for one tag object; its own name and what it names are null where the object cannot be read. */
export interface TagVerification {
  readonly kind: "verified" | "rejected";
  /** null only when verified. */
  readonly reason: Rejection | null;
  readonly detail: string | null;
  /** Id of the tag object. */
  readonly tag: string;
  readonly name: string | null;
  readonly target: { readonly id: string; readonly type: ObjectType } | null;
  readonly format: SignatureFormat | null;
  readonly signer: Signer | null;
  readonly timeBasis: TimeBasis;
  readonly payloadSha256: string | null;
}
