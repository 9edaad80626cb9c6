import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { configCheckSchema } from "../../src/cli/reports/schemas.ts";
import { generateNoteKey } from "../../src/log/note.ts";
import { makeAuthority, makeCertificate } from "../server/http/certificates.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

const LOG = generateNoteKey("gate.example/log", new Uint8Array(32).fill(1));
const RELEASE = generateNoteKey("gate.example/release", new Uint8Array(32).fill(2));
const AGENT = generateNoteKey("prod-1", new Uint8Array(32).fill(3));
const SLUICE = "version: 1\ntargets:\n  prod: {branch: main, path: prod}\n";
const GATE = `version: 1
repositories: {shop: {url: ../shop.git}}
targets: {prod: {repository: shop, branch: main, channels: [{directory: out}], agents: ["${AGENT.vkey}"]}}
log: {store: "sqlite:data/log.db", origin: gate.example/log, key: {file: log.key}}
release: {key: {file: release.key}}
`;
const AGENT_YAML = `version: 1
target: prod
channel: {directory: out}
apply: {files: www}
name: prod-1
key: {file: agent.key}
log: {origin: gate.example/log, keys: ["${LOG.vkey}"]}
releaseKeys: ["${RELEASE.vkey}"]
state: state
`;

/** A folder in which everything is right, except what `files` says otherwise. */
function scene(t: TestContext, files: Readonly<Record<string, string | null>> = {}): string {
  const folder = tempFolder(t);
  const ada = makeSshKey(folder, "ada");
  const all: Record<string, string | null> = {
    "sluice.yaml": SLUICE,
    "trust/people.yaml": `people:\n  ada: {email: [ada@example.com], keys: [${ada.line}]}\n`,
    "policies/one.rego": "package one\n",
    "gate.yaml": GATE,
    "agent.yaml": AGENT_YAML,
    "log.key": `${LOG.skey}\n`,
    "release.key": `${RELEASE.skey}\n`,
    "agent.key": `${AGENT.skey}\n`,
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: path.endsWith(".key") ? 0o600 : 0o644 });
  }
  return folder;
}

async function check(folder: string, args: readonly string[] = ["--config", "gate.yaml", "--agent", "agent.yaml"]) {
  const run = await runSluice(["config", "check", "--format", "json", ...args], { cwd: folder });
  const { remarks, exitCode } = configCheckSchema.parse(JSON.parse(run.stdout));
  assert.equal(run.code, exitCode);
  return { code: run.code, remarks, failed: remarks.filter((one) => one.state === "FAIL").map((one) => one.code) };
}

test("config check says of each file that it can be used, and exits 0", async (t) => {
  const { code, remarks } = await check(scene(t));
  assert.deepEqual([code, remarks.filter((one) => one.state !== "ok")], [0, []]);
  const named = remarks.map((one) => one.what);
  for (const file of [
    "sluice.yaml",
    "trust/",
    "waivers.yaml",
    "policies/",
    "gate.yaml",
    "log.key",
    "release.key",
    "agent.yaml",
    "agent.key",
  ]) {
    assert.ok(named.includes(file), file);
  }
});

test("config check shows a misspelt key with its line and the nearest known one, and exits 2", async (t) => {
  const folder = scene(t, { "sluice.yaml": SLUICE.replace("branch", "brnach") });
  const run = await runSluice(["config", "check"], { cwd: folder });
  assert.equal(run.code, 2);
  assert.match(run.stdout, /^FAIL {2}sluice\.yaml {2}configuration-invalid: /);
  assert.match(run.stdout, /^ {6}sluice\.yaml:3:10 unknown key "brnach"; did you mean "branch"\?$/m);
  assert.match(run.stdout, /^ {6}fix {2}/m);
});

test("config check reports every wrong file, not only the first", async (t) => {
  const folder = scene(t, {
    "trust/people.yaml": "people: {ada: {email: [ada], keys: []}}\n",
    "waivers.yaml": "- {rule: x}\n",
    "policies/one.rego": null,
    "gate.yaml": GATE.replace("repository: shop", "repository: shpo"),
    "agent.yaml": AGENT_YAML.replace("state: state", "stat: state"),
  });
  const { code, failed } = await check(folder);
  const expected = [
    "trust-invalid",
    "waivers-invalid",
    "no-policies",
    "gate-configuration-invalid",
    "agent-configuration-invalid",
  ];
  assert.deepEqual([code, failed], [2, expected]);
});

test("config check refuses keys that others can read, that are missing, or are no keys", async (t) => {
  const folder = scene(t, { "release.key": null, "agent.key": "hello\n" });
  chmodSync(join(folder, "log.key"), 0o644);
  const { failed } = await check(folder);
  assert.deepEqual(failed, ["secret-readable-by-others", "secret-missing", "note-key-invalid"]);
});

test("config check refuses keys with another name, and one key for two uses", async (t) => {
  const other = await check(scene(t, { "log.key": `${RELEASE.skey}\n`, "agent.key": `${LOG.skey}\n` }));
  assert.deepEqual(other.failed, ["log-origin-mismatch", "gate-configuration-invalid", "agent-key-name"]);
});

test("config check reads keys from the environment where the file says so", async (t) => {
  const folder = scene(t, { "gate.yaml": GATE.replace("{file: log.key}", "{env: LOG_KEY}") });
  const args = ["config", "check", "--config", "gate.yaml"];
  const run = await runSluice(args, { cwd: folder, env: { LOG_KEY: LOG.skey } });
  assert.equal(run.code, 0, run.stdout);
  assert.equal((run.stdout + run.stderr).includes("PRIVATE"), false);
  const unset = await runSluice(args, { cwd: folder });
  assert.match(unset.stdout, /FAIL {2}\$LOG_KEY .*secret-missing: /);
});

