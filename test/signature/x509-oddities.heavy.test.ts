/**
 * Certificates as nobody should make them: by openssl where it does, byte by byte where it refuses. Beside each verdict stands
 * that of `openssl verify -purpose smimesign`, and where the two differ, why.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import type { Trust } from "../../src/signature/trust.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { commitOf, NOW, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import {
  armoured,
  authority,
  basicConstraints,
  type CertificateOptions,
  certificate,
  cms,
  der,
  distinguishedName,
  extension,
  integer,
  keyUsage,
  memberCertificate,
  names,
  OIDS,
  octetString,
  oid,
  pem,
  purposes,
  sequence,
  set,
  type TestCertificate,
  utf8String,
} from "../support/x509-bytes.ts";
import { type Issued, type Odd, Openssl } from "../support/x509-tools.ts";

const EMAIL = "ada@example.com";
const openssl = new Openssl({ after });
const root = openssl.authority("Root");
const other = openssl.authority("Other root");
const own = authority("Own root");

const CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
const NAME = `subjectAltName=email:${EMAIL}\n`;
const END = "basicConstraints=critical,CA:FALSE\n";
const SIGN = "keyUsage=critical,digitalSignature\n";
const PURPOSE = "extendedKeyUsage=emailProtection\n";

function trustIn(certificates: string): Promise<Trust> {
  const people = { ada: { email: [EMAIL, "a@example.com"], keys: [] }, jo: { email: ["jo@example.com"], keys: [] } };
  const authorities = { company: { certificate: "ca.pem", email: ["*@example.com"] } };
  return trustOf({ people, authorities }, { "ca.pem": certificates });
}

async function judged(certificates: string, signature: string): Promise<string> {
  const verifier = await openVerifier(await trustIn(certificates), "sha1");
  const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
  return found.kind === "verified" ? found.signer.person : found.reason;
}

/** Signer first, then what is brought along. */
interface Made {
  readonly leaf: Issued;
  readonly chain?: readonly Issued[];
  readonly anchor?: Issued;
}

function member(extensions: string, issuer = root, odd: Odd = {}): Issued {
  return openssl.issue("Member", extensions, issuer, "p256", odd);
}

const whole = END + SIGN + PURPOSE + NAME;

/** A member of the last of some authorities, each below the one before. */
function below(...authorities: readonly string[]): Made {
  const chain: Issued[] = [];
  for (const one of authorities) chain.push(openssl.issue(`Level ${chain.length}`, one, chain.at(-1) ?? root));
  return { leaf: member(whole, chain.at(-1) ?? root), chain };
}

/** Name, certificates, our verdict, openssl's; the last says why they differ. */
type Case = readonly [string, () => Made, string, boolean, string?];

