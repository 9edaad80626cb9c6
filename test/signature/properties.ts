/**
 * What holds for every input, with as many inputs as the caller wants: properties.test.ts asks for few, so that it is quick,
 * properties.heavy.test.ts for 100,000 and, by SLUICE_PROPERTY_RUNS, for more.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import fc from "fast-check";
import { readAllowedSigners } from "../../src/signature/allowed-signers.ts";
import { mergetagsOf, splitCommit } from "../../src/signature/commit-payload.ts";
import { readCertificates, readKeyFile } from "../../src/signature/openpgp-keyfile.ts";
import { readPackets, readSignatureBody } from "../../src/signature/openpgp-packets.ts";
import { matchesPatternList } from "../../src/signature/pattern.ts";
import { readSignerLine } from "../../src/signature/signer-line.ts";
import { readSshCertificate } from "../../src/signature/ssh-certificate.ts";
import { sshKeyFromBlob, sshKeyFromLine } from "../../src/signature/ssh-key.ts";
import { splitTag } from "../../src/signature/tag-payload.ts";
import type { Verification } from "../../src/signature/verification.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { armourAs, dearmour } from "../support/openpgp-bytes.ts";
import { openPgpSigner } from "../support/openpgp-signer.ts";
import { commitOf, GpgHome, NOW, PAYLOAD, signedRaw, sshKeyPair, sshSign, trustOf } from "../support/signing.ts";
import { armour, ecdsaSkSigner, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

interface Sample {
  readonly name: string;
  readonly binary: Buffer;
  readonly write: (binary: Uint8Array) => string;
  /** Whether this bit of the binary form enters the mathematics or says who signed and how. */
  readonly isBound: (bit: number) => boolean;
}

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

function sshBinary(text: Uint8Array | string): Buffer {
  return Buffer.from(Buffer.from(text).toString().split("\n").slice(1, -2).join(""), "base64");
}

/** Of one signature packet of the old or new form with a length of one or two bytes: where its areas lie. */
function openPgpBound(binary: Buffer): (bit: number) => boolean {
  const start = binary.indexOf(Buffer.of(4, 0));
  const hashedEnd = start + 6 + binary.readUInt16BE(start + 4);
  const unhashedEnd = hashedEnd + 2 + binary.readUInt16BE(hashedEnd);
  const numbers = unhashedEnd + 2;
  // The two bytes that say how many bits a number has may change without changing the number.
  const second = numbers + 2 + ((binary.readUInt16BE(numbers) + 7) >> 3);
  const lengths = new Set([numbers, numbers + 1, second, second + 1]);
  return (bit) => {
    const byte = bit >> 3;
    return (byte >= start && byte < hashedEnd) || (byte >= numbers && !lengths.has(byte));
  };
}

