/** What is remembered of a commit is what would be said of it now, or it is not used. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import * as openpgp from "openpgp";
import { openSealedMemo } from "../../src/gate/sealed-memo.ts";
import type { Commit } from "../../src/git/object.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { type Memo, processMemo } from "../../src/lib/memo.ts";
import { openSealedFiles } from "../../src/policy/sealed-file.ts";
import type { Trust } from "../../src/signature/trust.ts";
import { openVerificationMemory } from "../../src/signature/verification-memo.ts";
import { openVerifier, type Verifier } from "../../src/signature/verify.ts";
import { commitOf, HEADERS, PAYLOAD, signedRaw, sshKeyPair, trustOf } from "../support/signing.ts";
import { ed25519Signer, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";
import {
  armoured,
  authority,
  cms,
  memberCertificate,
  pem,
  revocationList,
  type TestCertificate,
} from "../support/x509-bytes.ts";
import { PROVIDER, Sigstore } from "../support/x509-sigstore.ts";

const time = (text: string): number => Date.parse(`${text}T00:00:00Z`);
const DAY_MS = 86_400_000;
const DATES = ["01-01", "02-01", "03-01", "04-01", "05-01", "06-01", "07-01", "08-01", "09-01", "10-01"];
const TURNS = DATES.map((date) => time(`2026-${date}`));

/** When the ten minutes of a certificate by Fulcio begin; whole seconds, as certificates have them. */
const MINUTE_MS = 60_000;
const SIGNED = Math.floor(Date.now() / 1000) * 1000;
const MINUTES = [SIGNED, SIGNED + 5_000 - 5 * MINUTE_MS, SIGNED + 10 * MINUTE_MS + 1_000];

const folder = tempFolder({ after });
const sigstore = new Sigstore();
const scene = await makeScene();

interface Scene {
  readonly people: Record<string, unknown>;
  readonly authorities: Record<string, unknown>;
  readonly files: Record<string, string>;
  readonly commits: Readonly<Record<string, Commit>>;
}