const BY_OPENSSL: readonly Case[] = [
  ["an honest one", () => ({ leaf: member(whole) }), "ada", true],
  ["below two authorities", () => below(CA, CA), "ada", true],
  [
    "below an authority that allows none below it",
    () => below(CA.replace("TRUE", "TRUE,pathlen:0"), CA),
    "untrusted-certificate",
    false,
  ],
  ["directly below such an authority", () => below(CA, CA.replace("TRUE", "TRUE,pathlen:0")), "ada", true],
  [
    "below one more than is allowed",
    () => below(CA.replace("TRUE", "TRUE,pathlen:1"), CA, CA),
    "untrusted-certificate",
    false,
  ],
  ["below as many as are allowed", () => below(CA.replace("TRUE", "TRUE,pathlen:2"), CA, CA), "ada", true],
  [
    "below an authority that allows more than the one above it does",
    () => below(CA.replace("TRUE", "TRUE,pathlen:0"), CA.replace("TRUE", "TRUE,pathlen:9")),
    "untrusted-certificate",
    false,
  ],
  [
    "a critical extension that nobody knows",
    () => ({ leaf: member(`${whole}1.2.3.4=critical,DER:05:00\n`) }),
    "untrusted-certificate",
    false,
  ],
  ["the same extension, not critical", () => ({ leaf: member(`${whole}1.2.3.4=DER:05:00\n`) }), "ada", true],
  [
    "below an authority with such a critical extension",
    () => below(`${CA}1.2.3.4=critical,DER:05:00\n`),
    "untrusted-certificate",
    false,
  ],
  [
    "any purpose",
    () => ({ leaf: member(END + SIGN + NAME + PURPOSE.replace("emailProtection", "anyExtendedKeyUsage")) }),
    "key-not-for-signing",
    false,
  ],
  [
    "no purpose",
    () => ({ leaf: member(END + SIGN + NAME) }),
    "key-not-for-signing",
    true,
    "a purpose must be named here",
  ],
  [
    "several purposes, e-mail among them",
    () => ({ leaf: member(END + SIGN + NAME + PURPOSE.replace("email", "serverAuth,email")) }),
    "ada",
    true,
  ],
  [
    "below an authority for any purpose",
    () => below(`${CA}extendedKeyUsage=anyExtendedKeyUsage\n`),
    "ada",
    false,
    "openssl wants the purpose itself",
  ],
  ["below an authority for servers", () => below(`${CA}extendedKeyUsage=serverAuth\n`), "untrusted-certificate", false],
  [
    "no key usage",
    () => ({ leaf: member(END + PURPOSE + NAME) }),
    "key-not-for-signing",
    true,
    "a use must be named here",
  ],
  [
    "the key usage nonRepudiation alone",
    () => ({ leaf: member(END + PURPOSE + NAME + SIGN.replace("digitalSignature", "nonRepudiation")) }),
    "key-not-for-signing",
    true,
    "git's programs want digitalSignature",
  ],
  ["no basic constraints", () => ({ leaf: member(SIGN + PURPOSE + NAME) }), "ada", true],
  [
    "below an authority without basic constraints",
    () => below("keyUsage=critical,keyCertSign\n"),
    "untrusted-certificate",
    false,
  ],
  [
    "below an authority whose basic constraints are not critical",
    () => below(CA.replace("critical,", "")),
    "ada",
    true,
  ],
  [
    "below an authority without key usage",
    () => below("basicConstraints=critical,CA:TRUE\n"),
    "untrusted-certificate",
    true,
    "an authority that is not listed must say that it issues",
  ],
  ["issued by a signer", () => below(whole), "untrusted-certificate", false],
  ["self-signed", () => ({ leaf: openssl.issue("Ada", whole) }), "unknown-signer", false],
  ["of another root of the same kind", () => ({ leaf: member(whole, other) }), "unknown-signer", false],
  ["serial number 0", () => ({ leaf: member(whole, root, { serial: "0" }) }), "ada", true],
  ["a negative serial number", () => ({ leaf: member(whole, root, { serial: "-5" }) }), "ada", true],
  [
    "a serial number of 21 bytes",
    () => ({ leaf: member(whole, root, { serial: `0x7f${"ab".repeat(20)}` }) }),
    "ada",
    true,
  ],
  ["an empty subject", () => ({ leaf: member(whole, root, { subject: "/" }) }), "ada", true],
  [
    "an empty subject, and no alternative name either",
    () => ({ leaf: member(END + SIGN + PURPOSE, root, { subject: "/" }) }),
    "unknown-signer",
    true,
    "openssl asks for no name",
  ],
  [
    "two addresses of one person",
    () => ({ leaf: member(END + SIGN + PURPOSE + NAME.replace("\n", ",email:a@example.com\n")) }),
    "ada",
    true,
  ],
  [
    "the addresses of two people",
    () => ({ leaf: member(END + SIGN + PURPOSE + NAME.replace("\n", ",email:jo@example.com\n")) }),
    "unknown-signer",
    true,
    "openssl asks for no name",
  ],
  [
    "an address in the subject alone",
    () => ({ leaf: member(END + SIGN + PURPOSE, root, { subject: `/emailAddress=${EMAIL}` }) }),
    "unknown-signer",
    true,
    "openssl asks for no name",
  ],
];

function opensslAccepts({ leaf, chain = [], anchor = root }: Made): boolean {
  const untrusted = chain.flatMap((one) => ["-untrusted", one.certificate]);
  return openssl.agrees([
    "verify",
    "-purpose",
    "smimesign",
    "-CAfile",
    anchor.certificate,
    ...untrusted,
    leaf.certificate,
  ]);
}

describe("certificates made by openssl", () => {
  for (const [name, make, expected, accepted, why] of BY_OPENSSL) {
    test(`${name}: ${expected}${why === undefined ? "" : `; ${why}`}`, async () => {
      const made = make();
      const carried = openssl.write(
        "chain.pem",
        (made.chain ?? []).map((one) => readFileSync(one.certificate, "utf8")).join(""),
      );
      const signature = openssl.sign(made.leaf, PAYLOAD, made.chain === undefined ? [] : ["-certfile", carried]);
      assert.equal(await judged(readFileSync(root.certificate, "utf8"), signature), expected);
      assert.equal(opensslAccepts(made), accepted, "openssl");
      assert.equal((expected === "ada") !== accepted, why !== undefined, "a difference is explained");
    });
  }
});

