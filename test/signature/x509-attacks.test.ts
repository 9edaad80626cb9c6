/** Attacks on X.509 signatures by a company's authority, written byte by byte, with the reason for which each is rejected. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import type { Rejection, Verification } from "../../src/signature/verification.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { readPublicKey } from "../../src/signature/x509-algorithm.ts";
import { readCertificate } from "../../src/signature/x509-certificate.ts";
import { findPaths, type IssuedBy, openIssuedBy, withinBounds } from "../../src/signature/x509-path.ts";
import { commitOf, HEADERS, NOW, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import {
  armoured,
  attribute,
  authority,
  basicConstraints,
  bitString,
  type CertificateOptions,
  type CmsOptions,
  certificate,
  cms,
  context,
  der,
  digest,
  distinguishedName,
  ecKey,
  extension,
  indefinite,
  integer,
  keyUsage,
  memberCertificate,
  NULL,
  names,
  OIDS,
  octetString,
  oid,
  pem,
  purposes,
  sequence,
  set,
  type TestCertificate,
} from "../support/x509-bytes.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const EMAIL = "ada@example.com";
const root = authority("Example root");
const ada = memberCertificate(root, EMAIL);
const PEOPLE = {
  ada: { email: [EMAIL, "ada@example.org", "ada@notexample.com", "ada@mail.example.com"], keys: [] },
  jo: { email: ["jo@example.com"], keys: [] },
};
const trust = await trustOf(
  { people: PEOPLE, authorities: { company: { certificate: "ca.pem", email: ["*@example.com"] } } },
  { "ca.pem": pem("CERTIFICATE", root.der) },
);
const verifier = await openVerifier(trust, "sha1");

function judge(message: Uint8Array): Promise<Verification> {
  return verifier.verify(commitOf(signedRaw(armoured(message))), NOW);
}

interface Attack {
  readonly name: string;
  readonly message: () => Uint8Array;
  readonly reason: Rejection;
}

/** Ada's honest signature with one thing changed. */
function changed(name: string, options: CmsOptions, reason: Rejection = "malformed-signature"): Attack {
  return { name, message: () => cms(PAYLOAD, ada, options), reason };
}

/** An honest signature with another certificate of hers. */
function by(name: string, options: Partial<CertificateOptions>, reason: Rejection): Attack {
  return { name, message: () => cms(PAYLOAD, memberCertificate(root, EMAIL, options)), reason };
}

/** Through an intermediate of this kind. */
function through(name: string, options: Partial<CertificateOptions>, reason: Rejection): Attack {
  return {
    name,
    message: () => {
      const middle = authority("Middle", { issuer: root, ...options });
      const leaf = memberCertificate(middle, EMAIL);
      return cms(PAYLOAD, leaf, { certificates: [leaf.der, middle.der] });
    },
    reason,
  };
}

const MEMBER = [basicConstraints(false), keyUsage(0), purposes(OIDS.emailProtection)];
const AUTHORITY = [basicConstraints(true), keyUsage(5, 6)];
const UNKNOWN_CRITICAL = extension("1.2.3.4", NULL, true);
const withId =
  (id: string, ...values: readonly Buffer[]) =>
  (all: readonly Buffer[]): readonly Buffer[] => [...all, attribute(id, ...values)];
const without =
  (index: number) =>
  (all: readonly Buffer[]): readonly Buffer[] =>
    all.filter((_, at) => at !== index);