/** A commit for every kind of turn: listed terms, leaving, certificates, lifetimes and soft revocations. */
async function makeScene(): Promise<Scene> {
  const [ada, jo, max] = [ed25519Signer(), ed25519Signer(), ed25519Signer()];
  const ca = sshKeyPair(folder, "ca");
  const laptop = sshKeyPair(folder, "laptop");
  const validity = ["-n", "lin@example.com", "-V", "20260301000000Z:20260701000000Z"];
  run(["-q", "-s", ca.path, "-I", "laptop", ...validity, `${laptop.path}.pub`]);
  const certified = run(["-Y", "sign", "-q", "-n", "git", "-f", `${laptop.path}-cert.pub`], PAYLOAD);
  const root = authority("Example root", { from: time("2025-01-01"), until: time("2030-01-01") });
  const dates = { from: TURNS[3] ?? 0, until: TURNS[7] ?? 0 };
  const member = memberCertificate(root, "kim@example.com", dates);
  const listed = { ...dates, serial: 8 };
  const [superseded, ended] = [memberCertificate(root, "sam@example.com", listed), TURNS[5] ?? 0];
  const revoked = [{ serial: superseded.serial, at: TURNS[6] ?? 0, reason: 4 }];
  const list = revocationList({ issuer: root, revoked, from: TURNS[0] ?? 0, until: ended });
  const pgp = await openPgpKey();
  return {
    people: {
      ada: { email: ["ada@example.com"], keys: [{ ssh: ada.line, from: "2026-02-01", until: "2026-09-01" }] },
      jo: {
        email: ["jo@example.com"],
        keys: [{ ssh: jo.line, revoked: { at: "2026-05-01", reason: "superseded" } }],
      },
      max: { email: ["max@example.com"], keys: [max.line], left: "2026-06-01" },
      lin: { email: ["lin@example.com"], keys: [] },
      kim: { email: ["kim@example.com"], keys: [] },
      sam: { email: ["sam@example.com"], keys: [] },
      zoe: { email: ["zoe@example.com"], keys: [] },
      eve: { email: ["eve@example.com"], keys: ["eve.asc"] },
    },
    authorities: {
      laptops: { ssh: ca.line, email: ["*@example.com"], until: "2026-06-01" },
      company: { certificate: "ca.pem", email: ["kim@example.com"] },
      "company-with-list": { certificate: "ca.pem", email: ["sam@example.com"], revocations: "ca.crl" },
      keyless: {
        root: "root.json",
        identities: [{ issuer: PROVIDER, email: "zoe@example.com", person: "zoe" }],
      },
    },
    files: {
      "ca.pem": pem("CERTIFICATE", root.der),
      "ca.crl": pem("X509 CRL", list),
      "root.json": sigstore.trustedRoot(),
      "eve.asc": pgp.certificate,
    },
    commits: {
      "listed from and until": commitOf(signedRaw(sshSig(ada, PAYLOAD))),
      "superseded by its owner": commitOf(signedRaw(sshSig(jo, PAYLOAD))),
      "of somebody who left": commitOf(signedRaw(sshSig(max, PAYLOAD))),
      "of an SSH certificate": commitOf(signedRaw(certified)),
      "of an OpenPGP key with an end and a soft revocation": commitOf(signedRaw(pgp.signature)),
      "of an X.509 certificate": x509(cms(PAYLOAD, member)),
      "of an X.509 certificate that a list names, until the list ends": x509(cms(PAYLOAD, superseded)),
      "keyless, without a proof of time": x509(keyless(() => [])),
      "keyless and logged": x509(
        keyless((made, by) => [sigstore.entry(made, by, { integratedTime: SIGNED / 1000 + 5 })]),
      ),
      "keyless and stamped": x509(keyless(({ signature }) => [sigstore.timestamp(signature, { at: SIGNED + 5_000 })])),
      unsigned: commitOf(Buffer.from(`${HEADERS}\nbump web\n`)),
      "of a stranger": commitOf(signedRaw(sshSig(ed25519Signer(), PAYLOAD))),
      "with a bad signature": commitOf(signedRaw(sshSig(ada, Buffer.from("other")))),
    },
  };
}

function x509(message: Buffer): Commit {
  return commitOf(signedRaw(armoured(message)));
}

type Made = { readonly signature: Buffer; readonly signedBytes: Buffer };

function keyless(unsigned: (made: Made, signer: TestCertificate) => readonly Buffer[]): Buffer {
  const signer = sigstore.identity({ name: { email: "zoe@example.com" }, from: SIGNED });
  return cms(PAYLOAD, signer, { unsigned: (made) => unsigned(made, signer) });
}

function run(args: readonly string[], input: Uint8Array = Buffer.alloc(0)): Buffer {
  const answer = spawnSync("ssh-keygen", [...args], { input });
  assert.equal(answer.status, 0, answer.stderr.toString());
  return answer.stdout;
}

/** From January to October, signing subkey to September, superseded in August. */
async function openPgpKey(): Promise<{ certificate: string; signature: string }> {
  const seconds = (turn: number): number => ((TURNS[turn] ?? 0) - (TURNS[0] ?? 0)) / 1000;
  const { privateKey } = await openpgp.generateKey({
    type: "ecc",
    curve: "ed25519Legacy",
    userIDs: [{ email: "eve@example.com" }],
    date: new Date(TURNS[0] ?? 0),
    keyExpirationTime: seconds(9),
    subkeys: [{ sign: true, keyExpirationTime: seconds(8) }],
    format: "object",
  });
  const message = await openpgp.createMessage({ binary: new Uint8Array(PAYLOAD) });
  const date = new Date((TURNS[1] ?? 0) + DAY_MS);
  const signature = await openpgp.sign({ message, signingKeys: privateKey, detached: true, date, format: "armored" });
  const reasonForRevocation = { flag: openpgp.enums.reasonForRevocation.keySuperseded };
  const revoked = await openpgp.revokeKey({
    key: privateKey,
    reasonForRevocation,
    date: new Date(TURNS[7] ?? 0),
    format: "object",
  });
  return { certificate: revoked.publicKey.armor(), signature: String(signature).replaceAll("\r", "") };
}

