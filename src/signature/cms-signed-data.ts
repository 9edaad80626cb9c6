/**
 * The CMS message of a signature (RFC 5652 section 5), as a closed value:
 *
 *   ContentInfo           SEQUENCE { id-signedData, [0] SignedData }
 *   SignedData            SEQUENCE { version, SET OF digest algorithm, EncapsulatedContentInfo,
 *                                    [0] certificates, SET OF SignerInfo: exactly one }
 *   EncapsulatedContentInfo  SEQUENCE { content type, [0] OCTET STRING: only in a timestamp }
 *   SignerInfo            SEQUENCE { version, issuer and serial | [0] subject key, digest algorithm,
 *                                    [0] signed attributes, signature algorithm, signature, [1] unsigned attributes }
 *
 * The first four layers may have indefinite lengths, as gpgsm writes them; all below is DER.
 * Signed attributes are required: without them a signature over attributes could be passed off as one over a commit.
 */
import { concatBytes, encodeHex } from "../lib/bytes.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { type HashName, readHash, readSignatureAlgorithm, type SignatureAlgorithm } from "./x509-algorithm.ts";
import {
  childrenOf,
  context,
  contextPrimitive,
  DerError,
  type Element,
  Fields,
  integerHex,
  octets,
  oid,
  onlyChild,
  orClause,
  readDer,
  smallInteger,
  TAG,
} from "./x509-der.ts";

export interface SignedData {
  readonly kind: "signed-data";
  readonly contentType: string;
  /** null where the content stands elsewhere (a detached signature). */
  readonly content: Uint8Array | null;
  /** DER of each certificate that it carries. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: SignerInfo;
}

export interface SignerInfo {
  readonly signerId: SignerId;
  readonly hash: HashName;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** DER of the attributes as a SET OF: the bytes that were signed. */
  readonly signedBytes: Uint8Array;
  /** Values by OID; each attribute stands once. */
  readonly signed: ReadonlyMap<string, readonly Element[]>;
  readonly unsigned: ReadonlyMap<string, readonly Element[]>;
}

export type SignerId =
  | { readonly kind: "serial"; readonly issuer: string; readonly serial: string }
  | { readonly kind: "subject-key"; readonly id: string };

const ID_SIGNED_DATA = "1.2.840.113549.1.7.2";
const MAXIMUM_MESSAGE_BYTES = 64 * 1024;
const MAXIMUM_CERTIFICATES = 10;
const MAXIMUM_ATTRIBUTES = 32;
/** Of one attribute: those that are read have one, gitsign 0.4 wrote its log entry in a dozen. */
const MAXIMUM_VALUES = 64;

/** `what` begins the sentence of a refusal: "The X.509 signature". */
export function readSignedData(bytes: Uint8Array, what: string): SignedData | Refusal {
  const read = orClause(() => parse(bytes, what));
  return typeof read === "string" ? refusal("malformed-signature", `${what} ${read}.`) : read;
}

function parse(bytes: Uint8Array, what: string): SignedData | Refusal {
  if (bytes.byteLength > MAXIMUM_MESSAGE_BYTES) throw new DerError("is larger than 64 KiB");
  const info = new Fields(readDer(bytes, "ber"), TAG.sequence, "ber");
  if (oid(info.next(TAG.oid)) !== ID_SIGNED_DATA) throw new DerError("is no CMS SignedData");
  const wrapped = info.next(context(0));
  info.end();
  const fields = new Fields(onlyChild(wrapped, "ber"), TAG.sequence, "ber");
  fields.next(TAG.integer);
  definite(fields.next(TAG.set));
  const content = readContent(fields.next(TAG.sequence));
  const certificates = fields.optional(context(0));
  const signers = definite(fields.next(TAG.set));
  fields.end();
  const [signer, second] = childrenOf(signers);
  if (signer === undefined) throw new DerError("is signed by nobody");
  if (second !== undefined) return refusal("ambiguous-signature", `${what} holds more than one signature.`);
  const signerInfo = readSignerInfo(signer);
  if ("kind" in signerInfo) return signerInfo;
  const carried = certificates === null ? [] : childrenOf(definite(certificates)).map(certificateBytes);
  if (carried.length > MAXIMUM_CERTIFICATES) throw new DerError("carries more than 10 certificates");
  return { kind: "signed-data", ...content, certificates: carried, signer: signerInfo };
}