const CMS: readonly Attack[] = [
  changed("no certificate at all (CVE-2026-44310)", { certificates: [] }),
  changed("only somebody else's certificate", { certificates: [root.der] }),
  changed(
    "two certificates that both fit the signer",
    {
      certificates: [ada.der, memberCertificate(root, "jo@example.com").der],
    },
    "ambiguous-signature",
  ),
  changed("a certificate that is cut off", { certificates: [ada.der.subarray(0, -1)] }),
  changed("eleven certificates", { certificates: [ada.der, ...Array.from({ length: 10 }, () => root.der)] }),
  changed("an attribute certificate among the certificates", { certificates: [ada.der, context(1, NULL)] }),
  changed("two signers", { signers: (info) => [info, info] }, "ambiguous-signature"),
  changed(
    "a good signer and a bad one",
    {
      signers: (info) => [info, Buffer.concat([info.subarray(0, -1), Buffer.of(0)])],
    },
    "ambiguous-signature",
  ),
  changed("no signer", { signers: () => [] }),
  changed("no signed attributes", { attributes: null }),
  changed("no content type among the signed attributes", { attributes: without(0) }),
  changed("no digest among the signed attributes", { attributes: without(2) }),
  changed("a second digest", { attributes: withId(OIDS.messageDigest, octetString(digest(Buffer.from("evil")))) }),
  changed("a second content type", { attributes: withId(OIDS.contentType, oid(OIDS.data)) }),
  changed("a digest of two values", {
    attributes: (all) => [
      ...without(2)(all),
      attribute(OIDS.messageDigest, octetString(digest(PAYLOAD)), octetString(digest(Buffer.from("evil")))),
    ],
  }),
  changed("another content type than the message", {
    attributes: (all) => [attribute(OIDS.contentType, oid(OIDS.signedData)), ...without(0)(all)],
  }),
  changed("a content type other than data", { contentType: OIDS.timestampInfo }),
  changed(
    "a digest of other bytes",
    {
      attributes: (all) => [
        ...without(2)(all),
        attribute(OIDS.messageDigest, octetString(digest(Buffer.from("evil")))),
      ],
    },
    "bad-signature",
  ),
  changed("content inside instead of beside", { content: PAYLOAD }),
  changed("the digest algorithm SHA-1", { hash: OIDS.sha1 }, "weak-algorithm"),
  changed("the signature algorithm ecdsa-with-SHA1", { algorithm: OIDS.ecdsaSha1 }, "weak-algorithm"),
  changed("a hash in the signature algorithm other than the digest's", { hash: "2.16.840.1.101.3.4.2.3" }),
  changed("an algorithm that nobody knows", { algorithm: "1.2.3.4" }, "not-supported"),
  changed("an RSA algorithm with an elliptic key", { algorithm: "1.2.840.113549.1.1.11" }, "bad-signature"),
  changed("a version that does not fit the signer's name", { version: 3 }),
  changed("the subject key of nobody", { version: 3, signerId: der(0x80, Buffer.of(1)) }),
  changed("bytes after the message", { after: Buffer.of(0) }),
  changed("a second message after the first", { after: cms(PAYLOAD, ada) }),
  changed("an attribute twice among the unsigned ones", {
    unsigned: () => [attribute("1.2.3.4", NULL), attribute("1.2.3.4", NULL)],
  }),
  changed("65 KB in all", {
    unsigned: () => [attribute("1.2.3.4", octetString(Buffer.alloc(49_000)))],
  }),
  {
    name: "a message that is no SignedData",
    message: () => sequence(oid(OIDS.data), context(0, NULL)),
    reason: "malformed-signature",
  },
  { name: "a revocation list among what it carries", message: () => withLists(), reason: "malformed-signature" },
  {
    name: "a signature by another key under her certificate",
    message: () => cms(PAYLOAD, { ...ada, key: ecKey() }),
    reason: "bad-signature",
  },
  {
    name: "a cube root for an RSA key with e = 3 (CVE-2026-85393)",
    message: () =>
      cms(PAYLOAD, memberCertificate(root, EMAIL, { key: SMALL_EXPONENT }), { algorithm: RSA_SHA256, forge: cubeRoot }),
    reason: "bad-signature",
  },
  {
    name: "her signature over another commit",
    message: () => cms(Buffer.from(`${HEADERS}\nevil\n`), ada),
    reason: "bad-signature",
  },
];

const SMALL_EXPONENT = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }).privateKey;
const RSA_SHA256 = "1.2.840.113549.1.1.11";

