/** RSASSA-PSS by real openssl, in signatures, certificates and revocation lists, and the forms of it that are refused. */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openVerifier } from "../../src/signature/verify.ts";
import { isSignedBy, readSignatureAlgorithm, type SignatureAlgorithm } from "../../src/signature/x509-algorithm.ts";
import { DerError, readDer } from "../../src/signature/x509-der.ts";
import { commitOf, NOW, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import { context, integer, NULL, OIDS, oid, sequence } from "../support/x509-bytes.ts";
import { type Issued, Openssl } from "../support/x509-tools.ts";

const EMAIL = "ada@example.com";
const openssl = new Openssl({ after });
const CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
const MEMBER =
  "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n";
const PSS_SIGNED = ["-sigopt", "rsa_padding_mode:pss"];

/** With `openssl req` and `x509`, since keys of RSASSA-PSS and options of the signature are only asked for here. */
function issue(
  name: string,
  extensions: string,
  options: readonly string[],
  issuer: Issued | null = null,
  key: readonly string[] = ["rsa:2048"],
): Issued {
  const at = (suffix: string): string => join(openssl.folder, `${name}.${suffix}`);
  openssl.write(`${name}.cnf`, extensions);
  const request = ["req", "-new", "-newkey", ...key, "-nodes", "-keyout", at("key"), "-subj", `/CN=${name}`];
  const csr = openssl.run([...request, "-out", "-"]);
  const signer = issuer === null ? ["-signkey", at("key")] : ["-CA", issuer.certificate, "-CAkey", issuer.key];
  const serial = ["-set_serial", `${name.length + 10}`, "-days", "30", "-extfile", at("cnf"), "-out", at("pem")];
  openssl.run(["x509", "-req", ...signer, ...options, ...serial], csr);
  return { certificate: at("pem"), key: at("key") };
}

async function outcome(signature: string, root: Issued, more: Record<string, string> = {}): Promise<string> {
  const company = { certificate: "ca.pem", email: ["*@example.com"], ...(more["ca.crl"] && { revocations: "ca.crl" }) };
  const people = { people: { ada: { email: [EMAIL], keys: [] } }, authorities: { company } };
  const trust = await trustOf(people, { "ca.pem": readFileSync(root.certificate), ...more });
  const found = await (await openVerifier(trust, "sha1")).verify(commitOf(signedRaw(signature)), NOW);
  return found.kind === "verified" ? found.signer.person : found.reason;
}

const NAMED = `${MEMBER}subjectAltName=email:${EMAIL}\n`;
const plainRoot = issue("plain", CA, []);
const plain = issue("member", NAMED, [], plainRoot);
const pss = (salt: string): string[] => ["-keyopt", "rsa_padding_mode:pss", "-keyopt", `rsa_pss_saltlen:${salt}`];

test("verifies what openssl cms signs with RSASSA-PSS, with every hash and length of salt", async () => {
  for (const hash of ["sha256", "sha384", "sha512"]) {
    for (const salt of ["0", "32", "-1", "max"]) {
      const signature = openssl.sign(plain, PAYLOAD, ["-md", hash, ...pss(salt)]);
      assert.equal(await outcome(signature, plainRoot), "ada", `${hash}, salt ${salt}`);
    }
  }
  const unstated = openssl.sign(plain, PAYLOAD, ["-md", "sha256", ...pss("20")]);
  assert.equal(await outcome(unstated, plainRoot), "not-supported", "20 is the default, which DER leaves out");
  const other = openssl.sign(plain, Buffer.from("evil"), pss("32"));
  assert.equal(await outcome(other, plainRoot), "bad-signature");
});

test("verifies certificates and revocation lists that are signed with RSASSA-PSS", async () => {
  const root = issue("pss-root", CA, [...PSS_SIGNED, "-sigopt", "rsa_pss_saltlen:32", "-sha256"]);
  const ada = issue("pss-member", NAMED, [...PSS_SIGNED, "-sigopt", "rsa_pss_saltlen:48", "-sha384"], root);
  assert.ok(openssl.agrees(["verify", "-CAfile", root.certificate, ada.certificate]));
  const signature = openssl.sign(ada, PAYLOAD);
  assert.equal(await outcome(signature, root), "ada");
  const revoked = [{ certificate: ada.certificate, reason: "keyCompromise" }];
  assert.equal(
    await outcome(signature, root, { "ca.crl": openssl.revocations(root, revoked, 24, PSS_SIGNED) }),
    "key-revoked",
  );
  assert.equal(await outcome(signature, root, { "ca.crl": openssl.revocations(root, [], 24, PSS_SIGNED) }), "ada");
});

test("a key of RSASSA-PSS alone signs nothing else, and nothing below its own parameters", async () => {
  const key = (...options: readonly string[]): string[] => ["rsa-pss", ...options.flatMap((one) => ["-pkeyopt", one])];
  const free = issue("pss-free", NAMED, [], plainRoot, key("rsa_keygen_bits:2048"));
  assert.equal(await outcome(openssl.sign(free, PAYLOAD, ["-md", "sha512", ...pss("64")]), plainRoot), "ada");
  const mislabelled = openssl.sign(free, PAYLOAD);
  assert.equal(
    await outcome(mislabelled, plainRoot),
    "bad-signature",
    "openssl calls it plain RSA when it is not told",
  );
  const bound = key(
    "rsa_keygen_bits:2048",
    "rsa_pss_keygen_md:sha256",
    "rsa_pss_keygen_mgf1_md:sha256",
    "rsa_pss_keygen_saltlen:32",
  );
  const strict = issue("pss-strict", NAMED, [], plainRoot, bound);
  assert.equal(await outcome(openssl.sign(strict, PAYLOAD, ["-md", "sha256", ...pss("32")]), plainRoot), "ada");
  const strictKey = createPublicKey(readFileSync(strict.certificate));
  const algorithm = (change: object): SignatureAlgorithm =>
    Object.assign({ kind: "algorithm", key: "rsa", hash: "sha256", salt: 32 } as const, change);
  const signature = sign("sha256", PAYLOAD, { key: createPrivateKey(readFileSync(strict.key)), saltLength: 32 });
  const is = (change: object) => isSignedBy(algorithm(change), strictKey, PAYLOAD, signature);
  assert.deepEqual(
    [is({}), is({ salt: 31 }), is({ hash: "sha512" }), is({ salt: undefined })],
    [true, false, false, false],
  );
});

test("RSASSA-PSS is taken only with its parameters stated, and alike", () => {
  const PSS = "1.2.840.113549.1.1.10";
  const [sha256, sha512] = [OIDS.sha256, "2.16.840.1.101.3.4.2.3"];
  const hash = (id: string = sha256): Buffer => context(0, sequence(oid(id), NULL));
  const mask = (id: string = sha256, generator = "1.2.840.113549.1.1.8"): Buffer =>
    context(1, sequence(oid(generator), sequence(oid(id), NULL)));
  const salt = (bytes: number): Buffer => context(2, integer(bytes));
  const judged = (...parameters: readonly Buffer[]): string => {
    const found = readSignatureAlgorithm(readDer(sequence(oid(PSS), ...parameters)));
    return found.kind === "algorithm" ? `${found.hash} ${found.salt}` : found.reason;
  };
  const stated = (...fields: readonly Buffer[]): string => judged(sequence(...fields));
  assert.equal(stated(hash(), mask(), salt(32)), "sha256 32");
  assert.equal(stated(hash(sha512), mask(sha512), salt(0)), "sha512 0");
  assert.equal(stated(hash(), mask(), salt(32), context(3, integer(1))), "sha256 32");
  assert.equal(judged(), "not-supported");
  assert.equal(stated(), "weak-algorithm", "everything by default is SHA-1");
  assert.equal(stated(hash(), salt(32)), "weak-algorithm", "MGF1 with SHA-1");
  assert.equal(stated(mask(), salt(32)), "weak-algorithm");
  assert.equal(stated(hash("1.3.14.3.2.26"), mask("1.3.14.3.2.26"), salt(20)), "weak-algorithm");
  assert.equal(stated(hash(), mask(sha512), salt(32)), "not-supported", "another hash in the mask");
  assert.equal(stated(hash(), mask(sha256, "1.3.101.112"), salt(32)), "not-supported", "another mask");
  assert.equal(stated(hash(), mask()), "not-supported", "a salt of 20 by default");
  assert.equal(stated(hash(), mask(), salt(1025)), "not-supported");
  assert.equal(stated(hash(), mask(), salt(32), context(3, integer(2))), "not-supported");
  assert.throws(() => judged(NULL), DerError);
});
