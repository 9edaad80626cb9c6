/** User certificates by a real `ssh-keygen -s`, each verdict beside that of `ssh-keygen -Y verify`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes, sign } from "node:crypto";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { commitId } from "../../src/git/object.ts";
import { parseCommit } from "../../src/git/parse.ts";
import { readAllowedSigners } from "../../src/signature/allowed-signers.ts";
import { objectionToCertified } from "../../src/signature/key-use.ts";
import { sshKeyFromLine } from "../../src/signature/ssh-key.ts";
import type { Owner, TrustedKey } from "../../src/signature/trust.ts";
import type { Verification } from "../../src/signature/verification.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { repository } from "../support/repository.ts";
import {
  commitOf,
  PAYLOAD,
  readCommit,
  type SshKeyPair,
  signedRaw,
  sshKeygenAccepts,
  sshKeyPair,
} from "../support/signing.ts";
import { ecdsaSkSigner, ed25519Signer, field, type SshSigner, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

const AT = Date.parse("2026-06-01T00:00:00Z");
const VALID = ["-V", "20260101000000Z:20270101000000Z"];

interface Signed {
  readonly folder: string;
  readonly ca: SshKeyPair;
  readonly key: SshKeyPair;
  readonly signature: Buffer;
}

function certify(folder: string, ca: SshKeyPair, key: SshKeyPair, options: readonly string[]): void {
  const answer = spawnSync("ssh-keygen", ["-q", "-s", ca.path, "-I", "id", ...options, `${key.path}.pub`]);
  assert.equal(answer.status, 0, `${folder}: ${answer.stderr}`);
}

/** A key of ada's, certified by a CA, and its signature with the certificate over PAYLOAD. */
function signed(
  t: TestContext,
  options: readonly string[] = ["-n", "ada@example.com", ...VALID],
  kinds: readonly [string, number?][] = [["ed25519"], ["ed25519"]],
): Signed {
  const folder = tempFolder(t);
  const [caKind = ["ed25519"], keyKind = ["ed25519"]] = kinds;
  const ca = sshKeyPair(folder, "ca", ...caKind);
  const key = sshKeyPair(folder, "ada", ...keyKind);
  certify(folder, ca, key, options);
  const answer = spawnSync("ssh-keygen", ["-Y", "sign", "-q", "-n", "git", "-f", `${key.path}-cert.pub`], {
    input: PAYLOAD,
  });
  assert.equal(answer.status, 0, answer.stderr.toString());
  return { folder, ca, key, signature: answer.stdout };
}

async function verify(allowed: string, signature: Uint8Array | string, at = AT): Promise<Verification> {
  const verifier = await openVerifier(readAllowedSigners(allowed, "allowed_signers"), "sha1");
  return verifier.verify(commitOf(signedRaw(signature)), { instant: at, basis: "now" });
}

function outcome(found: Verification): string {
  return found.kind === "verified" ? found.signer.person : found.reason;
}

function openSshAccepts(folder: string, allowed: string, signature: Uint8Array, at = AT): boolean {
  const time = new Date(at).toISOString().replace(/[-:T]|\.000/g, "");
  return sshKeygenAccepts(folder, allowed, "ada@example.com", signature, PAYLOAD, [`-Overify-time=${time}`]);
}

const KINDS: readonly [string, number?][] = [
  ["ed25519"],
  ["ecdsa", 256],
  ["ecdsa", 384],
  ["ecdsa", 521],
  ["rsa", 2048],
];

for (const [index, kind] of KINDS.entries()) {
  const caKind = KINDS[(index + 1) % KINDS.length] ?? kind;
  test(`verifies ${kind.join(" ")} keys certified by ${caKind.join(" ")} authorities, as ssh-keygen does`, async (t) => {
    const { folder, ca, signature } = signed(t, undefined, [caKind, kind]);
    const allowed = `*@example.com cert-authority ${ca.line}\n`;
    assert.equal(openSshAccepts(folder, allowed, signature), true);
    const found = await verify(allowed, signature);
    assert.equal(outcome(found), "ada@example.com", JSON.stringify(found));
    const printed = spawnSync("ssh-keygen", ["-l", "-f", join(folder, "ada.pub")]).stdout.toString();
    assert.ok(printed.includes(found.signer?.key ?? "?"));
  });
}