/** A number whose cube begins as PKCS #1 v1.5 padding does, with too few FF and anything after the hash (Bleichenbacher 2006). */
function cubeRoot(signedBytes: Buffer): Buffer {
  const info = sequence(sequence(oid(OIDS.sha256), NULL), octetString(digest(signedBytes)));
  const start = Buffer.concat([Buffer.of(0, 1), Buffer.alloc(8, 0xff), Buffer.of(0), info]);
  const wanted = BigInt(`0x${Buffer.concat([start, Buffer.alloc(256 - start.length, 0xff)]).toString("hex")}`);
  let root = 1n << 681n;
  for (let next = root; ; root = next) {
    next = (2n * root + wanted / (root * root)) / 3n;
    if (next >= root) break;
  }
  const cube = (root ** 3n).toString(16).padStart(512, "0");
  assert.ok(cube.startsWith(start.toString("hex")), "a lenient reader would accept it");
  return Buffer.from(root.toString(16).padStart(512, "0"), "hex");
}

/** A CMS message with a [1] field, in which one could bring revocation lists of one's own. */
function withLists(): Buffer {
  const shell: typeof der = (tag, ...parts) =>
    parts.length === 5 ? der(tag, ...parts.slice(0, 4), context(1), ...parts.slice(4)) : der(tag, ...parts);
  return cms(PAYLOAD, ada, { shell });
}

function contentOf(element: Buffer): Buffer {
  const first = element[1] ?? 0;
  return element.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
}

const SUBJECT_KEY = extension("2.5.29.14", octetString(Buffer.of(1)));
/** With the subject key 01. */
const byKey = memberCertificate(root, EMAIL, { extensions: [...MEMBER, names({ email: EMAIL }), SUBJECT_KEY] });

/** The outer layers as gpgsm writes them, then one step further. */
const BER: readonly Attack[] = [
  {
    name: "an indefinite length among the certificates",
    message: () => cms(PAYLOAD, ada, { certificates: [indefinite(0x30, contentOf(ada.der))] }),
    reason: "malformed-signature",
  },
  changed("an indefinite length in the signer", { signers: (info) => [indefinite(0x30, contentOf(info))] }),
  changed("indefinite lengths nested too deeply", {
    shell: (tag, ...parts) => (tag === 0x30 ? indefinite(tag, ...parts) : indefinite(tag, indefinite(0xa0, ...parts))),
  }),
  changed("an indefinite length without its end", {
    shell: (tag, ...parts) => Buffer.concat([Buffer.of(tag, 0x80), ...parts]),
  }),
  {
    name: "a length that is not the shortest",
    message: () => cms(PAYLOAD, byKey, { signerId: Buffer.of(0x80, 0x81, 1, 1), version: 3 }),
    reason: "malformed-signature",
  },
  changed("a length of five bytes", { signerId: Buffer.of(0x80, 0x85, 0, 0, 0, 0, 1, 1), version: 3 }),
  changed("a length beyond the end", { signerId: Buffer.of(0x80, 0x84, 0xff, 0xff, 0xff, 0xff, 1), version: 3 }),
  changed("a tag of several bytes", { signerId: Buffer.of(0x9f, 0x81, 1, 0) }),
];

