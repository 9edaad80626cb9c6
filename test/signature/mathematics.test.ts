/** Whoever computes, this thread at once or another one, says the same; and a range is verified a few commits at a time. */
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, test } from "node:test";
import type { Commit } from "../../src/git/object.ts";
import { isTrue, type Question, together, withPool } from "../../src/signature/mathematics.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { verifyEach } from "../../src/signature/verify-each.ts";
import { openPgpSigner } from "../support/openpgp-signer.ts";
import { commitOf, HEADERS, NOW, signedRaw, trustOf } from "../support/signing.ts";
import { ecdsaSkSigner, ed25519Signer, sshSig } from "../support/sshsig.ts";

const DATA = Buffer.from("tree and parent and author and message");
const SECONDS = 1_760_000_000;

function questions(): readonly (readonly [string, Question])[] {
  const ed25519 = generateKeyPairSync("ed25519");
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ecdsa = (key: typeof p256.publicKey) => ({ key, dsaEncoding: "ieee-p1363" }) as const;
  const pair = sign("sha256", DATA, { key: p256.privateKey, dsaEncoding: "ieee-p1363" });
  return [
    [
      "Ed25519",
      { algorithm: null, data: DATA, key: ed25519.publicKey, signature: sign(null, DATA, ed25519.privateKey) },
    ],
    ["P-256", { algorithm: "sha256", data: DATA, key: ecdsa(p256.publicKey), signature: pair }],
    ["RSA", { algorithm: "sha512", data: DATA, key: rsa.publicKey, signature: sign("sha512", DATA, rsa.privateKey) }],
  ];
}

for (const [name, question] of questions()) {
  test(`${name}: the pool says what this thread says, of right and wrong signatures`, async () => {
    const flipped = Uint8Array.from(question.signature, (byte, at) => (at === 7 ? byte ^ 1 : byte));
    const wrong = [
      { ...question, signature: flipped },
      { ...question, signature: question.signature.subarray(1) },
      { ...question, signature: new Uint8Array(0) },
      { ...question, data: DATA.subarray(1) },
    ];
    for (const [one, expected] of [[question, true], ...wrong.map((other) => [other, false])] as const) {
      assert.equal(isTrue(one as Question), expected);
      for (const answer of [together(), withPool()]) assert.equal(await answer(one as Question), expected);
    }
  });
}

test("what cannot be asked is not true, and what OpenSSL cannot compute fails in the pool as it does here", async () => {
  const [ed25519] = questions();
  assert.ok(ed25519 !== undefined);
  assert.equal(isTrue(null), false);
  for (const answer of [together(), withPool()]) assert.equal(await answer(null), false);
  const senseless = { ...ed25519[1], algorithm: "no-such-hash" };
  assert.throws(() => isTrue(senseless));
  for (const answer of [together(), withPool()]) await assert.rejects(async () => answer(senseless));
});

test("what is asked together is answered in its order, each by itself, and again when more is asked", async () => {
  const [[, right] = [], , [, rsa] = []] = questions();
  assert.ok(right !== undefined && rsa !== undefined);
  const answer = together();
  const wrong = { ...right, data: DATA.subarray(1) };
  const senseless = { ...right, algorithm: "no-such-hash" };
  const ask = () => Promise.allSettled([right, wrong, senseless, rsa, null].map((one) => answer(one)));
  for (const said of [await ask(), await ask()]) {
    assert.deepEqual(
      said.map((one) => (one.status === "fulfilled" ? one.value : one.status)),
      [true, false, "rejected", true, false],
    );
  }
});

describe("a range", () => {
  const signers = [ed25519Signer(), ecdsaSkSigner()];
  const gpg = openPgpSigner("Ada <ada@example.com>", SECONDS);
  const stranger = ed25519Signer();
  const commits = Array.from({ length: 150 }, (_, at) => {
    const message = `\nchange ${at}\n`;
    const payload = Buffer.from(HEADERS + message);
    const signed = [
      sshSig(signers[0] as typeof stranger, payload),
      sshSig(signers[1] as typeof stranger, payload),
      gpg.sign(payload),
      sshSig(stranger, payload),
      sshSig(stranger, Buffer.from("another")),
    ];
    return commitOf(signedRaw(signed[at % signed.length] ?? "", HEADERS, message));
  });
  const keys = [...signers.map((one) => one.line), { file: "ada.asc" }];
  const trust = trustOf({ people: { ada: { email: ["ada@example.com"], keys } } }, { "ada.asc": gpg.certificate });

  test("verified together or with the pool has the verdicts of one commit after the other, in its order", async () => {
    const alone = await openVerifier(await trust, "sha1");
    const expected = [];
    for (const commit of commits) expected.push(await alone.verify(commit, NOW));
    for (const answer of [together(), withPool()]) {
      const verifier = await openVerifier(await trust, "sha1", answer);
      assert.deepEqual(await verifyEach(commits, (commit) => verifier.verify(commit, NOW)), expected);
    }
    assert.equal(expected.filter(({ kind }) => kind === "verified").length, 90);
  });

  test("has few commits under way at once, and one that fails is told", async () => {
    let [underWay, most] = [0, 0];
    const turn = async (commit: Commit): Promise<string> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return commit.id;
    };
    assert.deepEqual(
      await verifyEach(commits, turn),
      commits.map(({ id }) => id),
    );
    assert.ok(most > 1 && most < commits.length, `${most}`);
    assert.deepEqual(await verifyEach([], turn), []);
    await assert.rejects(
      verifyEach(commits, () => Promise.reject(new Error("no receipt"))),
      /no receipt/,
    );
  });
});
