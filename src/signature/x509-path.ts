/**
 * From a signer's certificate to a listed authority (RFC 5280 section 6.1), in two steps: which chains of signatures
 * exist, and what speaks against each at one instant. Nothing is fetched: issuers come from the trust folder or from
 * the signature itself.
 */
import { formatTime, type Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { isSignedBy } from "./x509-algorithm.ts";
import type { Certificate } from "./x509-certificate.ts";
import { forbiddenName } from "./x509-constraints.ts";

/** The signer's certificate first, the listed authority's last. */
export type CertificatePath = readonly Certificate[];

export const PURPOSE = {
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  timeStamping: "1.3.6.1.5.5.7.3.8",
} as const;

const ANY_PURPOSE = "2.5.29.37.0";

/** The signer, three authorities between, and the listed one. */
const MAXIMUM_PATH_LENGTH = 5;
/** Of one signature: what an attacker can make us compute with certificates that carry each other's names. */
const MAXIMUM_SIGNATURE_CHECKS = 24;
/** Remembered pairs of authorities; enough for every intermediate in use, and a bound for hostile ones. */
const MAXIMUM_REMEMBERED = 512;

/** Whether `issuer` signed `child`; authorities' answers are remembered, since a range shares its intermediates. */
export type IssuedBy = (child: Certificate, issuer: Certificate) => boolean;

export function openIssuedBy(): IssuedBy {
  const remembered = new Map<string, boolean>();
  return (child, issuer) => {
    const compute = (): boolean => isSignedBy(child.algorithm, issuer.key, child.tbs, child.signature);
    if (!child.extensions.isAuthority) return compute();
    const pair = `${child.fingerprint} ${issuer.fingerprint}`;
    const known = remembered.get(pair);
    if (known !== undefined) return known;
    const answer = compute();
    if (remembered.size < MAXIMUM_REMEMBERED) remembered.set(pair, answer);
    return answer;
  };
}

/** For one signature: past the bound nothing is issued by anybody, and nothing more is computed. */
export function withinBounds(issuedBy: IssuedBy): IssuedBy {
  let checks = 0;
  return (child, issuer) => {
    checks += 1;
    return checks <= MAXIMUM_SIGNATURE_CHECKS && issuedBy(child, issuer);
  };
}

export interface Issuers {
  /** Listed: a path ends with one of them. */
  readonly anchors: readonly Certificate[];
  /** Listed beside them, or carried by the signature. */
  readonly intermediates: readonly Certificate[];
}

/** Every chain of right signatures from the certificate to an anchor, shortest first. */
export function findPaths(leaf: Certificate, issuers: Issuers, issuedBy: IssuedBy): readonly CertificatePath[] {
  const found: CertificatePath[] = [];
  let open: CertificatePath[] = [[leaf]];
  while (open.length > 0) {
    const longer: CertificatePath[] = [];
    for (const path of open) {
      const child = path.at(-1) ?? leaf;
      for (const issuer of candidates(child, path, issuers)) {
        if (!issuedBy(child, issuer)) continue;
        const next = [...path, issuer];
        if (issuers.anchors.includes(issuer)) found.push(next);
        else if (next.length < MAXIMUM_PATH_LENGTH) longer.push(next);
      }
    }
    open = longer;
  }
  return found;
}

/** Those with the issuer's name and, where both say, its key; none twice in one path, so that chains cannot loop. */
function candidates(child: Certificate, path: CertificatePath, issuers: Issuers): readonly Certificate[] {
  return [...issuers.anchors, ...issuers.intermediates].filter(
    (one) =>
      one.subject === child.issuer &&
      (child.extensions.authorityKey === null ||
        one.extensions.subjectKey === null ||
        one.extensions.subjectKey === child.extensions.authorityKey) &&
      !path.some((earlier) => earlier.fingerprint === one.fingerprint),
  );
}

/** What speaks against the authorities of a path at the instant, gravest first; null when nothing does. */
export function objectionToPath(path: CertificatePath, purposes: readonly string[], at: Instant): Refusal | null {
  const [, ...authorities] = path;
  for (const [index, one] of authorities.entries()) {
    const below = authorities.slice(0, index).filter((other) => other.subject !== other.issuer).length;
    const wrong = faultOfAuthority(one, below, purposes, index === authorities.length - 1);
    if (wrong !== null) return refusal("untrusted-certificate", `The authority ${one.fingerprint} ${wrong}.`);
  }
  const outside = outsideConstraints(path);
  if (outside !== null) return outside;
  const critical = path.find((one) => one.extensions.unknownCritical.length > 0);
  if (critical !== undefined) {
    const [id = ""] = critical.extensions.unknownCritical;
    return refusal(
      "untrusted-certificate",
      `The certificate ${critical.fingerprint} has the critical extension ${id}, which is not known here.`,
    );
  }
  for (const one of authorities) {
    const ended = outsideValidity(one, at);
    if (ended !== null) return ended;
  }
  return null;
}

/** Section 6.1.3 (b) and (c): a constraint holds for everything below it, except what an authority issued to itself. */
function outsideConstraints(path: CertificatePath): Refusal | null {
  for (const [index, issuer] of path.entries()) {
    const { nameConstraints } = issuer.extensions;
    if (nameConstraints === null || index === 0) continue;
    const who = `The authority ${issuer.fingerprint}`;
    if (!nameConstraints.isKnown) {
      return refusal("not-supported", `${who} has name constraints of a kind that is not supported.`);
    }
    const below = path.slice(0, index).filter((one, at) => at === 0 || one.subject !== one.issuer);
    for (const { extensions } of below) {
      const name = forbiddenName(extensions, nameConstraints);
      if (name === null) continue;
      return refusal("untrusted-certificate", `${who} may not certify the name ${JSON.stringify(name.slice(0, 200))}.`);
    }
  }
  return null;
}

/** Roots that people make with openssl often have no key usage; listed, they are what the trust folder says they are. */
function faultOfAuthority(
  { extensions }: Certificate,
  below: number,
  purposes: readonly string[],
  isListed: boolean,
): string | null {
  if (!extensions.isAuthority) return "may issue no certificates";
  if (!(extensions.keyUsage?.certify ?? isListed)) return "may not sign certificates by its key usage";
  if (extensions.pathLength !== null && below > extensions.pathLength) {
    return `stands above ${below} others but allows ${extensions.pathLength}`;
  }
  return allows(extensions.purposes, purposes) ? null : "may not issue certificates for this purpose";
}

/** An authority without purposes may issue for any; one with them hands down no others. */
function allows(own: readonly string[] | null, wanted: readonly string[]): boolean {
  return own === null || own.includes(ANY_PURPOSE) || wanted.some((purpose) => own.includes(purpose));
}

/** What speaks against the signer's own certificate, apart from time; a purpose must be named, none is not any. */
export function objectionToSigner(
  { extensions, fingerprint }: Certificate,
  purposes: readonly string[],
): Refusal | null {
  const wrong = faultOfSigner(extensions, purposes);
  return wrong === null ? null : refusal("key-not-for-signing", `The certificate ${fingerprint} ${wrong}.`);
}

function faultOfSigner(extensions: Certificate["extensions"], purposes: readonly string[]): string | null {
  if (extensions.isAuthority) return "is an authority's own; it issues certificates and signs nothing else";
  if (extensions.keyUsage?.sign !== true) return "lacks the key usage digitalSignature";
  const named = extensions.purposes ?? [];
  return purposes.some((purpose) => named.includes(purpose)) ? null : "names no purpose that allows this signature";
}

/** Instants at which outsideValidity() begins to say something else. */
export function turningPointsOfValidity({ notBefore, notAfter }: Certificate): readonly Instant[] {
  return [notBefore, notAfter + 1000];
}

/** RFC 5280 section 4.1.2.5: both ends belong to the period. */
export function outsideValidity({ notBefore, notAfter, fingerprint }: Certificate, at: Instant): Refusal | null {
  if (at < notBefore) {
    return refusal("key-not-yet-valid", `The certificate ${fingerprint} is valid from ${formatTime(notBefore)} on.`);
  }
  // notAfter names a second, the whole of which still counts.
  if (at < notAfter + 1000) return null;
  return refusal("key-expired", `The certificate ${fingerprint} was valid until ${formatTime(notAfter)}.`);
}
