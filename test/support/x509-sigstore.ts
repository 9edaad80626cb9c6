/**
 * A Sigstore of one's own in memory: Fulcio with its root and intermediate, a certificate log, a transparency log and a
 * timestamper, with a `trusted_root.json` over all of them. What each writes is built here from the specifications, not
 * by the code under test.
 */
import { createPublicKey, type KeyObject, sign } from "node:crypto";
import {
  attribute,
  authority,
  basicConstraints,
  certificate,
  cms,
  digest,
  ecKey,
  extension,
  integer,
  keyUsage,
  names,
  OIDS,
  octetString,
  oid,
  pem,
  purposes,
  sequence,
  spkiOf,
  type TestCertificate,
  time,
  utf8String,
} from "./x509-bytes.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
export const PROVIDER = "https://accounts.example";
export const LOG_HOST = "rekor.example";

export interface IdentityOptions {
  readonly name: { readonly email: string } | { readonly uri: string };
  /** null for a certificate that names none. */
  readonly provider?: string | null;
  readonly from?: number;
  readonly extensions?: readonly Buffer[];
  /** null for a certificate without a promise. */
  readonly promise?: { readonly key?: KeyObject; readonly of?: (tbs: Buffer) => Buffer; readonly at?: number } | null;
  readonly issuer?: TestCertificate;
}

export interface EntryOptions {
  /** Seconds. */
  readonly integratedTime?: number;
  readonly key?: KeyObject;
  readonly logId?: Buffer;
  readonly kind?: string;
  readonly version?: string;
  /** What is logged instead. */
  readonly body?: Buffer;
  readonly statedBody?: Buffer;
  /** Changes what the log promises. */
  readonly promise?: (promise: Record<string, unknown>) => Record<string, unknown>;
  readonly withoutPromise?: boolean;
  /** Other leaves, before and after. */
  readonly tree?: { readonly before: number; readonly after: number };
  readonly proof?: ((proof: Proof) => Proof) | null;
  readonly checkpoint?: (checkpoint: Checkpoint) => Checkpoint;
  readonly after?: Buffer;
}

export interface Proof {
  readonly index: number;
  readonly root: Buffer;
  readonly size: number;
  readonly hashes: readonly Buffer[];
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly name: string;
  readonly key: KeyObject;
}

export interface TimestampOptions {
  readonly at: number;
  readonly signer?: TestCertificate;
  readonly hash?: string;
  readonly version?: number;
  readonly extensions?: Buffer;
  /** The time that stands in the token, where it is not the one that was signed. */
  readonly shown?: number;
}

export class Sigstore {
  readonly root = authority("Fulcio root", { extensions: [basicConstraints(true, 1), keyUsage(5, 6)] });
  readonly intermediate = authority("Fulcio", {
    issuer: this.root,
    extensions: [basicConstraints(true, 0), keyUsage(5, 6), purposes(OIDS.codeSigning)],
  });
  readonly certificateLog = ecKey();
  readonly log = ecKey();
  readonly stampRoot = authority("Stamps");
  readonly stamper = this.stampSigner();

  stampSigner(options: Partial<Parameters<typeof certificate>[0]> = {}): TestCertificate {
    const extensions = [keyUsage(0), purposes(OIDS.timeStamping)];
    return certificate({ name: "Stamper", issuer: this.stampRoot, serial: 11, extensions, ...options });
  }

