/**
 * Certificates and requests as Go's crypto/x509 reads them and encoding/json writes them: all fields of its structures,
 * empty lists as null. Policy constraints and mappings are not offered.
 */
import {
  boolean,
  childrenOf,
  context,
  DerError,
  type Element,
  expect,
  Fields,
  integerHex,
  namedBits,
  octets,
  oid,
  onlyChild,
  readDer,
  smallInteger,
  TAG,
  time,
  wholeBits,
} from "../../signature/x509-der.ts";
import type { RegoValue } from "../rego-value.ts";
import { formatAddress } from "./address.ts";
import { BuiltinError, LimitError, number, object } from "./call.ts";
import { goUrl } from "./x509-url.ts";

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

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

type Names = Record<"dns" | "email" | "ip" | "uri", string[]>;

export interface ExtensionParts {
  basic: { readonly isAuthority: boolean; readonly pathLength: number } | null;
  keyUsage: number;
  extendedKeyUsage: number[];
  unknownUsage: string[];
  names: Names & { uriValues: RegoValue[]; bytes: Uint8Array[] };
  permitted: Constraints;
  excluded: Constraints;
  constraintsAreCritical: boolean;
  subjectKeyId: Uint8Array | null;
  authorityKeyId: Uint8Array | null;
  ocsp: string[];
  issuing: string[];
  lists: string[];
  policies: string[];
  unhandled: string[];
}

export interface Constraints {
  dns: string[];
  email: string[];
  uri: string[];
  ranges: { readonly ip: Uint8Array; readonly mask: Uint8Array }[];
}

const EXTENDED_USAGES = [
  ...["2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4"],
  ...["1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7", "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9"],
  ...["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.2.1.22", "1.3.6.1.4.1.311.61.1.1"],
];
const NAME_LISTS: Readonly<Record<string, string>> = {
  ...{ "2.5.4.6": "Country", "2.5.4.10": "Organization", "2.5.4.11": "OrganizationalUnit", "2.5.4.7": "Locality" },
  ...{ "2.5.4.8": "Province", "2.5.4.9": "StreetAddress", "2.5.4.17": "PostalCode" },
};
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
const CURVES: Readonly<Record<string, number>> = {
  ...{ "1.3.132.0.33": 28, "1.2.840.10045.3.1.7": 32, "1.3.132.0.34": 48, "1.3.132.0.35": 66 },
};
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** @throws BuiltinError where the bytes are none. */
export function orFailure<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof DerError) throw new BuiltinError(`the certificate ${thrown.message}`);
    throw thrown;
  }
}

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
  const list = wanted.flatMap((one) => childrenOf(onlyChild(childrenOf(one)[1] as Element)).map(readExtension));
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

function publicKey(element: Element): Record<"PublicKeyAlgorithm" | "PublicKey", RegoValue> {
  const fields = new Fields(element);
  const algorithm = new Fields(fields.next(TAG.sequence));
  const id = oid(algorithm.next(TAG.oid));
  const bits = wholeBits(fields.next(TAG.bitString));
  switch (id) {
    case "1.2.840.113549.1.1.1": {
      const key = new Fields(readDer(bits));
      const modulus = number(integer(integerHex(key.next(TAG.integer))));
      const exponent = number(integer(integerHex(key.next(TAG.integer))));
      return { PublicKeyAlgorithm: number(1), PublicKey: object({ N: modulus, E: exponent }) };
    }
    case "1.2.840.10045.2.1": {
      const size = CURVES[oid(algorithm.next(TAG.oid))];
      if (size === undefined || bits[0] !== 4 || bits.byteLength !== 1 + 2 * size)
        throw new DerError("has a key on a curve that is not known");
      return { PublicKeyAlgorithm: number(3), PublicKey: point(bits.subarray(1, 1 + size), bits.subarray(1 + size)) };
    }
    case "1.3.101.112":
      return { PublicKeyAlgorithm: number(4), PublicKey: base64(bits) };
    case "1.3.101.110":
      throw new LimitError("X25519 keys in certificates are not offered");
    case "1.2.840.10040.4.1":
      throw new LimitError("DSA keys in certificates are not offered");
    default:
      return { PublicKeyAlgorithm: number(0), PublicKey: null };
  }
}

function point(x: Uint8Array, y: Uint8Array): RegoValue {
  return object({ Curve: object({}), X: number(unsigned(x)), Y: number(unsigned(y)) });
}

export function unsigned(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
}

