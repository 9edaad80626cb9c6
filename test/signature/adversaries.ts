/**
 * The costliest inputs of every format that we could think of, in families: each as large as it is asked for. They are
 * made to be read as far as possible; none of them verifies.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { armourAs, putTogether } from "../support/openpgp-bytes.ts";
import { HEADERS, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import { armour, ed25519Signer, field, sshSig } from "../support/sshsig.ts";
import {
  armoured,
  attribute,
  authority,
  basicConstraints,
  cms,
  context,
  der,
  distinguishedName,
  extension,
  integer,
  keyUsage,
  memberCertificate,
  NULL,
  names,
  octetString,
  pem,
  sequence,
  set,
} from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const EMAIL = "ada@example.com";
const key = ed25519Signer();
const sigstore = new Sigstore();
const slow: KeyObject = generateKeyPairSync("ec", { namedCurve: "secp521r1" }).privateKey;
const root = authority("Same", { key: generateKeyPairSync("ec", { namedCurve: "secp521r1" }).privateKey });
const ada = memberCertificate(root, EMAIL);

/** Whoever signs here is listed, so that nothing is refused before it is read. */
export function adversariesTrust() {
  const people = { ada: { email: [EMAIL], keys: [key.line] } };
  const company = { certificate: "ca.pem", email: [EMAIL] };
  const keyless = { root: "root.json", identities: [{ issuer: PROVIDER, email: EMAIL, person: "ada" }] };
  const files = { "ca.pem": pem("CERTIFICATE", root.der), "root.json": sigstore.trustedRoot() };
  return trustOf({ people, authorities: { company, second: company, keyless } }, files);
}

interface Adversary {
  readonly name: string;
  /** A commit's raw object of about so many bytes. */
  readonly make: (bytes: number) => Uint8Array;
}

/** Bytes of base64 and line feeds around so many bytes. */
const packed = (bytes: number): number => Math.max(1, Math.floor((bytes * 64) / 90) - 300);
const fill = (bytes: number, pattern: Uint8Array): Buffer => Buffer.alloc(Math.max(pattern.length, bytes), pattern);
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: Math.max(1, Math.floor(count)) }, (_, index) => make(index));
const pgpLines = (body: string): string => `-----BEGIN PGP SIGNATURE-----\n${body}\n-----END PGP SIGNATURE-----\n`;
const sshBlob = (...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from("SSHSIG"), Buffer.of(0, 0, 0, 1), ...fields]);

/** A signature packet whose hashed or unhashed area is filled with one subpacket after the other. */
function subpackets(bytes: number, one: Buffer, isHashed: boolean): Buffer {
  const area = fill(Math.min(bytes, 65_000), one);
  const sized = area.subarray(0, area.length - (area.length % one.length));
  const length = Buffer.of(sized.length >> 8, sized.length & 0xff);
  const empty = Buffer.of(0, 0);
  const areas = isHashed ? [length, sized, empty] : [empty, length, sized];
  const body = Buffer.concat([Buffer.of(4, 0, 22, 8), ...areas, Buffer.of(1, 2, 0, 1, 1, 0, 1, 1)]);
  return putTogether([{ tag: 2, body }]);
}

function certificateOf(bytes: number, one: (index: number) => Buffer): string {
  const start = [field("ssh-ed25519-cert-v01@openssh.com"), field(randomBytes(32)), field(randomBytes(32))];
  const list = field(Buffer.concat(times(bytes / one(0).length, one)));
  const numbers = Buffer.from("000000000000000100000001", "hex");
  const window = Buffer.from("0000000000000000ffffffffffffffff", "hex");
  const rest = [field(""), field(""), field(""), field(key.publicKey)];
  const body = Buffer.concat([...start, numbers, field("id"), list, window, ...rest]);
  const made = field(Buffer.concat([field("ssh-ed25519"), field(Buffer.alloc(64))]));
  return armour(sshBlob(field(Buffer.concat([body, made])), field("git"), field(""), field("sha512"), made));
}

function labyrinth(): Buffer {
  const issuer = { name: distinguishedName("Same"), key: slow };
  const same = times(9, (index) => authority("Same", { key: slow, issuer, serial: index + 1 }));
  const leaf = memberCertificate(same[0] ?? root, EMAIL, { key: slow });
  return cms(PAYLOAD, leaf, { certificates: [leaf.der, ...same.map((one) => one.der)] });
}

