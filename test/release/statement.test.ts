import assert from "node:assert/strict";
import { test } from "node:test";
import { noteSigner, noteVerifier } from "../../src/log/note.ts";
import { readEntryFile, writeEntryFile } from "../../src/release/decision-entry.ts";
import { checkFresh, HEAD_LIFETIME_MS, makeHead, openHead, signHead } from "../../src/release/head.ts";
import { openRelease, signRelease } from "../../src/release/manifest.ts";
import { openWorld, RELEASE_KEY, RELEASE_KEYS, resources, START } from "./world.ts";

const SIGNER = noteSigner(RELEASE_KEY.skey);
const CHECKPOINT = { origin: "gate.example/log", size: 1, root: new Uint8Array(32), note: "note\n" };
const LATEST = { sequence: 1, manifestDigest: "ab".repeat(32) };
const HEAD = makeHead({ target: "prod", latest: LATEST, hold: null, checkpoint: CHECKPOINT }, START);

test("a head says what is current for ten minutes", () => {
  assert.deepEqual(openHead(signHead(HEAD, SIGNER), RELEASE_KEYS), HEAD);
  assert.equal(HEAD.notAfter, "2026-11-21T12:10:00.000Z");
  checkFresh(HEAD, START);
  checkFresh(HEAD, START + HEAD_LIFETIME_MS - 1);
  checkFresh(HEAD, START - 60_000);
  assert.throws(() => checkFresh(HEAD, START + HEAD_LIFETIME_MS), { code: "head-stale" });
  assert.throws(() => checkFresh(HEAD, START - 60_001), { code: "head-stale" });
  const long = { ...HEAD, notAfter: "2026-11-21T12:10:00.001Z" };
  assert.throws(() => checkFresh(long, START), { code: "head-malformed" });
});

test("a head of a held target carries the hold", () => {
  const hold = { scope: "prod", reason: "r", by: "sam", since: "2026-11-21T11:00:00.000Z", index: 4 };
  const head = makeHead({ target: "prod", latest: null, hold, checkpoint: CHECKPOINT }, START);
  const { index: _, ...shown } = hold;
  assert.deepEqual([head.hold, head.latestSequence, head.manifestDigest], [shown, 0, null]);
  assert.deepEqual(openHead(signHead(head, SIGNER), RELEASE_KEYS), head);
});

test("a signed head in a second form of the same content is refused", () => {
  const line = JSON.stringify(HEAD);
  for (const text of [`${line}\n`, `${line} \n`, `\n${line}\n`, "null\n", "[]\n", "\n"]) {
    assert.throws(() => openHead(Buffer.from(SIGNER.sign(text)), RELEASE_KEYS), { code: "head-malformed" });
  }
});

test("a head under the log's name or another key is not trusted", () => {
  assert.throws(() => openHead(signHead(HEAD, SIGNER), []), { code: "head-untrusted" });
  const renamed = noteVerifier(RELEASE_KEY.vkey);
  assert.throws(() => openHead(signHead(HEAD, SIGNER), [{ ...renamed, name: "other" }]), { code: "head-untrusted" });
});

test("a release reads back as it was signed, and one too large to sign is refused", async (t) => {
  const world = await openWorld(t);
  const release = await world.build(resources(2));
  assert.deepEqual(openRelease(signRelease(release, SIGNER), RELEASE_KEYS), release);
  const objects = Array.from({ length: 12_000 }, (_, at) => ({ file: `_k__n${at}`, sha256: "ab".repeat(32) }));
  assert.throws(() => signRelease({ ...release, objects }, SIGNER), { code: "release-too-large" });
});

test("entry.json carries the leaf and the digests, and nothing else that was disclosed", async (t) => {
  const world = await openWorld(t);
  const entry = await world.log.read(await world.decide(resources(1)));
  const file = writeEntryFile(entry);
  assert.deepEqual(Object.keys(JSON.parse(Buffer.from(file).toString()).disclosed), ["digests"]);
  const evidence = readEntryFile(file);
  assert.deepEqual([evidence.index, Buffer.from(evidence.bytes)], [entry.index, Buffer.from(entry.bytes)]);
  const text = Buffer.from(file).toString();
  for (const wrong of [
    "",
    "{}",
    ` ${text}`,
    text.replace('"index":0', '"index":0.0'),
    text.replace('"leaf":{', '"leaf":{ '),
  ]) {
    assert.throws(() => readEntryFile(Buffer.from(wrong)), { code: "release-entry-malformed" });
  }
});
