/**
 * One certificate (RFC 5280 section 4.1) as a closed value. Everything a decision rests on is read here, once, strictly:
 *
 *   Certificate     SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 *   tbsCertificate  SEQUENCE { [0] version 3, serial, signatureAlgorithm again, issuer, validity, subject,
 *                              subjectPublicKeyInfo, [3] extensions }
 *
 * Names are compared by their bytes. A subject alternative name with anything but printable ASCII is refused, so that
 * no NUL or look-alike can stand between what was certified and what is compared.
 */
import type { KeyObject } from "node:crypto";
import { encodeHex, equalBytes } from "../lib/bytes.ts";
import { fingerprint } from "../lib/digest.ts";
import type { Instant } from "../lib/time.ts";
import { type Refusal, refusal } from "./refusal.ts";
import { readPublicKey, readSignatureAlgorithm, type SignatureAlgorithm } from "./x509-algorithm.ts";
import { type CertifiedNames, type NameConstraints, readNameConstraints } from "./x509-constraints.ts";
import {
  boolean,
  childrenOf,
  context,
  contextPrimitive,
  DerError,
  type Element,
  Fields,
  integerHex,
  namedBits,
  octets,
  oid,
  onlyChild,
  orClause,
  readDer,
  smallInteger,
  TAG,
  time,
  wholeBits,
} from "./x509-der.ts";

export interface Certificate {
  readonly kind: "certificate";
  readonly der: Uint8Array;
  /** `SHA256:...` of the whole certificate. */
  readonly fingerprint: string;
  /** `SHA256:...` of its subjectPublicKeyInfo: the same for every certificate of one key. */
  readonly keyFingerprint: string;
  /** Hexadecimal, sign byte included. */
  readonly serial: string;
  /** DER of the names, in hexadecimal. */
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: Instant;
  /** The last instant at which it is valid. */
  readonly notAfter: Instant;
  readonly key: KeyObject;
  readonly spki: Uint8Array;
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly extensions: Extensions;
}

export interface Extensions {
  readonly isAuthority: boolean;
  readonly pathLength: number | null;
  /** null where the certificate does not say. */
  readonly keyUsage: { readonly sign: boolean; readonly certify: boolean; readonly revoke: boolean } | null;
  readonly purposes: readonly string[] | null;
  /** Lower-cased by nobody: exactly as certified. */
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly subjectKey: string | null;
  readonly authorityKey: string | null;
  /** For which names an authority may issue certificates; null for any. */
  readonly nameConstraints: NameConstraints | null;
  /** Critical ones that nobody here understands. */
  readonly unknownCritical: readonly string[];
  /** All others, by OID: Fulcio's and the log's promise. */
  readonly others: ReadonlyMap<string, Uint8Array>;
}

/** Real ones take 1 to 3 KB; a 16,384-bit RSA key 4 KB more. */
const MAXIMUM_CERTIFICATE_BYTES = 16 * 1024;
const MAXIMUM_EXTENSIONS = 64;
const MAXIMUM_NAMES = 100;
const VERSION_3 = 2;
const PRINTABLE = /^[!-~]{1,1024}$/;

/** A certificate, or why it cannot be one. */
export function readCertificate(der: Uint8Array): Certificate | Refusal {
  const read = orClause(() => parse(der));
  return typeof read === "string" ? malformed(read) : read;
}

/** How a certificate is read: anew, or as it was read before. */
export type ReadCertificate = (der: Uint8Array) => Certificate | Refusal;

/** Those of one company sign whole histories; a hostile range's are forgotten together. */
const MAXIMUM_REMEMBERED = 256;

/** The same answers, each found out once: they follow from the bytes alone. */
export function rememberingCertificates(): ReadCertificate {
  const known = new Map<string, Certificate | Refusal>();
  return (der) => {
    if (der.byteLength > MAXIMUM_CERTIFICATE_BYTES) return readCertificate(der);
    const bytes = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("latin1");
    const found = known.get(bytes) ?? readCertificate(der.slice());
    if (known.size >= MAXIMUM_REMEMBERED) known.clear();
    known.set(bytes, found);
    return found;
  };
}

function malformed(clause: string): Refusal {
  return refusal("malformed-signature", `A certificate in it ${clause}.`);
}

