/**
 * RFC 3161 timestamps: an authority's signed word that these bytes existed at a time.
 *
 *   token    CMS SignedData over id-ct-TSTInfo, the content inside
 *   TSTInfo  SEQUENCE { version 1, policy, messageImprint { hash algorithm, OCTET STRING }, serial,
 *                       genTime, accuracy?, ordering?, nonce?, [0] tsa?, [1] extensions: refused }
 *
 * A token in a commit's signature is over the bytes of the signature value (RFC 3161 appendix A).
 */
import { equalBytes } from "../lib/bytes.ts";
import type { Instant } from "../lib/time.ts";
import { readSignedData } from "./cms-signed-data.ts";
import { signerOf } from "./cms-signer.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { type HashName, hashOf, readHash } from "./x509-algorithm.ts";
import type { Certificate } from "./x509-certificate.ts";
import { context, DerError, exactTime, Fields, octets, oid, orClause, readDer, smallInteger, TAG } from "./x509-der.ts";
import { findPaths, type IssuedBy, objectionToPath, objectionToSigner, PURPOSE } from "./x509-path.ts";

const ID_TST_INFO = "1.2.840.113549.1.9.16.1.4";
const WHAT = "The timestamp";

/** Somebody whose timestamps count: its authority, and the certificates that its tokens need not carry. */
export interface Timestamper {
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly from: Instant | null;
  /** Inclusive. */
  readonly until: Instant | null;
}

export interface ProvenTime {
  readonly kind: "proven";
  readonly at: Instant;
}

/** The time that a listed timestamper gave these bytes, or what is wrong; the reason is always `bad-timestamp`. */
export function verifyTimestamp(
  token: Uint8Array,
  stamped: Uint8Array,
  timestampers: readonly Timestamper[],
  issuedBy: IssuedBy,
): ProvenTime | Refusal {
  const data = readSignedData(token, WHAT);
  if (data.kind === "refused") return bad(data.detail);
  if (data.contentType !== ID_TST_INFO || data.content === null) return bad(`${WHAT} holds no time.`);
  const { content } = data;
  const info = orClause(() => readInfo(content));
  if (typeof info === "string") return bad(`${WHAT} ${info}.`);
  if (!equalBytes(info.digest, hashOf(info.hash, stamped))) return bad(`${WHAT} is over another signature.`);
  const listed = timestampers.flatMap((one) => [...one.intermediates, ...one.anchors]);
  const signer = signerOf(data, content, listed, WHAT);
  if (signer.kind === "refused") return bad(signer.detail);
  const { certificate, others } = signer;
  const mayStamp = objectionToStamper(certificate);
  if (mayStamp !== null) return bad(mayStamp.detail);
  return judgeStamper(certificate, others, info.at, timestampers, issuedBy);
}

function bad(detail: string): Refusal {
  return refusal("bad-timestamp", detail);
}

/** RFC 3161 section 2.3: this purpose and no other. */
function objectionToStamper(certificate: Certificate): Refusal | null {
  if (certificate.extensions.purposes?.length !== 1) return bad("The timestamper's key may do other things too.");
  return objectionToSigner(certificate, [PURPOSE.timeStamping]);
}

function judgeStamper(
  certificate: Certificate,
  others: readonly Certificate[],
  at: Instant,
  timestampers: readonly Timestamper[],
  issuedBy: IssuedBy,
): ProvenTime | Refusal {
  let objection = bad("The timestamp is by nobody who is listed.");
  for (const { anchors, intermediates, from, until } of timestampers) {
    if ((from !== null && at < from) || (until !== null && at > until)) continue;
    const issuers = { anchors, intermediates: [...intermediates, ...others] };
    for (const path of findPaths(certificate, issuers, issuedBy)) {
      const wrong = objectionToPath(path, [PURPOSE.timeStamping], at) ?? outside(certificate, at);
      if (wrong === null) return { kind: "proven", at };
      objection = bad(wrong.detail);
    }
  }
  return objection;
}

function outside({ notBefore, notAfter }: Certificate, at: Instant): Refusal | null {
  return at < notBefore || at >= notAfter + 1000 ? bad("The timestamper's certificate was not valid then.") : null;
}

interface Info {
  readonly hash: HashName;
  readonly digest: Uint8Array;
  readonly at: Instant;
}

function readInfo(content: Uint8Array): Info {
  const fields = new Fields(readDer(content));
  if (smallInteger(fields.next(TAG.integer)) !== 1) throw new DerError("is not of version 1");
  oid(fields.next(TAG.oid));
  const imprint = new Fields(fields.next(TAG.sequence));
  const hash = readHash(imprint.next(TAG.sequence));
  const digest = octets(imprint.next(TAG.octetString));
  imprint.end();
  if (hash.kind === "refused") throw new DerError("uses a hash that is weak or not supported");
  fields.next(TAG.integer);
  const at = exactTime(fields.next(TAG.generalizedTime));
  for (const accuracyToName of [TAG.sequence, TAG.boolean, TAG.integer, context(0)]) fields.optional(accuracyToName);
  fields.end();
  return { hash: hash.name, digest, at };
}
