import assert from "node:assert/strict";
import { test } from "node:test";
import {
  APPROVAL_NAMESPACE,
  APPROVAL_TYPE,
  type ApprovalStatement,
  MAXIMUM_ENVELOPE_BYTES,
  preAuthentication,
  readEnvelope,
  statementBytes,
  writeEnvelope,
} from "../../src/decision/envelope.ts";
import { encodeBase64, utf8 } from "../../src/lib/bytes.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import type { Trust } from "../../src/signature/trust.ts";
import { type DetachedVerification, openVerifier } from "../../src/signature/verify.ts";
import { GpgHome, NOW, sshKeyPair, sshSign, trustOf } from "../support/signing.ts";
import { tempFolder } from "../support/temp.ts";
import { BASE, HEAD, TREE } from "./evidence.ts";

const STATEMENT: ApprovalStatement = {
  repository: "shop",
  target: "prod",
  base: BASE,
  head: HEAD,
  tree: TREE,
  changeDigest: "1".repeat(64),
  judge: BASE,
  approver: "lin",
  expiresAt: "2026-11-28T10:00:00.000Z",
};
const ARMOUR = utf8("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n");

function base64(text: string | Uint8Array): string {
  return encodeBase64(typeof text === "string" ? utf8(text) : text);
}

interface Raw {
  readonly payloadType: unknown;
  readonly payload: unknown;
  readonly signatures: unknown;
}

const RAW: Raw = {
  payloadType: APPROVAL_TYPE,
  payload: base64(statementBytes(STATEMENT)),
  signatures: [{ keyid: "", sig: base64(ARMOUR) }],
};

function read(change: object) {
  return readEnvelope(utf8(JSON.stringify({ ...RAW, ...change })));
}