function trusted(without: readonly string[] = []): Promise<Trust> {
  const people = Object.entries(scene.people).filter(([name]) => !without.includes(name));
  return trustOf({ people: Object.fromEntries(people), authorities: scene.authorities }, scene.files);
}

/** A verifier that counts how often it is asked. */
async function counting(trust: Trust): Promise<{ verifier: Verifier; asked: () => number }> {
  const plain = await openVerifier(trust, "sha1");
  let asked = 0;
  const verifier: Verifier = {
    ...plain,
    verifyLasting: (commit, at) => {
      asked += 1;
      return plain.verifyLasting(commit, at);
    },
  };
  return { verifier, asked: () => asked };
}

const trust = await trusted();
const at = (instant: number) => ({ instant, basis: "now" }) as const;
const JUNE = at(time("2026-05-15"));

test("what is remembered is what is found out anew, at every instant and across every turn", async () => {
  const plain = await openVerifier(trust, "sha1");
  const { verifier, asked } = await counting(trust);
  const commits = Object.values(scene.commits);
  const memo = processMemo();
  const remembering = openVerificationMemory(memo).remembering(verifier, trust, "sha1");
  const turns = fc.constantFrom(...TURNS, ...MINUTES);
  const distance = fc.constantFrom(-DAY_MS, -1000, -1, 0, 1, 1000, DAY_MS);
  // Mostly around one turn, from both sides: there a stretch that is too long is seen.
  const around = fc.tuple(turns, turns).chain(([one, other]) => {
    const turn = fc.constantFrom(one, one, one, other);
    return fc.array(fc.tuple(turn, distance), { minLength: 1, maxLength: 20 });
  });
  let questions = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(around, fc.constantFrom(...commits), async (moments, commit) => {
      for (const [turn, away] of moments) {
        const moment = { instant: turn + away, basis: away > 0 ? "receipt" : "now" } as const;
        const found = await remembering.verify(commit, moment);
        assert.deepEqual(found, await plain.verify(commit, moment));
        seen.add(found.kind === "verified" ? found.signer.person : found.reason);
        questions += 1;
      }
    }),
    { numRuns: 150, seed: 5 },
  );
  assert.ok(asked() < questions / 2, `${asked()} of ${questions} were found out anew`);
  const people = ["ada", "jo", "max", "lin", "kim", "sam", "zoe", "eve"];
  const reasons = ["key-expired", "key-not-yet-valid", "key-revoked", "revocation-unknown", "time-not-proven"];
  const expected = [...people, ...reasons];
  for (const one of expected) assert.ok(seen.has(one), `${one} was never said`);
});

test("a remembered verdict does not cross the end of a key, in either direction", async () => {
  const commit = scene.commits["listed from and until"] as Commit;
  const { verifier, asked } = await counting(trust);
  const remembering = openVerificationMemory(processMemo()).remembering(verifier, trust, "sha1");
  const kindAt = async (instant: number) => {
    const found = await remembering.verify(commit, at(instant));
    return found.kind === "verified" ? "verified" : found.reason;
  };
  const end = time("2026-09-01");
  assert.deepEqual([await kindAt(end - 1), await kindAt(end - DAY_MS), asked()], ["verified", "verified", 1]);
  assert.deepEqual([await kindAt(end), await kindAt(end + DAY_MS), asked()], ["key-expired", "key-expired", 2]);
  assert.equal(await kindAt(end - 1), "verified");
});

test("under another trust nothing is remembered: who was taken out of it verifies nothing", async () => {
  const commit = scene.commits["listed from and until"] as Commit;
  const memo = processMemo();
  const before = openVerificationMemory(memo).remembering(await openVerifier(trust, "sha1"), trust, "sha1");
  assert.equal((await before.verify(commit, JUNE)).kind, "verified");
  const less = await trusted(["ada"]);
  const afterwards = openVerificationMemory(memo).remembering(await openVerifier(less, "sha1"), less, "sha1");
  const found = await afterwards.verify(commit, JUNE);
  assert.equal(found.kind === "rejected" ? found.reason : "verified", "unknown-signer");
});

