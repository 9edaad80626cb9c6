import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { readAllowedSigners, readKeyring } from "../../src/signature/allowed-signers.ts";
import { matchesPatternList } from "../../src/signature/pattern.ts";
import { readRevokedSshKeys } from "../../src/signature/ssh-revoked.ts";
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

test("a bare public key is told which line it becomes with a principal before it", () => {
  const sayings: readonly (readonly [text: string, line: string])[] = [
    [key.line, `ada@example.com ${key.line}`],
    [`${key.line} jo@example.com\n`, `jo@example.com ${key.line}`],
    [`ada ${key.line}\n${other.line} her laptop\n`, `ada@example.com ${other.line}`],
  ];
  for (const [text, line] of sayings) {
    assert.throws(
      () => readAllowedSigners(text, "ada.pub"),
      (thrown) =>
        thrown instanceof SluiceError &&
        thrown.code === "signer-principal-missing" &&
        thrown.fix?.endsWith(`: ${line}`),
    );
    assert.equal(readAllowedSigners(line, "allowed_signers").keys.length, 1);
  }
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
  ["the first second of 1970", `ada valid-after="19700101Z" ${key.line}`, "allowed-signers-invalid"],
  ["a time before 1970", `ada valid-before="19691231Z" ${key.line}`, "allowed-signers-invalid"],
  ["an empty window", `ada valid-after="20260201",valid-before="20260101" ${key.line}`, "allowed-signers-invalid"],
  ["an open quote", `"ada ${key.line}`, "allowed-signers-invalid"],
  ["a line without key", "ada", "allowed-signers-invalid"],
  ["a damaged key", `ada ${key.line.slice(0, -4)}`, "allowed-signers-invalid"],
  ["an option that only begins like a known one", `ada namespacesx="git" ${key.line}`, "allowed-signers-invalid"],
  ["a comma after the last option", `ada namespaces="git", ${key.line}`, "allowed-signers-invalid"],
  ["an authority with a value", `ada cert-authority="yes" ${key.line}`, "allowed-signers-invalid"],
  ["an open quote in an option", `ada namespaces="git ${key.line}`, "allowed-signers-invalid"],
  ["a value without quotes", `ada namespaces=git ${key.line}`, "allowed-signers-invalid"],
  ["a certificate where a key belongs", `ada ssh-ed25519-cert-v01@openssh.com AAAA`, "allowed-signers-invalid"],
] as const satisfies readonly (readonly [string, string, Code])[]) {
  test(`refuses ${name} with its line`, () => {
    assert.throws(
      () => readAllowedSigners(`# first\njo ${other.line}\n${line}\n`, "signers"),
      (error) => error instanceof SluiceError && error.code === code && error.position?.line === 3,
    );
  });
}

test("a time without zone is reported with its line, one with a zone is not", () => {
  const text = `ada valid-after="20260101Z",valid-before="20270101" ${key.line}\njo valid-after="20260101utc" ${other.line}\n`;
  assert.deepEqual(readAllowedSigners(text, "signers").notes, [
    'signers:1 valid-before="20270101" has no zone and is read as UTC; OpenSSH reads it in the zone of the machine.',
  ]);
});

/** One line of anything that the grammar knows, and of much that it does not. */
const LINES = fc
  .record({
    principals: fc.constantFrom("ada", "*", "a?a", "jo", "ada,!ada", "!jo,*", '"ada,jo"', '"jo"', "ADA", "*a,!a*", '"'),
    options: fc.array(
      fc.constantFrom(
        'namespaces="git"',
        'NameSpaces="g*,!x"',
        'namespaces="file"',
        'namespaces=""',
        'namespaces="a\\"b,git"',
        'valid-after="20260101"',
        'valid-after="20270101Z"',
        'valid-before="20270101000000UTC"',
        'valid-before="202501010000z"',
        'valid-before="2027"',
        'valid-until="20270101"',
        "cert-authority",
        "no-such-option",
        "namespaces=git",
      ),
      { maxLength: 3 },
    ),
    gap: fc.constantFrom(" ", "\t", "  \t "),
    line: fc.constantFrom(key.line, key.line, key.line, other.line, `${key.line} a comment "of it"`),
    before: fc.constantFrom("", " ", "\t", "# "),
    after: fc.constantFrom("", "\r", " "),
  })
  .map(({ principals, options, gap, line, before, after }) =>
    [before + principals, ...(options.length === 0 ? [] : [options.join()]), line + after].join(gap),
  );