  /** `change` is applied to the JSON value. */
  trustedRoot(change: (root: TrustedRoot) => unknown = (root) => root): string {
    const start = new Date(Date.now() - 365 * DAY_MS).toISOString();
    const chain = (...certificates: readonly TestCertificate[]) => ({
      certChain: { certificates: certificates.map((one) => ({ rawBytes: one.der.toString("base64") })) },
      validFor: { start },
    });
    const log = (host: string, key: KeyObject) => ({
      baseUrl: `https://${host}`,
      hashAlgorithm: "SHA2_256",
      publicKey: {
        rawBytes: spkiOf(key).toString("base64"),
        keyDetails: "PKIX_ECDSA_P256_SHA_256",
        validFor: { start },
      },
      logId: { keyId: logId(key).toString("base64") },
    });
    const whole: TrustedRoot = {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [log(LOG_HOST, this.log)],
      certificateAuthorities: [chain(this.intermediate, this.root)],
      ctlogs: [log("ct.example", this.certificateLog)],
      timestampAuthorities: [chain(this.stampRoot)],
    };
    return JSON.stringify(change(whole));
  }

  /** A certificate for ten minutes, as Fulcio issues it. */
  identity(options: IdentityOptions): TestCertificate {
    const from = options.from ?? Date.now();
    const provider = options.provider === undefined ? PROVIDER : options.provider;
    const extensions = [
      keyUsage(0),
      purposes(OIDS.codeSigning),
      names(options.name),
      ...(provider === null ? [] : [extension(OIDS.fulcioIssuer, utf8String(provider))]),
      ...(options.extensions ?? []),
    ];
    const issuer = options.issuer ?? this.intermediate;
    const common = { name: "", issuer, key: ecKey(), serial: 9, from, until: from + 10 * MINUTE_MS };
    const bare = certificate({ ...common, extensions });
    if (options.promise === null) return bare;
    const { key = this.certificateLog, of = (tbs: Buffer) => tbs, at = from } = options.promise ?? {};
    const list = promiseList(of(bare.tbs), issuer, key, at);
    return certificate({ ...common, extensions: [...extensions, extension(OIDS.promises, octetString(list))] });
  }

  /** The attribute that gitsign writes after it logged a signature. */
  entry(made: { signature: Buffer; signedBytes: Buffer }, signer: TestCertificate, options: EntryOptions = {}): Buffer {
    return attribute(OIDS.logEntry, octetString(this.entryBytes(made, signer, options)));
  }

