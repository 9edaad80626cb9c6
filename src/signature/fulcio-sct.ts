/**
 * The promise of a certificate log inside a certificate (RFC 6962 section 3.3), so that no certificate counts that was
 * issued in secret. Extension 1.3.6.1.4.1.11129.2.4.2, an OCTET STRING in the extension's own:
 *
 *   uint16 length of all, then each: uint16 length,
 *   byte version 0, byte[32] log id, uint64 timestamp in ms, uint16 length and extensions, byte hash 4, byte signature 3,
 *   uint16 length and signature
 *
 * What was signed: version, byte type 0, timestamp, uint16 entry type 1, SHA-256 of the issuer's key, uint24 length and
 * the tbsCertificate as it was before the promise went in, extensions.
 */
import { verify } from "node:crypto";
import { concatBytes, equalBytes } from "../lib/bytes.ts";
import { sha256 } from "../lib/digest.ts";
import type { TransparencyLog } from "./rekor-log.ts";
import type { Certificate } from "./x509-certificate.ts";
import {
  childrenOf,
  context,
  type Element,
  Fields,
  octets,
  oid,
  onlyChild,
  orClause,
  readDer,
  TAG,
} from "./x509-der.ts";

const PROMISES = "1.3.6.1.4.1.11129.2.4.2";
const MAXIMUM_PROMISES = 8;

/** Whether a listed log promised to show this certificate. */
export function isPromisedByLog(
  certificate: Certificate,
  issuer: Certificate,
  logs: readonly TransparencyLog[],
): boolean {
  const value = certificate.extensions.others.get(PROMISES);
  if (value === undefined) return false;
  const list = orClause(() => ({ bytes: octets(readDer(value)) }));
  if (typeof list === "string") return false;
  const tbs = orClause(() => withoutPromises(certificate.tbs));
  if (typeof tbs === "string") return false;
  const issuerKey = sha256(issuer.spki);
  return promisesIn(list.bytes).some((promise) => isKept(promise, tbs, issuerKey, logs));
}

interface Promised {
  readonly logId: Uint8Array;
  readonly timestamp: Uint8Array;
  readonly extensions: Uint8Array;
  readonly signature: Uint8Array;
}

function promisesIn(bytes: Uint8Array): readonly Promised[] {
  const list = prefixed(bytes, 0);
  if (list === null || list.byteLength + 2 !== bytes.byteLength) return [];
  const found: Promised[] = [];
  for (let at = 0; at < list.byteLength && found.length < MAXIMUM_PROMISES; ) {
    const one = prefixed(list, at);
    const promise = one === null ? null : readPromise(one);
    if (one === null || promise === null) return [];
    found.push(promise);
    at += one.byteLength + 2;
  }
  return found;
}

function readPromise(bytes: Uint8Array): Promised | null {
  const extensions = prefixed(bytes, 41);
  if (extensions === null || bytes[0] !== 0) return null;
  const after = 43 + extensions.byteLength;
  const signature = prefixed(bytes, after + 2);
  const isEcdsaSha256 = bytes[after] === 4 && bytes[after + 1] === 3;
  if (signature === null || !isEcdsaSha256 || after + 4 + signature.byteLength !== bytes.byteLength) return null;
  return { logId: bytes.subarray(1, 33), timestamp: bytes.subarray(33, 41), extensions, signature };
}

/** The bytes after a uint16 length at this place; null where they do not fit. */
function prefixed(bytes: Uint8Array, at: number): Uint8Array | null {
  const [high, low] = [bytes[at], bytes[at + 1]];
  if (high === undefined || low === undefined) return null;
  const end = at + 2 + high * 256 + low;
  return end > bytes.byteLength ? null : bytes.subarray(at + 2, end);
}

function isKept(promise: Promised, tbs: Uint8Array, issuerKey: Uint8Array, logs: readonly TransparencyLog[]): boolean {
  const at = Number(Buffer.from(promise.timestamp).readBigUInt64BE());
  const log = logs.find(({ id }) => equalBytes(id, promise.logId));
  if (log === undefined || (log.from !== null && at < log.from) || (log.until !== null && at > log.until)) return false;
  const length = tbs.byteLength;
  const signed = concatBytes(
    Uint8Array.of(0, 0),
    promise.timestamp,
    Uint8Array.of(0, 1),
    issuerKey,
    Uint8Array.of(length >> 16, (length >> 8) & 0xff, length & 0xff),
    tbs,
    Uint8Array.of(promise.extensions.byteLength >> 8, promise.extensions.byteLength & 0xff),
    promise.extensions,
  );
  return verify("sha256", signed, log.key, promise.signature);
}

/** The tbsCertificate with every extension but this one, lengths written anew. @throws DerError */
function withoutPromises(tbs: Uint8Array): Uint8Array {
  const fields = childrenOf(readDer(tbs)).map((field) =>
    field.tag === context(3) ? wrap(context(3), [keptExtensions(field)]) : field.whole,
  );
  return wrap(TAG.sequence, fields);
}

function keptExtensions(field: Element): Uint8Array {
  const kept = childrenOf(onlyChild(field)).filter((one) => oid(new Fields(one).next(TAG.oid)) !== PROMISES);
  return wrap(
    TAG.sequence,
    kept.map((one) => one.whole),
  );
}

function wrap(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  const size = content.byteLength;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return concatBytes(Uint8Array.of(tag, ...length), content);
}