/** What stands below the outer layers is read again as DER, so that no indefinite length hides in it. */
function definite(element: Element): Element {
  return readDer(element.whole);
}

function certificateBytes(element: Element): Uint8Array {
  if (element.tag !== TAG.sequence) throw new DerError("carries a certificate of a kind that is not used here");
  return element.whole;
}

function readContent(element: Element): Pick<SignedData, "contentType" | "content"> {
  const fields = new Fields(element, TAG.sequence, "ber");
  const contentType = oid(fields.next(TAG.oid));
  const wrapped = fields.optional(context(0));
  fields.end();
  return { contentType, content: wrapped === null ? null : octets(onlyChild(definite(wrapped))) };
}

function readSignerInfo(element: Element): SignerInfo | Refusal {
  const fields = new Fields(element);
  const version = smallInteger(fields.next(TAG.integer));
  const signerId = readSignerId(fields.next(TAG.sequence, contextPrimitive(0)));
  if (version !== (signerId.kind === "serial" ? 1 : 3))
    throw new DerError("has a version that does not fit its signer");
  const hash = readHash(fields.next(TAG.sequence));
  const signed = fields.optional(context(0));
  const algorithm = readSignatureAlgorithm(fields.next(TAG.sequence));
  const signature = octets(fields.next(TAG.octetString));
  const unsigned = fields.optional(context(1));
  fields.end();
  if (hash.kind === "refused") return hash;
  if (algorithm.kind === "refused") return algorithm;
  if (signed === null) throw new DerError("has no signed attributes");
  // RFC 8419 section 3.1: Ed25519 goes with SHA-512.
  const named = algorithm.key === "ed25519" ? "sha512" : algorithm.hash;
  if (named !== null && named !== hash.name) throw new DerError("names two hash algorithms");
  return {
    signerId,
    hash: hash.name,
    algorithm,
    signature,
    signedBytes: concatBytes(Uint8Array.of(TAG.set), signed.whole.subarray(1)),
    signed: readAttributes(signed),
    unsigned: unsigned === null ? new Map() : readAttributes(unsigned),
  };
}

function readSignerId(element: Element): SignerId {
  if (element.tag !== TAG.sequence) return { kind: "subject-key", id: encodeHex(element.content) };
  const fields = new Fields(element);
  const issuer = encodeHex(fields.next(TAG.sequence).whole);
  const serial = integerHex(fields.next(TAG.integer));
  fields.end();
  return { kind: "serial", issuer, serial };
}

function readAttributes(element: Element): ReadonlyMap<string, readonly Element[]> {
  const attributes = new Map<string, readonly Element[]>();
  for (const one of childrenOf(element)) {
    const fields = new Fields(one);
    const id = oid(fields.next(TAG.oid));
    const values = childrenOf(fields.next(TAG.set), "der", MAXIMUM_VALUES);
    fields.end();
    if (attributes.has(id)) throw new DerError(`has the attribute ${id} twice`);
    attributes.set(id, values);
    if (attributes.size > MAXIMUM_ATTRIBUTES) throw new DerError("has too many attributes");
  }
  return attributes;
}

/** The one value of an attribute that has one. @throws DerError where there is none, or there are several */
export function singleValue(attributes: ReadonlyMap<string, readonly Element[]>, id: string): Element {
  const [value, ...others] = attributes.get(id) ?? [];
  if (value === undefined || others.length > 0) throw new DerError("has another number of values than one");
  return value;
}
