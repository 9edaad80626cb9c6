/** When what a company's authority rests on ends, for `trust check` to say in time: its certificates, its revocation lists. */
import type { Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./refusal.ts";
import type { Trust, X509Authority } from "./trust.ts";
import type { Certificate } from "./x509-certificate.ts";
import { outsideValidity } from "./x509-path.ts";

export interface AuthorityEnd {
  /** Its id under `authorities`. */
  readonly authority: string;
  /** `file:line:column`; empty where it stands in no file. */
  readonly place: string;
  readonly what: "certificate" | "revocation list";
  readonly at: Instant;
}

/** The certificates to which every way has to lead. */
export function anchorsOf({ issuers }: X509Authority): readonly Certificate[] {
  return issuers.flatMap(({ anchors }) => anchors);
}

/** What speaks against every one of its anchors at the instant; null while one of them counts. */
export function objectionToAnchors(authority: X509Authority, { revokedKeys }: Trust, at: Instant): Refusal | null {
  const taken = ({ fingerprint, keyFingerprint }: Certificate): Refusal | null => {
    if (!revokedKeys.includes(fingerprint) && !revokedKeys.includes(keyFingerprint)) return null;
    return refusal("key-revoked", `The operator took away the certificate or key ${fingerprint}.`);
  };
  const found = anchorsOf(authority).map((one) => taken(one) ?? outsideValidity(one, at));
  return found.includes(null) ? null : (found[0] ?? null);
}

/** Everything of listed authorities that ends before `limit`, or has ended; soonest first. Sigstore's roots say their times themselves. */
export function authorityEnds({ x509Authorities = [] }: Trust, limit: Instant): readonly AuthorityEnd[] {
  return x509Authorities
    .filter((one) => one.names.kind === "emails")
    .flatMap((one) =>
      endsOf(one)
        .filter((end) => end.at < limit)
        .map((end) => ({ ...end, place: one.place?.() ?? "" })),
    )
    .sort((a, b) => a.at - b.at);
}

function endsOf({ id, issuers, revocations }: X509Authority): readonly Omit<AuthorityEnd, "place">[] {
  const certificates = issuers.flatMap(({ anchors, intermediates }) => [...anchors, ...intermediates]);
  return [
    ...certificates.map(({ notAfter }) => ({ authority: id, what: "certificate" as const, at: notAfter })),
    ...(revocations ?? []).map(({ nextUpdate }) => ({
      authority: id,
      what: "revocation list" as const,
      at: nextUpdate,
    })),
  ];
}