test("config check holds the branches of gate.yaml and sluice.yaml together", async (t) => {
  const { failed } = await check(scene(t, { "gate.yaml": GATE.replace("branch: main", "branch: release") }));
  assert.deepEqual(failed, ["branch-mismatch"]);
});

test("config check does not follow links, as the judge does not", async (t) => {
  const folder = scene(t, { "sluice.yaml": null, "real.yaml": SLUICE });
  symlinkSync("real.yaml", join(folder, "sluice.yaml"));
  assert.deepEqual((await check(folder, [])).failed, ["configuration-absent"]);
  const other = scene(t, {
    "trust/people.yaml": null,
    "policies/one.rego": null,
    "real/people.yaml": "people: {}\n",
    "real/one.rego": "package one\n",
  });
  for (const name of ["trust", "policies"]) symlinkSync("real", join(other, name));
  assert.deepEqual((await check(other, [])).failed, ["trust-missing", "no-policies"]);
});

test("config check of a gate's own machine needs no repository, but one that is named must be there", async (t) => {
  const folder = scene(t, { "sluice.yaml": null });
  assert.equal((await check(folder, ["--config", "gate.yaml"])).code, 0);
  assert.deepEqual((await check(folder, ["--config", "gate.yaml", "--repo", "."])).failed, ["configuration-absent"]);
  assert.deepEqual((await check(folder, ["--config", "gate.yml"])).failed, ["configuration-missing"]);
});

test("config schema prints JSON Schemas that accept what is right and refuse what is misspelt", async (t) => {
  const one = await runSluice(["config", "schema", "sluice"]);
  const schema = z.fromJSONSchema(JSON.parse(one.stdout));
  const right = { version: 1, targets: { prod: { branch: "main", path: "prod" } } };
  assert.equal(schema.safeParse(right).success, true);
  assert.equal(schema.safeParse({ ...right, polices: "x" }).success, false);
  const all = await runSluice(["config", "schema"]);
  assert.deepEqual(Object.keys(JSON.parse(all.stdout)), [
    "sluice",
    "gate",
    "agent",
    "witness",
    "people",
    "waivers",
    "baseline",
  ]);
  const wrong = await runSluice(["config", "schema", "sluise"], { cwd: tempFolder(t) });
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^usage {2}[\s\S]*fix {2}sluice config schema sluice/);
});

test("what only the service reads is looked at too: tokens, certificates, secrets of hints, the store", async (t) => {
  const gate = `${GATE.replace("url: ../shop.git", "url: ../shop.git, hint: {secret: {file: hint.key}}")}listen: {port: 0, tls: {certificate: old.crt, key: old.key}}
admission: {port: 0, target: prod, tls: {certificate: new.crt, key: old.key}}
access: {tokens: {file: tokens.yaml}}
`;
  const folder = scene(t, { "gate.yaml": gate, "hint.key": "short" });
  const wish = { subject: "/CN=gate", by: "ours", use: "serverAuth" } as const;
  makeAuthority(folder, "ours", "/CN=ours");
  makeCertificate(folder, "old", { ...wish, days: -1 });
  makeCertificate(folder, "new", wish);
  const first = await check(folder, ["--config", "gate.yaml"]);
  const of = (run: typeof first, what: string) => run.remarks.find((one) => one.what === what);
  assert.equal(of(first, "tokens.yaml")?.code, "secret-missing");
  assert.match(of(first, "tokens.yaml")?.fix ?? "", /^sluice token new --role operator --person NAME --file /);
  assert.match(
    of(first, "old.crt")?.message ?? "",
    /^The certificate of listen\.tls ended on \d{4}-\d\d-\d\d: nobody connects\.$/,
  );
  assert.equal(of(first, "new.crt")?.code, "gate-configuration-invalid", "the key is another one's");
  assert.equal(of(first, "hint secrets")?.code, "gate-configuration-invalid");
  assert.equal(first.code, 2);

  makeCertificate(folder, "old", { ...wish, days: 20 });
  const until = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
  const tokens = ["operator", "auditor"].map((role, at) => ({
    sha256: String(at).repeat(64),
    role,
    person: role,
    until,
  }));
  writeFileSync(join(folder, "tokens.yaml"), JSON.stringify({ version: 1, tokens }), { mode: 0o600 });
  writeFileSync(join(folder, "hint.key"), "x".repeat(24), { mode: 0o600 });
  writeFileSync(join(folder, "gate.yaml"), gate.replace("new.crt, key: old.key", "new.crt, key: new.key"));
  const later = await check(folder, ["--config", "gate.yaml"]);
  assert.deepEqual([later.failed, later.code], [[], 0]);
  assert.equal(of(later, "old.crt")?.state, "warn");
  assert.match(of(later, "new.crt")?.message ?? "", /^certificate of admission\.tls until /);
  const ends = `2 tokens; these end within 30 days: operator (operator) on ${until}, auditor (auditor) on ${until}.`;
  assert.equal(of(later, "tokens.yaml")?.message, ends);
  assert.equal(of(later, "hint secrets")?.message, "shop");

  writeFileSync(join(folder, "gate.yaml"), gate.replace("sqlite:", "mysql:"));
  assert.ok((await check(folder, ["--config", "gate.yaml"])).failed.includes("log-store-unknown"));
});