function unsigned(id: string, value: Buffer): Buffer {
  const signer = sigstore.identity({ name: { email: EMAIL } });
  return cms(PAYLOAD, signer, { unsigned: () => [attribute(id, value)] });
}

const inCertificate = (...extensions: readonly Buffer[]): Buffer =>
  cms(PAYLOAD, memberCertificate(root, EMAIL, { extensions: [basicConstraints(false), keyUsage(0), ...extensions] }));
const x509 = (make: (bytes: number) => Buffer) => (bytes: number) => signedRaw(armoured(make(packed(bytes))));
const pgp = (make: (bytes: number) => Buffer) => (bytes: number) =>
  signedRaw(armourAs("SIGNATURE", make(packed(bytes))));
const LOG_ENTRY = "1.3.6.1.4.1.57264.3.1";
const TIMESTAMP = "1.2.840.113549.1.9.16.2.14";
const CERTIFICATE_BYTES = 14_000;

export const ADVERSARIES: readonly Adversary[] = [
  { name: "object: headers of one letter", make: (bytes) => Buffer.from(`${HEADERS}${"x y\n".repeat(bytes / 4)}\n`) },
  { name: "object: continuation lines", make: (bytes) => Buffer.from(`${HEADERS}x y\n${" \n".repeat(bytes / 2)}\n`) },
  { name: "object: one header", make: (bytes) => Buffer.from(`${HEADERS}x ${"y".repeat(bytes)}\n\n`) },
  {
    name: "object: parents",
    make: (bytes) => Buffer.from(HEADERS.replace("author", `${`parent ${"1".repeat(40)}\n`.repeat(bytes / 48)}author`)),
  },
  {
    name: "object: merged tags",
    make: (bytes) => {
      const tag = `mergetag object ${"1".repeat(40)}\n type commit\n tag a\n \n -----BEGIN SSH SIGNATURE-----\n${" QUJD\n".repeat(200)}`;
      return Buffer.from(`${HEADERS}${tag.repeat(Math.max(1, bytes / tag.length))}\n`);
    },
  },
  { name: "object: a message", make: (bytes) => signedRaw(sshSig(key, PAYLOAD), HEADERS, `\n${"x".repeat(bytes)}`) },
  {
    name: "armour: lines that begin blocks",
    make: (bytes) => signedRaw("-----BEGIN PGP SIGNATURE-----\n".repeat(bytes / 31)),
  },
  {
    name: "armour: lines that almost begin blocks",
    make: (bytes) => signedRaw(pgpLines("\n-----BEGIN PGP SIGNATURE-----x".repeat(bytes / 32))),
  },
  { name: "armour: headers", make: (bytes) => signedRaw(pgpLines("A: b\n".repeat(bytes / 6))) },
  { name: "armour: empty lines", make: (bytes) => signedRaw(pgpLines("\n".repeat(bytes / 2))) },
  { name: "armour: lines of one letter", make: (bytes) => signedRaw(pgpLines(`\n${"A\n".repeat(bytes / 3)}`)) },
  {
    name: "armour: SSH lines of one letter",
    make: (bytes) => signedRaw(armour(Buffer.from("x")).replace("eA==", "A\n".repeat(bytes / 3))),
  },
  { name: "OpenPGP: empty packets", make: pgp((bytes) => fill(bytes, Buffer.of(0xc2, 0))) },
  { name: "OpenPGP: packets of the old form", make: pgp((bytes) => fill(bytes, Buffer.of(0x88, 1, 4))) },
  { name: "OpenPGP: hashed subpackets", make: pgp((bytes) => subpackets(bytes, Buffer.of(1, 100), true)) },
  { name: "OpenPGP: unhashed subpackets", make: pgp((bytes) => subpackets(bytes, Buffer.of(1, 100), false)) },
  { name: "OpenPGP: creation times", make: pgp((bytes) => subpackets(bytes, Buffer.of(5, 2, 1, 2, 3, 4), true)) },
  {
    name: "OpenPGP: one great number",
    make: pgp((bytes) => {
      const created = Buffer.of(4, 0, 1, 8, 0, 6, 5, 2, 1, 2, 3, 4, 0, 0, 1, 2);
      const number = Buffer.alloc(Math.min(bytes, 8000), 0xff);
      return putTogether([
        {
          tag: 2,
          body: Buffer.concat([created, Buffer.of((number.length * 8) >> 8, (number.length * 8) & 0xff), number]),
        },
      ]);
    }),
  },
  {
    name: "SSH: a key of a greatest RSA number",
    make: () => {
      const wide = (count: number): Buffer => Buffer.concat([Buffer.of(0), Buffer.alloc(count, 0xff)]);
      const publicKey = Buffer.concat([field("ssh-rsa"), field(wide(8)), field(wide(2048))]);
      const inner = Buffer.concat([field("rsa-sha2-512"), field(Buffer.alloc(2048, 0x7f))]);
      return signedRaw(armour(sshBlob(field(publicKey), field("git"), field(""), field("sha512"), field(inner))));
    },
  },
  {
    name: "SSH: a long namespace",
    make: (bytes) => signedRaw(sshSig(key, PAYLOAD, { namespace: "x".repeat(packed(bytes)) })),
  },
  {
    name: "SSH: a key of nothing",
    make: (bytes) => signedRaw(sshSig(key, PAYLOAD, { publicKey: Buffer.alloc(packed(bytes)) })),
  },
  { name: "SSH: principals of nothing", make: (bytes) => signedRaw(certificateOf(packed(bytes), () => field(""))) },
  {
    name: "SSH: principals",
    make: (bytes) => signedRaw(certificateOf(packed(bytes), (at) => field(`${at}`.padStart(90, "a")))),
  },
  { name: "X.509: a labyrinth of slow authorities", make: x509(() => labyrinth()) },
  {
    name: "X.509: values of an attribute",
    make: x509((bytes) => {
      const many = times(bytes / 3, () => integer(1));
      return cms(PAYLOAD, ada, {
        attributes: (all) => [...all, attribute("1.2.3", ...many)],
        forge: () => Buffer.alloc(72),
      });
    }),
  },
  {
    name: "X.509: unsigned attributes",
    make: x509((bytes) =>
      cms(PAYLOAD, ada, { unsigned: () => times(bytes / 13, (at) => attribute("1.2.3", integer(at))) }),
    ),
  },
  {
    name: "X.509: signers",
    make: x509((bytes) => cms(PAYLOAD, ada, { signers: (info) => times(bytes / info.length, () => info) })),
  },
  {
    name: "X.509: signers of nothing",
    make: x509((bytes) => cms(PAYLOAD, ada, { signers: () => times(bytes / 2, () => NULL) })),
  },
  {
    name: "X.509: certificates of nothing",
    make: x509((bytes) => cms(PAYLOAD, ada, { certificates: times(bytes / 2, () => set()) })),
  },
  {
    name: "X.509: certificates",
    make: x509((bytes) => cms(PAYLOAD, ada, { certificates: times(bytes / ada.der.length, () => ada.der) })),
  },
  {
    name: "X.509: extensions of nothing",
    make: x509((bytes) =>
      inCertificate(...times(Math.min(bytes, CERTIFICATE_BYTES) / 10, (at) => extension(`1.2.${at}`, NULL))),
    ),
  },
  {
    name: "X.509: alternative names",
    make: x509((bytes) =>
      inCertificate(names(...times(Math.min(bytes, CERTIFICATE_BYTES) / 3, () => ({ email: "a" })))),
    ),
  },
  {
    name: "X.509: purposes",
    make: x509((bytes) =>
      inCertificate(
        extension("2.5.29.37", sequence(...times(Math.min(bytes, CERTIFICATE_BYTES) / 3, () => der(6, Buffer.of(1))))),
      ),
    ),
  },
  {
    name: "X.509: name constraints",
    make: x509((bytes) => {
      const trees = times(Math.min(bytes, CERTIFICATE_BYTES) / 5, () => sequence(der(0x82, Buffer.from("a"))));
      return inCertificate(extension("2.5.29.30", sequence(context(0, ...trees))));
    }),
  },
  {
    name: "X.509: a log entry of fields",
    make: x509((bytes) => unsigned(LOG_ENTRY, octetString(fill(bytes, Buffer.of(0x08, 1))))),
  },
  {
    name: "X.509: a log entry of one number",
    make: x509((bytes) => unsigned(LOG_ENTRY, octetString(fill(bytes, Buffer.of(0xff))))),
  },
  {
    name: "X.509: a timestamp of one element",
    make: x509((bytes) => unsigned(TIMESTAMP, octetString(Buffer.alloc(bytes)))),
  },
  {
    name: "X.509: a timestamp of certificates of nothing",
    make: x509((bytes) => unsigned(TIMESTAMP, cms(PAYLOAD, ada, { certificates: times(bytes / 2, () => set()) }))),
  },
];
