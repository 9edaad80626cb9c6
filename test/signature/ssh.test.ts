import assert from "node:assert/strict";
import { test } from "node:test";
import { commitId } from "../../src/git/object.ts";
import { parseCommit } from "../../src/git/parse.ts";
import { sshKeyFromLine } from "../../src/signature/ssh-key.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { repository } from "../support/repository.ts";
import {
  commitOf,
  NOW,
  PAYLOAD,
  readCommit,
  signedRaw,
  sshKeygenAccepts,
  sshKeyPair,
  sshSign,
  trustOf,
} from "../support/signing.ts";
import { ecdsaSkSigner, ed25519Signer, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

const KINDS = [
  { type: "ed25519" },
  { type: "ecdsa", bits: 256 },
  { type: "ecdsa", bits: 384 },
  { type: "ecdsa", bits: 521 },
  { type: "rsa", bits: 2048 },
  { type: "rsa", bits: 3072 },
];

function ada(...keys: readonly unknown[]) {
  return { people: { ada: { email: ["ada@example.com"], roles: ["platform"], keys } } };
}

for (const { type, bits } of KINDS) {
  test(`verifies what ssh-keygen signs with ${type} ${bits ?? ""}, as ssh-keygen does`, async (t) => {
    const folder = tempFolder(t);
    const key = sshKeyPair(folder, "ada", type, bits);
    const verifier = await openVerifier(await trustOf(ada(key.line)), "sha1");
    for (const options of [[], ["-Ohashalg=sha256"]]) {
      const signature = sshSign(key, PAYLOAD, "git", options);
      assert.equal(sshKeygenAccepts(folder, `ada ${key.line}\n`, "ada", signature, PAYLOAD), true);
      const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
      assert.equal(found.kind, "verified", found.kind === "rejected" ? found.detail : "");
      assert.deepEqual(found.kind === "verified" && found.signer.person, "ada");
    }
  });
}

test("verifies a commit that git signed with an SSH key, in SHA-1 and in SHA-256 repositories", async (t) => {
  const key = sshKeyPair(tempFolder(t), "ada");
  const trust = await trustOf(ada(key.line));
  for (const objectFormat of ["sha1", "sha256"] as const) {
    const source = await repository(t, { objectFormat });
    const id = source.commit({ files: { "a.txt": "a" }, signWith: key.path });
    const verifier = await openVerifier(trust, objectFormat);
    const found = await verifier.verify(parseCommit(commitId(id), readCommit(source.path, id), objectFormat), NOW);
    assert.equal(found.kind, "verified");
    assert.deepEqual(found.signer, {
      person: "ada",
      class: "person",
      key: trust.keys[0]?.fingerprint,
      roles: ["platform"],
      hardware: null,
    });
    assert.equal(found.timeBasis, "receipt");
    assert.match(found.payloadSha256 ?? "", /^[0-9a-f]{64}$/);
  }
});

for (const [name, make] of [
  ["sk-ssh-ed25519", () => ed25519Signer("ssh:")],
  ["sk-ecdsa", () => ecdsaSkSigner()],
] as const) {
  test(`reports the touch and PIN flags of ${name} signatures that ssh-keygen accepts`, async (t) => {
    const folder = tempFolder(t);
    const key = make();
    const verifier = await openVerifier(await trustOf(ada(key.line)), "sha1");
    for (const flags of [0, 1, 4, 5]) {
      const signature = Buffer.from(sshSig(key, PAYLOAD, { flags }));
      assert.equal(
        sshKeygenAccepts(
          folder,
          `ada ${key.line}
`,
          "ada",
          signature,
          PAYLOAD,
        ),
        true,
        `flags ${flags}`,
      );
      const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
      assert.equal(found.kind, "verified");
      assert.deepEqual(found.signer?.hardware, { touch: (flags & 1) !== 0, pin: (flags & 4) !== 0 });
    }
  });
}

test("refuses a signature without touch where the key is listed with touch", async () => {
  const key = ed25519Signer("ssh:");
  const verifier = await openVerifier(await trustOf(ada({ ssh: key.line, touch: true })), "sha1");
  const touched = await verifier.verify(commitOf(signedRaw(sshSig(key, PAYLOAD, { flags: 1 }))), NOW);
  assert.equal(touched.kind, "verified");
  const untouched = await verifier.verify(commitOf(signedRaw(sshSig(key, PAYLOAD, { flags: 0 }))), NOW);
  assert.equal(untouched.kind === "rejected" && untouched.reason, "touch-required");
  assert.equal(untouched.signer?.person, "ada");
});

test("verifies detached signatures in their own namespace only", async (t) => {
  const key = sshKeyPair(tempFolder(t), "ada");
  const verifier = await openVerifier(await trustOf(ada(key.line)), "sha1");
  const payload = Buffer.from("DSSEv1 ...");
  const signature = sshSign(key, payload, "sluice-approval");
  const detached = { format: "ssh", signature, payload } as const;
  const found = await verifier.verifyDetached({ ...detached, namespace: "sluice-approval" }, NOW);
  assert.equal(found.kind === "verified" && found.signer.person, "ada");
  const other = await verifier.verifyDetached({ ...detached, namespace: "git" }, NOW);
  assert.equal(other.kind === "rejected" && other.reason, "wrong-namespace");
});

test("prints the fingerprint of a public key line as OpenSSH does", () => {
  const line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github.com";
  const key = sshKeyFromLine(line);
  assert.equal(key.kind === "key" && key.fingerprint, "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
});
