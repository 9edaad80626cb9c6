/** What speaks against one certificate of a known owner at one instant: its way to the authority, its time, a revocation. */
import { formatTime, type Instant } from "../lib/time.ts";
import type { DatedIssuers } from "./fulcio-root.ts";
import { isPromisedByLog } from "./fulcio-sct.ts";
import { type Refusal, refusal } from "./refusal.ts";
import type { ProvenTime } from "./timestamp-token.ts";
import type { X509Authority } from "./trust.ts";
import type { Certificate } from "./x509-certificate.ts";
import { type CertificatePath, objectionToPath, outsideValidity, turningPointsOfValidity } from "./x509-path.ts";
import { objectionByLists, turningPointsByLists } from "./x509-revocation.ts";
import { notAhead, seenEarliest } from "./x509-time.ts";

/** Certificates that live shorter than this are over before anybody could look. */
const SHORT_LIVED_MS = 24 * 60 * 60 * 1000;

export interface Circumstances {
  readonly authority: X509Authority;
  readonly issuers: DatedIssuers;
  /** Whatever the signature proves of its time, also where it is ahead of when it was seen. */
  readonly proven: ProvenTime | Refusal | null;
  /** Fingerprints taken away by the operator. */
  readonly revokedKeys: ReadonlySet<string>;
}

/**
 * Gravest first; null when nothing does. Expiry is judged at the proven time, everything else at `at`: when it was first
 * seen, or now.
 */
export function objectionToCertificate(path: CertificatePath, stated: Circumstances, at: Instant): Refusal | null {
  const { authority } = stated;
  const proven = notAhead(stated.proven, at);
  const circumstances = { ...stated, proven };
  const lists = authority.revocations === null ? null : objectionByLists(path, authority.revocations, at);
  const [leaf, issuer] = path;
  if (leaf === undefined || issuer === undefined) return null;
  return (
    takenAway(path, circumstances) ??
    (lists?.reason === "key-revoked" ? lists : null) ??
    (proven?.kind === "refused" ? proven : null) ??
    outsideTime(leaf, circumstances, at) ??
    objectionToPath(path, authority.purposes, proven?.kind === "proven" ? proven.at : at) ??
    unpromised(leaf, issuer, authority) ??
    lists
  );
}

function takenAway(path: CertificatePath, { revokedKeys }: Circumstances): Refusal | null {
  const taken = path
    .flatMap((one) => [one.fingerprint, one.keyFingerprint])
    .find((fingerprint) => revokedKeys.has(fingerprint));
  return taken === undefined ? null : refusal("key-revoked", `The operator took away the certificate or key ${taken}.`);
}

/** Every instant at which objectionToCertificate() may begin to say something else. */
export function turningPointsOf(
  path: CertificatePath,
  { authority, issuers, proven }: Circumstances,
): readonly Instant[] {
  const { from, until } = issuers;
  return [
    ...path.flatMap(turningPointsOfValidity),
    ...(from === null ? [] : [from]),
    ...(until === null ? [] : [until + 1]),
    ...(proven?.kind === "proven" ? [seenEarliest(proven)] : []),
    ...turningPointsByLists(path, authority.revocations ?? []),
  ];
}

function outsideTime(leaf: Certificate, { issuers, proven }: Circumstances, at: Instant): Refusal | null {
  const time = proven?.kind === "proven" ? proven.at : at;
  const outside = outsideValidity(leaf, time);
  const life = leaf.notAfter - leaf.notBefore;
  const isShort = life >= 0 && life < SHORT_LIVED_MS;
  if (outside?.reason === "key-expired" && proven === null && isShort) return notProven(leaf);
  const isOver = (issuers.from !== null && time < issuers.from) || (issuers.until !== null && time > issuers.until);
  if (outside !== null || !isOver) return outside;
  return refusal("untrusted-certificate", "The authority's certificate was not in use then, by its trust root.");
}

/** Without the instant at which it was seen: what is said is remembered for every later one. */
function notProven({ notAfter }: Certificate): Refusal {
  const ended = `The certificate ended at ${formatTime(notAfter)}, before the commit was first seen`;
  return refusal("time-not-proven", `${ended}, and nothing proves that it was signed in time.`);
}

function unpromised(leaf: Certificate, issuer: Certificate, { certificateLogs }: X509Authority): Refusal | null {
  if (certificateLogs.length === 0 || isPromisedByLog(leaf, issuer, certificateLogs)) return null;
  return refusal("untrusted-certificate", `No listed certificate log promised to show ${leaf.fingerprint}.`);
}
