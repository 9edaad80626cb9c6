/** May this key be used: what the operator, the trust folder and the key's own certificate say, at one instant. */
import { formatTime, type Instant } from "../lib/time.ts";
import { type Match, type Refusal, refusal } from "./format.ts";
import { matchesPatternList } from "./pattern.ts";

export interface Use {
  readonly at: Instant;
  readonly namespace: string;
  /** Fingerprints taken away by the operator, upper-case where they are hexadecimal. */
  readonly revokedKeys: ReadonlySet<string>;
}

/** The first thing that speaks against the key, gravest first; null when nothing does. */
export function objectionToUse(match: Match, use: Use): Refusal | null {
  const certificate = match.objectionAt(use.at);
  const isCertificateRevoked = certificate?.reason === "key-revoked";
  return (
    revokedByOperator(match, use) ??
    revokedInTrust(match, use) ??
    (isCertificateRevoked ? certificate : null) ??
    ownerLeft(match, use) ??
    certificate ??
    outsideTerms(match, use) ??
    wrongNamespace(match, use) ??
    untouched(match)
  );
}

/**
 * The same of a commit that claims a time: where the key was over when the commit was first seen, but not yet at that
 * time, the key is not the fault. The time is the signer's own word, so it counts for nothing more.
 */
export function objectionToClaim(match: Match, use: Use, claimed: Instant | null): Refusal | null {
  const found = objectionToUse(match, use);
  if (found?.reason !== "key-expired" || claimed === null) return found;
  if (objectionToUse(match, { ...use, at: claimed }) !== null) return found;
  return refusal("time-not-proven", `${found.detail} The commit says that it was made before; nothing proves it.`);
}

/** Instants at which objectionToUse() may begin to say something else, beside those of the match's own objection. */
export function turningPointsOfUse({ key: { terms, owner } }: Match): readonly Instant[] {
  const { from, until, revoked } = terms;
  return [from, until, revoked?.at ?? null, owner.left].filter((time) => time !== null);
}

function revokedByOperator({ key, signingKey }: Match, { revokedKeys }: Use): Refusal | null {
  const taken = [key.fingerprint, signingKey].find((fingerprint) => revokedKeys.has(fingerprint));
  return taken === undefined ? null : refusal("key-revoked", `The key ${taken} was taken away.`);
}

function revokedInTrust({ key }: Match, { at }: Use): Refusal | null {
  const { revoked } = key.terms;
  if (revoked === null || (revoked.reason !== "compromised" && at < revoked.at)) return null;
  return refusal("key-revoked", `The key ${key.fingerprint} is listed as ${revoked.reason} since ${day(revoked.at)}.`);
}

function ownerLeft({ key }: Match, { at }: Use): Refusal | null {
  const { left, id } = key.owner;
  return left === null || at < left ? null : refusal("signer-left", `${id} left on ${day(left)}.`);
}

function outsideTerms({ key }: Match, { at }: Use): Refusal | null {
  const { from, until } = key.terms;
  if (from !== null && at < from) {
    return refusal("key-not-yet-valid", `The key ${key.fingerprint} is listed from ${day(from)} on.`);
  }
  if (until === null || at < until) return null;
  return refusal("key-expired", `The key ${key.fingerprint} is listed until ${day(until)}.`);
}

function wrongNamespace({ key }: Match, { namespace }: Use): Refusal | null {
  const { namespaces } = key.terms;
  if (namespaces === undefined || namespaces.some((list) => matchesPatternList(namespace, list))) return null;
  return refusal(
    "wrong-namespace",
    `The key ${key.fingerprint} is listed for ${namespaces.join(",")}, not for ${namespace}.`,
  );
}

function untouched({ key, hardware }: Match): Refusal | null {
  if (!key.terms.touch || hardware?.touch === true) return null;
  return refusal("touch-required", `The key ${key.fingerprint} must be touched to sign, and was not.`);
}

function day(at: Instant): string {
  return formatTime(at).slice(0, 10);
}
