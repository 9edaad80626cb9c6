/**
 * The costliest inputs that fit the bounds, one by one: each is answered with a verdict, within ten times the bound that
 * we state (50 ms a commit), since it is another machine's processor time, and nothing of it is kept.
 */
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readAllowedSigners } from "../../src/signature/allowed-signers.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { armourAs, putTogether } from "../support/openpgp-bytes.ts";
import { commitOf, HEADERS, NOW, PAYLOAD, signedRaw } from "../support/signing.ts";
import { armour, ed25519Signer, field, sshSig } from "../support/sshsig.ts";

const CPU_MS = 10 * 50;
const MIB = 1024 * 1024;
const key = ed25519Signer();
const verifier = await openVerifier(readAllowedSigners(`ada ${key.line}\n* cert-authority ${key.line}\n`, "f"), "sha1");

function wide(count: number, byte: number): Buffer {
  return Buffer.concat([Buffer.of(0), Buffer.alloc(count, byte)]);
}

/** An SSHSIG blob whose key is an RSA one of the greatest size and exponent that is read, and nobody's. */
function greatRsa(): string {
  const publicKey = Buffer.concat([field("ssh-rsa"), field(wide(8, 0xff)), field(wide(2048, 0xff))]);
  const inner = Buffer.concat([field("rsa-sha2-512"), field(Buffer.alloc(2048, 0x7f))]);
  const parts = [
    Buffer.from("SSHSIG"),
    Buffer.of(0, 0, 0, 1),
    field(publicKey),
    field("git"),
    field(""),
    field("sha512"),
  ];
  return armour(Buffer.concat([...parts, field(inner)]));
}

function subpacketBomb(): string {
  const area = Buffer.alloc(40_000, Buffer.of(1, 100));
  const body = Buffer.concat([
    Buffer.of(4, 0, 1, 8, area.length >> 8, area.length & 0xff),
    area,
    Buffer.of(0, 0, 1, 2, 0, 1, 1),
  ]);
  return armourAs("SIGNATURE", putTogether([{ tag: 2, body }]));
}

/** A certificate of many names by an authority with a slow key; its own mathematics is P-521. */
function slowCertificate(): string {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "secp521r1" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const coordinate = (text: string): Buffer =>
    Buffer.concat([Buffer.alloc(66), Buffer.from(text, "base64url")]).subarray(-66);
  const point = Buffer.concat([Buffer.of(4), coordinate(x), coordinate(y)]);
  const fields = [field("nistp521"), field(point)];
  const plain = Buffer.concat([field("ecdsa-sha2-nistp521"), ...fields]);
  const principals = field(
    Buffer.concat(Array.from({ length: 250 }, (_, index) => field(`${"a".repeat(90)}${index}`))),
  );
  const head = [field("ecdsa-sha2-nistp521-cert-v01@openssh.com"), field(randomBytes(32)), ...fields];
  const numbers = Buffer.from("0000000000000001" + "00000001", "hex");
  const window = Buffer.from("0000000000000000" + "ffffffffffffffff", "hex");
  const body = Buffer.concat([
    ...head,
    numbers,
    field("id"),
    principals,
    window,
    field(""),
    field(""),
    field(""),
    field(plain),
  ]);
  const number = (bytes: Buffer): Buffer => {
    const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
    return field((short[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), short]) : short);
  };
  const pair = sign("sha512", body, { key: privateKey, dsaEncoding: "ieee-p1363" });
  const made = field(Buffer.concat([number(pair.subarray(0, 66)), number(pair.subarray(66))]));
  const certificate = Buffer.concat([body, field(Buffer.concat([field("ecdsa-sha2-nistp521"), made]))]);
  const signature = Buffer.concat([field("ecdsa-sha2-nistp521"), made]);
  const parts = [
    Buffer.from("SSHSIG"),
    Buffer.of(0, 0, 0, 1),
    field(certificate),
    field("git"),
    field(""),
    field("sha512"),
  ];
  return armour(Buffer.concat([...parts, field(signature)]));
}

const pgp = (body: string): string => `-----BEGIN PGP SIGNATURE-----\n${body}\n-----END PGP SIGNATURE-----\n`;

const HOSTILE: readonly [string, () => Uint8Array][] = [
  ["a mebibyte of headers", () => Buffer.from(`${HEADERS}${"x y\n".repeat(250_000)}\n`)],
  ["a mebibyte of continuation lines", () => Buffer.from(`${HEADERS}x y\n${" \n".repeat(500_000)}\n`)],
  ["a mebibyte of one header", () => Buffer.from(`${HEADERS}x ${"y".repeat(MIB)}\n\n`)],
  ["a mebibyte of spaces", () => Buffer.alloc(MIB, 0x20)],
  [
    "a mebibyte of parents",
    () => Buffer.from(HEADERS.replace("author", `${`parent ${"1".repeat(40)}\n`.repeat(20_000)}author`)),
  ],
  ["many lines that begin blocks", () => signedRaw("-----BEGIN PGP SIGNATURE-----\n".repeat(2_000))],
  ["many lines that almost begin blocks", () => signedRaw(pgp("\n-----BEGIN PGP SIGNATURE-----x".repeat(1_900)))],
  ["many armour headers", () => signedRaw(pgp("A: b\n".repeat(12_000)))],
  ["many packets", () => signedRaw(armourAs("SIGNATURE", Buffer.alloc(46_000, Buffer.of(0xc2, 0))))],
  ["many subpackets", () => signedRaw(subpacketBomb())],
  ["an RSA key of 16,384 bits that nobody owns", () => signedRaw(greatRsa())],
  ["a certificate of many names by a slow authority", () => signedRaw(slowCertificate())],
  ["a mebibyte of message", () => signedRaw(sshSig(key, PAYLOAD), HEADERS, `\n${"x".repeat(MIB)}`)],
];

for (const [name, make] of HOSTILE) {
  test(`${name}: answered in bounded processor time`, async () => {
    const raw = make();
    const before = process.cpuUsage();
    const commit = await verifier.verify(commitOf(raw), NOW);
    const tag = await verifier.verifyTag(raw, NOW);
    const kept = await verifier.verifyMergetags(commitOf(raw), NOW);
    const { user, system } = process.cpuUsage(before);
    assert.deepEqual([commit.kind, tag.kind, kept.length], ["rejected", "rejected", 0]);
    assert.ok((user + system) / 1000 < 3 * CPU_MS, `${(user + system) / 1000} ms for three verifications`);
  });
}

test("twenty thousand strangers leave nothing behind", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const signature = sshSig(key, PAYLOAD);
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / MIB;
  };
  const strangers = Array.from({ length: 200 }, () => sshSig(ed25519Signer(), PAYLOAD));
  for (const one of strangers) await verifier.verify(commitOf(signedRaw(one)), NOW);
  const before = used();
  for (let index = 0; index < 20_000; index++) {
    const publicKey = Buffer.concat([field("ssh-ed25519"), field(randomBytes(32))]);
    await verifier.verify(commitOf(signedRaw(index % 2 === 0 ? signature : sshSig(key, PAYLOAD, { publicKey }))), NOW);
  }
  assert.ok(used() - before < 32, `${used() - before} MiB`);
});
