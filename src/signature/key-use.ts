/** Whether a listed key could make a signature that counts, and until when: what `trust check` and `doctor` tell people. */
import type { Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./format.ts";
import { keysOf, objectionTo } from "./openpgp-certificate.ts";
import { readCertificates } from "./openpgp-keyfile.ts";
import { objectionToUse } from "./terms.ts";
import type { Trust, TrustedKey } from "./trust.ts";

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
  const revokedKeys = new Set(trust.revokedKeys);
  const terms = { ...key.terms, touch: false };
  const listed = { ...key, terms } as TrustedKey;
  const { signingKey, objection } = ofCertificate(key, at);
  return objectionToUse({ key: listed, signingKey, hardware: null, objection }, { at, namespace, revokedKeys });
}

/** An OpenPGP certificate is usable while any of its keys may sign. */
function ofCertificate(key: TrustedKey, at: Instant): { signingKey: string; objection: Refusal | null } {
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
