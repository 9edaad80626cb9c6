import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as openpgp from "openpgp";
import { commitId } from "../../src/git/object.ts";
import { parseCommit } from "../../src/git/parse.ts";
import { readKeyring } from "../../src/signature/allowed-signers.ts";
import { withSha1Until } from "../../src/signature/sha1-until.ts";
import type { Verification } from "../../src/signature/verification.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { armourAs, dearmour, putTogether, takeApart, withoutUnhashed } from "../support/openpgp-bytes.ts";
import { openPgpSigner } from "../support/openpgp-signer.ts";
import { repository } from "../support/repository.ts";
import { commitOf, GpgHome, NOW, PAYLOAD, readCommit, signedRaw, trustOf } from "../support/signing.ts";

const USER_ID = "Ada <ada@example.com>";
const DAY_MS = 86_400_000;

async function verify(
  certificate: Uint8Array | string,
  signature: Uint8Array | string,
  at = NOW.instant,
): Promise<Verification> {
  const people = { ada: { email: ["ada@example.com"], keys: ["keys/ada.asc"] } };
  const trust = await trustOf({ people }, { "keys/ada.asc": certificate });
  const verifier = await openVerifier(trust, "sha1");
  return verifier.verify(commitOf(signedRaw(signature)), { instant: at, basis: "receipt" });
}

function outcome(found: Verification): string {
  return found.kind === "verified" ? "verified" : found.reason;
}

/** What the OpenPGP library of others says of the same bytes. */
async function openpgpJsAccepts(certificate: Buffer, signature: Buffer): Promise<boolean> {
  const { signatures } = await openpgp.verify({
    message: await openpgp.createMessage({ binary: new Uint8Array(PAYLOAD) }),
    signature: await openpgp.readSignature({ armoredSignature: signature.toString() }),
    verificationKeys: await openpgp.readKeys({ armoredKeys: certificate.toString() }),
    format: "binary",
  });
  return signatures.length === 1 && (await signatures[0]?.verified) === true;
}