function integer(hex: string): bigint {
  return BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`));
}

function nameOf(element: Element): RegoValue {
  const lists: Record<string, string[]> = Object.fromEntries(Object.values(NAME_LISTS).map((key) => [key, []]));
  const single: Record<"CommonName" | "SerialNumber", string> = { CommonName: "", SerialNumber: "" };
  const names: RegoValue[] = [];
  for (const part of childrenOf(element).flatMap((set) => childrenOf(set))) {
    const [type, value] = childrenOf(part);
    if (type === undefined || value === undefined) throw new DerError("has a malformed name");
    const id = oid(type);
    const text = directoryText(value);
    names.push(object({ Type: ids(id), Value: text }));
    const list = NAME_LISTS[id];
    if (list !== undefined) lists[list]?.push(text);
    if (id === "2.5.4.3") single.CommonName = text;
    if (id === "2.5.4.5") single.SerialNumber = text;
  }
  const shown = Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, orNull(list)]));
  return object({ ...shown, ...single, Names: orNull(names), ExtraNames: null });
}

/** UTF8String, PrintableString, T61String, IA5String, NumericString; BMPString. */
function directoryText({ tag, content }: Element): string {
  if (tag === 0x1e) return Buffer.from(content).swap16().toString("utf16le");
  if (tag === 0x14) return Buffer.from(content).toString("latin1");
  if (![0x0c, 0x13, 0x16, 0x12].includes(tag)) throw new DerError("has a name of an unknown form");
  return Buffer.from(content).toString("utf8");
}

function readExtension(element: Element): Extension {
  const fields = new Fields(element);
  const id = oid(fields.next(TAG.oid));
  const flag = fields.optional(TAG.boolean);
  const value = octets(fields.next(TAG.octetString));
  fields.end();
  return { id, critical: flag !== null && boolean(flag), value };
}

function noConstraints(): Constraints {
  return { dns: [], email: [], uri: [], ranges: [] };
}

function readExtensions(list: readonly Extension[]): ExtensionParts {
  const parts: ExtensionParts = {
    ...{ basic: null, keyUsage: 0, extendedKeyUsage: [], unknownUsage: [], subjectKeyId: null, authorityKeyId: null },
    ...{ ocsp: [], issuing: [], lists: [], policies: [], unhandled: [], constraintsAreCritical: false },
    names: { dns: [], email: [], ip: [], uri: [], uriValues: [], bytes: [] },
    permitted: noConstraints(),
    excluded: noConstraints(),
  };
  for (const extension of list) {
    const isHandled = READERS[extension.id]?.(parts, extension) ?? false;
    if (extension.critical && !isHandled) parts.unhandled.push(extension.id);
  }
  return parts;
}

/** By identifier: false where something in it was not understood. */
const READERS: Readonly<Record<string, (parts: ExtensionParts, extension: Extension) => boolean>> = {
  "2.5.29.15": (parts, { value }) => {
    parts.keyUsage = namedBits(readDer(value)).reduce((sum, bit, at) => sum + (bit ? 2 ** at : 0), 0);
    return true;
  },
  "2.5.29.19": (parts, { value }) => {
    const fields = new Fields(readDer(value));
    const flag = fields.optional(TAG.boolean);
    const length = fields.optional(TAG.integer);
    parts.basic = {
      isAuthority: flag !== null && boolean(flag),
      pathLength: length === null ? -1 : smallInteger(length),
    };
    return true;
  },
  "2.5.29.17": (parts, { value }) => readNames(parts, readDer(value)),
  "2.5.29.30": (parts, { value, critical }) => readConstraints(parts, readDer(value), critical),
  "2.5.29.31": (parts, { value }) => {
    for (const one of childrenOf(readDer(value))) {
      const full = childrenOf(one).find(({ tag }) => tag === context(0));
      for (const name of full === undefined ? [] : childrenOf(onlyChild(full)))
        if (name.tag === 0x86) parts.lists.push(latin(name));
    }
    return true;
  },
  "2.5.29.35": (parts, { value }) => {
    parts.authorityKeyId = childrenOf(readDer(value)).find(({ tag }) => tag === 0x80)?.content ?? null;
    return true;
  },
  "2.5.29.37": (parts, { value }) => {
    for (const one of childrenOf(readDer(value))) {
      const at = EXTENDED_USAGES.indexOf(oid(one));
      if (at >= 0) parts.extendedKeyUsage.push(at);
      else parts.unknownUsage.push(oid(one));
    }
    return true;
  },
  "2.5.29.14": (parts, { value }) => {
    parts.subjectKeyId = octets(readDer(value));
    return true;
  },
  "2.5.29.32": (parts, { value }) => {
    parts.policies.push(...childrenOf(readDer(value)).map((one) => oid(new Fields(one).next(TAG.oid))));
    return true;
  },
  "1.3.6.1.5.5.7.1.1": (parts, { value }) => {
    for (const one of childrenOf(readDer(value))) {
      const fields = new Fields(one);
      const method = oid(fields.next(TAG.oid));
      const place = fields.next();
      if (place.tag !== 0x86) continue;
      if (method === "1.3.6.1.5.5.7.48.1") parts.ocsp.push(latin(place));
      if (method === "1.3.6.1.5.5.7.48.2") parts.issuing.push(latin(place));
    }
    return true;
  },
  "2.5.29.33": notOffered,
  "2.5.29.36": notOffered,
  "2.5.29.54": notOffered,
};

function notOffered(): never {
  throw new LimitError("policy constraints in certificates are not offered");
}

function latin({ content }: Element): string {
  if (content.some((byte) => byte > 0x7f)) throw new DerError("has a name that is not ASCII");
  return Buffer.from(content).toString("latin1");
}

function readNames(parts: ExtensionParts, element: Element): boolean {
  const { names } = parts;
  for (const one of childrenOf(expect(element, TAG.sequence))) {
    if (one.tag === 0x81) names.email.push(latin(one));
    else if (one.tag === 0x82) names.dns.push(latin(one));
    else if (one.tag === 0x86) {
      const { value, text } = goUrl(latin(one));
      names.uri.push(text);
      names.uriValues.push(value);
    } else if (one.tag === 0x87) {
      names.ip.push(addressText(one.content));
      names.bytes.push(one.content);
    }
  }
  return names.email.length + names.dns.length + names.uri.length + names.ip.length > 0;
}

function addressText(bytes: Uint8Array): string {
  if (bytes.byteLength !== 4 && bytes.byteLength !== 16) throw new DerError("has an address of another length");
  return formatAddress({ bits: bytes.byteLength === 4 ? 32 : 128, value: unsigned(bytes) });
}

function readConstraints(parts: ExtensionParts, element: Element, critical: boolean): boolean {
  let isHandled = true;
  for (const side of childrenOf(expect(element, TAG.sequence))) {
    const into = side.tag === context(0) ? parts.permitted : parts.excluded;
    for (const subtree of childrenOf(side)) {
      const [base] = childrenOf(subtree);
      if (base?.tag === 0x81) into.email.push(latin(base));
      else if (base?.tag === 0x82) into.dns.push(latin(base));
      else if (base?.tag === 0x86) into.uri.push(latin(base));
      else if (base?.tag === 0x87) {
        const half = base.content.byteLength / 2;
        into.ranges.push({ ip: base.content.subarray(0, half), mask: base.content.subarray(half) });
      } else isHandled = false;
    }
  }
  parts.constraintsAreCritical = critical;
  return isHandled;
}

function namesShown({ names }: ExtensionParts): Record<string, RegoValue> {
  return {
    DNSNames: orNull(names.dns),
    EmailAddresses: orNull(names.email),
    IPAddresses: orNull(names.ip),
    URIs: orNull(names.uriValues),
  };
}

function constraintsShown(side: string, { dns, email, uri, ranges }: Constraints): Record<string, RegoValue> {
  return {
    [`${side}DNSDomains`]: orNull(dns),
    [`${side}IPRanges`]: orNull(ranges.map(({ ip, mask }) => object({ IP: addressText(ip), Mask: base64(mask) }))),
    [`${side}EmailAddresses`]: orNull(email),
    [`${side}URIDomains`]: orNull(uri),
  };
}

function extensionList(list: readonly Extension[]): RegoValue {
  return orNull(
    list.map(({ id, critical, value }) => object({ Id: ids(id), Critical: critical, Value: base64(value) })),
  );
}

export function orNull(list: readonly RegoValue[]): RegoValue {
  return list.length === 0 ? null : list;
}

function idList(list: readonly string[]): RegoValue {
  return orNull(list.map(ids));
}

function ids(dotted: string): RegoValue {
  return dotted.split(".").map(number);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** RFC 3339 without a fraction, as a certificate's times have none. */
function goTime(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