function withStatement(change: object) {
  return read({ payload: base64(JSON.stringify(sorted({ ...STATEMENT, ...change }))) });
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function verdict(trust: Trust, envelope: Uint8Array): Promise<DetachedVerification> {
  const read = readEnvelope(envelope);
  assert.ok(read !== null);
  const { format, signature, signed } = read;
  const verifier = await openVerifier(trust, "sha1");
  return verifier.verifyDetached({ format, signature, namespace: APPROVAL_NAMESPACE, payload: signed }, NOW);
}

test("an envelope that was written is read again, with the bytes that were signed and its own digest", () => {
  const bytes = writeEnvelope(STATEMENT, ARMOUR);
  const envelope = readEnvelope(bytes);
  assert.deepEqual(envelope, {
    statement: STATEMENT,
    signature: ARMOUR,
    format: "ssh",
    signed: preAuthentication(statementBytes(STATEMENT)),
    digest: sha256Hex(bytes),
  });
});

test("what is signed is the pre-authentication encoding, lengths counted in bytes", () => {
  const body = utf8('{"a":"é"}');
  const type = "application/vnd.sluice.approval+json";
  assert.equal(Buffer.from(preAuthentication(body)).toString(), `DSSEv1 36 ${type} 10 {"a":"é"}`);
});

test("an envelope of another tool with other white space and without a key id is read as well", () => {
  const text = JSON.stringify({ ...RAW, signatures: [{ sig: base64(ARMOUR) }] }, null, 2);
  assert.deepEqual(readEnvelope(utf8(text))?.statement, STATEMENT);
});

const MALFORMED: readonly (readonly [string, ReturnType<typeof readEnvelope>])[] = [
  ["no bytes", readEnvelope(new Uint8Array())],
  ["bytes that are not UTF-8", readEnvelope(Uint8Array.of(0x7b, 0xff, 0x7d))],
  ["a byte order mark", readEnvelope(utf8(`\ufeff${JSON.stringify(RAW)}`))],
  ["text that is not JSON", readEnvelope(utf8("{"))],
  ["null", readEnvelope(utf8("null"))],
  ["a list", readEnvelope(utf8(JSON.stringify([RAW])))],
  ["an unknown key", read({ more: 1 })],
  ["another payload type", read({ payloadType: "application/vnd.in-toto+json" })],
  ["a payload type in other letters", read({ payloadType: APPROVAL_TYPE.toUpperCase() })],
  ["no payload", read({ payload: undefined })],
  ["a payload that is not base64", read({ payload: "{}" })],
  ["a payload without padding", read({ payload: RAW.payload?.toString().replace(/=*$/, "A") })],
  ["no signature", read({ signatures: [] })],
  ["two signatures", read({ signatures: [{ sig: base64(ARMOUR) }, { sig: base64(ARMOUR) }] })],
  ["an unknown key beside the signature", read({ signatures: [{ sig: base64(ARMOUR), cert: "" }] })],
  ["a signature that is not base64", read({ signatures: [{ sig: "-----BEGIN SSH SIGNATURE-----" }] })],
  ["a signature that is not armoured", read({ signatures: [{ sig: base64("SSHSIG") }] })],
  ["an armour of another kind", read({ signatures: [{ sig: base64("-----BEGIN PGP MESSAGE-----\n") }] })],
  ["text before the armour", read({ signatures: [{ sig: base64(`x\n${Buffer.from(ARMOUR)}`) }] })],
  ["a repeated payload", readEnvelope(utf8(JSON.stringify(RAW).replace("{", `{"payload":"${RAW.payload}",`)))],
  ["text after the envelope", readEnvelope(utf8(`${JSON.stringify(RAW)} {}`))],
  [
    "a repeated key in the statement",
    read({ payload: base64(JSON.stringify(sorted(STATEMENT)).replace("{", '{"approver":"jo",')) }),
  ],
  ["a statement with keys in another order", read({ payload: base64(JSON.stringify(STATEMENT)) })],
  ["a statement with white space", read({ payload: base64(JSON.stringify(sorted(STATEMENT), null, 1)) })],
  ["a statement with an escape that it does not need", read({ payload: base64(escaped()) })],
  ["a statement with an unknown key", withStatement({ zebra: 1 })],
  ["a statement without a target", withStatement({ target: undefined })],
  ["a statement with an empty approver", withStatement({ approver: "" })],
  ["a short tree", withStatement({ tree: "d".repeat(39) })],
  ["a tree in upper case", withStatement({ tree: "D".repeat(40) })],
  ["an end that is no time", withStatement({ expiresAt: "tomorrow" })],
  ["an end with an offset", withStatement({ expiresAt: "2026-11-28T10:00:00+01:00" })],
  ["a name of 201 characters", withStatement({ repository: "r".repeat(201) })],
];

function escaped(): string {
  return JSON.stringify(sorted(STATEMENT)).replace('"lin"', '"\\u006cin"');
}

for (const [name, found] of MALFORMED) {
  test(`an envelope with ${name} is no approval`, () => assert.equal(found, null));
}

test("an envelope over 64 KiB is no approval, one of exactly 64 KiB is read", () => {
  const padded = (bytes: number): Uint8Array => utf8(JSON.stringify(RAW).padEnd(bytes, " "));
  assert.notEqual(readEnvelope(padded(MAXIMUM_ENVELOPE_BYTES)), null);
  assert.equal(readEnvelope(padded(MAXIMUM_ENVELOPE_BYTES + 1)), null);
});

test("an approval that ssh-keygen signed in our namespace verifies, and in git's namespace it does not", async (t) => {
  const key = sshKeyPair(tempFolder(t), "lin");
  const trust = await trustOf({
    people: { lin: { email: ["lin@example.com"], roles: ["platform"], keys: [key.line] } },
  });
  const signed = preAuthentication(statementBytes(STATEMENT));
  const good = await verdict(trust, writeEnvelope(STATEMENT, sshSign(key, signed, APPROVAL_NAMESPACE)));
  assert.equal(good.kind === "verified" && good.signer.person, "lin");
  const other = await verdict(trust, writeEnvelope(STATEMENT, sshSign(key, signed, "git")));
  assert.equal(other.kind === "rejected" && other.reason, "wrong-namespace");
});

test("a statement that was changed after it was signed does not verify", async (t) => {
  const key = sshKeyPair(tempFolder(t), "lin");
  const trust = await trustOf({ people: { lin: { email: ["lin@example.com"], keys: [key.line] } } });
  const armour = sshSign(key, preAuthentication(statementBytes(STATEMENT)), APPROVAL_NAMESPACE);
  const changed = await verdict(trust, writeEnvelope({ ...STATEMENT, target: "staging" }, armour));
  assert.equal(changed.kind === "rejected" && changed.reason, "bad-signature");
  const bare = await verdict(
    trust,
    writeEnvelope(STATEMENT, sshSign(key, statementBytes(STATEMENT), APPROVAL_NAMESPACE)),
  );
  assert.equal(bare.kind === "rejected" && bare.reason, "bad-signature");
});

test("an approval that gpg signed verifies, and over another statement it does not", async (t) => {
  const home = new GpgHome(t);
  const fingerprint = home.key("Lin <lin@example.com>", "ed25519");
  const people = { people: { lin: { email: ["lin@example.com"], keys: [{ file: "keys/lin.asc" }] } } };
  const trust = await trustOf(people, { "keys/lin.asc": home.export(fingerprint) });
  const armour = home.sign(fingerprint, preAuthentication(statementBytes(STATEMENT)));
  const envelope = writeEnvelope(STATEMENT, armour);
  assert.equal(readEnvelope(envelope)?.format, "openpgp");
  const good = await verdict(trust, envelope);
  assert.deepEqual(good.kind === "verified" && [good.signer.person, good.signer.key], ["lin", fingerprint]);
  const changed = await verdict(trust, writeEnvelope({ ...STATEMENT, tree: BASE }, armour));
  assert.equal(changed.kind === "rejected" && changed.reason, "bad-signature");
});
