/**
 * Certificates and requests as Go's crypto/x509 reads them and encoding/json writes them: all fields of its structures,
 * empty lists as null. Policy constraints and mappings are not offered.
 */
import {
  childrenOf,
  context,
  type Element,
  Fields,
  integerHex,
  oid,
  onlyChild,
  readDer,
  smallInteger,
  TAG,
  time,
  wholeBits,
} from "../../signature/x509-der.ts";
import type { RegoValue } from "../rego-value.ts";
import { number, object } from "./call.ts";
import {
  constraintsShown,
  type Extension,
  type ExtensionParts,
  extensionList,
  namesShown,
  readExtension,
  readExtensions,
} from "./x509-extensions.ts";
import { base64, goTime, idList, ids, integer, nameOf, orFailure, orNull, publicKey } from "./x509-fields.ts";

/** What verification asks of a certificate, and its fields as Go shows them. */
export interface GoCertificate {
  readonly der: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly version: number;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly signatureAlgorithm: number;
  readonly parts: ExtensionParts;
  readonly fields: Readonly<Record<string, RegoValue>>;
}

const SIGNATURES: Readonly<Record<string, number>> = {
  ...{ "1.2.840.113549.1.1.2": 1, "1.2.840.113549.1.1.4": 2, "1.2.840.113549.1.1.5": 3, "1.3.14.3.2.29": 3 },
  ...{ "1.2.840.113549.1.1.11": 4, "1.2.840.113549.1.1.12": 5, "1.2.840.113549.1.1.13": 6, "1.2.840.10040.4.3": 7 },
  ...{ "2.16.840.1.101.3.4.3.2": 8, "1.2.840.10045.4.1": 9, "1.2.840.10045.4.3.2": 10, "1.2.840.10045.4.3.3": 11 },
  ...{ "1.2.840.10045.4.3.4": 12, "1.3.101.112": 16 },
};
const PSS = "1.2.840.113549.1.1.10";
const PSS_HASHES: Readonly<Record<string, number>> = {
  ...{ "2.16.840.1.101.3.4.2.1": 13, "2.16.840.1.101.3.4.2.2": 14, "2.16.840.1.101.3.4.2.3": 15 },
};
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** One after the other, as Go's ParseCertificates. */
export function readCertificates(bytes: Uint8Array): readonly GoCertificate[] {
  const all = orFailure(() => childrenOf({ tag: TAG.sequence, whole: bytes, content: bytes }));
  return all.map((one) => orFailure(() => readCertificate(one)));
}