const CERTIFICATES: readonly Attack[] = [
  {
    name: "a certificate by an authority that nobody listed, of the same name",
    message: () => cms(PAYLOAD, memberCertificate(authority("Example root"), EMAIL)),
    reason: "unknown-signer",
  },
  {
    name: "such an authority's certificate brought along",
    message: () => {
      const forged = authority("Example root");
      const leaf = memberCertificate(forged, EMAIL);
      return cms(PAYLOAD, leaf, { certificates: [leaf.der, forged.der] });
    },
    reason: "unknown-signer",
  },
  {
    name: "a self-signed certificate",
    message: () => cms(PAYLOAD, certificate({ name: "Ada", extensions: [...MEMBER, names({ email: EMAIL })] })),
    reason: "unknown-signer",
  },
  by(
    "a certificate changed after it was signed",
    {
      extensions: [...MEMBER, names({ email: "bob@example.com" })],
      spoil: (tbs) => Buffer.from(tbs.toString("latin1").replace("bob@example.com", EMAIL), "latin1"),
    },
    "unknown-signer",
  ),
  by(
    "an authority's certificate as signer",
    { extensions: [...AUTHORITY, purposes(OIDS.emailProtection), names({ email: EMAIL })] },
    "key-not-for-signing",
  ),
  by(
    "an authority's certificate that may also sign",
    {
      extensions: [basicConstraints(true), keyUsage(0, 5), purposes(OIDS.emailProtection), names({ email: EMAIL })],
    },
    "key-not-for-signing",
  ),
  by(
    "the purpose of a TLS server",
    { extensions: [basicConstraints(false), keyUsage(0), purposes(OIDS.serverAuth), names({ email: EMAIL })] },
    "key-not-for-signing",
  ),
  by(
    "any purpose instead of one",
    { extensions: [keyUsage(0), purposes("2.5.29.37.0"), names({ email: EMAIL })] },
    "key-not-for-signing",
  ),
  by("no purpose", { extensions: [keyUsage(0), names({ email: EMAIL })] }, "key-not-for-signing"),
  by("no key usage", { extensions: [purposes(OIDS.emailProtection), names({ email: EMAIL })] }, "key-not-for-signing"),
  by(
    "the key usage of encryption",
    { extensions: [keyUsage(2), purposes(OIDS.emailProtection), names({ email: EMAIL })] },
    "key-not-for-signing",
  ),
  by(
    "a critical extension that nobody knows",
    { extensions: [...MEMBER, names({ email: EMAIL }), UNKNOWN_CRITICAL] },
    "untrusted-certificate",
  ),
  by(
    "an extension twice",
    { extensions: [...MEMBER, names({ email: EMAIL }), names({ email: "jo@example.com" })] },
    "malformed-signature",
  ),
  by("version 1", { version: 0 }, "malformed-signature"),
  by("two signature algorithms", { outerAlgorithm: "1.2.840.10045.4.3.3" }, "malformed-signature"),
  by("a signature over SHA-1", { algorithm: OIDS.ecdsaSha1 }, "weak-algorithm"),
  by(
    "an RSA key of 1,024 bits",
    { key: generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey },
    "weak-algorithm",
  ),
  by(
    "a key of a curve that nobody allowed",
    { key: generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey },
    "not-supported",
  ),
  by("an end in the past", { from: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS }, "key-expired"),
  by("a beginning in the future", { from: Date.now() + DAY_MS, until: Date.now() + 3 * DAY_MS }, "key-not-yet-valid"),
  by(
    "18 KB of extensions",
    { extensions: [...MEMBER, names({ email: EMAIL }), extension("1.2.3.4", Buffer.alloc(18_000))] },
    "malformed-signature",
  ),
  by(
    "65 extensions",
    { extensions: Array.from({ length: 65 }, (_, index) => extension(`1.2.3.${index + 1}`, NULL)) },
    "malformed-signature",
  ),
  by(
    "a bit list that is not in its shortest form",
    { extensions: [extension("2.5.29.15", bitString(Buffer.of(0x80), 0))] },
    "malformed-signature",
  ),
];

const NAMES: readonly Attack[] = [
  ["an address with a NUL in it", [{ email: `${EMAIL}\0.evil.example` }], "malformed-signature"],
  ["an address with a line feed after it", [{ email: `${EMAIL}\n` }], "malformed-signature"],
  ["an address outside ASCII", [{ email: "\xe5da@example.com" }], "malformed-signature"],
  [
    "an address of another domain, for which the authority may not speak",
    [{ email: "ada@example.org" }],
    "unknown-signer",
  ],
  ["an address of a domain below", [{ email: "ada@mail.example.com" }], "unknown-signer"],
  ["an address of a domain that only ends alike", [{ email: "ada@notexample.com" }], "unknown-signer"],
  ["an address with two at signs", [{ email: "ada@evil.example@example.com" }], "unknown-signer"],
  ["an address that nobody has", [{ email: "bob@example.com" }], "unknown-signer"],
  ["the addresses of two people", [{ email: EMAIL }, { email: "jo@example.com" }], "unknown-signer"],
  ["her address as a URI", [{ uri: `mailto:${EMAIL}` }], "unknown-signer"],
].map(([name, all, reason]) =>
  by(name as string, { extensions: [...MEMBER, names(...(all as { email: string }[]))] }, reason as Rejection),
);