const MEMBER = [basicConstraints(false), keyUsage(0), purposes(OIDS.emailProtection)];
const utc = (digits: string): Buffer => der(0x17, Buffer.from(digits));
const general = (digits: string): Buffer => der(0x18, Buffer.from(digits));

/** The authority that the member is below, where it is not the root; then as above. */
type ByteCase = readonly [string, Partial<CertificateOptions>, string, boolean, string?];

const BY_BYTES: readonly ByteCase[] = [
  ["GeneralizedTime before 2050", { validity: [general("20260101000000Z"), general("20490101000000Z")] }, "ada", true],
  ["UTCTime of its last year, 2049", { validity: [utc("500101000000Z"), utc("491231235959Z")] }, "ada", true],
  ["UTCTime 50, which is 1950", { validity: [utc("260101000000Z"), utc("500101000000Z")] }, "key-expired", false],
  ["GeneralizedTime 2050", { validity: [utc("260101000000Z"), general("20500101000000Z")] }, "ada", true],
  ["no end, as RFC 5280 writes it", { validity: [utc("260101000000Z"), general("99991231235959Z")] }, "ada", true],
  [
    "an end before its beginning",
    { validity: [utc("270101000000Z"), utc("260101000000Z")] },
    "key-not-yet-valid",
    false,
  ],
  ["UTCTime without seconds", { validity: [utc("2601010000Z"), utc("491231235959Z")] }, "malformed-signature", false],
  [
    "UTCTime with an offset",
    { validity: [utc("260101000000+0000"), utc("491231235959Z")] },
    "malformed-signature",
    false,
  ],
  ["the 31st of February", { validity: [utc("260231000000Z"), utc("491231235959Z")] }, "malformed-signature", false],
  ["the 24th hour", { validity: [utc("260101000000Z"), utc("491231240000Z")] }, "malformed-signature", false],
  ["a leap second", { validity: [utc("260101000000Z"), utc("491231235960Z")] }, "malformed-signature", false],
  [
    "fractions of a second",
    { validity: [utc("260101000000Z"), general("20491231235959.5Z")] },
    "malformed-signature",
    false,
  ],
  ["a time that is a number", { validity: [integer(1), utc("491231235959Z")] }, "malformed-signature", false],
  ["a serial number with a needless zero", { serial: Buffer.of(0, 1) }, "malformed-signature", false],
  ["a serial number of no bytes", { serial: Buffer.alloc(0) }, "malformed-signature", false],
  ["a NUL in the subject", { subject: distinguishedName("ada\0.evil.example") }, "ada", true],
  [
    "a NUL in the alternative name",
    { extensions: [...MEMBER, names({ email: `${EMAIL}\0.evil.example` })] },
    "malformed-signature",
    true,
    "openssl asks for no name",
  ],
  [
    "two extensions with alternative names",
    { extensions: [...MEMBER, names({ email: EMAIL }), names({ email: EMAIL })] },
    "malformed-signature",
    false,
  ],
  [
    "no alternative name in the extension",
    { extensions: [...MEMBER, names()] },
    "unknown-signer",
    true,
    "openssl asks for no name",
  ],
  [
    "a path length for one who issues nothing",
    { extensions: [...MEMBER.slice(1), names({ email: EMAIL }), extension("2.5.29.19", sequence(integer(0)), true)] },
    "ada",
    true,
  ],
  [
    "a subject of two names in one",
    { subject: sequence(set(sequence(oid("2.5.4.3"), utf8String("a")), sequence(oid("2.5.4.3"), utf8String("b")))) },
    "ada",
    true,
  ],
];

