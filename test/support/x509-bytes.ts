/** DER, certificates, revocation lists and CMS messages written byte by byte, so that a test can break any one of them. */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** One element: identifier byte, length, content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.byteLength;
  const long = size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...(size < 0x80 ? [size] : long)), content]);
}

/** The same element with BER's indefinite length. */
export function indefinite(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.of(tag, 0x80), ...parts, Buffer.of(0, 0)]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...[...parts].sort(Buffer.compare));
export const octetString = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const bitString = (bytes: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.of(unused), bytes);
export const context = (number: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 | number, ...parts);
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text));
const TRUE = der(0x01, Buffer.of(0xff));
export const NULL = der(0x05);

export function integer(value: number | Uint8Array): Buffer {
  if (typeof value !== "number") return der(0x02, value);
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return der(0x02, Buffer.from(Number.parseInt(even.slice(0, 2), 16) > 0x7f ? `00${even}` : even, "hex"));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest].map((arc) => {
    const bytes = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift(128 + (left % 128));
    return Buffer.from(bytes);
  });
  return der(0x06, ...arcs);
}

/** UTCTime up to 2049, GeneralizedTime always where asked for. */
export function time(at: number, general = false): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return general ? der(0x18, Buffer.from(digits)) : der(0x17, Buffer.from(digits.slice(2)));
}

export const OIDS = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
  signingTime: "1.2.840.113549.1.9.5",
  timestamp: "1.2.840.113549.1.9.16.2.14",
  timestampInfo: "1.2.840.113549.1.9.16.1.4",
  logEntry: "1.3.6.1.4.1.57264.3.1",
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
  ecdsaSha1: "1.2.840.10045.4.1",
  ecdsaSha256: "1.2.840.10045.4.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  promises: "1.3.6.1.4.1.11129.2.4.2",
  fulcioIssuer: "1.3.6.1.4.1.57264.1.8",
  oldFulcioIssuer: "1.3.6.1.4.1.57264.1.1",
} as const;

export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octetString(value));
}

export function basicConstraints(isAuthority: boolean, pathLength?: number): Buffer {
  const content = isAuthority ? [TRUE, ...(pathLength === undefined ? [] : [integer(pathLength)])] : [];
  return extension("2.5.29.19", sequence(...content), true);
}

/** Named bits of KeyUsage: 0 digitalSignature, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension("2.5.29.15", bitString(Buffer.of(byte), 7 - Math.max(...bits)), true);
}

export function purposes(...ids: readonly string[]): Buffer {
  return extension("2.5.29.37", sequence(...ids.map(oid)));
}

export function names(...all: readonly ({ email: string } | { uri: string })[]): Buffer {
  const written = all.map((one) =>
    "email" in one ? der(0x81, Buffer.from(one.email, "latin1")) : der(0x86, Buffer.from(one.uri, "latin1")),
  );
  return extension("2.5.29.17", sequence(...written));
}

export interface TestCertificate {
  readonly der: Buffer;
  readonly key: KeyObject;
  readonly name: Buffer;
  readonly issuerName: Buffer;
  readonly serial: Buffer;
  readonly spki: Buffer;
  readonly tbs: Buffer;
}

export interface CertificateOptions {
  readonly name?: string;
  /** DER of the whole name, in place of `name`. */
  readonly subject?: Buffer;
  /** Self-signed without one. */
  readonly issuer?: Pick<TestCertificate, "name" | "key">;
  readonly key?: KeyObject;
  readonly serial?: number | Uint8Array;
  readonly from?: number;
  readonly until?: number;
  /** DER of both times, in place of `from` and `until`. */
  readonly validity?: readonly [Buffer, Buffer];
  readonly extensions: readonly Buffer[];
  readonly version?: number;
  readonly algorithm?: string;
  readonly outerAlgorithm?: string;
  /** Changes the certificate after it was signed. */
  readonly spoil?: (tbs: Buffer) => Buffer;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function ecKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

export function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(oid("2.5.4.3"), utf8String(commonName))));
}

export function certificate(options: CertificateOptions): TestCertificate {
  const key = options.key ?? ecKey();
  const name = options.subject ?? distinguishedName(options.name ?? "Sluice test");
  const issuer = options.issuer ?? { name, key };
  const serial = integer(options.serial ?? 1);
  const spki = spkiOf(key);
  const algorithm = sequence(oid(options.algorithm ?? OIDS.ecdsaSha256));
  const tbs = sequence(
    context(0, integer(options.version ?? 2)),
    serial,
    algorithm,
    issuer.name,
    sequence(
      ...(options.validity ?? [
        time(options.from ?? Date.now() - DAY_MS),
        time(options.until ?? Date.now() + 30 * DAY_MS),
      ]),
    ),
    name,
    spki,
    context(3, sequence(...options.extensions)),
  );
  const hash = options.algorithm === OIDS.ecdsaSha1 ? "sha1" : "sha256";
  const signature = sign(hash, tbs, issuer.key);
  const outer = options.outerAlgorithm === undefined ? algorithm : sequence(oid(options.outerAlgorithm));
  const whole = sequence((options.spoil ?? same)(tbs), outer, bitString(signature));
  return { der: whole, key, name, issuerName: issuer.name, serial, spki, tbs };
}

export function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" });
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

/** An authority that may issue everything, with these options changed. */
export function authority(name: string, options: Partial<CertificateOptions> = {}): TestCertificate {
  return certificate({ name, extensions: [basicConstraints(true), keyUsage(5, 6)], ...options });
}

