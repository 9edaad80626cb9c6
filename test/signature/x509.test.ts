/** Signatures by real gpgsm and openssl under a company's authority, its revocation lists, and what the trust folder refuses. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { commitId } from "../../src/git/object.ts";
import { parseCommit } from "../../src/git/parse.ts";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import type { Trust } from "../../src/signature/trust.ts";
import { readTrustFolder } from "../../src/signature/trust-folder.ts";
import type { Verification } from "../../src/signature/verification.ts";
import { type Moment, openVerifier } from "../../src/signature/verify.ts";
import { repository } from "../support/repository.ts";
import { commitOf, NOW, PAYLOAD, readCommit, signedRaw, trustOf } from "../support/signing.ts";
import { ed25519Signer } from "../support/sshsig.ts";
import {
  armoured,
  attribute,
  authority,
  basicConstraints,
  cms,
  digest,
  extension,
  integer,
  keyUsage,
  memberCertificate,
  NULL,
  OIDS,
  octetString,
  pem,
  type RevocationOptions,
  revocationList,
  sequence,
  type TestCertificate,
} from "../support/x509-bytes.ts";
import { GpgsmHome, type Issued, type KeyKind, Openssl } from "../support/x509-tools.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const EMAIL = "ada@example.com";
const cleanups: (() => void)[] = [];
const scope = { after: (cleanup: () => void) => void cleanups.unshift(cleanup) };
after(() => {
  for (const cleanup of cleanups) cleanup();
});
const openssl = new Openssl(scope);
const ca = openssl.authority("Company root");
const caPem = readFileSync(ca.certificate, "utf8");

const PEOPLE = {
  ada: { email: [EMAIL], roles: ["platform"], keys: [] },
  jo: { email: ["jo@example.com"], keys: [] },
};

type Files = Readonly<Record<string, Uint8Array | string>>;

function company(entry: object = {}, files: Files = {}, revokedKeys: readonly string[] = []): Promise<Trust> {
  const authorities = { company: { certificate: "ca.pem", email: ["*@example.com"], ...entry } };
  return trustOf({ people: PEOPLE, authorities }, { "ca.pem": caPem, ...files }, revokedKeys);
}

async function verify(trust: Trust, signature: string, at: Moment = NOW): Promise<Verification> {
  return (await openVerifier(trust, "sha1")).verify(commitOf(signedRaw(signature)), at);
}

function outcome(found: Verification): string {
  return found.kind === "verified" ? `verified ${found.signer.person}` : found.reason;
}

test("verifies a commit that real git signed with real gpgsm, and says whose it is", async (t) => {
  const ada = openssl.member(ca, EMAIL, "rsa");
  const home = new GpgsmHome(t, openssl, ca, ada);
  const repo = await repository(t);
  repo.write({ "a.txt": "a\n" });
  repo.git(["add", "--all"]);
  const config = ["gpg.format=x509", `gpg.x509.program=${home.program(openssl)}`, `user.signingkey=${EMAIL}`];
  repo.git([...config.flatMap((one) => ["-c", one]), "commit", "--quiet", "-S", "-m", "signed"], { env: home.env });
  const id = commitId(repo.git(["rev-parse", "HEAD"]));
  const commit = parseCommit(id, new Uint8Array(readCommit(repo.path, id)), "sha1");
  assert.match(
    Buffer.from(commit.raw).toString(),
    /\ngpgsig -----BEGIN SIGNED MESSAGE-----\n MIAG/,
    "BER, as gpgsm writes",
  );
  const found = await (await openVerifier(await company(), "sha1")).verify(commit, NOW);
  assert.ok(found.kind === "verified", JSON.stringify(found));
  const { key, ...signer } = found.signer;
  assert.deepEqual(signer, { person: "ada", class: "person", roles: ["platform"], hardware: null });
  const hex = openssl.run(["x509", "-in", ada.certificate, "-noout", "-fingerprint", "-sha256"]).toString();
  const printed = Buffer.from(hex.split("=")[1]?.replaceAll(/[:\n]/g, "") ?? "", "hex").toString("base64");
  assert.equal(key, `SHA256:${printed.replaceAll("=", "")}`);
  assert.equal(found.format, "x509");
});

for (const kind of ["rsa", "p256", "p384", "p521"] satisfies readonly KeyKind[]) {
  test(`verifies what openssl cms signs with a ${kind} key, and nothing else than these bytes`, async () => {
    const signature = openssl.sign(openssl.member(ca, EMAIL, kind), PAYLOAD);
    const trust = await company();
    assert.equal(outcome(await verify(trust, signature)), "verified ada");
    const verifier = await openVerifier(trust, "sha1");
    const found = await verifier.verify(commitOf(signedRaw(signature, undefined, "\nevil\n")), NOW);
    assert.equal(outcome(found), "bad-signature");
  });
}

test("verifies a tag that is signed with a certificate", async () => {
  const text = `object ${"1".repeat(40)}\ntype commit\ntag v1.0\ntagger Ada <${EMAIL}> 1793491200 +0000\n\nfirst\n`;
  const signature = openssl.sign(openssl.member(ca, EMAIL), Buffer.from(text));
  const verifier = await openVerifier(await company(), "sha1");
  const tag = await verifier.verifyTag(Buffer.from(text + signature), NOW);
  assert.deepEqual([tag.kind, tag.reason, tag.format, tag.signer?.person], ["verified", null, "x509", "ada"]);
  const other = await verifier.verifyTag(Buffer.from(text.replace("v1.0", "v9.9") + signature), NOW);
  assert.deepEqual([other.kind, other.reason], ["rejected", "bad-signature"]);
});

test("verifies under an authority with an Ed25519 key, and Ed25519 signatures with SHA-512 alone (RFC 8419)", async () => {
  const root = openssl.issue(
    "Ed root",
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
    undefined,
    "ed25519",
  );
  const trust = await company({}, { "ca.pem": readFileSync(root.certificate) });
  assert.equal(outcome(await verify(trust, openssl.sign(openssl.member(root, EMAIL), PAYLOAD))), "verified ada");
  const own = authority("Root");
  const key = generateKeyPairSync("ed25519").privateKey;
  const ownTrust = await company({}, { "ca.pem": pem("CERTIFICATE", own.der) });
  const message = (hash: string, name: string): string =>
    armoured(
      cms(PAYLOAD, memberCertificate(own, EMAIL, { key }), {
        hash,
        algorithm: "1.3.101.112",
        attributes: (all) => [...all.slice(0, 2), attribute(OIDS.messageDigest, octetString(digest(PAYLOAD, name)))],
      }),
    );
  assert.equal(outcome(await verify(ownTrust, message("2.16.840.1.101.3.4.2.3", "sha512"))), "verified ada");
  assert.equal(outcome(await verify(ownTrust, message(OIDS.sha256, "sha256"))), "malformed-signature");
});

test("finds an intermediate in the signature or in the trust folder, and names the signer by subject key too", async () => {
  const middle = openssl.authority("Company people", ca);
  const ada = openssl.member(middle, EMAIL);
  const carried = openssl.sign(ada, PAYLOAD, ["-certfile", middle.certificate]);
  assert.equal(outcome(await verify(await company(), carried)), "verified ada");
  const bare = openssl.sign(ada, PAYLOAD, ["-keyid"]);
  assert.equal(outcome(await verify(await company(), bare)), "unknown-signer");
  const listed = await company({ intermediates: "m.pem" }, { "m.pem": readFileSync(middle.certificate) });
  assert.equal(outcome(await verify(listed, bare)), "verified ada");
});

test("openssl accepts the messages, certificates and lists that the tests write byte by byte", async () => {
  const root = authority("Root");
  const ada = memberCertificate(root, EMAIL);
  openssl.write("payload", PAYLOAD);
  openssl.write("root.pem", pem("CERTIFICATE", root.der));
  openssl.write("list.pem", pem("X509 CRL", revocationList({ issuer: root })));
  const check = ["-content", "payload", "-CAfile", "root.pem", "-purpose", "any", "-binary", "-out", "/dev/null"];
  const accepts = (message: Uint8Array): boolean =>
    openssl.agrees(["cms", "-verify", "-inform", "DER", "-in", openssl.write("message", message), ...check]);
  assert.ok(accepts(cms(PAYLOAD, ada)));
  assert.ok(!accepts(cms(Buffer.from("evil"), ada)));
  assert.ok(openssl.agrees(["crl", "-in", "list.pem", "-CAfile", "root.pem", "-noout"]));
  assert.ok(
    accepts(cms(PAYLOAD, ada, { attributes: null })),
    "which is refused here: it could be attributes in disguise",
  );
});

describe("revocation lists", () => {
  const ada = openssl.member(ca, EMAIL);
  const signature = openssl.sign(ada, PAYLOAD);
  const lists = (list: string | Uint8Array): Promise<Trust> => company({ revocations: "ca.crl" }, { "ca.crl": list });

  test("of openssl: nobody revoked, one for a hard reason, one for a soft one", async () => {
    for (const [revoked, expected] of [
      [[], "verified ada"],
      [[{ certificate: openssl.member(ca, EMAIL).certificate, reason: "keyCompromise" }], "verified ada"],
      [[{ certificate: ada.certificate, reason: "keyCompromise" }], "key-revoked"],
      [[{ certificate: ada.certificate, reason: "superseded" }], "key-revoked"],
    ] as const) {
      const trust = await lists(openssl.revocations(ca, revoked));
      assert.equal(outcome(await verify(trust, signature)), expected);
    }
  });

  const root = authority("Root");
  const member = memberCertificate(root, EMAIL);
  const message = armoured(cms(PAYLOAD, member));
  const own = (options: Partial<RevocationOptions> = {}, more: Files = {}, entry: object = {}): Promise<Trust> =>
    company(
      { revocations: "ca.crl", ...entry },
      { "ca.pem": pem("CERTIFICATE", root.der), "ca.crl": revocationList({ issuer: root, ...options }), ...more },
    );

  for (const [name, reason, at, expected] of [
    ["without a reason, after the commit was seen", null, NOW.instant + DAY_MS, "key-revoked"],
    ["for a compromise, after the commit was seen", 1, NOW.instant + DAY_MS, "key-revoked"],
    ["on hold, after the commit was seen", 6, NOW.instant + DAY_MS, "key-revoked"],
    ["as superseded, after the commit was seen", 4, NOW.instant + DAY_MS, "verified ada"],
    ["as superseded, before the commit was seen", 4, NOW.instant - 1000, "key-revoked"],
    ["for a change of affiliation, before the commit was seen", 3, NOW.instant - 1000, "key-revoked"],
  ] as const) {
    test(`a certificate revoked ${name}`, async () => {
      const trust = await own({ revoked: [{ serial: member.serial, at, reason }] });
      assert.equal(outcome(await verify(trust, message)), expected);
    });
  }

  test("a root without key usage, as openssl makes it by default, counts where it is listed, and so does its list", async () => {
    const plain = openssl.issue("Plain root", "basicConstraints=critical,CA:TRUE\n");
    const files = { "ca.pem": readFileSync(plain.certificate), "ca.crl": openssl.revocations(plain, []) };
    const made = openssl.sign(openssl.member(plain, EMAIL), PAYLOAD);
    assert.equal(outcome(await verify(await company({ revocations: "ca.crl" }, files), made)), "verified ada");
  });

  test("a list that has ended covers nobody, whatever it says", async () => {
    const trust = await own({ from: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS });
    assert.equal(outcome(await verify(trust, message)), "revocation-unknown");
  });

  test("an ended list still revokes", async () => {
    const revoked = [{ serial: member.serial, at: Date.now() - DAY_MS, reason: 1 }];
    const trust = await own({ from: Date.now() - 3 * DAY_MS, until: Date.now() - DAY_MS, revoked });
    assert.equal(outcome(await verify(trust, message)), "key-revoked");
  });

  test("a list covers the certificates of the key that signed it, not of another authority of the same name", async () => {
    const next = authority("Root");
    const both = { "ca.pem": pem("CERTIFICATE", root.der, next.der) };
    const revoked = [{ serial: member.serial, at: Date.now(), reason: 1 }];
    const lists = pem("X509 CRL", revocationList({ issuer: next }), revocationList({ issuer: root, revoked }));
    const byNext = armoured(cms(PAYLOAD, memberCertificate(next, EMAIL)));
    const alone = await own({}, { ...both, "ca.crl": revocationList({ issuer: next }) });
    assert.deepEqual(
      [outcome(await verify(alone, message)), outcome(await verify(alone, byNext))],
      ["revocation-unknown", "verified ada"],
    );
    const all = await own({}, { ...both, "ca.crl": lists });
    assert.deepEqual(
      [outcome(await verify(all, message)), outcome(await verify(all, byNext))],
      ["key-revoked", "verified ada"],
    );
  });

  test("each certificate below the listed authority must be covered, and each can be revoked", async () => {
    const middle = authority("Middle", { issuer: root, serial: 99 });
    const leaf = memberCertificate(middle, EMAIL);
    const through = armoured(cms(PAYLOAD, leaf, { certificates: [leaf.der, middle.der] }));
    assert.equal(outcome(await verify(await own(), through)), "revocation-unknown");
    const files = {
      "m.pem": pem("CERTIFICATE", middle.der),
      "both.crl": pem("X509 CRL", revocationList({ issuer: root }), revocationList({ issuer: middle })),
      "m.crl": revocationList({ issuer: middle }),
      "gone.crl": revocationList({ issuer: root, revoked: [{ serial: middle.serial, at: Date.now(), reason: 2 }] }),
    };
    const covered = await own({}, files, { intermediates: "m.pem", revocations: ["both.crl"] });
    assert.equal(outcome(await verify(covered, through)), "verified ada");
    const revoked = await own({}, files, { intermediates: "m.pem", revocations: ["m.crl", "gone.crl"] });
    assert.equal(outcome(await verify(revoked, through)), "key-revoked");
  });
});

describe("the operator", () => {
  const root = authority("Root");
  const ada = memberCertificate(root, EMAIL);
  const message = armoured(cms(PAYLOAD, ada));
  const fingerprint = (bytes: Uint8Array): string => `SHA256:${digest(bytes).toString("base64").replaceAll("=", "")}`;

  for (const [name, taken] of [
    ["a certificate", fingerprint(ada.der)],
    ["its key, for every certificate of it", fingerprint(ada.spki)],
    ["the authority's certificate", fingerprint(root.der)],
    ["the authority's key", fingerprint(root.spki)],
  ] as const) {
    test(`takes away ${name}`, async () => {
      const trust = await company({}, { "ca.pem": pem("CERTIFICATE", root.der) }, [taken]);
      assert.equal(outcome(await verify(trust, message)), "key-revoked");
    });
  }
});

test("an authority speaks for its own addresses only, beside another that may speak for them", async () => {
  const other = openssl.authority("Partner");
  const authorities = {
    company: { certificate: "ca.pem", email: ["*@example.com"] },
    partner: { certificate: "partner.pem", email: ["*@partner.example", "jo@example.com"] },
  };
  const files = { "ca.pem": caPem, "partner.pem": readFileSync(other.certificate) };
  const trust = await trustOf({ people: PEOPLE, authorities }, files);
  const signedBy = async (issuer: Issued, email: string): Promise<string> =>
    outcome(await verify(trust, openssl.sign(openssl.member(issuer, email), PAYLOAD)));
  assert.equal(await signedBy(ca, EMAIL), "verified ada");
  assert.equal(await signedBy(other, EMAIL), "unknown-signer");
  assert.equal(await signedBy(other, "jo@example.com"), "verified jo");
  assert.equal(await signedBy(ca, "jo@example.com"), "verified jo");
});

test("the examples in docs/certificates.md are trust folders", async () => {
  const page = readFileSync(new URL("../../docs/certificates.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text);
  const root = authority("Root");
  const middle = authority("Middle", { issuer: root });
  const files = {
    "ca.pem": pem("CERTIFICATE", root.der),
    "people-ca.pem": pem("CERTIFICATE", middle.der),
    "ca.crl": revocationList({ issuer: root }),
    "people-ca.crl": revocationList({ issuer: middle }),
  };
  const read = await Promise.all(
    examples.map((text) => {
      const all = Object.entries({ ...files, "people.yaml": text });
      const bytes = new Map(all.map(([path, content]) => [path, new Uint8Array(Buffer.from(content))]));
      return readTrustFolder(bytes, { revokedKeys: [] });
    }),
  );
  assert.deepEqual(
    read.map((trust) => trust.x509Authorities?.map((one) => one.id)),
    [["company"], ["sigstore"]],
  );
});

test("a person who left signs nothing any more, and one who was removed is nobody", async () => {
  const signature = openssl.sign(openssl.member(ca, EMAIL), PAYLOAD);
  const left = { ada: { email: [EMAIL], keys: [], left: "2026-01-01" } };
  const authorities = { company: { certificate: "ca.pem", email: ["*@example.com"] } };
  const files = { "ca.pem": caPem };
  assert.equal(outcome(await verify(await trustOf({ people: left, authorities }, files), signature)), "signer-left");
  assert.equal(outcome(await verify(await trustOf({ people: {}, authorities }, files), signature)), "unknown-signer");
  assert.equal(outcome(await verify(await trustOf({ people: PEOPLE }, files), signature)), "unknown-signer");
});

test("a robot has certificates too, and one that a forge signs for has none", async () => {
  const signature = openssl.sign(openssl.member(ca, "bot@example.com"), PAYLOAD);
  const authorities = { company: { certificate: "ca.pem", email: ["bot@example.com"] } };
  const bot = { email: ["bot@example.com"], may: ["image"] };
  const forges = { github: { keys: [ed25519Signer().line], may: [] } };
  const read = (robots: object): Promise<Trust> =>
    trustOf({ people: {}, robots, forges, authorities }, { "ca.pem": caPem });
  const found = await verify(await read({ bot }), signature);
  assert.deepEqual([found.kind, found.signer?.class], ["verified", "robot"]);
  assert.equal(outcome(await verify(await read({ bot: { ...bot, forge: "github" } }), signature)), "unknown-signer");
});

describe("the trust folder", () => {
  const root = authority("Root");
  const other = authority("Root");
  const rootPem = pem("CERTIFICATE", root.der);
  const constrained = authority("C", {
    extensions: [basicConstraints(true), keyUsage(5), extension("2.5.29.30", sequence())],
  });
  const list = (options: Partial<RevocationOptions> & { issuer?: TestCertificate } = {}): Buffer =>
    revocationList({ issuer: root, ...options });
  const critical = extension("2.5.29.28", NULL, true);
  const twice = { serial: integer(7), at: Date.now(), reason: 1 };
  const mute = authority("M", { extensions: [basicConstraints(true), keyUsage(5)] });

  const refusals: readonly [string, object, Files, Code, RegExp][] = [
    ["a certificate file that is not there", { certificate: "no.pem" }, {}, "trust-file-missing", /no\.pem/],
    ["a path out of the folder", { certificate: "../ca.pem" }, {}, "trust-file-outside", /plain path/],
    [
      "a private key instead of a certificate",
      {},
      { "ca.pem": pem("PRIVATE KEY", root.der) },
      "trust-authority-invalid",
      /PRIVATE KEY/,
    ],
    [
      "a key beside the certificate",
      {},
      { "ca.pem": rootPem + pem("EC PRIVATE KEY", root.der) },
      "trust-authority-invalid",
      /EC PRIVATE KEY/,
    ],
    ["text without a certificate", {}, { "ca.pem": "ca\n" }, "trust-authority-invalid", /holds no CERTIFICATE/],
    ["a damaged certificate", {}, { "ca.pem": rootPem.replace("M", "!") }, "trust-authority-invalid", /damaged/],
    [
      "a certificate that is cut off",
      {},
      { "ca.pem": pem("CERTIFICATE", root.der.subarray(0, -1)) },
      "trust-authority-invalid",
      /ends too early/,
    ],
    [
      "somebody's certificate as authority",
      {},
      { "ca.pem": pem("CERTIFICATE", memberCertificate(root, EMAIL).der) },
      "trust-authority-invalid",
      /no authority/,
    ],
    [
      "an authority with name constraints",
      {},
      { "ca.pem": pem("CERTIFICATE", constrained.der) },
      "not-supported",
      /name constraints/,
    ],
    [
      "a revocation list that is configured and missing",
      { revocations: "ca.crl" },
      {},
      "trust-file-missing",
      /ca\.crl/,
    ],
    [
      "an empty revocation list file",
      { revocations: "ca.crl" },
      { "ca.crl": "" },
      "trust-authority-invalid",
      /holds no X509 CRL/,
    ],
    [
      "a revocation list by another authority of the same name",
      { revocations: "ca.crl" },
      { "ca.crl": list({ issuer: other }) },
      "trust-authority-invalid",
      /none of these authorities signed/,
    ],
    [
      "a revocation list signed by somebody else",
      { revocations: "ca.crl" },
      { "ca.crl": list({ key: other.key }) },
      "trust-authority-invalid",
      /none of these/,
    ],
    [
      "a revocation list that is cut off",
      { revocations: "ca.crl" },
      { "ca.crl": list().subarray(0, -1) },
      "trust-authority-invalid",
      /ends too early/,
    ],
    [
      "a revocation list that names a certificate twice",
      { revocations: "ca.crl" },
      { "ca.crl": list({ revoked: [twice, { ...twice, reason: 4 }] }) },
      "trust-authority-invalid",
      /twice/,
    ],
    [
      "an authority that may not sign certificates",
      {},
      { "ca.pem": pem("CERTIFICATE", authority("S", { extensions: [basicConstraints(true), keyUsage(0)] }).der) },
      "trust-authority-invalid",
      /no authority/,
    ],
    [
      "a revocation list by an authority that may not sign lists",
      { revocations: "ca.crl" },
      { "ca.pem": pem("CERTIFICATE", mute.der), "ca.crl": revocationList({ issuer: mute }) },
      "trust-authority-invalid",
      /none of these/,
    ],
    [
      "a revocation list without a next update",
      { revocations: "ca.crl" },
      { "ca.crl": list({ until: null }) },
      "trust-authority-invalid",
      /next one/,
    ],
    [
      "a partial revocation list",
      { revocations: "ca.crl" },
      { "ca.crl": list({ extensions: [critical] }) },
      "trust-authority-invalid",
      /2\.5\.29\.28/,
    ],
    ["an authority without addresses", { email: [] }, {}, "trust-invalid", /email/],
    [
      "a pattern in the middle of an address",
      { email: ["a*@example.com"] },
      {},
      "trust-invalid",
      /one e-mail address, or \*@ and a domain/,
    ],
    ["a pattern for every domain", { email: ["*@*"] }, {}, "trust-invalid", /one e-mail address/],
    ["a key that nobody knows", { revocation: "ca.crl" }, {}, "trust-invalid", /revocation.*revocations/s],
  ];
  for (const [name, entry, files, code, message] of refusals) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(company(entry, { "ca.pem": rootPem, ...files }), (thrown) => {
        assert.ok(thrown instanceof SluiceError, String(thrown));
        assert.equal(thrown.code, code, thrown.message);
        assert.match(thrown.message, message);
        assert.ok((thrown.position?.line ?? 0) > 1, "with its place");
        return true;
      });
    });
  }

  test("a list counts in the trust digest, so that a newer one is another trust", async () => {
    const [first, second] = await Promise.all(
      [1, 2].map((days) =>
        company({ revocations: "c" }, { "ca.pem": rootPem, c: list({ until: NOW.instant + days * DAY_MS }) }),
      ),
    );
    assert.notEqual(first?.digest, second?.digest);
  });
});
