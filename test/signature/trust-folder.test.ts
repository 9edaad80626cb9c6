import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { z } from "zod";
import type { Code } from "../../src/lib/codes.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import { peopleSchema } from "../../src/signature/people-schema.ts";
import type { Trust } from "../../src/signature/trust.ts";
import { readTrustFolder } from "../../src/signature/trust-folder.ts";
import { openVerifier } from "../../src/signature/verify.ts";
import { commitOf, GpgHome, NOW, PAYLOAD, signedRaw, sshKeyPair, trustOf } from "../support/signing.ts";
import { ed25519Signer, sshSig } from "../support/sshsig.ts";
import { tempFolder } from "../support/temp.ts";

const cleanups: (() => void)[] = [];
after(() => {
  for (const cleanup of cleanups) cleanup();
});
const gpg = new GpgHome({ after: (cleanup) => void cleanups.unshift(cleanup) });
const adaPgp = gpg.export(gpg.key("Ada <ada@example.com>", "ed25519"));
const forgePgp = gpg.export(gpg.key("Forge <noreply@forge.example>", "ed25519"));
const [ada, ada2, jo, max] = [ed25519Signer(), ed25519Signer("ssh:"), ed25519Signer(), ed25519Signer()];
const ca = ed25519Signer();

const FORMS = `
change: {count: 2, roles: [security]}
people:
  ada:
    email: [Ada@Example.com]
    accounts: {github: ada-l}
    roles: [platform, security]
    keys: [${ada.line} ada, {file: keys/ada.asc, from: 2026-01-01, until: 2027-01-31}, {ssh: ${ada2.line}, revoked: {at: 2026-05-01, reason: compromised}, touch: true}]
  jo: {email: [jo@example.com], roles: [security], keys: [${jo.line} jo]}
  max: {email: [max@example.com], keys: [${max.line} max], left: 2026-10-01}
robots:
  renovate: {forge: github, email: [bot@example.com], may: [image]}
forges:
  github: {keys: [keys/github.asc], may: [squash, merge]}
`;

function folder(people: string, files: Record<string, Uint8Array | string> = {}): Map<string, Uint8Array> {
  const all = {
    "keys/ada.asc": adaPgp,
    "keys/github.asc": forgePgp,
    "keys/ada.pub": ada.line,
    ...files,
    "people.yaml": people,
  };
  return new Map(Object.entries(all).map(([path, content]) => [path, new Uint8Array(Buffer.from(content))]));
}

function read(people: string, revokedKeys: readonly string[] = []): Promise<Trust> {
  return readTrustFolder(folder(people), { revokedKeys, folder: "trust/" });
}

test("reads the documented form into owners, keys and terms", async () => {
  const trust = await read(FORMS);
  assert.deepEqual(trust.change, { count: 2, roles: ["security"] });
  assert.deepEqual(
    trust.owners.map((owner) => [owner.id, owner.class]),
    [
      ["ada", "person"],
      ["jo", "person"],
      ["max", "person"],
      ["renovate", "robot"],
      ["github", "forge"],
    ],
  );
  const [first, second, third] = trust.keys;
  assert.deepEqual(first?.owner.emails, ["ada@example.com"]);
  assert.deepEqual(first?.owner.accounts, { github: "ada-l" });
  assert.equal(second?.format, "openpgp");
  assert.deepEqual(second?.terms.until, Date.parse("2027-01-31T00:00:00Z"));
  assert.deepEqual(third?.terms.revoked, { at: Date.parse("2026-05-01T00:00:00Z"), reason: "compromised" });
  assert.equal(third?.terms.touch, true);
  assert.deepEqual(trust.owners.find((owner) => owner.id === "github")?.mayCarry, ["squash", "merge"]);
  assert.match(trust.digest, /^[0-9a-f]{64}$/);
});

test("the digest follows people.yaml, the files it names and the keys taken away, and nothing else", async () => {
  const { digest } = await read(FORMS);
  assert.equal((await readTrustFolder(folder(FORMS, { "README.md": "x" }), { revokedKeys: [] })).digest, digest);
  assert.notEqual((await read(`${FORMS}\n`)).digest, digest);
  assert.notEqual(
    (await readTrustFolder(folder(FORMS, { "keys/ada.asc": `x\n${adaPgp}` }), { revokedKeys: [] })).digest,
    digest,
  );
  assert.notEqual((await read(FORMS, [`SHA256:${"A".repeat(43)}`])).digest, digest);
});

interface Wrong {
  readonly name: string;
  readonly people: string;
  readonly code: Code;
  readonly line: number | null;
  readonly message?: RegExp;
}

function person(rest: string): string {
  return `people:\n  ada:\n    email: [ada@example.com]\n    ${rest}\n`;
}