  entryBytes(made: { signature: Buffer; signedBytes: Buffer }, signer: TestCertificate, options: EntryOptions): Buffer {
    const key = options.key ?? this.log;
    const id = options.logId ?? logId(key);
    const body = options.body ?? logBody(made, signer);
    const integratedTime = options.integratedTime ?? Math.floor(Date.now() / 1000);
    const logIndex = 1_000_000;
    const honest = { body: body.toString("base64"), integratedTime, logID: id.toString("hex"), logIndex };
    const promise = (options.promise ?? ((one) => one))(honest);
    return Buffer.concat([
      number(1, logIndex),
      field(2, field(1, id)),
      field(3, field(1, options.kind ?? "hashedrekord"), field(2, options.version ?? "0.0.1")),
      number(4, integratedTime),
      ...(options.withoutPromise === true
        ? []
        : [field(5, field(1, sign("sha256", Buffer.from(JSON.stringify(promise)), key)))]),
      ...(options.proof === null ? [] : [this.#proof(body, key, options)]),
      ...(options.statedBody === undefined ? [] : [field(7, options.statedBody)]),
      options.after ?? Buffer.alloc(0),
    ]);
  }

  #proof(body: Buffer, key: KeyObject, options: EntryOptions): Buffer {
    const { before, after } = options.tree ?? { before: 2, after: 3 };
    const leaves = Array.from({ length: before + 1 + after }, (_, index) =>
      leafOf(index === before ? body : Buffer.from(`other ${index}`)),
    );
    const honest = { index: before, root: rootOf(leaves), size: leaves.length, hashes: pathOf(leaves, before) };
    const proof = (options.proof ?? ((one) => one))(honest);
    const written = { origin: `${LOG_HOST} - 42`, size: proof.size, root: proof.root, name: LOG_HOST, key };
    const note = noteOf((options.checkpoint ?? ((one) => one))(written));
    const fields = [number(1, proof.index), field(2, proof.root), number(3, proof.size)];
    return field(6, ...fields, ...proof.hashes.map((hash) => field(4, hash)), field(5, field(1, note)));
  }

  /** The attribute with a timestamp over a signature. */
  timestamp(signature: Buffer, options: TimestampOptions): Buffer {
    const infoAt = (at: number): Buffer =>
      sequence(
        integer(options.version ?? 1),
        oid("1.2.3.4"),
        sequence(sequence(oid(options.hash ?? OIDS.sha256)), octetString(digest(signature))),
        integer(77),
        time(at, true),
        integer(5),
        ...(options.extensions === undefined ? [] : [options.extensions]),
      );
    const content = infoAt(options.shown ?? options.at);
    const signer = options.signer ?? this.stamper;
    return attribute(OIDS.timestamp, cms(infoAt(options.at), signer, { contentType: OIDS.timestampInfo, content }));
  }
}

interface Chain {
  certChain: { certificates: { rawBytes: string }[] };
  validFor: { start: string; end?: string };
}

interface Log {
  baseUrl: string;
  publicKey: { rawBytes: string; validFor: { start: string; end?: string } };
  logId: { keyId: string };
}

export interface TrustedRoot {
  mediaType: string;
  tlogs: Log[];
  certificateAuthorities: Chain[];
  ctlogs: Log[];
  timestampAuthorities: Chain[];
}

export function logId(key: KeyObject): Buffer {
  return digest(createPublicKey(key).export({ format: "der", type: "spki" }));
}

/** The canonical JSON that Rekor stores for a signature (hashedrekord 0.0.1). */
function logBody(
  { signature, signedBytes }: { signature: Buffer; signedBytes: Buffer },
  signer: TestCertificate,
): Buffer {
  const certificatePem = Buffer.from(pem("CERTIFICATE", signer.der)).toString("base64");
  const data = `{"hash":{"algorithm":"sha256","value":"${digest(signedBytes).toString("hex")}"}}`;
  const made = `{"content":"${signature.toString("base64")}","publicKey":{"content":"${certificatePem}"}}`;
  return Buffer.from(`{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":${data},"signature":${made}}}`);
}

/** RFC 6962 section 3.3, one promise. */
function promiseList(tbs: Buffer, issuer: TestCertificate, key: KeyObject, at: number): Buffer {
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(at));
  const length = Buffer.of(tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff);
  const signed = [Buffer.of(0, 0), timestamp, Buffer.of(0, 1), digest(issuer.spki), length, tbs, Buffer.of(0, 0)];
  const signature = short(sign("sha256", Buffer.concat(signed), key));
  const promise = Buffer.concat([Buffer.of(0), logId(key), timestamp, Buffer.of(0, 0, 4, 3), signature]);
  return short(short(promise));
}

function short(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    bytes.push(left < 128 ? left : (left % 128) | 128);
    if (left < 128) return Buffer.from(bytes);
  }
}

function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(id * 8), varint(value)]);
}

export function field(id: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(id * 8 + 2), varint(content.length), content]);
}

function leafOf(entry: Buffer): Buffer {
  return digest(Buffer.concat([Buffer.of(0), entry]));
}

/** RFC 6962 section 2.1, as it is written there. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] ?? Buffer.alloc(0);
  const split = splitOf(leaves.length);
  return digest(Buffer.concat([Buffer.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split))]));
}

/** Section 2.1.1. */
function pathOf(leaves: readonly Buffer[], index: number): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...pathOf(left, index), rootOf(right)] : [...pathOf(right, index - split), rootOf(left)];
}

function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

function noteOf({ origin, size, root, name, key }: Checkpoint): string {
  const text = `${origin}\n${size}\n${root.toString("base64")}\n`;
  const blob = Buffer.concat([logId(key).subarray(0, 4), sign("sha256", Buffer.from(text), key)]);
  return `${text}\n\u2014 ${name} ${blob.toString("base64")}\n`;
}