describe("OpenPGP signatures of gpg", () => {
  const cleanups: (() => void)[] = [];
  const gpg = new GpgHome({ after: (cleanup) => void cleanups.unshift(cleanup) });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  for (const algorithm of ["rsa2048", "rsa3072", "dsa2048", "nistp256", "nistp384", "nistp521", "ed25519"]) {
    test(`verifies ${algorithm} as gpg and openpgp.js do`, async () => {
      const key = gpg.key(`Ada ${algorithm} <ada@example.com>`, algorithm);
      const signature = gpg.sign(key, PAYLOAD);
      assert.ok(gpg.statusOf(signature, PAYLOAD).includes("VALIDSIG"));
      const certificate = gpg.export(key);
      if (algorithm !== "dsa2048") assert.ok(await openpgpJsAccepts(certificate, signature));
      const found = await verify(certificate, signature);
      assert.equal(outcome(found), "verified", JSON.stringify(found));
      assert.equal(found.signer?.key, key);
    });
  }

  const [long, every] = [
    ["SHA256", "SHA384", "SHA512"],
    ["SHA224", "SHA256", "SHA384", "SHA512"],
  ];
  for (const [algorithm, hashes] of [
    ["nistp256", long],
    ["nistp384", ["SHA384", "SHA512"]],
    ["dsa2048", long],
    ["ed25519", every],
    ["rsa2048", every],
  ] as const) {
    test(`verifies ${algorithm} with every hash that gpg signs with, also longer than the key's own`, async () => {
      const key = gpg.key(`Ada hashes ${algorithm} <ada@example.com>`, algorithm);
      const certificate = gpg.export(key);
      for (const hash of hashes) {
        const signature = gpg.sign(key, PAYLOAD, ["--digest-algo", hash]);
        assert.ok(gpg.statusOf(signature, PAYLOAD).includes("VALIDSIG"), hash);
        assert.equal(outcome(await verify(certificate, signature)), "verified", hash);
      }
    });
  }

  test("verifies a commit that git signed with gpg, by primary key and by signing subkey", async (t) => {
    const key = gpg.key("Ada Git <ada@example.com>", "ed25519", "cert");
    const subkey = gpg.subkey(key, "ed25519");
    const source = await repository(t);
    source.write({ "a.txt": "a" });
    source.git(["add", "--all"]);
    const sign = ["-c", `user.signingkey=${subkey}!`, "commit", "-q", "-S", "-m", "signed"];
    source.git(sign, { env: { GNUPGHOME: gpg.path } });
    const commit = parseCommit(commitId(source.head()), readCommit(source.path, source.head()), "sha1");
    const trust = await trustOf(
      { people: { ada: { email: ["ada@example.com"], keys: [{ file: "ada.asc" }] } } },
      { "ada.asc": gpg.export(key) },
    );
    const found = await (await openVerifier(trust, "sha1")).verify(commit, NOW);
    assert.equal(outcome(found), "verified");
    assert.equal(found.signer?.key, key);
  });

  test("finds the key by its 64-bit id where the signature has no fingerprint", async () => {
    const key = gpg.key("Ada Id <ada@example.com>", "ed25519");
    const [packet] = takeApart(dearmour(gpg.sign(key, PAYLOAD)));
    assert.ok(packet);
    const bare = withoutUnhashed(packet.body);
    const named = await verify(gpg.export(key), armourAs("SIGNATURE", putTogether([{ tag: 2, body: bare }])));
    assert.equal(outcome(named), "verified");
  });

  test("ignores the two octets that hint at the digest", async () => {
    const key = gpg.key("Ada Hint <ada@example.com>", "ed25519");
    const [packet] = takeApart(dearmour(gpg.sign(key, PAYLOAD)));
    assert.ok(packet);
    const body = Buffer.from(packet.body);
    const hint = 8 + body.readUInt16BE(4) + body.readUInt16BE(6 + body.readUInt16BE(4));
    body.writeUInt16BE(body.readUInt16BE(hint) ^ 0xffff, hint);
    const signature = armourAs("SIGNATURE", putTogether([{ tag: 2, body }]));
    assert.ok(gpg.statusOf(dearmour(signature), PAYLOAD).includes("VALIDSIG"));
    assert.equal(outcome(await verify(gpg.export(key), signature)), "verified");
  });

  test("judges expiry at the instant, by the newest self-signature", async () => {
    const key = gpg.key("Ada Expiry <ada@example.com>", "ed25519", "sign,cert", "2026-11-10", "20261101T000000");
    const signature = gpg.sign(key, PAYLOAD, ["--faked-system-time", "20261105T000000"]);
    const short = gpg.export(key);
    assert.equal(outcome(await verify(short, signature, Date.parse("2026-11-09"))), "verified");
    assert.equal(outcome(await verify(short, signature, Date.parse("2026-11-12"))), "time-not-proven");
    assert.equal(outcome(await verify(short, signature, Date.parse("2026-10-01"))), "key-not-yet-valid");
    gpg.gpg(["--faked-system-time", "20261105T000000", "--quick-set-expire", key, "2027-06-01"]);
    assert.equal(outcome(await verify(gpg.export(key), signature, Date.parse("2026-11-12"))), "verified");
    assert.equal(outcome(await verify(gpg.export(key), signature, Date.parse("2027-06-02"))), "time-not-proven");
  });

  test("judges the expiry of a subkey by its newest binding, also one that was made after the signature", async () => {
    const primary = gpg.key("Ada Rebound <ada@example.com>", "ed25519", "cert", "never", "20261101T000000");
    const early = ["--faked-system-time", "20261102T000000"];
    const options = [...early, "--pinentry-mode", "loopback", "--passphrase", ""];
    gpg.gpg([...options, "--quick-add-key", primary, "ed25519", "sign", "2026-11-10"]);
    const subkey = gpg.fingerprints(primary)[1] ?? "";
    const signature = gpg.sign(`${subkey}!`, PAYLOAD, ["--faked-system-time", "20261105T000000"]);
    const short = gpg.export(primary);
    assert.equal(outcome(await verify(short, signature, Date.parse("2026-11-09"))), "verified");
    assert.equal(outcome(await verify(short, signature, Date.parse("2026-11-12"))), "key-expired");
    gpg.gpg(["--faked-system-time", "20261106T000000", "--quick-set-expire", primary, "2027-06-01", subkey]);
    assert.equal(outcome(await verify(gpg.export(primary), signature, Date.parse("2026-11-12"))), "verified");
    assert.equal(outcome(await verify(gpg.export(primary), signature, Date.parse("2027-06-02"))), "key-expired");
  });

  for (const [reason, code, before] of [
    ["compromised", "1", "key-revoked"],
    ["no reason", "0", "key-revoked"],
    ["superseded", "2", "verified"],
    ["retired", "3", "verified"],
  ] as const) {
    test(`judges a revocation for ${reason} at the instant`, async () => {
      const key = gpg.key(`Ada ${reason} <ada@example.com>`, "ed25519", "sign,cert", "never", "20261101T000000");
      const signature = gpg.sign(key, PAYLOAD);
      revoke(gpg, key, code);
      const certificate = gpg.export(key);
      assert.ok(gpg.statusOf(signature, PAYLOAD).includes("REVKEYSIG"));
      assert.equal(outcome(await verify(certificate, signature, Date.now() - 2 * DAY_MS)), before);
      const after = await verify(certificate, signature, Date.now() + DAY_MS);
      assert.equal(outcome(after), "key-revoked");
      assert.equal(after.signer?.person, "ada");
    });
  }

  test("judges the revocation of a subkey alone, and leaves its primary key in force", async () => {
    const key = gpg.key("Ada Sub <ada@example.com>", "ed25519");
    const subkey = gpg.subkey(key, "ed25519", "sign");
    const [bySubkey, byPrimary] = [gpg.sign(`${subkey}!`, PAYLOAD), gpg.sign(`${key}!`, PAYLOAD)];
    assert.equal(outcome(await verify(gpg.export(key), bySubkey)), "verified");
    const answers = ["key 1", "revkey", "y", "3", "", "y", "save", ""].join("\n");
    gpg.gpg(
      ["--no-batch", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0", "--edit-key", key],
      answers,
    );
    const revoked = gpg.export(key);
    assert.ok(gpg.statusOf(bySubkey, PAYLOAD).includes("REVKEYSIG"));
    assert.equal(outcome(await verify(revoked, bySubkey)), "key-revoked");
    assert.equal(outcome(await verify(revoked, byPrimary)), "verified");
  });

  test("an older copy of a certificate revives nothing that a newer one beside it revokes", async () => {
    const key = gpg.key("Ada Copies <ada@example.com>", "ed25519", "sign,cert", "never", "20261101T000000");
    const subkey = gpg.subkey(key, "ed25519", "sign");
    const [byPrimary, bySubkey] = [gpg.sign(`${key}!`, PAYLOAD), gpg.sign(`${subkey}!`, PAYLOAD)];
    const valid = gpg.export(key);
    const answers = ["key 1", "revkey", "y", "3", "", "y", "save", ""].join("\n");
    const loopback = ["--no-batch", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0"];
    gpg.gpg([...loopback, "--edit-key", key], answers);
    const withoutSubkey = gpg.export(key);
    revoke(gpg, key, "1");
    const revoked = gpg.export(key);
    for (const [one, other] of [
      [valid, withoutSubkey],
      [withoutSubkey, valid],
    ] as const) {
      assert.equal(outcome(await verify(Buffer.concat([one, other]), bySubkey)), "key-revoked");
      assert.equal(outcome(await verify(Buffer.concat([one, other]), byPrimary)), "verified");
    }
    for (const copies of [
      [valid, revoked],
      [revoked, valid],
      [valid, withoutSubkey, revoked],
    ]) {
      assert.equal(outcome(await verify(Buffer.concat(copies), byPrimary)), "key-revoked");
      const keyring = await openVerifier(await readKeyring(Buffer.concat(copies)), "sha1");
      const found = await keyring.verify(commitOf(signedRaw(byPrimary)), NOW);
      assert.equal(outcome(found), "key-revoked");
    }
    const one = putTogether([valid, revoked].flatMap((copy) => takeApart(dearmour(copy))));
    assert.equal(outcome(await verify(Buffer.from(armourAs("PUBLIC KEY BLOCK", one)), byPrimary)), "key-revoked");
  });

  test("refuses by name keys that cannot be computed with", async () => {
    const key = gpg.key("Ada Curve <ada@example.com>", "secp256k1");
    await assert.rejects(verify(gpg.export(key), gpg.sign(key, PAYLOAD)), { code: "trust-key-invalid" });
    const verifier = await openVerifier(await readKeyring(gpg.export(key)), "sha1");
    const found = await verifier.verify(commitOf(signedRaw(gpg.sign(key, PAYLOAD))), NOW);
    assert.equal(outcome(found), "not-supported");
  });

  test("refuses an encryption subkey, and a primary key without the signing flag", async () => {
    const key = gpg.key("Ada Flags <ada@example.com>", "rsa2048", "cert");
    const subkey = gpg.subkey(key, "rsa2048", "sign");
    const signature = gpg.sign(`${subkey}!`, PAYLOAD);
    assert.equal(outcome(await verify(gpg.export(key), signature)), "verified");
    const unsigning = withBindingOf(gpg.export(key), (body) => {
      const changed = Buffer.from(body);
      const flags = changed.indexOf(Buffer.from([2, 27, 2]));
      assert.notEqual(flags, -1);
      changed[flags + 2] = 0x0c;
      return changed;
    });
    // The changed binding is no longer signed by the primary key, so nothing vouches for the subkey.
    assert.equal(outcome(await verify(unsigning, signature)), "key-not-for-signing");
  });

  test("refuses a subkey whose back-signature is missing", async () => {
    const key = gpg.key("Ada Back <ada@example.com>", "ed25519", "cert");
    const subkey = gpg.subkey(key, "ed25519", "sign");
    const signature = gpg.sign(`${subkey}!`, PAYLOAD);
    const stripped = withBindingOf(gpg.export(key), withoutUnhashed);
    const found = await verify(stripped, signature);
    assert.equal(outcome(found), "key-not-for-signing");
    assert.match(found.kind === "rejected" ? found.detail : "", /back-signature/);
  });

  test("refuses another's signing subkey that was put under one's own primary key", async () => {
    const owner = gpg.key("Jo <jo@example.com>", "ed25519", "cert");
    const subkey = gpg.subkey(owner, "ed25519", "sign");
    const signature = gpg.sign(`${subkey}!`, PAYLOAD);
    const thief = gpg.key("Max <max@example.com>", "ed25519", "cert");
    const stolen = takeApart(dearmour(gpg.export(owner))).slice(3);
    const certificate = armourAs(
      "PUBLIC KEY BLOCK",
      putTogether([...takeApart(dearmour(gpg.export(thief))), ...stolen]),
    );
    assert.equal(outcome(await verify(certificate, signature)), "key-not-for-signing");
  });

  test("refuses SHA-1 signatures and RSA keys below 2,048 bits as weak", async () => {
    const key = gpg.key("Ada Weak <ada@example.com>", "rsa2048");
    const sha1 = gpg.sign(key, PAYLOAD, ["--digest-algo", "SHA1"]);
    assert.equal(outcome(await verify(gpg.export(key), sha1)), "weak-algorithm");
    const small = gpg.key("Ada Small <ada@example.com>", "rsa1024");
    assert.equal(outcome(await verify(gpg.export(small), gpg.sign(small, PAYLOAD))), "weak-algorithm");
  });

  test("counts gpg's SHA-1 signatures of the keys that are allowed them, made before their day, and no others", async () => {
    const [ada, jo] = ["Ada Sha", "Jo Sha"].map((name) =>
      gpg.key(`${name} <sha@example.com>`, "rsa2048", "sign,cert", "never", "20180101T000000"),
    );
    const files = { "ada.asc": gpg.export(ada ?? ""), "jo.asc": gpg.export(jo ?? "") };
    const made = (key: string | undefined, day: string): Buffer => {
      const options = ["--digest-algo", "SHA1", "--allow-weak-digest-algos", "--faked-system-time", `${day}T000000`];
      return gpg.sign(key ?? "", PAYLOAD, options);
    };
    const [before, onTheDay, another] = [made(ada, "20191231"), made(ada, "20200101"), made(jo, "20191231")];
    const judge = async (ofFolder: string | undefined, ofKey: string | undefined, ofTarget: string | null) => {
      const people = {
        ada: { email: ["ada@example.com"], keys: [{ file: "ada.asc", sha1Until: ofKey }] },
        jo: { email: ["jo@example.com"], keys: ["jo.asc"] },
      };
      const trust = await trustOf({ people, sha1Until: ofFolder }, files);
      const narrowed = withSha1Until(trust, ofTarget === null ? null : Date.parse(ofTarget));
      assert.equal(narrowed.digest === trust.digest, ofTarget === null, "what was remembered is not mixed up");
      const verifier = await openVerifier(narrowed, "sha1");
      const said = [before, onTheDay, another].map((one) => verifier.verify(commitOf(signedRaw(one)), NOW));
      return (await Promise.all(said)).map(outcome);
    };
    const [yes, no] = ["verified", "weak-algorithm"];
    assert.ok(gpg.statusOf(onTheDay, PAYLOAD).includes("GOODSIG"), "gpg takes it");
    assert.deepEqual(await judge(undefined, undefined, null), [no, no, no]);
    assert.deepEqual(await judge(undefined, "2020-01-01", null), [yes, no, no]);
    assert.deepEqual(await judge("2020-01-01", undefined, null), [yes, no, yes]);
    assert.deepEqual(
      await judge("2020-01-02", "2019-01-01", null),
      [no, no, yes],
      "a key's own day stands for the folder's",
    );
    assert.deepEqual(await judge("2020-01-02", undefined, null), [yes, yes, yes]);
    assert.deepEqual(await judge("2020-01-02", "2020-01-02", "2020-01-01"), [yes, no, yes]);
    assert.deepEqual(await judge("2020-01-01", "2020-01-01", "2026-01-01"), [yes, no, yes], "a target allows no more");
    assert.deepEqual(await judge(undefined, undefined, "2026-01-01"), [no, no, no]);
  });

  test("refuses a signature by a key that is not listed, and one over other bytes", async () => {
    const listed = gpg.key("Ada Listed <ada@example.com>", "ed25519");
    const other = gpg.key("Eve <eve@example.com>", "ed25519");
    assert.equal(outcome(await verify(gpg.export(listed), gpg.sign(other, PAYLOAD))), "unknown-signer");
    const wrong = gpg.sign(listed, Buffer.from("something else"));
    assert.equal(outcome(await verify(gpg.export(listed), wrong)), "bad-signature");
  });

  test("verifies detached signatures over any bytes", async () => {
    const key = gpg.key("Ada Detached <ada@example.com>", "ed25519");
    const trust = await trustOf(
      { people: { ada: { email: [USER_ID.slice(5, -1)], keys: ["a.asc"] } } },
      { "a.asc": gpg.export(key) },
    );
    const verifier = await openVerifier(trust, "sha1");
    const payload = Buffer.from("DSSEv1 ...");
    const signed = {
      format: "openpgp",
      payload,
      namespace: "sluice-approval",
      signature: gpg.sign(key, payload),
    } as const;
    assert.equal((await verifier.verifyDetached(signed, NOW)).kind, "verified");
    const found = await verifier.verifyDetached({ ...signed, payload: Buffer.from("DSSEv1 ..!") }, NOW);
    assert.equal(found.kind === "rejected" && found.reason, "bad-signature");
  });
});

describe("OpenPGP signatures written byte by byte", () => {
  const CREATED = Date.parse("2019-05-01T00:00:00Z") / 1000;
  const signer = openPgpSigner(USER_ID, CREATED);
  const at = Date.parse("2026-06-01T00:00:00Z");

  async function judged(signature: string, sha1Until?: string, namespace?: string): Promise<string> {
    const people = { people: { ada: { email: ["ada@example.com"], keys: ["a.asc"] } }, sha1Until };
    const verifier = await openVerifier(await trustOf(people, { "a.asc": signer.certificate }), "sha1");
    if (namespace === undefined)
      return outcome(await verifier.verify(commitOf(signedRaw(signature)), { instant: at, basis: "now" }));
    const signed = { format: "openpgp", signature: Buffer.from(signature), payload: PAYLOAD, namespace } as const;
    const found = await verifier.verifyDetached(signed, { instant: at, basis: "now" });
    return found.kind === "verified" ? "verified" : found.reason;
  }

  test("verify as gpg makes them", async (t) => {
    const gpg = new GpgHome(t);
    gpg.gpg(["--import"], dearmour(signer.certificate));
    const signature = signer.sign(PAYLOAD);
    assert.ok(gpg.statusOf(dearmour(signature), PAYLOAD).includes("VALIDSIG"));
    assert.equal(await judged(signature), "verified");
  });

  test("over SHA-1 count only where the trust folder allows them and they were made before the stated day", async () => {
    const old = signer.sign(PAYLOAD, { hash: "sha1", created: CREATED + 3600 });
    const late = signer.sign(PAYLOAD, { hash: "sha1", created: Date.parse("2020-01-01T00:00:00Z") / 1000 });
    assert.equal(await judged(old), "weak-algorithm");
    assert.equal(await judged(old, "2020-01-01"), "verified");
    assert.equal(await judged(late, "2020-01-01"), "weak-algorithm");
    assert.equal(await judged(old, "2019-05-01"), "weak-algorithm");
    const approval = signer.sign(PAYLOAD, { hash: "sha1", created: CREATED + 3600 });
    assert.equal(await judged(approval, "2020-01-01", "sluice-approval"), "weak-algorithm");
    const tag = Buffer.from(
      `object ${"1".repeat(40)}\ntype commit\ntag v1\ntagger Ada <ada@example.com> 1 +0000\n\nv1\n`,
    );
    const tagged = Buffer.concat([tag, Buffer.from(signer.sign(tag, { hash: "sha1", created: CREATED + 3600 }))]);
    for (const [sha1Until, expected] of [
      ["2020-01-01", null],
      ["2019-05-01", "weak-algorithm"],
    ] as const) {
      const people = { people: { ada: { email: ["ada@example.com"], keys: ["a.asc"] } }, sha1Until };
      const verifier = await openVerifier(await trustOf(people, { "a.asc": signer.certificate }), "sha1");
      assert.equal((await verifier.verifyTag(tagged, { instant: at, basis: "now" })).reason, expected);
    }
  });

  for (const [name, change, expected] of [
    [
      "an unknown critical subpacket",
      { hashed: [{ type: 99, critical: true, body: Buffer.of(1) }] },
      "malformed-signature",
    ],
    ["an unknown subpacket that is not critical", { hashed: [{ type: 99, body: Buffer.of(1) }] }, "verified"],
    [
      "an unknown critical subpacket outside the hashed area",
      { unhashed: [{ type: 99, critical: true, body: Buffer.of(1) }] },
      "verified",
    ],
    ["type 0x01, a text", { type: 1 }, "malformed-signature"],
    ["type 0x10, a certification", { type: 0x10 }, "malformed-signature"],
    ["version 3", { version: 3 }, "not-supported"],
    ["version 5", { version: 5 }, "not-supported"],
    ["version 6", { version: 6 }, "not-supported"],
    ["two creation times", { hashed: [{ type: 2, body: Buffer.of(1, 2, 3, 4) }] }, "malformed-signature"],
    ["an end of its own that has passed", { hashed: [{ type: 3, body: Buffer.of(0, 0, 0, 9) }] }, "key-expired"],
    [
      "another's fingerprint outside the hashed area",
      { unhashed: [{ type: 33, body: Buffer.alloc(21, 4) }] },
      "verified",
    ],
  ] as const) {
    test(`with ${name}: ${expected}`, async () => {
      assert.equal(await judged(signer.sign(PAYLOAD, change)), expected);
    });
  }
});

/** The certificate with the last subkey's binding signature changed. */
function withBindingOf(certificate: Buffer, change: (body: Buffer) => Buffer): string {
  const packets = takeApart(dearmour(certificate));
  const last = packets.pop();
  assert.ok(last?.tag === 2);
  return armourAs("PUBLIC KEY BLOCK", putTogether([...packets, { tag: 2, body: change(last.body) }]));
}

function revoke(gpg: GpgHome, key: string, code: string): void {
  const answers = ["y", code, "", "y", ""].join("\n");
  const options = ["--no-batch", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0", "--armor"];
  gpg.gpg(["--import"], gpg.gpg([...options, "--gen-revoke", key], answers));
}