const WRONG: readonly Wrong[] = [
  {
    name: "an unknown key of a person",
    people: person("keys: []\n    role: [x]"),
    code: "trust-invalid",
    line: 5,
    message: /did you mean "roles"/,
  },
  {
    name: "an unknown key of a key",
    people: person(`keys: [{ssh: ${ada.line}, untill: 2027-01-01}]`),
    code: "trust-invalid",
    line: 4,
    message: /untill/,
  },
  {
    name: "a time without zone",
    people: person("keys: []\n    left: 2026-10-01T10:00:00"),
    code: "trust-invalid",
    line: 5,
    message: /UTC/,
  },
  {
    name: "a key that counts at no time",
    people: person(`keys: [{ssh: ${ada.line}, from: 2027-01-01, until: 2027-01-01}]`),
    code: "trust-invalid",
    line: 4,
    message: /until: is later than from/,
  },
  {
    name: "an authority that counts at no time",
    people: `${person("keys: []")}\nauthorities:\n  ca: {ssh: ${ada.line}, email: ["*"], from: 2027-01-01, until: 2026-01-01}`,
    code: "trust-invalid",
    line: 7,
    message: /until: is later than from/,
  },
  {
    name: "a day that does not exist",
    people: person("keys: []\n    left: 2026-02-31"),
    code: "trust-invalid",
    line: 5,
  },
  {
    name: "file and ssh together",
    people: person(`keys: [{ssh: ${ada.line}, file: keys/ada.asc}]`),
    code: "trust-invalid",
    line: 4,
    message: /either file or ssh/,
  },
  {
    name: "an id twice",
    people: "people:\n  ada: {email: [a@b.c], keys: []}\n  ada: {email: [d@b.c], keys: []}\n",
    code: "trust-invalid",
    line: 3,
  },
  {
    name: "an id in two classes",
    people: "people:\n  ada: {email: [a@b.c], keys: []}\nrobots:\n  ada: {email: [d@b.c], may: []}\n",
    code: "trust-invalid",
    line: 4,
    message: /already/,
  },
  {
    name: "an e-mail of two people, in other letters",
    people: "people:\n  ada: {email: [a@b.c], keys: []}\n  jo: {email: [A@B.c], keys: []}\n",
    code: "trust-invalid",
    line: 3,
    message: /a@b.c is already ada's/,
  },
  {
    name: "an account of two people",
    people:
      "people:\n  ada: {email: [a@b.c], accounts: {github: x}, keys: []}\n  jo: {email: [d@b.c], accounts: {github: x}, keys: []}\n",
    code: "trust-invalid",
    line: 3,
  },
  {
    name: "a robot of a forge that is not listed",
    people: "people: {}\nrobots:\n  bot: {forge: gitlab, email: [d@b.c], may: []}\n",
    code: "trust-invalid",
    line: 3,
    message: /gitlab is not listed/,
  },
  {
    name: "a forge permission that does not exist",
    people: `people: {}\nforges:\n  github: {keys: [keys/github.asc], may: [approve]}\n`,
    code: "trust-invalid",
    line: 3,
  },
  {
    name: "an unknown key of an SSH authority",
    people: `${FORMS}authorities:\n  ca: {ssh: ${ca.line}, emails: ["*"]}\n`,
    code: "trust-invalid",
    line: 16,
  },
  {
    name: "an SSH authority without names that it may certify",
    people: `${FORMS}authorities:\n  ca: {ssh: ${ca.line}, email: []}\n`,
    code: "trust-invalid",
    line: 16,
  },
  {
    name: "an SSH authority whose key is a person's",
    people: `${FORMS}authorities:\n  ca: {ssh: ${jo.line}, email: ["*"]}\n`,
    code: "trust-key-shared",
    line: 16,
    message: /already listed for jo/,
  },
  {
    name: "an SSH authority whose key is none",
    people: `${FORMS}authorities:\n  ca: {ssh: ssh-ed25519 AAAA, email: ["*"]}\n`,
    code: "trust-key-invalid",
    line: 16,
  },
  {
    name: "a list of revoked keys that is not there",
    people: `${FORMS}authorities:\n  ca: {ssh: ${ca.line}, email: ["*"], revocations: revoked}\n`,
    code: "trust-file-missing",
    line: 16,
  },
  {
    name: "a day for SHA-1 beside an SSH key",
    people: person(`keys: [{ssh: ${ada.line}, sha1Until: 2020-01-01}]`),
    code: "trust-invalid",
    line: 4,
    message: /sha1Until for an OpenPGP key only/,
  },
  {
    name: "a day for SHA-1 beside a file with an SSH key",
    people: person("keys: [{file: keys/ada.pub, sha1Until: 2020-01-01}]"),
    code: "trust-invalid",
    line: 4,
    message: /sha1Until is for OpenPGP keys only/,
  },
  {
    name: "a day for SHA-1 that is none",
    people: person("keys: [{file: keys/ada.asc, sha1Until: 2020-02-30}]"),
    code: "trust-invalid",
    line: 4,
  },
  {
    name: "a path out of the folder",
    people: person("keys: [{file: ../ada.asc}]"),
    code: "trust-file-outside",
    line: 4,
  },
  { name: "an absolute path", people: person("keys: [/etc/ada.asc]"), code: "trust-file-outside", line: 4 },
  { name: "a path with a dot part", people: person("keys: [keys/./ada.asc]"), code: "trust-file-outside", line: 4 },
  { name: "a file that is not there", people: person("keys: [keys/jo.asc]"), code: "trust-file-missing", line: 4 },
  { name: "a key that is none", people: person('keys: ["ssh-ed25519 AAAA ada"]'), code: "trust-key-invalid", line: 4 },
  {
    name: "one key of two people",
    people: `people:\n  ada: {email: [a@b.c], keys: [${ada.line} ada]}\n  jo: {email: [d@b.c], keys: [${ada.line} jo]}\n`,
    code: "trust-key-shared",
    line: 3,
    message: /already listed for ada/,
  },
  {
    name: "one key of a person and a forge",
    people: `people:\n  ada: {email: [a@b.c], keys: [keys/github.asc]}\nforges:\n  github: {keys: [keys/github.asc], may: []}\n`,
    code: "trust-key-shared",
    line: 4,
  },
  { name: "malformed YAML", people: "people: [\n", code: "trust-invalid", line: 2 },
];

