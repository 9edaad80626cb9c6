/**
 * X.509 signatures with one bit flipped or with their end cut off, and readers on bytes that mean nothing. Readers get as
 * many inputs as the caller asks for, signatures a tenth: x509-properties.test.ts asks for few, the heavy suite for 100,000.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readSignedData } from "../../src/signature/cms-signed-data.ts";
import { readFulcioRoot } from "../../src/signature/fulcio-root.ts";
import { readRekorEntry } from "../../src/signature/rekor-entry.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { readCertificate } from "../../src/signature/x509-certificate.ts";
import { readPem } from "../../src/signature/x509-pem.ts";
import { readRevocationList } from "../../src/signature/x509-revocation.ts";
import { commitOf, PAYLOAD, signedRaw, trustOf } from "../support/signing.ts";
import { armoured, authority, cms, indefinite, memberCertificate, pem, revocationList } from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const EMAIL = "ada@example.com";

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

function signedDataOf(binary: Uint8Array) {
  const read = readSignedData(binary, "It");
  assert.ok(read.kind === "signed-data");
  return read;
}

export async function x509PropertyTests(runs: number): Promise<void> {
  const signatures = Math.ceil(runs / 10);
  /** A year later, so that a gitsign signature rests on its log entry. */
  const LATER = Date.now() + 3_600_000;
  const root = authority("Root");
  const middle = authority("Middle", { issuer: root });
  const ada = memberCertificate(middle, EMAIL);
  const sigstore = new Sigstore();
  const identity = sigstore.identity({ name: { email: EMAIL } });
  const trust = await trustOf(
    {
      people: { ada: { email: [EMAIL], keys: [] } },
      authorities: {
        company: { certificate: "ca.pem", email: [EMAIL], revocations: "ca.crl" },
        sigstore: { root: "root.json", identities: [{ issuer: PROVIDER, email: EMAIL, person: "ada" }] },
      },
    },
    {
      "ca.pem": pem("CERTIFICATE", root.der, middle.der),
      "ca.crl": pem("X509 CRL", revocationList({ issuer: root }), revocationList({ issuer: middle })),
      "root.json": sigstore.trustedRoot(),
    },
  );
  const verifier = await openVerifier(trust, "sha1");

  const MESSAGES = [
    { name: "openssl's form", binary: cms(PAYLOAD, ada, { certificates: [ada.der, middle.der] }) },
    { name: "gpgsm's form", binary: cms(PAYLOAD, ada, { shell: indefinite }) },
    {
      name: "gitsign with log entry and timestamp",
      binary: cms(PAYLOAD, identity, {
        unsigned: (made) => [
          sigstore.entry(made, identity),
          sigstore.timestamp(made.signature, { at: Date.now() + 1000 }),
        ],
      }),
    },
  ];

  async function verify(binary: Uint8Array) {
    return verifier.verify(commitOf(signedRaw(armoured(binary))), { instant: LATER, basis: "receipt" });
  }

  for (const { name, binary } of MESSAGES) {
    test(`${name}: verifies as it is`, async () => {
      const found = await verify(binary);
      assert.equal(found.kind, "verified", JSON.stringify(found));
    });

    test(`${name}: a flipped bit never verifies, or only as the same signer`, async () => {
      const original = await verify(binary);
      const bits = fc.integer({ min: 0, max: binary.length * 8 - 1 });
      await fc.assert(
        fc.asyncProperty(bits, async (bit) => {
          const found = await verify(flipped(binary, bit));
          if (found.kind === "verified") assert.deepEqual(found.signer, original.signer);
          if (found.kind === "rejected")
            assert.notEqual(found.detail, "The signature could not be read.", "no reader threw");
        }),
        { numRuns: signatures },
      );
    });

    test(`${name}: a flipped bit in what was signed, in the signature or in her certificate is always rejected`, async () => {
      const { signer, certificates } = signedDataOf(binary);
      const signed = Buffer.from(signer.signedBytes.subarray(1));
      for (const part of [signed, Buffer.from(signer.signature), Buffer.from(certificates[0] ?? [])]) {
        const start = binary.indexOf(part);
        assert.ok(start > 0);
        const bits = fc.integer({ min: start * 8, max: (start + part.length) * 8 - 1 });
        await fc.assert(
          fc.asyncProperty(bits, async (bit) => assert.equal((await verify(flipped(binary, bit))).kind, "rejected")),
          { numRuns: Math.ceil(signatures / 4) },
        );
      }
    });

    test(`${name}: a truncated message is rejected`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(binary.length - 1), async (end) => {
          assert.equal((await verify(binary.subarray(0, end))).kind, "rejected");
        }),
        { numRuns: signatures },
      );
    });
  }

  test("readers return on random bytes, and on bytes that begin well", () => {
    const list = revocationList({ issuer: root, revoked: [{ serial: ada.serial, at: 0, reason: 1 }] });
    const entry = sigstore.entryBytes({ signature: Buffer.from("s"), signedBytes: Buffer.from("b") }, identity, {});
    const starts = [...MESSAGES.map((one) => one.binary), ada.der, identity.der, list, entry];
    const input = fc.tuple(fc.constantFrom(...starts), fc.nat(1500), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(input, ([start, cut, tail]) => {
        const bytes = Buffer.concat([start.subarray(0, cut), tail]);
        readSignedData(bytes, "It");
        readCertificate(bytes);
        readRevocationList(bytes);
        readRekorEntry(bytes);
        readFulcioRoot(bytes);
        readPem(bytes, "CERTIFICATE");
      }),
      { numRuns: runs },
    );
  });

  test("readers return on every flipped bit of a certificate, a list and a log entry", () => {
    const list = revocationList({ issuer: root, revoked: [{ serial: ada.serial, at: 0, reason: 1 }] });
    const entry = sigstore.entryBytes({ signature: Buffer.from("s"), signedBytes: Buffer.from("b") }, identity, {});
    for (let bit = 0; bit < ada.der.length * 8; bit++) readCertificate(flipped(ada.der, bit));
    for (let bit = 0; bit < list.length * 8; bit++) readRevocationList(flipped(list, bit));
    for (let bit = 0; bit < entry.length * 8; bit++) readRekorEntry(flipped(entry, bit));
  });
}
