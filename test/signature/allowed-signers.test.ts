import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { readAllowedSigners, readKeyring } from "../../src/signature/allowed-signers.ts";
import { matchesPatternList } from "../../src/signature/pattern.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { commitOf, GpgHome, NOW, PAYLOAD, signedRaw, sshKeygenAccepts } from "../support/signing.ts";
import { ed25519Signer, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

const key = ed25519Signer();
const other = ed25519Signer();
const signature = Buffer.from(sshSig(key, PAYLOAD));

async function outcome(text: string, at: number = NOW.instant): Promise<string> {
  const verifier = await openVerifier(readAllowedSigners(text, "allowed_signers"), "sha1");
  const found = await verifier.verify(commitOf(signedRaw(signature)), { instant: at, basis: "now" });
  return found.kind === "verified" ? found.signer.person : found.reason;
}

test("reads comments, quotes, options in any case and several lines for one key", async () => {
  const text = `# people\n\n"ada@example.com,ada" NameSpaces="file,git" ${key.line} comment with spaces\njo@example.com ${other.line}\r\n`;
  const trust = readAllowedSigners(text, "allowed_signers");
  assert.deepEqual(
    trust.owners.map((owner) => owner.id),
    ["ada@example.com,ada", "jo@example.com"],
  );
  assert.deepEqual(trust.owners[0]?.emails, ["ada@example.com"]);
  assert.equal(await outcome(text), "ada@example.com,ada");
  assert.equal(await outcome(`max namespaces="file" ${key.line}\nada ${key.line}\n`), "ada");
  assert.equal(await outcome(`ada ${other.line}\n`), "unknown-signer");
});

for (const { options, at, expected } of [
  { options: "", at: "20260601", expected: "ada" },
  { options: 'namespaces="file"', at: "20260601", expected: "wrong-namespace" },
  { options: 'namespaces="g?t"', at: "20260601", expected: "ada" },
  { options: 'namespaces="*,!git"', at: "20260601", expected: "wrong-namespace" },
  { options: 'valid-after="20260601Z"', at: "20260531235959Z", expected: "key-not-yet-valid" },
  { options: 'valid-after="20260601Z"', at: "20260601000000Z", expected: "ada" },
  { options: 'valid-before="202606011230Z"', at: "20260601123000Z", expected: "ada" },
  { options: 'valid-before="202606011230Z"', at: "20260601123001Z", expected: "key-expired" },
  { options: 'valid-after="20260101",valid-before="20270101UTC"', at: "20260601000000Z", expected: "ada" },
] as const) {
  test(`agrees with ssh-keygen about ${options || "no options"} at ${at}`, async (t) => {
    const line = `ada ${options} ${key.line}\n`;
    const time = at.length === 8 ? `${at}000000Z` : at;
    const options2 = [`-Overify-time=${time}`];
    const accepted = sshKeygenAccepts(tempFolder(t), line, "ada", signature, PAYLOAD, options2);
    assert.equal(accepted, expected === "ada");
    const written = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(time)?.slice(1) ?? [];
    const [year, month, day, hour, minute, second] = written;
    const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    assert.equal(await outcome(line, instant), expected);
  });
}

test("a time without zone is UTC wherever the verdict is given", () => {
  const script = `
    import { readAllowedSigners } from ${JSON.stringify(new URL("../../src/signature/allowed-signers.ts", import.meta.url).href)};
    console.log(readAllowedSigners(${JSON.stringify(`ada valid-before="20270101" ${key.line}`)}, "f").keys[0].terms.until);`;
  const read = (zone: string): string =>
    spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TZ: zone },
    }).stdout.toString();
  assert.equal(read("UTC"), `${Date.parse("2027-01-01T00:00:00Z") + 1000}\n`);
  for (const zone of ["Asia/Tokyo", "America/New_York"]) assert.equal(read(zone), read("UTC"));
});

for (const [name, line, code] of [
  ["an unknown option", `ada valid-until="20270101" ${key.line}`, "allowed-signers-invalid"],
  ["an option twice", `ada namespaces="git",NAMESPACES="file" ${key.line}`, "allowed-signers-invalid"],
  ["an option without value", `ada namespaces ${key.line}`, "allowed-signers-invalid"],
  ["a time that does not exist", `ada valid-after="20260231" ${key.line}`, "allowed-signers-invalid"],
  ["an empty window", `ada valid-after="20260201",valid-before="20260101" ${key.line}`, "allowed-signers-invalid"],
  ["an open quote", `"ada ${key.line}`, "allowed-signers-invalid"],
  ["a line without key", "ada", "allowed-signers-invalid"],
  ["a damaged key", `ada ${key.line.slice(0, -4)}`, "allowed-signers-invalid"],
  ["a certificate authority", `*@example.com cert-authority ${key.line}`, "not-supported"],
] as const satisfies readonly (readonly [string, string, Code])[]) {
  test(`refuses ${name} with its line`, () => {
    assert.throws(
      () => readAllowedSigners(`# first\njo ${other.line}\n${line}\n`, "signers"),
      (error) => error instanceof SluiceError && error.code === code && error.position?.line === 3,
    );
  });
}

test("matches pattern lists as OpenSSH does", () => {
  assert.equal(matchesPatternList("ada@example.com", "*@example.com"), true);
  assert.equal(matchesPatternList("ada@example.com.evil", "*@example.com"), false);
  assert.equal(matchesPatternList("ada@example.com", "*@example.com,!ada@*"), false);
  assert.equal(matchesPatternList("ada@example.com", "!jo@*"), false);
  assert.equal(matchesPatternList("a".repeat(5000), `${"*a".repeat(50)}b`), false);
});

test("a keyring's certificates belong to the e-mail of their primary user id", async (t) => {
  const gpg = new GpgHome(t);
  const first = gpg.key("Ada <Ada@Example.com>", "ed25519");
  const second = gpg.key("Ada again <ada@example.com>", "ed25519");
  const trust = await readKeyring(gpg.export(first, second));
  assert.deepEqual(
    trust.owners.map((owner) => owner.id),
    ["ada@example.com"],
  );
  assert.equal(trust.keys.length, 2);
  const verifier = await openVerifier(trust, "sha1");
  const found = await verifier.verify(commitOf(signedRaw(gpg.sign(second, PAYLOAD))), NOW);
  assert.deepEqual([found.kind, found.signer?.person, found.signer?.key], ["verified", "ada@example.com", second]);
});

test("refuses what is no armoured keyring", async () => {
  for (const text of [
    "",
    "hello",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
  ]) {
    await assert.rejects(readKeyring(Buffer.from(text)), { code: "keyring-invalid" });
  }
});