const ADA = ["-n", "ada@example.com"];
const BEFORE = Date.parse("2025-12-31T23:59:59Z");
const FIRST = Date.parse("2026-01-01T00:00:00Z");
const LAST = Date.parse("2026-12-31T23:59:59Z");
const AFTER = Date.parse("2027-01-01T00:00:00Z");

for (const [name, options, pattern, at, expected] of [
  ["in its first second", [...ADA, ...VALID], "*@example.com", FIRST, "ada@example.com"],
  ["in its last second", [...ADA, ...VALID], "*@example.com", LAST, "ada@example.com"],
  ["a second too early", [...ADA, ...VALID], "*@example.com", BEFORE, "key-not-yet-valid"],
  ["a second too late", [...ADA, ...VALID], "*@example.com", AFTER, "time-not-proven"],
  ["without end", [...ADA, "-V", "always:forever"], "*@example.com", AFTER, "ada@example.com"],
  ["for names the authority may not give", [...ADA, ...VALID], "*@example.org", AT, "unknown-signer"],
  ["for an excluded name", [...ADA, ...VALID], "*@example.com,!ada@*", AT, "unknown-signer"],
  ["for another name", ["-n", "jo@example.org", ...VALID], "*@example.com", AT, "unknown-signer"],
  ["without any name", [...VALID], "*", AT, "unknown-signer"],
  ["for a host", ["-h", ...ADA, ...VALID], "*", AT, "key-not-for-signing"],
  ["with extensions", [...ADA, ...VALID, "-O", "extension:x@example.com=y"], "*", AT, "ada@example.com"],
] as const) {
  test(`agrees with ssh-keygen about a certificate ${name}`, async (t) => {
    const { folder, ca, signature } = signed(t, options);
    const allowed = `${pattern} cert-authority ${ca.line}\n`;
    assert.equal(openSshAccepts(folder, allowed, signature, at), expected === "ada@example.com");
    assert.equal(outcome(await verify(allowed, signature, at)), expected);
  });
}

for (const option of ["force-command=/bin/true", "source-address=192.0.2.0/24", "critical:x@example.com=y"]) {
  test(`refuses a certificate bound by ${option}, which ssh-keygen does not look at`, async (t) => {
    const { folder, ca, signature } = signed(t, [...ADA, ...VALID, "-O", option]);
    const allowed = `* cert-authority ${ca.line}\n`;
    assert.equal(openSshAccepts(folder, allowed, signature), true);
    assert.equal(outcome(await verify(allowed, signature)), "key-not-for-signing");
  });
}

test("a certificate for several names stands for all that the authority may give", async (t) => {
  const { ca, signature } = signed(t, ["-n", "ada@example.com,root,jo@example.com", ...VALID]);
  const found = await verify(`*@example.com cert-authority ${ca.line}\n`, signature);
  assert.equal(found.signer?.person, "ada@example.com,jo@example.com");
});

test("a plain line never matches a certificate, nor an authority's line a plain key, as in ssh-keygen", async (t) => {
  const { folder, ca, key, signature } = signed(t);
  const plain = spawnSync("ssh-keygen", ["-Y", "sign", "-q", "-n", "git", "-f", ca.path], { input: PAYLOAD }).stdout;
  for (const [allowed, made] of [
    [`ada@example.com ${key.line}\n`, signature],
    [`ada@example.com ${ca.line}\n`, signature],
    [`ada@example.com cert-authority ${ca.line}\n`, plain],
  ] as const) {
    assert.equal(openSshAccepts(folder, allowed, made), false);
    assert.equal(outcome(await verify(allowed, made)), "unknown-signer");
  }
});

test("the authority's own window and namespaces hold beside the certificate's", async (t) => {
  const { folder, ca, signature } = signed(t);
  for (const [options, expected] of [
    ['valid-before="20260501Z"', "key-expired"],
    ['valid-after="20260701Z"', "key-not-yet-valid"],
    ['namespaces="file"', "wrong-namespace"],
    ['namespaces="git",valid-before="20270101Z"', "ada@example.com"],
  ] as const) {
    const allowed = `* cert-authority,${options} ${ca.line}\n`;
    assert.equal(openSshAccepts(folder, allowed, signature), expected === "ada@example.com");
    assert.equal(outcome(await verify(allowed, signature)), expected);
  }
});

