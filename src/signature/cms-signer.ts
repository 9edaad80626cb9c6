/** Whose certificate signed a CMS message, and whether the mathematics is right (RFC 5652 sections 5.4 and 5.6). */
import { equalBytes } from "../lib/bytes.ts";
import { type SignedData, type SignerId, singleValue } from "./cms-signed-data.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { hashOf, isSignedBy } from "./x509-algorithm.ts";
import { type Certificate, type ReadCertificate, readCertificate } from "./x509-certificate.ts";
import { octets, oid, orClause } from "./x509-der.ts";

const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";

export interface CmsSigner {
  readonly kind: "signer";
  readonly certificate: Certificate;
  /** The others that came along; nothing is known about them yet. */
  readonly others: readonly Certificate[];
}

/**
 * The signer's certificate, after the signature over these bytes was found right. `more` are certificates that the
 * message need not carry. `what` begins the sentence of a refusal.
 */
export function signerOf(
  data: SignedData,
  content: Uint8Array,
  more: readonly Certificate[],
  what: string,
  read: ReadCertificate = readCertificate,
): CmsSigner | Refusal {
  const carried = data.certificates.map((der) => read(der));
  const unusable = carried.filter((one) => one.kind === "refused");
  const malformed = unusable.find((one) => one.reason === "malformed-signature");
  if (malformed !== undefined) return malformed;
  const known = [...carried.filter((one) => one.kind === "certificate"), ...more];
  const [certificate, second] = distinct(known.filter((one) => isNamed(one, data.signer.signerId)));
  if (certificate === undefined) {
    // An old root of a kind that is not used here may come along; without the signer's own it is the likelier reason.
    const missing = refusal("malformed-signature", `${what} does not carry the certificate of its signer.`);
    return unusable[0] ?? missing;
  }
  if (second !== undefined) return refusal("ambiguous-signature", `${what} names two certificates as its signer's.`);
  const wrong = faultIn(data, content, certificate, what);
  if (wrong !== null) return wrong;
  return { kind: "signer", certificate, others: known.filter((one) => one.fingerprint !== certificate.fingerprint) };
}

function distinct(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
}

function isNamed(certificate: Certificate, id: SignerId): boolean {
  return id.kind === "serial"
    ? certificate.serial === id.serial && certificate.issuer === id.issuer
    : certificate.extensions.subjectKey === id.id;
}

/** What is wrong with the signature itself; null when the mathematics is right. */
function faultIn(
  { contentType, signer }: SignedData,
  content: Uint8Array,
  certificate: Certificate,
  what: string,
): Refusal | null {
  const type = orClause(() => oid(singleValue(signer.signed, CONTENT_TYPE)));
  const digest = orClause(() => octets(singleValue(signer.signed, MESSAGE_DIGEST)));
  if (type !== contentType || typeof digest === "string") {
    return refusal("malformed-signature", `${what} does not sign exactly one content type and one digest.`);
  }
  const isWhole =
    equalBytes(digest, hashOf(signer.hash, content)) &&
    isSignedBy(signer.algorithm, certificate.key, signer.signedBytes, signer.signature, signer.hash);
  return isWhole
    ? null
    : refusal("bad-signature", `${what} of ${certificate.fingerprint} does not belong to these bytes.`);
}