for (const { name, people, code, line, message } of WRONG) {
  test(`refuses ${name} with its place`, async () => {
    await assert.rejects(read(people), (error) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.code, code, error.message);
      assert.equal(error.position?.file, "trust/people.yaml");
      assert.equal(error.position?.line, line, error.message);
      if (message !== undefined) assert.match(error.message, message);
      return true;
    });
  });
}

test("refuses a folder without people.yaml, and a private key", async () => {
  await assert.rejects(readTrustFolder(new Map(), { revokedKeys: [] }), { code: "trust-missing" });
  const secret = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n";
  const people = { people: { ada: { email: ["a@b.c"], keys: ["a.asc"] } } };
  await assert.rejects(trustOf(people, { "a.asc": secret }), { code: "trust-key-invalid" });
});

test("refuses to take away anything but a whole fingerprint", async () => {
  for (const text of ["0xDEADBEEF", "SHA256:abc", "", "ada"]) {
    await assert.rejects(read(FORMS, [text]), { code: "revoked-key-invalid" });
  }
});

async function outcome(people: string, at: string, by = ada, revokedKeys: readonly string[] = []): Promise<string> {
  const verifier = await openVerifier(await read(people, revokedKeys), "sha1");
  const commit = commitOf(signedRaw(sshSig(by, PAYLOAD)));
  const found = await verifier.verify(commit, { instant: Date.parse(at), basis: "receipt" });
  if (found.kind === "verified") return "verified";
  assert.notEqual(found.signer, null);
  return found.reason;
}

test("judges from, until, left and revocations at the instant alone", async () => {
  const listed = (terms: string): string => person(`keys: [{ssh: ${ada.line}, ${terms}}]`);
  const window = listed("from: 2026-01-01, until: 2026-07-01");
  assert.equal(await outcome(window, "2025-12-31T23:59:59.999Z"), "key-not-yet-valid");
  assert.equal(await outcome(window, "2026-01-01T00:00:00Z"), "verified");
  assert.equal(await outcome(window, "2026-06-30T23:59:59.999Z"), "verified");
  assert.equal(await outcome(window, "2026-07-01T00:00:00Z"), "key-expired");
  const ended = listed("until: 2026-11-10");
  assert.equal(await outcome(ended, "2026-11-09T23:59:59.999Z"), "verified");
  assert.equal(await outcome(ended, "2026-11-10T00:00:00Z"), "time-not-proven", "the commit says 1 November");
  const compromised = listed("revoked: {at: 2026-05-01, reason: compromised}");
  assert.equal(await outcome(compromised, "2026-01-01"), "key-revoked");
  for (const reason of ["superseded", "retired"]) {
    const soft = listed(`revoked: {at: 2026-05-01, reason: ${reason}}`);
    assert.equal(await outcome(soft, "2026-04-30"), "verified");
    assert.equal(await outcome(soft, "2026-05-01"), "key-revoked");
  }
  const left = person(`left: 2026-10-01\n    keys: [${ada.line}]`);
  assert.equal(await outcome(left, "2026-09-30"), "verified");
  assert.equal(await outcome(left, "2026-10-01"), "signer-left");
});