test("an authority that was taken away takes its certificates with it, and so does the certified key", async (t) => {
  const { ca, key, signature } = signed(t);
  const trust = readAllowedSigners(`* cert-authority ${ca.line}\n`, "allowed_signers");
  for (const line of [ca.line, key.line]) {
    const [type = "", blob = ""] = line.split(" ");
    assert.ok(type.startsWith("ssh-"));
    const taken = `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
    const verifier = await openVerifier({ ...trust, revokedKeys: [taken] }, "sha1");
    const found = await verifier.verify(commitOf(signedRaw(signature)), { instant: AT, basis: "now" });
    assert.equal(outcome(found), "key-revoked");
  }
});

test("no bit of a certificate can be changed (every fifth is tried)", async (t) => {
  const { ca, signature } = signed(t);
  const allowed = `* cert-authority ${ca.line}\n`;
  const blob = Buffer.from(signature.toString().split("\n").slice(1, -2).join(""), "base64");
  const certificate = blob.readUInt32BE(10);
  const verifier = await openVerifier(readAllowedSigners(allowed, "allowed_signers"), "sha1");
  for (let bit = 10 * 8; bit < (14 + certificate) * 8; bit += 5) {
    const changed = Buffer.from(blob);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const lines = changed.toString("base64").match(/.{1,70}/g) ?? [];
    const text = ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
    const found = await verifier.verify(commitOf(signedRaw(text)), { instant: AT, basis: "now" });
    assert.equal(found.kind, "rejected", `bit ${bit}`);
  }
});

/** A certificate written byte by byte: ssh-keygen signs for security keys only with the hardware at hand. */
function certificateBytes(
  key: SshSigner,
  authority: SshSigner,
  options: readonly string[],
  flags = 1,
  [from, until] = [BigInt(FIRST / 1000), BigInt(AFTER / 1000)],
): Buffer {
  const type = key.type.replace("@openssh.com", "").concat("-cert-v01@openssh.com");
  const fields = key.publicKey.subarray(4 + key.type.length);
  const numbers = (serial: bigint, kind: number): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeBigUInt64BE(serial);
    bytes.writeUInt32BE(kind, 8);
    return bytes;
  };
  const window = Buffer.alloc(16);
  window.writeBigUInt64BE(from ?? 0n);
  window.writeBigUInt64BE(until ?? 0n, 8);
  const critical = Buffer.concat(options.flatMap((option) => [field(option), field("")]));
  const body = Buffer.concat([
    field(type),
    field(randomBytes(32)),
    fields,
    numbers(7n, 1),
    field("ada"),
    field(field("ada@example.com")),
    window,
    field(critical),
    field(""),
    field(""),
    field(authority.publicKey),
  ]);
  return Buffer.concat([body, field(certificateSignature(authority, body, flags))]);
}

function certificateSignature(by: SshSigner, body: Buffer, flags: number): Buffer {
  if (by.application === null) return Buffer.concat([field(by.type), field(sign(null, body, by.privateKey))]);
  const sha256 = (content: Uint8Array | string): Buffer => createHash("sha256").update(content).digest();
  const trailer = Buffer.from([flags, 0, 0, 0, 9]);
  const raw = sign(null, Buffer.concat([sha256(by.application), trailer, sha256(body)]), by.privateKey);
  return Buffer.concat([field(by.type), field(raw), trailer]);
}

for (const [name, key] of [
  ["sk-ssh-ed25519", ed25519Signer("ssh:")],
  ["sk-ecdsa", ecdsaSkSigner()],
] as const) {
  test(`verifies certificates of ${name} keys by plain and by security key authorities, as ssh-keygen does`, async (t) => {
    const folder = tempFolder(t);
    for (const authority of [ed25519Signer(), ed25519Signer("ssh:")]) {
      const publicKey = certificateBytes(key, authority, []);
      const signature = Buffer.from(sshSig(key, PAYLOAD, { publicKey, flags: 5 }));
      const allowed = `* cert-authority ${authority.line}\n`;
      assert.equal(openSshAccepts(folder, allowed, signature), true);
      const found = await verify(allowed, signature);
      assert.equal(outcome(found), "ada@example.com", JSON.stringify(found));
      assert.deepEqual(found.signer?.hardware, { touch: true, pin: true });
    }
  });

  test(`asks for the PIN of ${name} where its certificate requires it`, async () => {
    const authority = ed25519Signer();
    const publicKey = certificateBytes(key, authority, ["verify-required"]);
    const allowed = `* cert-authority ${authority.line}\n`;
    const by = (flags: number) => verify(allowed, sshSig(key, PAYLOAD, { publicKey, flags }));
    assert.deepEqual([outcome(await by(5)), outcome(await by(1))], ["ada@example.com", "pin-required"]);
  });
}

const GREATEST = 2n ** 64n - 1n;
for (const [what, window, expected] of [
  ["from the beginning to the end of time", [0n, GREATEST], "ada@example.com"],
  ["until the beginning of time", [0n, 0n], "key-expired"],
  ["from the end of time on", [GREATEST, GREATEST], "key-not-yet-valid"],
  ["until a time that no calendar holds", [0n, GREATEST - 1n], "ada@example.com"],
] as const) {
  test(`a certificate that is valid ${what} is judged as by ssh-keygen`, async (t) => {
    const [key, authority] = [ed25519Signer(), ed25519Signer()];
    const publicKey = certificateBytes(key, authority, [], 1, [...window]);
    const signature = Buffer.from(sshSig(key, PAYLOAD, { publicKey }));
    const allowed = `* cert-authority ${authority.line}\n`;
    assert.equal(outcome(await verify(allowed, signature)), expected);
    assert.equal(openSshAccepts(tempFolder(t), allowed, signature), expected === "ada@example.com");
  });
}

test("verifies a commit that git signed with a certificate", async (t) => {
  const { folder, ca, key } = signed(t);
  copyFileSync(`${key.path}-cert.pub`, join(folder, "signing-cert.pub"));
  copyFileSync(key.path, join(folder, "signing"));
  assert.ok(readFileSync(join(folder, "signing-cert.pub"), "utf8").startsWith("ssh-ed25519-cert-v01@openssh.com "));
  const source = await repository(t);
  const id = source.commit({ files: { a: "1" }, signWith: join(folder, "signing-cert.pub") });
  const verifier = await openVerifier(readAllowedSigners(`* cert-authority ${ca.line}\n`, "signers"), "sha1");
  const commit = parseCommit(commitId(id), readCommit(source.path, id), "sha1");
  assert.equal(outcome(await verifier.verify(commit, { instant: AT, basis: "now" })), "ada@example.com");
});

test("a certified key is judged by the trust of today, and nothing but the same names and owner counts", (t) => {
  const folder = tempFolder(t);
  const ca = sshKeyPair(folder, "ca");
  const key = sshKeyPair(folder, "ada");
  const read = sshKeyFromLine(key.line);
  const fingerprint = read.kind === "key" ? read.fingerprint : "";
  const trust = readAllowedSigners(`*@example.com cert-authority,valid-before="20270101Z" ${ca.line}\n`, "f");
  const authority = trust.sshAuthorities?.[0]?.fingerprint ?? "";
  const given = { authority, principals: ["ada@example.com"], from: FIRST, until: AFTER - 1000 };
  const ask = (change: object = {}, more: object = {}, at = AT, owner = "ada@example.com") =>
    objectionToCertified({ owner, fingerprint }, { ...given, ...change }, { ...trust, ...more }, at, "x")?.reason ??
    "counts";
  assert.equal(ask(), "counts");
  assert.equal(ask({ authority: fingerprint }), "unknown-signer");
  assert.equal(ask({ principals: ["ada@example.org"] }), "unknown-signer");
  assert.equal(ask({ principals: [] }), "unknown-signer");
  assert.equal(ask({}, {}, AT, "jo@example.com"), "unknown-signer");
  assert.equal(ask({}, { sshAuthorities: [] }), "unknown-signer");
  assert.equal(ask({}, {}, FIRST - 1), "key-not-yet-valid");
  assert.equal(ask({}, {}, AFTER - 1000), "key-expired");
  assert.equal(ask({ until: null }, {}, AFTER + 1000), "key-expired", "the time of the authority itself");
  assert.equal(ask({}, { revokedKeys: [authority] }), "key-revoked");
  assert.equal(ask({}, { revokedKeys: [fingerprint] }), "key-revoked");
  const owner = { ...trust.owners[0], id: "ada", class: "person", emails: [], left: null } as unknown as Owner;
  const lost = { from: null, until: null, revoked: { at: BEFORE, reason: "compromised" }, touch: false } as const;
  const listed = { format: "ssh", owner, fingerprint, terms: lost } as unknown as TrustedKey;
  assert.equal(ask({}, { keys: [listed] }), "key-revoked");
});
