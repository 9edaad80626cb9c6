/** Attacks on signed commits, each made by real tools or byte by byte, with the reason for which it must be rejected. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";
import type { Rejection } from "../../src/signature/verification.ts";
import { openVerifier, type Verifier } from "../../src/signature/verify.ts";
import { armourAs, dearmour, putTogether, type RawPacket, takeApart } from "../support/openpgp-bytes.ts";
import {
  commitOf,
  GpgHome,
  HEADERS,
  MESSAGE,
  NOW,
  PAYLOAD,
  signedRaw,
  sshKeyPair,
  sshSign,
  TREE,
  trustOf,
} from "../support/signing.ts";
import { ed25519Signer, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

interface Attack {
  readonly name: string;
  readonly raw: () => Uint8Array;
  readonly reason: Rejection;
}

const cleanups: (() => void)[] = [];
const scope = { after: (cleanup: () => void) => void cleanups.unshift(cleanup) };
after(() => {
  for (const cleanup of cleanups) cleanup();
});
const folder = tempFolder(scope);
const gpg = new GpgHome(scope);
const pgpKey = gpg.key("Ada <ada@example.com>", "ed25519");
const otherPgpKey = gpg.key("Jo <jo@example.com>", "ed25519");
const pgp = gpg.sign(pgpKey, PAYLOAD).toString("latin1");
const sshKey = sshKeyPair(folder, "ada");
const ssh = sshSign(sshKey, PAYLOAD).toString("latin1");
const bytewise = ed25519Signer();
const trust = await trustOf(
  {
    people: {
      ada: { email: ["ada@example.com"], keys: ["ada.asc", sshKey.line, bytewise.line] },
      jo: { email: ["jo@example.com"], keys: ["jo.asc"] },
    },
  },
  { "ada.asc": gpg.export(pgpKey), "jo.asc": gpg.export(otherPgpKey) },
);
const verifier: Verifier = await openVerifier(trust, "sha1");

const OTHER_TREE = "d8329fc1cc938780ffdd9f94e0d364e0ea74f579";

/** The signature over the given payload, in the commit of that payload. */
function honest(headers: string, message = MESSAGE): Buffer {
  const signature = sshSign(sshKey, Buffer.from(headers + message, "latin1"));
  return signedRaw(signature, headers, message);
}

function packets(change: (packets: RawPacket[]) => RawPacket[]): string {
  return armourAs("SIGNATURE", putTogether(change(takeApart(dearmour(pgp)))));
}

