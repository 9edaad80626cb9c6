/**
 * X.509 signatures as `git -c gpg.format=x509` stores them: a detached CMS message in armour, made by gpgsm or smimesign
 * with a certificate of a company's authority, or by gitsign with one of Fulcio that lives for ten minutes.
 *
 * In this order: read, find the one signer's certificate, check the mathematics, find a way to a listed authority and
 * whose name the certificate carries, find the time; then everything can be judged at any time. Nothing is fetched.
 */
import type { Instant } from "../../lib/time.ts";
import { armourText, readArmour } from "../armour.ts";
import { readSignedData, type SignedData } from "../cms-signed-data.ts";
import { type CmsSigner, signerOf } from "../cms-signer.ts";
import { type Format, type Match, type Matched, type Refusal, refusal, type SignedBytes } from "../format.ts";
import type { DatedIssuers } from "../fulcio-root.ts";
import type { KeyTerms, Trust, X509Authority } from "../trust.ts";
import { type Certificate, type ReadCertificate, rememberingCertificates } from "../x509-certificate.ts";
import { ownerOf, shownName } from "../x509-identity.ts";
import { type Circumstances, objectionToCertificate, turningPointsOf } from "../x509-judgement.ts";
import {
  type CertificatePath,
  findPaths,
  type IssuedBy,
  objectionToSigner,
  openIssuedBy,
  withinBounds,
} from "../x509-path.ts";
import { provenTime } from "../x509-time.ts";

const BEGIN = "-----BEGIN SIGNED MESSAGE-----";
const END = "-----END SIGNED MESSAGE-----";
const WHAT = "The X.509 signature";
const ID_DATA = "1.2.840.113549.1.7.1";
const SEQUENCE = 0x30;
const NO_TERMS: KeyTerms = { from: null, until: null, revoked: null, touch: false };

export const X509: Format = {
  name: "x509",
  begin: BEGIN,
  end: END,
  open({ x509Authorities = [], revokedKeys }: Trust) {
    const judging: Judging = {
      authorities: x509Authorities,
      revokedKeys: new Set(revokedKeys),
      issuedBy: openIssuedBy(),
      readCertificate: rememberingCertificates(),
    };
    return { match: async (signed) => matchX509(signed, judging) };
  },
};

interface Judging {
  readonly authorities: readonly X509Authority[];
  readonly revokedKeys: ReadonlySet<string>;
  readonly issuedBy: IssuedBy;
  readonly readCertificate: ReadCertificate;
}

function matchX509({ signature, payload }: SignedBytes, judging: Judging): Matched | Refusal {
  const message = binary(signature);
  if (typeof message === "string") return refusal("malformed-signature", `${WHAT} ${message}.`);
  const data = readSignedData(message, WHAT);
  if (data.kind === "refused") return data;
  if (data.contentType !== ID_DATA || data.content !== null) {
    return refusal("malformed-signature", `${WHAT} brings content of its own instead of standing beside the commit.`);
  }
  const signer = signerOf(data, payload, [], WHAT, judging.readCertificate);
  if (signer.kind === "refused") return signer;
  const bounded = { ...judging, issuedBy: withinBounds(judging.issuedBy) };
  const matches = judging.authorities.flatMap((authority) =>
    authority.issuers.flatMap((issuers) => matchesBy(data, signer, { authority, issuers }, bounded)),
  );
  return matches.length > 0 ? { kind: "matched", matches } : unknown(signer.certificate);
}

function binary(signature: Uint8Array): Uint8Array | string {
  if (signature[0] === SEQUENCE) return signature;
  return readArmour(armourText(signature), { begin: BEGIN, end: END, openPgp: false });
}

/** One match where this authority leads to a listed owner, with what speaks against the best way; none otherwise. */
function matchesBy(
  data: SignedData,
  { certificate, others }: CmsSigner,
  { authority, issuers }: { readonly authority: X509Authority; readonly issuers: DatedIssuers },
  { issuedBy, revokedKeys }: Judging,
): readonly Match[] {
  const owner = ownerOf(certificate, authority);
  if (owner === null) return [];
  const reachable = { anchors: issuers.anchors, intermediates: [...issuers.intermediates, ...others] };
  const paths = findPaths(certificate, reachable, issuedBy);
  if (paths.length === 0) return [];
  const proven = provenTime(data, certificate.der, authority, issuedBy);
  const circumstances = { authority, issuers, proven, revokedKeys };
  const notSigner = objectionToSigner(certificate, authority.purposes);
  const objectionAt = (at: Instant): Refusal | null => notSigner ?? leastObjection(paths, circumstances, at);
  const turningPoints = () => paths.flatMap((path) => turningPointsOf(path, circumstances));
  const key = { owner, fingerprint: certificate.fingerprint, terms: NO_TERMS };
  return [{ key, signingKey: certificate.keyFingerprint, hardware: null, objectionAt, turningPoints }];
}

/** One way without an objection is enough; otherwise what speaks against the shortest. */
function leastObjection(paths: readonly CertificatePath[], circumstances: Circumstances, at: Instant): Refusal | null {
  const objections = paths.map((path) => objectionToCertificate(path, circumstances, at));
  return objections.includes(null) ? null : (objections[0] ?? null);
}

function unknown(certificate: Certificate): Refusal {
  const name = shownName(certificate);
  return refusal("unknown-signer", `No listed authority says whose the certificate of ${name} is.`);
}