/** Registers every property as a test. */
export async function propertyTests(runs: number): Promise<void> {
  const cleanups: (() => void)[] = [];
  const scope = { after: (cleanup: () => void) => void cleanups.unshift(cleanup) };
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });
  const gpg = new GpgHome(scope);
  const pgpKey = gpg.key("Ada <ada@example.com>", "rsa2048");
  const bytewise = openPgpSigner("Ada <ada@example.com>", Math.floor(Date.now() / 1000) - 60);
  const folder = tempFolder(scope);
  const sshKey = sshKeyPair(folder, "ada", "ecdsa", 256);
  const [ca, certified] = [sshKeyPair(folder, "ca"), sshKeyPair(folder, "certified")];
  spawnSync("ssh-keygen", ["-q", "-s", ca.path, "-I", "id", "-n", "ada@example.com", `${certified.path}.pub`]);
  const byCertificate = sshSign({ ...certified, path: `${certified.path}-cert.pub` }, PAYLOAD);
  const skKey = ecdsaSkSigner();
  const trust = await trustOf(
    {
      people: { ada: { email: ["ada@example.com"], keys: ["ada.asc", "bytewise.asc", sshKey.line, skKey.line] } },
      authorities: { ca: { ssh: ca.line, email: ["*@example.com"] } },
    },
    { "ada.asc": gpg.export(pgpKey), "bytewise.asc": bytewise.certificate },
  );
  const verifier = await openVerifier(trust, "sha1");
  const verify = (raw: Uint8Array): Promise<Verification> => verifier.verify(commitOf(raw), NOW);

  const pgp = dearmour(gpg.sign(pgpKey, PAYLOAD));
  const written = dearmour(bytewise.sign(PAYLOAD));
  const asSignature = (binary: Uint8Array): string => armourAs("SIGNATURE", binary);
  const everyBit = (): boolean => true;
  const samples: readonly Sample[] = [
    { name: "OpenPGP RSA", binary: pgp, write: asSignature, isBound: openPgpBound(pgp) },
    { name: "OpenPGP Ed25519", binary: written, write: asSignature, isBound: openPgpBound(written) },
    { name: "SSH", binary: sshBinary(sshSign(sshKey, PAYLOAD)), write: armour, isBound: everyBit },
    { name: "SSH security key", binary: sshBinary(sshSig(skKey, PAYLOAD)), write: armour, isBound: everyBit },
    { name: "SSH certificate", binary: sshBinary(byCertificate), write: armour, isBound: everyBit },
  ];
  // All properties over signatures share the number of runs.
  const each = Math.ceil(runs / (samples.length * 3));

  for (const { name, binary, write, isBound } of samples) {
    test(`${name}: a flipped bit of the payload never verifies`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: PAYLOAD.length * 8 - 1 }), async (bit) => {
          const payload = flipped(PAYLOAD, bit).toString("latin1");
          const end = payload.indexOf("\n\n");
          const text = write(binary);
          const raw = end === -1 ? payload : signedRaw(text, payload.slice(0, end + 1), payload.slice(end + 1));
          assert.equal((await verify(Buffer.from(raw))).kind, "rejected");
        }),
        { numRuns: each },
      );
    });

    test(`${name}: a flipped bit of what is signed or signs never verifies, another only as the same signer`, async () => {
      const original = await verify(signedRaw(write(binary)));
      assert.equal(original.kind, "verified", JSON.stringify(original));
      const counts = { bound: 0, free: 0 };
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: binary.length * 8 - 1 }), async (bit) => {
          const found = await verify(signedRaw(write(flipped(binary, bit))));
          counts[isBound(bit) ? "bound" : "free"] += 1;
          if (isBound(bit)) assert.equal(found.kind, "rejected", `bit ${bit}`);
          else if (found.kind === "verified") assert.deepEqual(found, { ...original, commit: found.commit });
        }),
        { numRuns: each },
      );
      assert.ok(counts.bound > 0);
    });

    test(`${name}: a truncated signature or commit is rejected and never throws`, async () => {
      const whole = signedRaw(write(binary));
      await fc.assert(
        fc.asyncProperty(fc.nat(binary.length - 1), fc.nat(whole.length - 1), async (cut, end) => {
          assert.equal((await verify(signedRaw(write(binary.subarray(0, cut))))).kind, "rejected");
          assert.equal((await verify(whole.subarray(0, end))).kind, "rejected");
        }),
        { numRuns: each },
      );
    });
  }

  test("parsers return on random bytes, and on bytes that begin well", () => {
    const { line } = sshKey;
    const starts = [
      ...samples.flatMap(({ binary, write }) => [binary, Buffer.from(signedRaw(write(binary)))]),
      Buffer.from(line.split(" ")[1] ?? "", "base64"),
      Buffer.from(`ada valid-after="20260101",namespaces="a\\"b" ${line}`),
      Buffer.from(`object ${"1".repeat(40)}\ntype commit\ntag v1\ntagger A <a> 1 +0000\n\nx\n${firstOf(samples)}`),
      Buffer.from(gpg.export(pgpKey)),
    ];
    const bytes = fc.tuple(fc.constantFrom(...starts), fc.nat(600), fc.uint8Array({ maxLength: 300 }), fc.nat(3000));
    fc.assert(
      fc.property(bytes, ([start, cut, tail, bit]) => {
        const cutOff = Buffer.concat([start.subarray(0, cut), tail]);
        const input = cutOff.length === 0 ? cutOff : flipped(cutOff, bit % (cutOff.length * 8));
        const text = input.toString("latin1");
        splitCommit(input, "sha1");
        mergetagsOf(input);
        splitTag(input, "sha1");
        readPackets(input);
        readSignatureBody(input);
        readCertificates(input);
        sshKeyFromBlob(input);
        readSshCertificate(input);
        readKeyFile(input);
        sshKeyFromLine(text);
        readSignerLine(text);
        readKeyFile(Buffer.from(armourAs("PUBLIC KEY BLOCK", input)));
      }),
      { numRuns: runs },
    );
  });

  test("no line of allowed_signers is read as another one when it is read among others", () => {
    const lines = fc.array(fc.constantFrom(`ada ${sshKey.line}`, "# jo", "", `jo namespaces="git" ${ca.line}`), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(lines, (all) => {
        const trust = readAllowedSigners(all.join("\n"), "f");
        const alone = all.flatMap((one) => readAllowedSigners(one, "f").keys.map((key) => key.fingerprint));
        assert.deepEqual(
          trust.keys.map((key) => key.fingerprint),
          alone,
        );
      }),
      { numRuns: Math.min(runs, 1000) },
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
      { numRuns: runs },
    );
  });
}

function firstOf([first]: readonly Sample[]): string {
  return first === undefined ? "" : first.write(first.binary);
}