function readCertificate(element: Element): GoCertificate {
  const outer = new Fields(element);
  const tbs = outer.next(TAG.sequence);
  const algorithm = signatureAlgorithm(outer.next(TAG.sequence));
  const signature = wholeBits(outer.next(TAG.bitString));
  outer.end();
  const fields = new Fields(tbs);
  const explicit = fields.optional(context(0));
  const version = explicit === null ? 0 : smallInteger(onlyChild(explicit));
  const serial = integer(integerHex(fields.next(TAG.integer)));
  fields.next(TAG.sequence);
  const issuer = fields.next(TAG.sequence);
  const validity = new Fields(fields.next(TAG.sequence));
  const [notBefore, notAfter] = [time(validity.next()), time(validity.next())];
  const subject = fields.next(TAG.sequence);
  const key = fields.next(TAG.sequence);
  fields.optional(0x81);
  fields.optional(0x82);
  const extensions = fields.optional(context(3));
  fields.end();
  const list = extensions === null ? [] : childrenOf(onlyChild(extensions)).map(readExtension);
  const parts = readExtensions(list);
  const { basic } = parts;
  return {
    der: element.whole,
    subject: base64(subject.whole),
    issuer: base64(issuer.whole),
    version: version + 1,
    notBefore,
    notAfter,
    signatureAlgorithm: algorithm,
    parts,
    fields: {
      Raw: base64(element.whole),
      RawTBSCertificate: base64(tbs.whole),
      RawSubjectPublicKeyInfo: base64(key.whole),
      RawSubject: base64(subject.whole),
      RawIssuer: base64(issuer.whole),
      Signature: base64(signature),
      SignatureAlgorithm: number(algorithm),
      ...publicKey(key),
      Version: number(version + 1),
      SerialNumber: number(serial),
      Issuer: nameOf(issuer),
      Subject: nameOf(subject),
      NotBefore: goTime(notBefore),
      NotAfter: goTime(notAfter),
      KeyUsage: number(parts.keyUsage),
      Extensions: extensionList(list),
      ExtraExtensions: null,
      UnhandledCriticalExtensions: idList(parts.unhandled),
      ExtKeyUsage: orNull(parts.extendedKeyUsage.map(number)),
      UnknownExtKeyUsage: idList(parts.unknownUsage),
      BasicConstraintsValid: basic !== null,
      IsCA: basic?.isAuthority ?? false,
      MaxPathLen: number(basic?.pathLength ?? 0),
      MaxPathLenZero: basic?.pathLength === 0,
      SubjectKeyId: parts.subjectKeyId === null ? null : base64(parts.subjectKeyId),
      AuthorityKeyId: parts.authorityKeyId === null ? null : base64(parts.authorityKeyId),
      OCSPServer: orNull(parts.ocsp),
      IssuingCertificateURL: orNull(parts.issuing),
      ...namesShown(parts),
      PermittedDNSDomainsCritical: parts.constraintsAreCritical,
      ...constraintsShown("Permitted", parts.permitted),
      ...constraintsShown("Excluded", parts.excluded),
      CRLDistributionPoints: orNull(parts.lists),
      PolicyIdentifiers: idList(parts.policies),
      Policies: orNull(parts.policies),
      ...{ PolicyMappings: null, InhibitAnyPolicy: number(0), InhibitAnyPolicyZero: false },
      ...{ InhibitPolicyMapping: number(0), InhibitPolicyMappingZero: false },
      ...{ RequireExplicitPolicy: number(0), RequireExplicitPolicyZero: false },
    },
  };
}

/** `SEQUENCE { OID, SET { SEQUENCE of extensions } }`, RFC 2986 section 4.1. */
function requestedExtensions(attribute: Element): readonly Extension[] {
  const fields = new Fields(attribute);
  fields.next(TAG.oid);
  const extensions = childrenOf(onlyChild(fields.next()));
  fields.end();
  return extensions.map(readExtension);
}

export function readRequest(bytes: Uint8Array): RegoValue {
  const element = readDer(bytes);
  const outer = new Fields(element);
  const tbs = outer.next(TAG.sequence);
  const algorithm = signatureAlgorithm(outer.next(TAG.sequence));
  const signature = wholeBits(outer.next(TAG.bitString));
  outer.end();
  const fields = new Fields(tbs);
  const version = smallInteger(fields.next(TAG.integer));
  const subject = fields.next(TAG.sequence);
  const key = fields.next(TAG.sequence);
  const attributes = fields.optional(context(0));
  const found = attributes === null ? [] : childrenOf(attributes);
  const wanted = found.filter((one) => oid(new Fields(one).next(TAG.oid)) === EXTENSION_REQUEST);
  const list = wanted.flatMap(requestedExtensions);
  const parts = readExtensions(list);
  const shown = list.map(({ id, value }) => object({ Type: ids(id), Value: base64(value) }));
  return object({
    Raw: base64(element.whole),
    RawTBSCertificateRequest: base64(tbs.whole),
    RawSubjectPublicKeyInfo: base64(key.whole),
    RawSubject: base64(subject.whole),
    Version: number(version),
    Signature: base64(signature),
    SignatureAlgorithm: number(algorithm),
    ...publicKey(key),
    Subject: nameOf(subject),
    Attributes: orNull(wanted.map(() => object({ Type: ids(EXTENSION_REQUEST), Value: [shown] }))),
    Extensions: extensionList(list),
    ExtraExtensions: null,
    ...namesShown(parts),
  });
}

function signatureAlgorithm(element: Element): number {
  const fields = new Fields(element);
  const id = oid(fields.next(TAG.oid));
  if (id !== PSS) return SIGNATURES[id] ?? 0;
  const [hash] = childrenOf(fields.next(TAG.sequence));
  if (hash === undefined || hash.tag !== context(0)) return 0;
  return PSS_HASHES[oid(new Fields(onlyChild(hash)).next(TAG.oid))] ?? 0;
}
