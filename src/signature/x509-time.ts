/**
 * When a signature was made, as far as somebody other than its maker says so: a listed transparency log, a listed
 * timestamper. What the signature says of itself (signingTime, the committer's date) never counts.
 */
import { formatTime, type Instant } from "../lib/time.ts";
import { type SignedData, singleValue } from "./cms-signed-data.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { type Logged, verifyRekorEntry } from "./rekor-log.ts";
import { type ProvenTime, verifyTimestamp } from "./timestamp-token.ts";
import type { X509Authority } from "./trust.ts";
import { octets, orClause, TAG } from "./x509-der.ts";
import type { IssuedBy } from "./x509-path.ts";

const LOG_ENTRY = "1.3.6.1.4.1.57264.3.1";
const TIMESTAMP = "1.2.840.113549.1.9.16.2.14";
/** Two clocks that keep time may differ by this. */
const MAXIMUM_AHEAD_MS = 5 * 60_000;

/** The proven time, null where the signature carries no proof that this authority could know, or what is wrong with one. */
export function provenTime(
  { signer }: SignedData,
  certificate: Uint8Array,
  authority: X509Authority,
  issuedBy: IssuedBy,
): ProvenTime | Refusal | null {
  const logged = { signedBytes: signer.signedBytes, signature: signer.signature, certificate };
  const found = [logTime(signer, logged, authority), stampTime(signer, authority, issuedBy)].filter(
    (one) => one !== null,
  );
  const wrong = found.find((one) => one.kind === "refused");
  if (wrong !== undefined) return wrong;
  const [earliest] = found.filter((one) => one.kind === "proven").sort((a, b) => a.at - b.at);
  return earliest ?? null;
}

/** Nothing can be proven to be made after it was seen. */
export function notAhead(proven: ProvenTime | Refusal | null, at: Instant): ProvenTime | Refusal | null {
  if (proven?.kind !== "proven" || at >= seenEarliest(proven)) return proven;
  const time = formatTime(proven.at);
  return refusal("time-not-proven", `The signature claims ${time}, which is after it was first seen.`);
}

/** The first instant for which notAhead() lets the time stand. */
export function seenEarliest(proven: ProvenTime): Instant {
  return proven.at - MAXIMUM_AHEAD_MS;
}

/** gitsign 0.4 wrote the entry in another form, as text in several attributes: that proves nothing here, and harms nothing. */
function logTime(
  { unsigned }: SignedData["signer"],
  logged: Logged,
  { logs }: X509Authority,
): ProvenTime | Refusal | null {
  const isEntry = unsigned.get(LOG_ENTRY)?.some(({ tag }) => tag === TAG.octetString) ?? false;
  if (!isEntry || logs.length === 0) return null;
  const entry = orClause(() => ({ bytes: octets(singleValue(unsigned, LOG_ENTRY)) }));
  if (typeof entry !== "string") return verifyRekorEntry(entry.bytes, logged, logs);
  return refusal("bad-log-entry", "The signature holds more than one transparency log entry.");
}

function stampTime(
  { unsigned, signature }: SignedData["signer"],
  { timestampers }: X509Authority,
  issuedBy: IssuedBy,
): ProvenTime | Refusal | null {
  if (!unsigned.has(TIMESTAMP) || timestampers.length === 0) return null;
  const token = orClause(() => ({ bytes: singleValue(unsigned, TIMESTAMP).whole }));
  if (typeof token !== "string") return verifyTimestamp(token.bytes, signature, timestampers, issuedBy);
  return refusal("bad-timestamp", "The signature holds more than one timestamp.");
}