test("a key that the operator took away verifies nothing, whenever it signed", async () => {
  const trust = await read(person(`keys: [${ada.line}]`));
  const fingerprint = trust.keys[0]?.fingerprint ?? "";
  assert.equal(await outcome(person(`keys: [${ada.line}]`), "2020-01-01", ada, [fingerprint]), "key-revoked");
});

test("a certificate stands for the one person or robot whose address it names, under an authority that may give it", async (t) => {
  const home = tempFolder(t);
  const [authority, key] = [sshKeyPair(home, "ca"), sshKeyPair(home, "laptop", "ecdsa", 256)];
  const judged = async (names: string, rest = "", files: Record<string, string> = {}): Promise<string> => {
    spawnSync("ssh-keygen", ["-q", "-s", authority.path, "-I", "id", "-n", names, `${key.path}.pub`]);
    const args = ["-Y", "sign", "-q", "-n", "git", "-f", `${key.path}-cert.pub`];
    const signature = spawnSync("ssh-keygen", args, { input: PAYLOAD }).stdout;
    const people = `${FORMS}authorities:\n  ca: {ssh: ${authority.line}, email: ["*@example.com", "!max@*"]${rest}}\n`;
    const trust = await readTrustFolder(folder(people, files), { revokedKeys: [] });
    const found = await (await openVerifier(trust, "sha1")).verify(commitOf(signedRaw(signature)), NOW);
    return found.kind === "verified" ? `${found.signer.class} ${found.signer.person}` : found.reason;
  };
  assert.equal(await judged("ADA@example.com"), "person ada");
  assert.equal(await judged("bot@example.com"), "robot renovate");
  assert.equal(await judged("ada@example.com,someone@example.com"), "person ada");
  assert.equal(await judged("ada@example.com,jo@example.com"), "unknown-signer");
  assert.equal(await judged("nobody@example.com"), "unknown-signer");
  assert.equal(await judged("max@example.com"), "unknown-signer");
  assert.equal(await judged("ada@example.com", ", until: 2026-01-01"), "key-expired");
  assert.equal(await judged("ada@example.com", ", touch: true"), "touch-required");
  assert.equal(await judged("ada@example.com", ", revocations: gone", { gone: `${key.line}\n` }), "key-revoked");
  assert.equal(await judged("ada@example.com", ", revocations: gone", { gone: `${authority.line}\n` }), "key-revoked");
  assert.equal(await judged("ada@example.com", ", revocations: gone", { gone: "# nobody yet\n" }), "person ada");
});

test("a key that is listed as compromised verifies nothing with a certificate either", async (t) => {
  const home = tempFolder(t);
  const [authority, key] = [sshKeyPair(home, "ca"), sshKeyPair(home, "laptop")];
  spawnSync("ssh-keygen", ["-q", "-s", authority.path, "-I", "id", "-n", "lin@example.com", `${key.path}.pub`]);
  const args = ["-Y", "sign", "-q", "-n", "git", "-f", `${key.path}-cert.pub`];
  const signature = spawnSync("ssh-keygen", args, { input: PAYLOAD }).stdout;
  for (const [revoked, expected] of [
    ["", "verified"],
    [", revoked: {at: 2026-05-01, reason: compromised}", "key-revoked"],
  ] as const) {
    const lin = `  lin: {email: [lin@example.com], keys: [{ssh: ${key.line}${revoked}}]}`;
    const people = `people:\n${lin}\nauthorities:\n  ca: {ssh: ${authority.line}, email: ["*@example.com"]}\n`;
    const verifier = await openVerifier(await read(people), "sha1");
    const found = await verifier.verify(commitOf(signedRaw(signature)), NOW);
    assert.equal(found.kind === "verified" ? found.kind : found.reason, expected);
  }
});

test("a removed person's signature is that of nobody", async () => {
  const verifier = await openVerifier(await read("people: {}\n"), "sha1");
  const found = await verifier.verify(commitOf(signedRaw(sshSig(ada, PAYLOAD))), { instant: 0, basis: "receipt" });
  assert.equal(found.kind === "rejected" && found.reason, "unknown-signer");
});

test("the schema exports to JSON Schema for editors", () => {
  const schema = z.toJSONSchema(peopleSchema, { io: "input" });
  assert.deepEqual(Object.keys(schema.properties ?? {}), [
    "change",
    "people",
    "robots",
    "forges",
    "authorities",
    "sha1Until",
  ]);
});
