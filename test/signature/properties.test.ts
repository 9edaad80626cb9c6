import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { splitCommit } from "../../src/signature/commit-payload.ts";
import { readKeyFile } from "../../src/signature/openpgp-keyfile.ts";
import { readPackets, readSignatureBody } from "../../src/signature/openpgp-packets.ts";
import { matchesPatternList } from "../../src/signature/pattern.ts";
import { sshKeyFromBlob, sshKeyFromLine } from "../../src/signature/ssh-key.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { armourAs, dearmour } from "../support/openpgp-bytes.ts";
import { commitOf, GpgHome, NOW, PAYLOAD, signedRaw, sshKeyPair, sshSign, trustOf } from "../support/signing.ts";
import { armour, ecdsaSkSigner, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

const cleanups: (() => void)[] = [];
const scope = { after: (cleanup: () => void) => void cleanups.unshift(cleanup) };
after(() => {
  for (const cleanup of cleanups) cleanup();
});
const gpg = new GpgHome(scope);
const pgpKey = gpg.key("Ada <ada@example.com>", "rsa2048");
const sshKey = sshKeyPair(tempFolder(scope), "ada", "ecdsa", 256);
const skKey = ecdsaSkSigner();
const trust = await trustOf(
  { people: { ada: { email: ["ada@example.com"], keys: ["ada.asc", sshKey.line, skKey.line] } } },
  { "ada.asc": gpg.export(pgpKey) },
);
const verifier = await openVerifier(trust, "sha1");
const pgp = dearmour(gpg.sign(pgpKey, PAYLOAD));
const ssh = Buffer.from(sshSign(sshKey, PAYLOAD).toString().split("\n").slice(1, -2).join(""), "base64");
const sk = Buffer.from(sshSig(skKey, PAYLOAD).split("\n").slice(1, -2).join(""), "base64");

const SIGNATURES = [
  { name: "OpenPGP", binary: pgp, write: (binary: Uint8Array) => armourAs("SIGNATURE", binary) },
  { name: "SSH", binary: ssh, write: armour },
  { name: "SSH security key", binary: sk, write: armour },
];

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

async function verify(raw: Uint8Array) {
  return verifier.verify(commitOf(raw), NOW);
}

for (const { name, binary, write } of SIGNATURES) {
  test(`${name}: a flipped bit of the payload never verifies`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: PAYLOAD.length * 8 - 1 }), async (bit) => {
        const payload = flipped(PAYLOAD, bit).toString("latin1");
        const end = payload.indexOf("\n\n");
        const raw = end === -1 ? payload : signedRaw(write(binary), payload.slice(0, end + 1), payload.slice(end + 1));
        assert.equal((await verify(Buffer.from(raw))).kind, "rejected");
      }),
      { numRuns: 300 },
    );
  });

  test(`${name}: a flipped bit of the signature never verifies, or only as the same signer`, async () => {
    const original = await verify(signedRaw(write(binary)));
    assert.equal(original.kind, "verified");
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: binary.length * 8 - 1 }), async (bit) => {
        const found = await verify(signedRaw(write(flipped(binary, bit))));
        if (found.kind === "verified")
          assert.equal(found.signer.key, original.kind === "verified" && original.signer.key);
        // SSH blobs have one form only: every bit counts. OpenPGP's unhashed area and hint are outside the mathematics.
        if (name !== "OpenPGP") assert.equal(found.kind, "rejected");
      }),
      { numRuns: 300 },
    );
  });

  test(`${name}: a truncated signature or commit is rejected and never throws`, async () => {
    const whole = signedRaw(write(binary));
    await fc.assert(
      fc.asyncProperty(fc.nat(binary.length - 1), fc.nat(whole.length - 1), async (cut, end) => {
        assert.equal((await verify(signedRaw(write(binary.subarray(0, cut))))).kind, "rejected");
        assert.equal((await verify(whole.subarray(0, end))).kind, "rejected");
      }),
      { numRuns: 200 },
    );
  });
}

test("parsers return on random bytes, and on bytes that begin well", () => {
  const starts = [pgp, ssh, sk, Buffer.from(sshKey.line.split(" ")[1] ?? "", "base64"), signedRaw(armour(ssh))];
  const bytes = fc.tuple(fc.constantFrom(...starts), fc.nat(400), fc.uint8Array({ maxLength: 300 }));
  fc.assert(
    fc.property(bytes, ([start, cut, tail]) => {
      const input = Buffer.concat([start.subarray(0, cut), tail]);
      splitCommit(input, "sha1");
      readPackets(input);
      readSignatureBody(input);
      sshKeyFromBlob(input);
      readKeyFile(input);
      sshKeyFromLine(input.toString("latin1"));
      readKeyFile(Buffer.from(armourAs("PUBLIC KEY BLOCK", input)));
    }),
    { numRuns: 2000 },
  );
});

test("pattern lists agree with a regular expression of the same meaning", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "@"), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "@", "*", "?"), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(text, pattern, (subject, list) => {
      const expression = new RegExp(`^${list.replaceAll("*", ".*").replaceAll("?", ".")}$`);
      assert.equal(matchesPatternList(subject, list), expression.test(subject));
      assert.equal(matchesPatternList(subject, `*,!${list}`), !expression.test(subject));
    }),
  );
});