function raw(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

function withHeader(header: string, where: "before" | "after", signature = ssh): Buffer {
  const [first = "", rest = ""] = signedRaw(signature).toString("latin1").split("gpgsig ");
  if (where === "before") return raw(`${first}${header}\ngpgsig ${rest}`);
  return raw(`${first}gpgsig ${rest.replace("\n\n", `\n${header}\n\n`)}`);
}

const BYTES: readonly Attack[] = [
  {
    name: "two tree headers, the signature made over the second (CVE-2026-44309, CVE-2026-45022)",
    raw: () => honest(HEADERS.replace("\n", `\ntree ${OTHER_TREE}\n`)),
    reason: "malformed-commit",
  },
  {
    name: "two author headers",
    raw: () => honest(HEADERS.replace("committer", "author Ceo <ceo@example.com> 1 +0000\ncommitter")),
    reason: "malformed-commit",
  },
  {
    name: "two committer headers",
    raw: () => honest(`${HEADERS}committer Ceo <ceo@example.com> 1 +0000\n`),
    reason: "malformed-commit",
  },
  { name: "two encoding headers", raw: () => honest(`${HEADERS}encoding a\nencoding b\n`), reason: "malformed-commit" },
  {
    name: "a parent after the author",
    raw: () => honest(`${HEADERS}parent ${OTHER_TREE}\n`),
    reason: "malformed-commit",
  },
  {
    name: "a tree id that is too short",
    raw: () => honest(HEADERS.replace(TREE, TREE.slice(1))),
    reason: "malformed-commit",
  },
  { name: "a NUL byte in the message", raw: () => honest(HEADERS, "\nsafe\0evil\n"), reason: "malformed-commit" },
  { name: "a NUL byte in a header", raw: () => honest(HEADERS.replace("Ada", "A\0da")), reason: "malformed-commit" },
  {
    name: "an author that goes on in a second line",
    raw: () => honest(HEADERS.replace("+0000\ncommitter", "+0000\n more\ncommitter")),
    reason: "malformed-commit",
  },
  { name: "an object that ends inside its headers", raw: () => raw(HEADERS), reason: "malformed-commit" },
  { name: "an empty object", raw: () => raw(""), reason: "malformed-commit" },
  {
    name: "an extra gpgsigX header, which git drops from the payload",
    raw: () => withHeader("gpgsigX junk", "before"),
    reason: "ambiguous-signature",
  },
  {
    name: "a junk gpgsig-sha256 header beside the real one",
    raw: () => withHeader("gpgsig-sha256 junk", "after"),
    reason: "ambiguous-signature",
  },
  {
    name: "two gpgsig headers",
    raw: () => withHeader(`gpgsig ${ssh.trimEnd().replaceAll("\n", "\n ")}`, "before"),
    reason: "ambiguous-signature",
  },
  {
    name: "only the header of the other hash",
    raw: () => raw(signedRaw(ssh).toString("latin1").replace("gpgsig ", "gpgsig-sha256 ")),
    reason: "malformed-commit",
  },
  { name: "a header after the signature", raw: () => withHeader("HG:extra junk", "after"), reason: "malformed-commit" },
  {
    name: "text after the end of an SSH signature",
    raw: () => signedRaw(`${ssh}junk\n`),
    reason: "malformed-signature",
  },
  {
    name: "text after the end of an OpenPGP signature",
    raw: () => signedRaw(`${pgp}junk\n`),
    reason: "malformed-signature",
  },
  { name: "text before the armour", raw: () => signedRaw(`123 ${pgp}`), reason: "malformed-signature" },
  { name: "two armoured blocks in one header", raw: () => signedRaw(pgp + pgp), reason: "ambiguous-signature" },
  { name: "an OpenPGP and an SSH block in one header", raw: () => signedRaw(pgp + ssh), reason: "ambiguous-signature" },
  {
    name: "gpgsig repeated on every line (git 5f549aa2f7)",
    raw: () => raw(signedRaw(pgp).toString("latin1").replaceAll("\n ", "\ngpgsig ")),
    reason: "ambiguous-signature",
  },
  {
    name: "the message replaced under a good signature",
    raw: () => signedRaw(ssh, HEADERS, "\nevil\n"),
    reason: "bad-signature",
  },
  {
    name: "a forged message after a look-alike END line",
    raw: () => signedRaw(pgp, HEADERS, `${MESSAGE}-----END PGP SIGNATURE-----\nevil\n`),
    reason: "bad-signature",
  },
  {
    name: "a line feed added at the end of the message",
    raw: () => signedRaw(ssh, HEADERS, `${MESSAGE}\n`),
    reason: "bad-signature",
  },
  {
    name: "a carriage return added to the message",
    raw: () => signedRaw(ssh, HEADERS, "\nbump web\r\n"),
    reason: "bad-signature",
  },
  {
    name: "an X.509 signature that ends after its first bytes (the others: x509-attacks.test.ts)",
    raw: () => signedRaw("-----BEGIN SIGNED MESSAGE-----\nMIAG\n-----END SIGNED MESSAGE-----\n"),
    reason: "malformed-signature",
  },
  { name: "no signature", raw: () => raw(HEADERS + MESSAGE), reason: "unsigned-commit" },
  {
    name: "a signature of 70 KB",
    raw: () => signedRaw(sshSig(bytewise, PAYLOAD, { after: Buffer.alloc(70_000) })),
    reason: "malformed-signature",
  },
];

function sshAttack(name: string, change: Parameters<typeof sshSig>[2], reason: Rejection): Attack {
  return { name, raw: () => signedRaw(sshSig(bytewise, PAYLOAD, change)), reason };
}

const SSH_BYTES: readonly Attack[] = [
  sshAttack("namespace file", { namespace: "file" }, "wrong-namespace"),
  sshAttack("an empty namespace", { namespace: "" }, "wrong-namespace"),
  sshAttack("namespace git with a NUL after it", { namespace: "git\0" }, "wrong-namespace"),
  sshAttack("version 2", { version: 2 }, "malformed-signature"),
  sshAttack("another magic", { magic: "SSHSIF" }, "malformed-signature"),
  sshAttack("the reserved field set, which ssh-keygen ignores", { reserved: "x" }, "malformed-signature"),
  sshAttack("bytes after the blob", { after: Buffer.of(0) }, "malformed-signature"),
  sshAttack("bytes after the inner signature", { afterSignature: Buffer.of(0) }, "malformed-signature"),
  sshAttack("hash sha1", { hash: "sha1" }, "weak-algorithm"),
  sshAttack("an ssh-rsa (SHA-1) signature type", { signatureType: "ssh-rsa" }, "weak-algorithm"),
  sshAttack("a signature type of another kind of key", { signatureType: "ecdsa-sha2-nistp256" }, "malformed-signature"),
  sshAttack("the public key of somebody else", { publicKey: ed25519Signer().publicKey }, "bad-signature"),
  sshAttack(
    "a key type that nobody knows",
    { publicKey: Buffer.concat([Buffer.of(0, 0, 0, 1), Buffer.from("x")]) },
    "not-supported",
  ),
  {
    name: "an unknown key, which git shows as U",
    raw: () => signedRaw(sshSig(ed25519Signer(), PAYLOAD)),
    reason: "unknown-signer",
  },
  {
    name: "a security key's signature by a plain key",
    raw: () => signedRaw(sshSig(ed25519Signer("ssh:"), PAYLOAD, { flags: 0 })),
    reason: "unknown-signer",
  },
  {
    name: "damaged base64",
    raw: () => signedRaw(ssh.replace("\nU1NI", "\n!1NI")),
    reason: "malformed-signature",
  },
];

const PGP_BYTES: readonly Attack[] = [
  {
    name: "two good signature packets",
    raw: () => signedRaw(packets((all) => [...all, ...all])),
    reason: "ambiguous-signature",
  },
  {
    name: "one good and one bad signature packet",
    raw: () => signedRaw(packets((all) => [...all, ...takeApart(dearmour(gpg.sign(otherPgpKey, Buffer.from("x"))))])),
    reason: "ambiguous-signature",
  },
  {
    name: "an extra literal data packet (CVE-2025-47934)",
    raw: () => signedRaw(packets((all) => [...all, { tag: 11, body: Buffer.from("b\0\0\0\0\0evil") }])),
    reason: "malformed-signature",
  },
  {
    name: "an inline-signed message",
    raw: () =>
      signedRaw(
        armourAs("MESSAGE", dearmour(gpg.gpg(["--armor", "--sign", "--local-user", pgpKey, "--output", "-"], PAYLOAD))),
      ),
    reason: "malformed-signature",
  },
  {
    name: "an inline-signed message in the armour of a signature",
    raw: () =>
      signedRaw(
        armourAs(
          "SIGNATURE",
          dearmour(gpg.gpg(["--armor", "--sign", "-z", "0", "--local-user", pgpKey, "--output", "-"], PAYLOAD)),
        ),
      ),
    reason: "malformed-signature",
  },
  {
    name: "a key block instead of a signature",
    raw: () => signedRaw(gpg.export(pgpKey)),
    reason: "malformed-signature",
  },
  {
    name: "a text signature (type 0x01)",
    raw: () =>
      signedRaw(gpg.gpg(["--armor", "--textmode", "--detach-sign", "--local-user", pgpKey, "--output", "-"], PAYLOAD)),
    reason: "malformed-signature",
  },
  {
    name: "an unknown critical notation",
    raw: () => signedRaw(gpg.sign(pgpKey, PAYLOAD, ["--sig-notation", "!policy@example.com=evil"])),
    reason: "malformed-signature",
  },
  {
    name: "a version 3 signature",
    raw: () =>
      signedRaw(
        packets(([first]) => [
          { tag: 2, body: Buffer.concat([Buffer.of(3), first?.body.subarray(1) ?? Buffer.alloc(0)]) },
        ]),
      ),
    reason: "not-supported",
  },
  { name: "a wrong armour checksum", raw: () => signedRaw(withChecksum("AAAA")), reason: "malformed-signature" },
  {
    name: "a form feed in the armour (gpg.fail)",
    raw: () => signedRaw(pgp.replace("\n\n", "\n\f\n")),
    reason: "malformed-signature",
  },
  {
    name: "partial body lengths",
    raw: () => signedRaw(armourAs("SIGNATURE", Buffer.concat([Buffer.of(0xc2, 0xe1), dearmour(pgp)]))),
    reason: "malformed-signature",
  },
  {
    name: "nothing in the armour",
    raw: () => signedRaw("-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n"),
    reason: "malformed-signature",
  },
];

function withChecksum(sum: string): string {
  const lines = armourAs("SIGNATURE", dearmour(pgp)).split("\n");
  return [...lines.slice(0, -2), `=${sum}`, ...lines.slice(-2)].join("\n");
}

for (const [title, attacks] of [
  ["commit bytes", BYTES],
  ["SSH signatures", SSH_BYTES],
  ["OpenPGP signatures", PGP_BYTES],
] as const) {
  describe(`attacks on ${title}`, () => {
    for (const attack of attacks) {
      test(`rejects ${attack.name}`, async () => {
        const found = await verifier.verify(commitOf(attack.raw()), NOW);
        assert.equal(found.kind, "rejected");
        assert.equal(found.kind === "rejected" && found.reason, attack.reason, JSON.stringify(found));
      });
    }
  });
}

test("the commits that the attacks start from verify", async () => {
  for (const signature of [pgp, ssh, sshSig(bytewise, PAYLOAD)]) {
    const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
    assert.equal(found.kind, "verified", JSON.stringify(found));
  }
});

test("verifies unusual but sound payloads byte for byte", async () => {
  const mergetag = `mergetag object ${OTHER_TREE}\n type commit\n tag v1\n \n gpgsig is only text here\n`;
  for (const [headers, message] of [
    [HEADERS, "\nno line feed at the end"],
    [HEADERS, "\n"],
    [HEADERS, "\nCRLF\r\nlines\r\n"],
    [`${HEADERS}encoding ISO-8859-1\n`, "\nGr\xfc\xdfe\n"],
    [HEADERS.replaceAll("Ada", '\xff\xfe\u001b[31m" ,'), MESSAGE],
    [HEADERS + mergetag, MESSAGE],
    [`${HEADERS}HG:rename-source hg\n`, MESSAGE],
  ] as const) {
    const found = await verifier.verify(commitOf(honest(headers, message)), NOW);
    assert.equal(found.kind, "verified", JSON.stringify({ headers, message, found }));
  }
});

test("one malformed signature first in a range does not keep the others from being judged", async () => {
  const good = commitOf(signedRaw(ssh));
  const range = [commitOf(signedRaw("123 not a signature")), ...Array.from({ length: 50 }, () => good)];
  const found = await Promise.all(range.map((commit) => verifier.verify(commit, NOW)));
  assert.deepEqual(
    found.map((one) => one.kind),
    ["rejected", ...Array.from({ length: 50 }, () => "verified")],
  );
});

test("the ssh-keygen tool accepts the reserved-field malleation that is rejected here", () => {
  const allowed = `${folder}/allowed`;
  spawnSync("tee", [allowed], { input: `ada ${bytewise.line}\n` });
  const signature = `${folder}/reserved.sig`;
  spawnSync("tee", [signature], { input: sshSig(bytewise, PAYLOAD, { reserved: "x" }) });
  const answer = spawnSync("ssh-keygen", ["-Y", "verify", "-n", "git", "-I", "ada", "-f", allowed, "-s", signature], {
    input: PAYLOAD,
  });
  assert.equal(answer.status, 0);
});
