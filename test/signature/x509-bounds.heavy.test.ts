/**
 * The costliest X.509 signatures that fit the bounds: each is answered with a verdict, within ten times the bound
 * that we state (50 ms a commit), since it is another machine's processor time, and authorities of strangers are not kept
 * for ever.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import type { Moment } from "../../src/signature/verify.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { readCertificate } from "../../src/signature/x509-certificate.ts";
import { openIssuedBy } from "../../src/signature/x509-path.ts";
import { commitOf, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import {
  armoured,
  attribute,
  authority,
  cms,
  distinguishedName,
  ecKey,
  integer,
  memberCertificate,
  NULL,
  octetString,
  pem,
  set,
  type TestCertificate,
} from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const CPU_MS = 10 * 50;
const EMAIL = "ada@example.com";
const AT: Moment = { instant: Date.now() + 3_600_000, basis: "receipt" };
const sigstore = new Sigstore();
const slow: KeyObject = generateKeyPairSync("ec", { namedCurve: "secp521r1" }).privateKey;
const root = authority("Same", { key: generateKeyPairSync("ec", { namedCurve: "secp521r1" }).privateKey });
const trust = await trustOf(
  {
    people: { ada: { email: [EMAIL], keys: [] } },
    authorities: {
      company: { certificate: "ca.pem", email: [EMAIL] },
      second: { certificate: "ca.pem", email: [EMAIL] },
      sigstore: { root: "root.json", identities: [{ issuer: PROVIDER, email: EMAIL, person: "ada" }] },
    },
  },
  { "ca.pem": pem("CERTIFICATE", root.der), "root.json": sigstore.trustedRoot() },
);
const verifier = await openVerifier(trust, "sha1");

/** Nine authorities that could each have issued every other, and her certificate, all of the slowest key that is read. */
function labyrinth(): Buffer {
  const issuer = { name: distinguishedName("Same"), key: slow };
  const same = Array.from({ length: 9 }, (_, index) => authority("Same", { key: slow, issuer, serial: index + 1 }));
  const leaf = memberCertificate(same[0] ?? root, EMAIL, { key: slow });
  return cms(PAYLOAD, leaf, { certificates: [leaf.der, ...same.map((one) => one.der)] });
}

const ada = memberCertificate(root, EMAIL);
const many = (count: number): Buffer[] => Array.from({ length: count }, (_, index) => integer(index));
const HOSTILE: readonly [string, () => Buffer][] = [
  ["a labyrinth of slow authorities", labyrinth],
  [
    "an attribute of thousands of values",
    () =>
      cms(PAYLOAD, ada, {
        attributes: (all) => [...all, attribute("1.2.3", ...many(8000))],
        forge: () => Buffer.alloc(72),
      }),
  ],
  [
    "thousands of unsigned attributes",
    () => cms(PAYLOAD, ada, { unsigned: () => many(4000).map((one) => attribute("1.2.3", one)) }),
  ],
  ["hundreds of signers", () => cms(PAYLOAD, ada, { signers: (info) => Array.from({ length: 150 }, () => info) })],
  [
    "thousands of small certificates",
    () => cms(PAYLOAD, ada, { certificates: Array.from({ length: 15_000 }, () => set()) }),
  ],
  ["a log entry of thousands of fields", () => logged(Buffer.alloc(40_000, Buffer.of(0x08, 1)))],
  ["a log entry that is one long number", () => logged(Buffer.alloc(40_000, 0xff))],
  [
    "a timestamp that is one long element",
    () => unsignedBy("1.2.840.113549.1.9.16.2.14", octetString(Buffer.alloc(40_000))),
  ],
  [
    "forty thousand bytes of nothing",
    () => cms(PAYLOAD, ada, { signers: () => Array.from({ length: 20_000 }, () => NULL) }),
  ],
];

function logged(bytes: Buffer): Buffer {
  return unsignedBy("1.3.6.1.4.1.57264.3.1", octetString(bytes));
}

function unsignedBy(id: string, value: Buffer): Buffer {
  const signer = sigstore.identity({ name: { email: EMAIL } });
  return cms(PAYLOAD, signer, { unsigned: () => [attribute(id, value)] });
}

for (const [name, make] of HOSTILE) {
  test(`${name}: answered in bounded processor time`, async () => {
    const commit = commitOf(signedRaw(armoured(make())));
    const before = process.cpuUsage();
    const found = await verifier.verify(commit, AT);
    const { user, system } = process.cpuUsage(before);
    assert.equal(found.kind, "rejected", JSON.stringify(found));
    assert.ok((user + system) / 1000 < CPU_MS, `${(user + system) / 1000} ms`);
  });
}

test("a thousand authorities of strangers are answered, and those beyond the bound are not remembered", () => {
  const issuedBy = openIssuedBy();
  const read = (one: TestCertificate) => {
    const found = readCertificate(one.der);
    assert.ok(found.kind === "certificate");
    return found;
  };
  const [key, listed] = [ecKey(), authority("Root")];
  const issuer = read(listed);
  const children = Array.from({ length: 600 }, (_, index) =>
    read(authority("Child", { issuer: listed, key, serial: index + 1 })),
  );
  assert.ok(children.every((child) => issuedBy(child, issuer)));
  const forged = children.map((child) => issuedBy({ ...child, signature: Buffer.alloc(8) }, issuer));
  assert.equal(forged.filter((one) => one).length, 512);
});