const NO_NAME = by(
  "no alternative name, her address in the subject alone",
  { name: EMAIL, extensions: MEMBER },
  "unknown-signer",
);

const CHAINS: readonly Attack[] = [
  through(
    "an intermediate that is no authority",
    { extensions: [basicConstraints(false), keyUsage(5)] },
    "untrusted-certificate",
  ),
  through("an intermediate without basic constraints", { extensions: [keyUsage(5)] }, "untrusted-certificate"),
  through(
    "an intermediate that may not sign certificates",
    { extensions: [basicConstraints(true), keyUsage(0)] },
    "untrusted-certificate",
  ),
  through("an intermediate without key usage", { extensions: [basicConstraints(true)] }, "untrusted-certificate"),
  through(
    "an intermediate for TLS servers",
    { extensions: [...AUTHORITY, purposes(OIDS.serverAuth)] },
    "untrusted-certificate",
  ),
  through(
    "an intermediate with name constraints",
    { extensions: [...AUTHORITY, extension("2.5.29.30", sequence(), true)] },
    "not-supported",
  ),
  through(
    "an intermediate with a critical extension that nobody knows",
    { extensions: [...AUTHORITY, UNKNOWN_CRITICAL] },
    "untrusted-certificate",
  ),
  through(
    "an intermediate that has ended",
    { from: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS },
    "key-expired",
  ),
  through(
    "an intermediate that has not begun",
    { from: Date.now() + DAY_MS, until: Date.now() + 2 * DAY_MS },
    "key-not-yet-valid",
  ),
  {
    name: "a certificate issued with hers",
    message: () => {
      const leaf = memberCertificate(ada, "jo@example.com");
      return cms(PAYLOAD, leaf, { certificates: [leaf.der, ada.der] });
    },
    reason: "untrusted-certificate",
  },
  {
    name: "an authority below one with path length 0",
    message: () => {
      const upper = authority("Upper", { issuer: root, extensions: [basicConstraints(true, 0), keyUsage(5)] });
      return chainOf([upper, authority("Lower", { issuer: upper })]);
    },
    reason: "untrusted-certificate",
  },
  {
    name: "a chain of one more than five",
    message: () => {
      const chain = [root];
      for (let level = 1; level <= 4; level++)
        chain.push(authority(`Level ${level}`, { issuer: chain.at(-1) ?? root }));
      return chainOf(chain.slice(1));
    },
    reason: "unknown-signer",
  },
  {
    name: "two authorities that issued each other",
    message: () => {
      const [keyA, keyB] = [ecKey(), ecKey()];
      const b = authority("B", { key: keyB });
      const a = authority("A", { key: keyA, issuer: b });
      return chainOf([authority("B", { key: keyB, issuer: a }), a], a);
    },
    reason: "unknown-signer",
  },
  {
    name: "nine authorities of one name, to make us try them all",
    message: () => {
      const [leafIssuer, ...others] = Array.from({ length: 9 }, () =>
        authority("Same", { issuer: { name: root.name, key: ecKey() } }),
      );
      return chainOf([leafIssuer ?? root, ...others]);
    },
    reason: "unknown-signer",
  },
];

/** Signed by a member of the last authority (or of `issuer`), with all of them brought along. */
function chainOf(chain: readonly TestCertificate[], issuer = chain.at(-1) ?? root): Buffer {
  const leaf = memberCertificate(issuer, EMAIL);
  return cms(PAYLOAD, leaf, { certificates: [leaf.der, ...chain.map((one) => one.der)] });
}

for (const [title, attacks] of [
  ["CMS messages", CMS],
  ["their encoding", BER],
  ["certificates", CERTIFICATES],
  ["names", [...NAMES, NO_NAME]],
  ["chains", CHAINS],
] as const) {
  describe(`X.509 attacks on ${title}`, () => {
    for (const attack of attacks) {
      test(`rejects ${attack.name}`, async () => {
        const found = await judge(attack.message());
        assert.equal(found.kind === "rejected" ? found.reason : found.kind, attack.reason, JSON.stringify(found));
      });
    }
  });
}

