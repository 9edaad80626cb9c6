/** Whether a key could make a signature that counts, and until when: what `trust check` and `doctor` tell people. */
import { formatTime, type Instant } from "../lib/time.ts";
import { type Refusal, refusal, type UsedKey } from "./format.ts";
import { keysOf, objectionTo } from "./openpgp-certificate.ts";
import { readCertificates } from "./openpgp-keyfile.ts";
import { certifiedKeys } from "./ssh-authority.ts";
import { objectionToPeriod } from "./ssh-certificate.ts";
import { objectionToUse } from "./terms.ts";
import type { Certification, Owner, SshAuthority, Trust, TrustedKey } from "./trust.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * What speaks against anything that the key signs at this instant; null when nothing does. Touch is shown only by a
 * signature. Without a namespace it is enough that the key may sign for any.
 */
export function objectionToKey(
  key: TrustedKey,
  trust: Trust,
  at: Instant,
  namespace: string = key.terms.namespaces?.[0] ?? "",
): Refusal | null {
  return objectionToSigning(key, ofCertificate(key, at), trust, at, namespace);
}

interface Certified {
  readonly signingKey: string;
  readonly objection: Refusal | null;
}

function objectionToSigning(key: UsedKey, certified: Certified, trust: Trust, at: Instant, namespace: string) {
  const use = { at, namespace, revokedKeys: new Set(trust.revokedKeys) };
  const untouched = { ...key, terms: { ...key.terms, touch: false } };
  const { signingKey, objection } = certified;
  const match = { key: untouched, signingKey, hardware: null, objectionAt: () => objection, turningPoints: () => [] };
  return objectionToUse(match, use);
}

/**
 * What speaks against a key that is not listed itself, at this instant and by the trust of today: its authority must
 * still be listed, still mean this one owner by these principals, and the certificate must not be over.
 */
export function objectionToCertified(
  { owner, fingerprint }: { readonly owner: string; readonly fingerprint: string },
  certification: Certification,
  trust: Trust,
  at: Instant,
  namespace: string,
): Refusal | null {
  const { authority, principals } = certification;
  const issuers = (trust.sshAuthorities ?? []).filter((one) => one.fingerprint === authority);
  const lost = trust.keys.find((one) => one.fingerprint === fingerprint && one.terms.revoked !== null);
  const keys = certifiedKeys(fingerprint, principals, issuers, lost?.terms.revoked ?? null);
  const objection = takenAway(authority, trust) ?? objectionToPeriod(fingerprint, certification, at);
  const judged = keys
    .filter((key) => key.owner.id === owner)
    .map((key) => objectionToSigning(key, { signingKey: fingerprint, objection }, trust, at, namespace));
  const nobody = refusal("unknown-signer", `No listed authority says that the SSH key ${fingerprint} is ${owner}'s.`);
  return judged.includes(null) ? null : (judged[0] ?? nobody);
}

/** What speaks against a fresh certificate of this authority for its owner's own address; null when nothing does. */
export function objectionToCertifying(
  authority: SshAuthority,
  owner: Owner,
  trust: Trust,
  at: Instant,
  namespace: string,
): Refusal | null {
  const objection = takenAway(authority.fingerprint, trust);
  const judged = owner.emails
    .flatMap((email) => certifiedKeys(authority.fingerprint, [email], [authority], null))
    .filter((key) => key.owner === owner)
    .map((key) => objectionToSigning(key, { signingKey: key.fingerprint, objection }, trust, at, namespace));
  const nobody = refusal("unknown-signer", `The authority ${authority.fingerprint} does not speak for ${owner.id}.`);
  return judged.includes(null) ? null : (judged[0] ?? nobody);
}

/** What speaks against everything that an authority for SSH certificates certifies; null when nothing does. */
export function objectionToAuthority(authority: SshAuthority, trust: Trust, at: Instant): Refusal | null {
  const { from, until } = authority.terms;
  const day = (time: Instant): string => formatTime(time).slice(0, 10);
  const whose = `The authority ${authority.fingerprint} is listed`;
  return (
    takenAway(authority.fingerprint, trust) ??
    (from !== null && at < from ? refusal("key-not-yet-valid", `${whose} from ${day(from)} on.`) : null) ??
    (until !== null && at >= until ? refusal("key-expired", `${whose} until ${day(until)}.`) : null)
  );
}

function takenAway(fingerprint: string, { revokedKeys }: Trust): Refusal | null {
  if (!revokedKeys.includes(fingerprint)) return null;
  return refusal("key-revoked", `The certificate authority ${fingerprint} was taken away.`);
}

/** An OpenPGP certificate is usable while any of its keys may sign. */
function ofCertificate(key: TrustedKey, at: Instant): Certified {
  if (key.format === "ssh") return { signingKey: key.fingerprint, objection: null };
  const read = readCertificates(key.certificate);
  const certificate = typeof read === "string" ? undefined : read[0]?.certificate;
  if (certificate === undefined) {
    const objection = refusal("key-not-for-signing", `The key ${key.fingerprint} cannot be read.`);
    return { signingKey: key.fingerprint, objection };
  }
  const judged = keysOf(certificate).map((one) => ({
    signingKey: one.fingerprint,
    objection: objectionTo(certificate, one, at),
  }));
  const usable = judged.find((one) => one.objection === null);
  return usable ?? judged[0] ?? { signingKey: key.fingerprint, objection: null };
}

/** First day (to 24 hours) within `days` of `at` on which a key that counts now counts no longer; null where there is none. */
export function expiryWithin(key: TrustedKey, trust: Trust, at: Instant, days: number): Instant | null {
  if (objectionToKey(key, trust, at) !== null) return null;
  for (let day = 1; day <= days; day++) {
    if (objectionToKey(key, trust, at + day * DAY_MS) !== null) return at + day * DAY_MS;
  }
  return null;
}