test("an entry that stands for another commit is not taken", async () => {
  const good = scene.commits["listed from and until"] as Commit;
  const bad = scene.commits["of a stranger"] as Commit;
  const texts = new Map<string, string>();
  const memo: Memo = { get: (name) => texts.get(name) ?? null, set: (name, text) => void texts.set(name, text) };
  const remembering = openVerificationMemory(memo).remembering(await openVerifier(trust, "sha1"), trust, "sha1");
  for (const commit of [good, bad]) await remembering.verify(commit, JUNE);
  const [first = "", second = ""] = [...texts.keys()];
  assert.ok(first.endsWith(sha256Hex(good.raw)) && second.endsWith(sha256Hex(bad.raw)), "named by the bytes");
  texts.set(second, texts.get(first) ?? "");
  const reopened = openVerificationMemory(memo).remembering(await openVerifier(trust, "sha1"), trust, "sha1");
  assert.equal((await reopened.verify(bad, JUNE)).kind, "rejected");
  assert.equal((await reopened.verify(bad, JUNE)).kind, "rejected");
});

const KEY = new Uint8Array(32).fill(7);

/** What a process with this key finds in the cache's folder, when it remembers at all. */
async function knownBy(cache: string, key: Uint8Array | null, commit: Commit) {
  const { verifier, asked } = await counting(trust);
  const memo = openSealedMemo(openSealedFiles(key === null ? null : { folder: cache, key }), "gate");
  const remembering = openVerificationMemory(memo).remembering(verifier, trust, "sha1");
  const found = await remembering.verify(commit, JUNE);
  memo.save();
  return { verdict: found.kind === "verified" ? "verified" : found.reason, isRemembered: asked() === 0 };
}

test("a cache that was forged, copied from elsewhere, deleted or has no key changes no verdict", async (t) => {
  const cache = join(tempFolder(t), "cache");
  const stranger = scene.commits["of a stranger"] as Commit;
  const fresh = { verdict: "unknown-signer", isRemembered: false };
  assert.deepEqual(await knownBy(cache, KEY, stranger), fresh);
  assert.deepEqual(await knownBy(cache, KEY, stranger), { ...fresh, isRemembered: true });
  const [name = ""] = readdirSync(cache);
  const sealed = readFileSync(join(cache, name));

  const elsewhere = join(tempFolder(t), "cache");
  const forged = openSealedMemo(openSealedFiles({ folder: elsewhere, key: new Uint8Array(32).fill(8) }), "gate");
  const { verification } = await (await openVerifier(trust, "sha1")).verifyLasting(
    scene.commits["listed from and until"] as Commit,
    JUNE,
  );
  const yes = JSON.stringify({ verification: { ...verification, commit: stranger.id }, from: null, until: null });
  const asked: string[] = [];
  const spy: Memo = { get: (entry) => (asked.push(entry) > 0 ? null : ""), set: () => undefined };
  await openVerificationMemory(spy)
    .remembering(await openVerifier(trust, "sha1"), trust, "sha1")
    .verify(stranger, JUNE);
  forged.set(asked[0] ?? "", yes);
  forged.save();
  copyFileSync(join(elsewhere, name), join(cache, name));
  assert.deepEqual(await knownBy(cache, KEY, stranger), fresh, "sealed under another key");

  for (let byte = 0; byte < sealed.length; byte += 7) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8((changed[byte] ?? 0) ^ 1, byte);
    writeFileSync(join(cache, name), changed);
    assert.equal((await knownBy(cache, KEY, stranger)).isRemembered, false, `byte ${byte}`);
  }
  rmSync(cache, { recursive: true });
  assert.deepEqual(await knownBy(cache, KEY, stranger), fresh, "deleted");
  assert.deepEqual(await knownBy(cache, null, stranger), fresh, "without a key");
  assert.deepEqual(await knownBy(cache, null, stranger), fresh, "without a key, again");
});