for (const [name, e, reason] of [
  ["whose exponent is 1 is no key", "AQ", "weak-algorithm"],
  ["whose exponent has 33 bits takes too long", "AQAAAAE", "not-supported"],
] as const) {
  test(`an RSA key ${name}`, () => {
    const { n = "" } = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
    const key = createPublicKey({ format: "jwk", key: { kty: "RSA", n, e } });
    const read = readPublicKey(key.export({ format: "der", type: "spki" }));
    assert.equal("reason" in read && read.reason, reason);
  });
}

test("the signatures that the attacks start from verify", async () => {
  const middle = authority("Middle", {
    issuer: root,
    extensions: [basicConstraints(true, 0), keyUsage(5), purposes(OIDS.emailProtection)],
  });
  const honest = [
    cms(PAYLOAD, ada),
    cms(PAYLOAD, ada, { shell: indefinite }),
    cms(PAYLOAD, ada, { certificates: [root.der, ada.der], unsigned: () => [attribute("1.2.3.4", set(integer(1)))] }),
    cms(PAYLOAD, ada, { certificates: [ada.der, authority("Old root", { algorithm: OIDS.ecdsaSha1 }).der] }),
    cms(PAYLOAD, memberCertificate(root, EMAIL, { key: SMALL_EXPONENT }), { algorithm: RSA_SHA256 }),
    chainOf([middle]),
    chainOf([authority("Upper", { issuer: root, extensions: [basicConstraints(true, 1), keyUsage(5)] })]),
    cms(PAYLOAD, memberCertificate(root, "ADA@Example.com")),
    cms(
      PAYLOAD,
      memberCertificate(root, EMAIL, {
        extensions: [...MEMBER, names({ email: EMAIL }, { email: "ada@example.org" })],
      }),
    ),
    cms(PAYLOAD, byKey, { version: 3, signerId: der(0x80, Buffer.of(1)) }),
  ];
  for (const message of honest) {
    const found = await judge(message);
    assert.equal(found.kind, "verified", JSON.stringify(found));
    assert.equal(found.signer?.person, "ada");
  }
});

test("no signature makes us check more than 24 signatures of certificates", () => {
  const key = ecKey();
  const same = Array.from({ length: 9 }, (_, index) =>
    authority("Same", { key, serial: index + 1, issuer: { name: distinguishedName("Same"), key } }),
  );
  const [leaf, ...intermediates] = [memberCertificate(same[0] ?? root, EMAIL).der, ...same.map((one) => one.der)]
    .map(readCertificate)
    .filter((one) => one.kind === "certificate");
  assert.ok(leaf);
  let asked = 0;
  const counting: IssuedBy = () => {
    asked += 1;
    return true;
  };
  findPaths(leaf, { anchors: [], intermediates }, counting);
  assert.ok(asked > 1000, `${asked} ways without the bound`);
  asked = 0;
  assert.deepEqual(findPaths(leaf, { anchors: [], intermediates }, withinBounds(counting)), []);
  assert.equal(asked, 24);
});

test("who issued an intermediate is computed once, who issued a signer each time", () => {
  const middle = authority("Middle", { issuer: root });
  const [issuer, child, leaf] = [root.der, middle.der, memberCertificate(middle, EMAIL).der].map(readCertificate);
  assert.ok(issuer?.kind === "certificate" && child?.kind === "certificate" && leaf?.kind === "certificate");
  const issuedBy = openIssuedBy();
  const forged = Buffer.alloc(8);
  assert.deepEqual([issuedBy(child, issuer), issuedBy(leaf, child)], [true, true]);
  assert.equal(issuedBy({ ...child, signature: forged }, issuer), true, "remembered by fingerprint");
  assert.equal(issuedBy({ ...leaf, signature: forged }, child), false);
});

test("a bad X.509 signature first in a range does not keep the others from being judged", async () => {
  const good = cms(PAYLOAD, ada);
  const found = await Promise.all([good.subarray(0, 40), good, good].map(judge));
  assert.deepEqual(
    found.map((one) => one.kind),
    ["rejected", "verified", "verified"],
  );
});