test("agrees with ssh-keygen -Y verify about generated lines, and is never the more lenient", async (t) => {
  const folder = tempFolder(t);
  const [list, file] = [join(folder, "allowed_signers"), join(folder, "signature")];
  writeFileSync(file, signature);
  const counts = { both: 0, neither: 0 };
  for (const line of fc.sample(LINES, { numRuns: 250, seed: 5 })) {
    writeFileSync(list, `${line}\n`);
    const args = ["-Y", "verify", "-n", "git", "-I", "ada", "-f", list, "-s", file, "-Overify-time=20260601000000Z"];
    const env = { ...process.env, TZ: "UTC" };
    const theirs = spawnSync("ssh-keygen", args, { input: PAYLOAD, env }).status === 0;
    assert.equal(await accepts(line), theirs, line);
    counts[theirs ? "both" : "neither"] += 1;
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.both > 20 && counts.neither > 20);
});

/** Whether the line lets ada sign commits on 1 June 2026. */
async function accepts(line: string): Promise<boolean> {
  try {
    const trust = readAllowedSigners(`${line}\n`, "allowed_signers");
    const verifier = await openVerifier(trust, "sha1");
    const at = { instant: Date.parse("2026-06-01T00:00:00Z"), basis: "now" } as const;
    const found = await verifier.verify(commitOf(signedRaw(signature)), at);
    return found.kind === "verified" && matchesPatternList("ada", found.signer.person);
  } catch (error) {
    assert.ok(error instanceof SluiceError && error.code === "allowed-signers-invalid", String(error));
    return false;
  }
}

test("agrees with ssh-keygen -Y find-principals about whose a key is", (t) => {
  const folder = tempFolder(t);
  const [list, file] = [join(folder, "allowed_signers"), join(folder, "signature")];
  writeFileSync(file, signature);
  for (const principals of ["ada", "ada,jo", '"ada@example.com,*@example.org"', "!max,ada"]) {
    const text = `max ${other.line}\n${principals} namespaces="git" ${key.line}\n`;
    writeFileSync(list, text);
    const answer = spawnSync("ssh-keygen", ["-Y", "find-principals", "-s", file, "-f", list]).stdout.toString();
    const owner = readAllowedSigners(text, "signers").keys[1]?.owner.principals ?? "";
    assert.deepEqual(answer.trim().split("\n"), owner.split(","));
  }
});

test("reads a plain list of revoked keys and refuses a KRL by name", (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, "key.pub"), `${key.line}\n`);
  const fingerprint = readAllowedSigners(`ada ${key.line}`, "f").keys[0]?.fingerprint;
  assert.deepEqual(readRevokedSshKeys(Buffer.from(`# lost\n\n${key.line} ada\r\n`), "revoked"), [fingerprint]);
  spawnSync("ssh-keygen", ["-q", "-k", "-f", join(folder, "krl"), join(folder, "key.pub")]);
  assert.throws(() => readRevokedSshKeys(readFileSync(join(folder, "krl")), "revoked"), { code: "not-supported" });
  assert.throws(
    () => readRevokedSshKeys(Buffer.from(`${key.line}\nserial: 1\n`), "revoked"),
    (error) => error instanceof SluiceError && error.code === "revoked-key-invalid" && error.position?.line === 2,
  );
});

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
