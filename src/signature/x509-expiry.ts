/** When what a company's authority rests on ends, for `trust check` to say in time: its certificates, its revocation lists. */
import type { Instant } from "../lib/time.ts";
import type { Trust } from "./trust.ts";

export interface AuthorityEnd {
  /** Its id under `authorities`. */
  readonly authority: string;
  readonly what: "certificate" | "revocation list";
  readonly at: Instant;
}

/** Everything of listed authorities that ends before `limit`, or has ended; soonest first. Sigstore's roots say their times themselves. */
export function authorityEnds({ x509Authorities = [] }: Trust, limit: Instant): readonly AuthorityEnd[] {
  return x509Authorities
    .filter((one) => one.names.kind === "emails")
    .flatMap(({ id, issuers, revocations }): AuthorityEnd[] => [
      ...issuers
        .flatMap(({ anchors, intermediates }) => [...anchors, ...intermediates])
        .map(({ notAfter }) => ({ authority: id, what: "certificate" as const, at: notAfter })),
      ...(revocations ?? []).map(({ nextUpdate }) => ({
        authority: id,
        what: "revocation list" as const,
        at: nextUpdate,
      })),
    ])
    .filter((end) => end.at < limit)
    .sort((a, b) => a.at - b.at);
}