/** A certificate as a company gives to its people. */
export function memberCertificate(
  issuer: TestCertificate,
  email: string,
  options: Partial<CertificateOptions> = {},
): TestCertificate {
  const extensions = [basicConstraints(false), keyUsage(0), purposes(OIDS.emailProtection), names({ email })];
  return certificate({ name: `CN ${email}`, issuer, serial: 7, extensions, ...options });
}

export function pem(label: string, ...blocks: readonly Uint8Array[]): string {
  return blocks
    .map((block) => {
      const lines =
        Buffer.from(block)
          .toString("base64")
          .match(/.{1,64}/g) ?? [];
      return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
    })
    .join("");
}

export interface RevocationOptions {
  readonly issuer: TestCertificate;
  /** Serial, time and CRLReason; no reason where it is null. */
  readonly revoked?: readonly { readonly serial: Buffer; readonly at: number; readonly reason: number | null }[];
  readonly from?: number;
  readonly until?: number | null;
  readonly extensions?: readonly Buffer[];
  readonly key?: KeyObject;
}

export function revocationList(options: RevocationOptions): Buffer {
  const algorithm = sequence(oid(OIDS.ecdsaSha256));
  const entries = (options.revoked ?? []).map(({ serial, at, reason }) =>
    sequence(
      serial,
      time(at),
      ...(reason === null ? [] : [sequence(extension("2.5.29.21", der(0x0a, Buffer.of(reason))))]),
    ),
  );
  const until = options.until === undefined ? Date.now() + 7 * DAY_MS : options.until;
  const tbs = sequence(
    integer(1),
    algorithm,
    options.issuer.name,
    time(options.from ?? Date.now() - DAY_MS),
    ...(until === null ? [] : [time(until)]),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(options.extensions === undefined ? [] : [context(0, sequence(...options.extensions))]),
  );
  return sequence(tbs, algorithm, bitString(sign("sha256", tbs, options.key ?? options.issuer.key)));
}

export function attribute(id: string, ...values: readonly Buffer[]): Buffer {
  return sequence(oid(id), set(...values));
}

export function digest(bytes: Uint8Array, hash = "sha256"): Buffer {
  return createHash(hash).update(bytes).digest();
}

export interface CmsOptions {
  readonly certificates?: readonly Uint8Array[];
  readonly contentType?: string;
  /** Stands inside, instead of beside. */
  readonly content?: Uint8Array;
  readonly hash?: string;
  readonly algorithm?: string;
  readonly signerId?: Buffer;
  readonly version?: number;
  /** Changes the signed attributes; null leaves them out and signs the content itself. */
  readonly attributes?: ((honest: readonly Buffer[]) => readonly Buffer[]) | null;
  readonly unsigned?: (made: { readonly signature: Buffer; readonly signedBytes: Buffer }) => readonly Buffer[];
  readonly signers?: (info: Buffer) => readonly Buffer[];
  /** Stands in place of a signature. */
  readonly forge?: (signedBytes: Buffer) => Buffer;
  /** What the outer layers are written with. */
  readonly shell?: typeof der;
  readonly after?: Uint8Array;
}

/** A CMS SignedData by this certificate, detached unless content is given. */
export function cms(payload: Uint8Array, signer: TestCertificate, options: CmsOptions = {}): Buffer {
  const contentType = options.contentType ?? OIDS.data;
  const shell = options.shell ?? der;
  const honest = [
    attribute(OIDS.contentType, oid(contentType)),
    attribute(OIDS.signingTime, time(Date.now())),
    attribute(OIDS.messageDigest, octetString(digest(payload))),
  ];
  const attributes = options.attributes === null ? null : (options.attributes ?? ((all) => all))(honest);
  const signedBytes = attributes === null ? Buffer.from(payload) : set(...attributes);
  const honestly = (): Buffer =>
    sign(signer.key.asymmetricKeyType === "ed25519" ? null : "sha256", signedBytes, signer.key);
  const signature = options.forge?.(signedBytes) ?? honestly();
  const unsigned = options.unsigned?.({ signature, signedBytes });
  const info = sequence(
    integer(options.version ?? 1),
    options.signerId ?? sequence(signer.issuerName, signer.serial),
    sequence(oid(options.hash ?? OIDS.sha256)),
    ...(attributes === null ? [] : [Buffer.concat([Buffer.of(0xa0), signedBytes.subarray(1)])]),
    sequence(oid(options.algorithm ?? OIDS.ecdsaSha256)),
    octetString(signature),
    ...(unsigned === undefined ? [] : [Buffer.concat([Buffer.of(0xa1), set(...unsigned).subarray(1)])]),
  );
  const signers = options.signers?.(info) ?? [info];
  const certificates = options.certificates ?? [signer.der];
  const inner = options.content === undefined ? [] : [context(0, octetString(options.content))];
  const data = shell(
    0x30,
    integer(1),
    set(sequence(oid(OIDS.sha256))),
    shell(0x30, oid(contentType), ...inner),
    ...(certificates.length === 0 ? [] : [context(0, ...certificates)]),
    der(0x31, ...signers),
  );
  return Buffer.concat([shell(0x30, oid(OIDS.signedData), shell(0xa0, data)), options.after ?? Buffer.alloc(0)]);
}

/** As git stores it. */
export function armoured(message: Uint8Array): string {
  return pem("SIGNED MESSAGE", message);
}
