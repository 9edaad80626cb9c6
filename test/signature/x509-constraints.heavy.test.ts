/** Name constraints of an intermediate by real openssl, each verdict beside that of `openssl verify`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { openVerifier } from "../../src/signature/verify.ts";
import { readCertificate } from "../../src/signature/x509-certificate.ts";
import { forbiddenName, readNameConstraints } from "../../src/signature/x509-constraints.ts";
import { DerError, readDer } from "../../src/signature/x509-der.ts";
import { commitOf, NOW, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import {
  authority,
  basicConstraints,
  context,
  der,
  extension,
  keyUsage,
  pem,
  sequence,
} from "../support/x509-bytes.ts";
import { derOf, type Issued, Openssl } from "../support/x509-tools.ts";

const EMAIL = "ada@example.com";
const openssl = new Openssl({ after });
const root = openssl.authority("Root");
const CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
const MEMBER =
  "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n";

function constrained(constraints: string, issuer: Issued | undefined = root): Issued {
  return openssl.issue("Constrained", `${CA}nameConstraints=${constraints}\n`, issuer);
}

function member(issuer: Issued, names: string): Issued {
  return openssl.issue("Member", `${MEMBER}subjectAltName=${names}\n`, issuer);
}

async function outcome(leaf: Issued, chain: readonly Issued[], anchor = root): Promise<string> {
  const trust = await trustOf(
    {
      people: { ada: { email: [EMAIL], keys: [] } },
      authorities: { company: { certificate: "ca.pem", email: ["*@example.com"] } },
    },
    { "ca.pem": readFileSync(anchor.certificate) },
  );
  const carried = openssl.write("chain.pem", chain.map((one) => readFileSync(one.certificate, "utf8")).join(""));
  const signature = openssl.sign(leaf, PAYLOAD, chain.length === 0 ? [] : ["-certfile", carried]);
  const found = await (await openVerifier(trust, "sha1")).verify(commitOf(signedRaw(signature)), NOW);
  return found.kind === "verified" ? found.signer.person : found.reason;
}

function opensslAccepts(leaf: Issued, chain: readonly Issued[]): boolean {
  const untrusted = chain.flatMap((one) => ["-untrusted", one.certificate]);
  return openssl.agrees(["verify", "-CAfile", root.certificate, ...untrusted, leaf.certificate]);
}

const ADA = `email:${EMAIL}`;

test("name constraints forbid what openssl says that they forbid", async () => {
  const cases: readonly (readonly [string, string, "ada" | "untrusted-certificate"])[] = [
    ["critical,permitted;email:example.com", ADA, "ada"],
    ["critical,permitted;email:ada@example.com", ADA, "ada"],
    ["critical,permitted;email:jo@example.com", ADA, "untrusted-certificate"],
    ["critical,permitted;email:.example.com", ADA, "untrusted-certificate"],
    ["critical,permitted;email:ample.com", ADA, "untrusted-certificate"],
    ["critical,permitted;email:example.com", `${ADA},email:ada@sub.example.com`, "untrusted-certificate"],
    ["critical,permitted;email:example.com,permitted;email:.example.com", `${ADA},email:a@sub.example.com`, "ada"],
    ["critical,permitted;email:EXAMPLE.com", ADA, "ada"],
    ["critical,excluded;email:example.com", ADA, "untrusted-certificate"],
    ["critical,excluded;email:jo@example.com", ADA, "ada"],
    ["critical,permitted;email:example.com,excluded;email:ada@example.com", ADA, "untrusted-certificate"],
    ["critical,permitted;DNS:example.com", ADA, "ada"],
    ["critical,permitted;DNS:example.com", `${ADA},DNS:example.com,DNS:a.b.example.com`, "ada"],
    ["critical,permitted;DNS:example.com", `${ADA},DNS:notexample.com`, "untrusted-certificate"],
    ["critical,excluded;DNS:example.com", `${ADA},DNS:www.example.com`, "untrusted-certificate"],
    ["critical,permitted;URI:forge.example", `${ADA},URI:https://forge.example/shop`, "ada"],
    ["critical,permitted;URI:forge.example", `${ADA},URI:https://forge.example:8443/shop`, "ada"],
    ["critical,permitted;URI:.example", `${ADA},URI:https://forge.example/shop`, "ada"],
    ["critical,permitted;URI:forge.example", `${ADA},URI:https://a.forge.example/`, "untrusted-certificate"],
    ["critical,excluded;URI:forge.example", `${ADA},URI:https://forge.example/`, "untrusted-certificate"],
    ["permitted;email:example.org", ADA, "untrusted-certificate"],
  ];
  for (const [constraints, names, expected] of cases) {
    const middle = constrained(constraints);
    const leaf = member(middle, names);
    const what = `${constraints} for ${names}`;
    assert.equal(opensslAccepts(leaf, [middle]), expected === "ada", what);
    assert.equal(await outcome(leaf, [middle]), expected, what);
  }
});

test("constraints hold for everything below, and those of all authorities together", async () => {
  const upper = constrained("critical,permitted;email:example.com");
  const wide = constrained("critical,permitted;email:example.org", upper);
  assert.equal(await outcome(member(wide, ADA), [wide, upper]), "untrusted-certificate");
  const plain = openssl.issue("Plain", CA, upper);
  const inside = member(plain, ADA);
  assert.equal(await outcome(inside, [plain, upper]), "ada");
  const outside = member(plain, `${ADA},email:eve@example.org`);
  assert.deepEqual(
    [await outcome(outside, [plain, upper]), opensslAccepts(outside, [plain, upper])],
    ["untrusted-certificate", false],
  );
});

test("a listed authority's own constraints hold too", async () => {
  const anchor = openssl.issue("Anchor", `${CA}nameConstraints=critical,permitted;email:example.com\n`);
  assert.equal(await outcome(member(anchor, ADA), [], anchor), "ada");
  assert.equal(await outcome(member(anchor, `${ADA},email:a@example.org`), [], anchor), "untrusted-certificate");
});

test("constraints of a kind that is not understood refuse the authority, in the signature and in the trust folder", async () => {
  for (const constraints of [
    "critical,permitted;dirName:d\n[d]\nO=Example",
    "critical,permitted;email:example.com,permitted;IP:10.0.0.0/255.0.0.0",
    "permitted;otherName:1.2.3.4;UTF8:x",
  ]) {
    const middle = constrained(constraints);
    assert.equal(await outcome(member(middle, ADA), [middle]), "not-supported", constraints);
    const anchor = openssl.issue("Anchor", `${CA}nameConstraints=${constraints}\n`);
    await assert.rejects(outcome(member(anchor, ADA), [], anchor), { code: "not-supported" }, constraints);
  }
});

const subtree = (tag: number, base: string, ...bounds: readonly Buffer[]): Buffer =>
  sequence(der(tag, Buffer.from(base)), ...bounds);
const permitted = (...subtrees: readonly Buffer[]): Buffer => sequence(context(0, ...subtrees));
const excluded = (...subtrees: readonly Buffer[]): Buffer => sequence(context(1, ...subtrees));
const NONE = { emails: [], dnsNames: [], uris: [] };
const read = (bytes: Uint8Array) => readNameConstraints(readDer(bytes));

test("what cannot be compared, or is excluded in other letters, is forbidden", () => {
  const forbidden = (constraints: Buffer, names: object) => forbiddenName({ ...NONE, ...names }, read(constraints));
  const byUri = permitted(subtree(0x86, "forge.example"));
  for (const uri of [
    "https://eve@forge.example/",
    "https://forge.example./",
    "urn:forge.example",
    "https://[::1]/",
    "https:///forge.example",
  ]) {
    assert.equal(forbidden(byUri, { uris: [uri] }), uri);
  }
  assert.equal(forbidden(permitted(subtree(0x86, "10.0.0.1")), { uris: ["https://10.0.0.1/"] }), "https://10.0.0.1/");
  for (const email of ["example.com", "@example.com", "ada@example.com.", "ada@exa mple.com"]) {
    assert.equal(forbidden(permitted(subtree(0x81, "example.com")), { emails: [email] }), email);
    assert.equal(forbidden(excluded(subtree(0x81, "example.org")), { emails: [email] }), email);
  }
  assert.equal(forbidden(excluded(subtree(0x81, EMAIL)), { emails: ["ADA@Example.com"] }), "ADA@Example.com");
  assert.equal(forbidden(excluded(subtree(0x81, "Ada@example.com")), { emails: [EMAIL] }), EMAIL);
  assert.equal(forbidden(permitted(subtree(0x81, EMAIL)), { emails: ["Ada@example.com"] }), "Ada@example.com");
  assert.equal(forbidden(permitted(subtree(0x81, EMAIL)), { emails: [EMAIL] }), null);
  assert.equal(forbidden(permitted(subtree(0x82, "example.com")), { dnsNames: ["*.example.com"] }), "*.example.com");
});

test("constraints that say nothing, or say it oddly, are not understood; too many are malformed", () => {
  const minimum = der(0x80, Buffer.of(0));
  for (const bytes of [
    sequence(),
    permitted(),
    permitted(subtree(0x81, "")),
    permitted(subtree(0x81, "@example.com")),
    permitted(subtree(0x81, "exa mple.com")),
    permitted(subtree(0x82, "*.example.com")),
    permitted(subtree(0x86, "https://forge.example")),
    permitted(subtree(0x81, "example.com", minimum)),
    permitted(subtree(0x87, "\u0001\u0002\u0003\u0004")),
    excluded(subtree(0x81, "example.com"), subtree(0x88, "x")),
  ]) {
    assert.equal(read(bytes).isKnown, false, bytes.toString("hex"));
  }
  const many = Array.from({ length: 129 }, () => subtree(0x81, "a.b"));
  assert.throws(() => read(permitted(...many)), DerError);
  const issuer = authority("Many", {
    extensions: [basicConstraints(true), keyUsage(5), extension("2.5.29.30", permitted(...many), true)],
  });
  const refused = readCertificate(issuer.der);
  assert.equal(refused.kind === "refused" && refused.reason, "malformed-signature");
  assert.equal(readCertificate(derOf(pem("CERTIFICATE", authority("Plain").der))).kind, "certificate");
});