const AUTHORITIES: readonly ByteCase[] = [
  [
    "a negative path length",
    {
      extensions: [
        extension("2.5.29.19", sequence(der(0x01, Buffer.of(0xff)), integer(Buffer.of(0xff))), true),
        keyUsage(5),
      ],
    },
    "malformed-signature",
    false,
  ],
  [
    "a path length beyond 2^31",
    {
      extensions: [
        extension(
          "2.5.29.19",
          sequence(der(0x01, Buffer.of(0xff)), integer(Buffer.of(0, 0xff, 0xff, 0xff, 0xff))),
          true,
        ),
        keyUsage(5),
      ],
    },
    "malformed-signature",
    true,
    "such a number limits nothing; it is no length",
  ],
  ["an empty name", { subject: sequence() }, "ada", true],
  ["serial number 0", { serial: 0 }, "ada", true],
  ["the name and key of the root, issued by itself", { subject: own.name, key: own.key }, "ada", true],
];

function verifyBytes(
  leaf: TestCertificate,
  chain: readonly TestCertificate[],
  anchors: readonly TestCertificate[],
): boolean {
  const [file, untrusted, trusted] = [[leaf], chain, anchors].map((all, index) =>
    openssl.write(`bytes${index}.pem`, pem("CERTIFICATE", ...all.map((one) => one.der))),
  );
  const more = chain.length === 0 ? [] : ["-untrusted", untrusted ?? ""];
  return openssl.agrees(["verify", "-purpose", "smimesign", "-CAfile", trusted ?? "", ...more, file ?? ""]);
}

async function bothSay(
  leaf: TestCertificate,
  chain: readonly TestCertificate[],
  anchors = [own],
): Promise<[string, boolean]> {
  const message = cms(PAYLOAD, leaf, { certificates: [leaf, ...chain].map((one) => one.der) });
  const ours = await judged(pem("CERTIFICATE", ...anchors.map((one) => one.der)), armoured(message));
  return [ours, verifyBytes(leaf, chain, anchors)];
}

describe("certificates written byte by byte", () => {
  for (const [name, options, expected, accepted, why] of BY_BYTES) {
    test(`${name}: ${expected}${why === undefined ? "" : `; ${why}`}`, async () => {
      assert.deepEqual(await bothSay(memberCertificate(own, EMAIL, options), []), [expected, accepted]);
      assert.equal((expected === "ada") !== accepted, why !== undefined, "a difference is explained");
    });
  }
  for (const [name, options, expected, accepted, why] of AUTHORITIES) {
    test(`below an authority with ${name}: ${expected}${why === undefined ? "" : `; ${why}`}`, async () => {
      const middle = authority("Middle", { issuer: own, ...options });
      assert.deepEqual(await bothSay(memberCertificate(middle, EMAIL), [middle]), [expected, accepted]);
      assert.equal((expected === "ada") !== accepted, why !== undefined, "a difference is explained");
    });
  }

  test("authorities that certified each other lead to whichever is listed, and to nobody where none is", async () => {
    const [a, b] = [authority("A"), authority("B")];
    const aByB = authority("A", { key: a.key, issuer: b });
    const bByA = authority("B", { key: b.key, issuer: a });
    const leaf = memberCertificate(a, EMAIL);
    const crossed = [aByB, bByA];
    assert.deepEqual(await bothSay(leaf, crossed, [a]), ["ada", true]);
    assert.deepEqual(await bothSay(leaf, crossed, [b]), ["ada", true]);
    assert.deepEqual(await bothSay(leaf, crossed, [a, b]), ["ada", true]);
    assert.deepEqual(await bothSay(leaf, crossed, [own]), ["unknown-signer", false]);
  });

  test("a path length counts no authority that was issued to itself, as when its key changed", async () => {
    const keyId = (id: number) => extension("2.5.29.14", octetString(Buffer.of(id)));
    const issuedBy = (id: number) => extension("2.5.29.35", sequence(der(0x80, Buffer.of(id))));
    const [lengths, usage] = [basicConstraints(true, 0), keyUsage(5)];
    const narrow = authority("Narrow", { extensions: [lengths, usage, keyId(1)] });
    const renewed = authority("Narrow", { issuer: narrow, extensions: [lengths, usage, keyId(2), issuedBy(1)] });
    const leaf = memberCertificate(renewed, EMAIL, { extensions: [...MEMBER, names({ email: EMAIL }), issuedBy(2)] });
    assert.deepEqual(await bothSay(leaf, [renewed], [narrow]), ["ada", true]);
  });

  test("a signer's own certificate cannot be listed as the authority that it would need", async () => {
    const leaf = certificate({ name: "Ada", extensions: [...MEMBER, names({ email: EMAIL })] });
    await assert.rejects(trustIn(pem("CERTIFICATE", leaf.der)), { code: "trust-authority-invalid" });
  });
});
