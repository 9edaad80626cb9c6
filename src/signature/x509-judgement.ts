/** What speaks against one certificate of a known owner at one instant: its way to the authority, its time, a revocation. */
import { formatTime, type Instant } from "../lib/time.ts";
import type { DatedIssuers } from "./fulcio-root.ts";
import { isPromisedByLog } from "./fulcio-sct.ts";
import { type Refusal, refusal } from "./refusal.ts";
import type { ProvenTime } from "./timestamp-token.ts";
import type { X509Authority } from "./trust.ts";
import type { Certificate } from "./x509-certificate.ts";
import { type CertificatePath, objectionToPath, outsideValidity } from "./x509-path.ts";
import { objectionByLists } from "./x509-revocation.ts";

/** Certificates that live shorter than this are over before anybody could look. */
const SHORT_LIVED_MS = 24 * 60 * 60 * 1000;

export interface Circumstances {
  readonly authority: X509Authority;
  readonly issuers: DatedIssuers;
  /** When it was first seen, or now. */
  readonly at: Instant;
  readonly proven: ProvenTime | Refusal | null;
  /** Fingerprints taken away by the operator. */
  readonly revokedKeys: ReadonlySet<string>;
}

/** Gravest first; null when nothing does. Expiry is judged at the proven time, everything else when it was first seen. */
export function objectionToCertificate(path: CertificatePath, circumstances: Circumstances): Refusal | null {
  const { authority, at, proven } = circumstances;
  const lists = authority.revocations === null ? null : objectionByLists(path, authority.revocations, at);
  const [leaf, issuer] = path;
  if (leaf === undefined || issuer === undefined) return null;
  return (
    takenAway(path, circumstances) ??
    (lists?.reason === "key-revoked" ? lists : null) ??
    (proven?.kind === "refused" ? proven : null) ??
    outsideTime(leaf, circumstances) ??
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

function outsideTime(leaf: Certificate, { issuers, at, proven }: Circumstances): Refusal | null {
  const time = proven?.kind === "proven" ? proven.at : at;
  const outside = outsideValidity(leaf, time);
  const isShort = leaf.notAfter - leaf.notBefore < SHORT_LIVED_MS;
  if (outside?.reason === "key-expired" && proven === null && isShort) return notProven(leaf, at);
  const isOver = (issuers.from !== null && time < issuers.from) || (issuers.until !== null && time > issuers.until);
  if (outside !== null || !isOver) return outside;
  return refusal("untrusted-certificate", "The authority's certificate was not in use then, by its trust root.");
}

function notProven({ notAfter }: Certificate, at: Instant): Refusal {
  const ended = `The certificate ended at ${formatTime(notAfter)}`;
  const seen = `the commit counts as seen at ${formatTime(at)}`;
  return refusal("time-not-proven", `${ended}, ${seen}, and nothing proves that it was signed before.`);
}

function unpromised(leaf: Certificate, issuer: Certificate, { certificateLogs }: X509Authority): Refusal | null {
  if (certificateLogs.length === 0 || isPromisedByLog(leaf, issuer, certificateLogs)) return null;
  return refusal("untrusted-certificate", `No listed certificate log promised to show ${leaf.fingerprint}.`);
}