function parse(der: Uint8Array): Certificate | Refusal {
  if (der.byteLength > MAXIMUM_CERTIFICATE_BYTES) throw new DerError("is larger than 16 KiB");
  const outer = new Fields(readDer(der));
  const tbs = outer.next(TAG.sequence);
  const outerAlgorithm = outer.next(TAG.sequence);
  const signature = wholeBits(outer.next(TAG.bitString));
  outer.end();
  const fields = new Fields(tbs);
  const version = fields.optional(context(0));
  if (version === null || smallInteger(onlyChild(version)) !== VERSION_3) throw new DerError("is not of version 3");
  const serial = integerHex(fields.next(TAG.integer));
  const innerAlgorithm = fields.next(TAG.sequence);
  const issuer = fields.next(TAG.sequence);
  const validity = new Fields(fields.next(TAG.sequence));
  const notBefore = time(validity.next());
  const notAfter = time(validity.next());
  validity.end();
  const subject = fields.next(TAG.sequence);
  const spki = fields.next(TAG.sequence);
  const extensions = readExtensions(fields.optional(context(3)));
  fields.end();
  if (!equalBytes(innerAlgorithm.whole, outerAlgorithm.whole)) throw new DerError("names two signature algorithms");
  const algorithm = readSignatureAlgorithm(outerAlgorithm);
  if (algorithm.kind === "refused") return algorithm;
  const key = readPublicKey(spki.whole);
  if ("reason" in key) return key;
  return {
    kind: "certificate",
    der,
    fingerprint: fingerprint(der),
    keyFingerprint: fingerprint(spki.whole),
    serial,
    issuer: encodeHex(issuer.whole),
    subject: encodeHex(subject.whole),
    notBefore,
    notAfter,
    key,
    spki: spki.whole,
    tbs: tbs.whole,
    algorithm,
    signature,
    extensions,
  };
}

const EXTENSION = {
  subjectKey: "2.5.29.14",
  keyUsage: "2.5.29.15",
  names: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  policies: "2.5.29.32",
  authorityKey: "2.5.29.35",
  purposes: "2.5.29.37",
} as const;

/** Policies say under which rules it was issued; without a required policy nothing follows from them (section 6.1). */
const UNDERSTOOD: ReadonlySet<string> = new Set(Object.values(EXTENSION));

function readExtensions(wrapped: Element | null): Extensions {
  const list = wrapped === null ? [] : childrenOf(sequenceIn(wrapped));
  if (list.length > MAXIMUM_EXTENSIONS) throw new DerError("has too many extensions");
  const found = new Map<string, Uint8Array>();
  const unknownCritical: string[] = [];
  for (const one of list) {
    const fields = new Fields(one);
    const id = oid(fields.next(TAG.oid));
    const critical = fields.optional(TAG.boolean);
    const value = octets(fields.next(TAG.octetString));
    fields.end();
    if (found.has(id)) throw new DerError(`has the extension ${id} twice`);
    found.set(id, value);
    if (critical !== null && boolean(critical) && !UNDERSTOOD.has(id)) unknownCritical.push(id);
  }
  return { ...readKnown(found), unknownCritical, others: found };
}

function sequenceIn(wrapped: Element): Element {
  const inner = onlyChild(wrapped);
  if (inner.tag !== TAG.sequence) throw new DerError("has malformed extensions");
  return inner;
}

function readKnown(found: ReadonlyMap<string, Uint8Array>): Omit<Extensions, "unknownCritical" | "others"> {
  const read = <T>(id: string, reader: (element: Element) => T): T | null => {
    const value = found.get(id);
    return value === undefined ? null : reader(readDer(value));
  };
  const constraints = read(EXTENSION.basicConstraints, readBasicConstraints);
  return {
    isAuthority: constraints?.isAuthority ?? false,
    pathLength: constraints?.pathLength ?? null,
    keyUsage: read(EXTENSION.keyUsage, readKeyUsage),
    purposes: read(EXTENSION.purposes, (element) => childrenOf(element).map(oid)),
    ...(read(EXTENSION.names, readNames) ?? { emails: [], uris: [], dnsNames: [] }),
    subjectKey: read(EXTENSION.subjectKey, (element) => encodeHex(octets(element))),
    authorityKey: read(EXTENSION.authorityKey, readAuthorityKey),
    nameConstraints: read(EXTENSION.nameConstraints, readNameConstraints),
  };
}

function readBasicConstraints(element: Element): { isAuthority: boolean; pathLength: number | null } {
  const fields = new Fields(element);
  const authority = fields.optional(TAG.boolean);
  const pathLength = fields.optional(TAG.integer);
  fields.end();
  const isAuthority = authority !== null && boolean(authority);
  return { isAuthority, pathLength: pathLength === null ? null : smallInteger(pathLength) };
}

function readKeyUsage(element: Element): { sign: boolean; certify: boolean; revoke: boolean } {
  const bits = namedBits(element);
  return { sign: bits[0] === true, certify: bits[5] === true, revoke: bits[6] === true };
}

function readAuthorityKey(element: Element): string | null {
  const id = new Fields(element).optional(contextPrimitive(0));
  return id === null ? null : encodeHex(id.content);
}

function readNames(element: Element): CertifiedNames {
  const names = childrenOf(element);
  if (names.length > MAXIMUM_NAMES) throw new DerError("has too many alternative names");
  const ofKind = (kind: number): string[] =>
    names.filter((name) => name.tag === contextPrimitive(kind)).map((name) => printable(name.content));
  return { emails: ofKind(1), dnsNames: ofKind(2), uris: ofKind(6) };
}

function printable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  if (!PRINTABLE.test(text)) throw new DerError("has an alternative name that is not printable ASCII");
  return text;
}
