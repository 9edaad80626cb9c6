import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { trustCheckSchema, trustListSchema } from "../../src/cli/reports/schemas.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeSshKey } from "./ssh-key.ts";

const AT = ["--at", "2026-11-21"];

/** ada: platform and security; jo: security, key until 5 December; max left in October; a robot and a forge. */
function scene(
  t: TestContext,
  approvals: string,
  change = "",
): { folder: string; fingerprints: Record<string, string> } {
  const folder = tempFolder(t);
  const keys = Object.fromEntries(["ada", "jo", "max", "bot", "forge"].map((name) => [name, makeSshKey(folder, name)]));
  mkdirSync(join(folder, "trust"));
  const people = `${change}people:
  ada: {email: [ada@example.com], roles: [platform, security], keys: [${keys["ada"]?.line}]}
  jo: {email: [jo@example.com], roles: [security], keys: [{ssh: ${keys["jo"]?.line}, until: 2026-12-05}]}
  max: {email: [max@example.com], roles: [platform], keys: [${keys["max"]?.line}], left: 2026-10-01}
robots:
  bot: {email: [bot@example.com], may: [image], keys: [${keys["bot"]?.line}]}
forges:
  github: {keys: [${keys["forge"]?.line}], may: [squash]}
`;
  writeFileSync(join(folder, "trust", "people.yaml"), people);
  const target = `  prod: {branch: main, path: prod, approvals: ${approvals}}\n`;
  writeFileSync(join(folder, "sluice.yaml"), `version: 1\ntargets:\n${target}`);
  const fingerprints = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, key.fingerprint]));
  return { folder, fingerprints };
}

async function check(folder: string, at = AT) {
  const run = await runSluice(["trust", "check", "--format", "json", ...at], { cwd: folder });
  return { code: run.code, report: trustCheckSchema.parse(JSON.parse(run.stdout)) };
}

test("trust list shows everybody with keys as ssh-keygen names them, and why a key does not count", async (t) => {
  const { folder, fingerprints } = scene(t, "{count: 1}");
  const run = await runSluice(["trust", "list", "--format", "json", ...AT], { cwd: folder });
  const report = trustListSchema.parse(JSON.parse(run.stdout));
  assert.deepEqual(
    report.owners.map((owner) => [owner.class, owner.id]),
    [
      ["person", "ada"],
      ["person", "jo"],
      ["person", "max"],
      ["robot", "bot"],
      ["forge", "github"],
    ],
  );
  const keys = Object.fromEntries(report.owners.map((owner) => [owner.id, owner.keys[0]]));
  assert.equal(keys["ada"]?.fingerprint, fingerprints["ada"]);
  assert.deepEqual([keys["ada"]?.isUsable, keys["ada"]?.expiresOn], [true, null]);
  assert.deepEqual([keys["jo"]?.isUsable, keys["jo"]?.expiresOn], [true, "2026-12-05"]);
  assert.deepEqual([keys["max"]?.isUsable, keys["max"]?.reason], [false, "signer-left"]);
});

test("trust list in words fits the report and writes nothing unprintable", async (t) => {
  const { folder, fingerprints } = scene(t, "{count: 1}");
  const run = await runSluice(["trust", "list", ...AT], { cwd: folder });
  assert.equal(run.code, 0);
  assert.match(
    run.stdout,
    /^trust\/: 5 listed, 5 keys, as of .* \(information only\)\npeople\n {2}ada {2}platform, security {2}ada@example\.com\n/,
  );
  assert.ok(run.stdout.includes(`    ssh      ${fingerprints["max"]}  signer-left\n`));
  assert.ok(run.stdout.includes("robots\n  bot  may image  bot@example.com\n"));
  assert.ok(run.stdout.endsWith("governance files are changed with one other person\n"));
});

test("trust check names who could approve each target, the bus factor and what expires, and exits 0", async (t) => {
  const { folder, fingerprints } = scene(t, "{count: 1, roles: [security]}");
  const { code, report } = await check(folder);
  assert.equal(code, 0);
  const [prod, governance] = report.rules;
  assert.deepEqual([prod?.target, prod?.isMet, prod?.people.map((one) => one.id)], ["prod", true, ["ada", "jo"]]);
  assert.deepEqual([governance?.target, governance?.count, governance?.isMet], [null, 1, true]);
  assert.deepEqual(report.roles, [
    { role: "platform", people: ["ada"] },
    { role: "security", people: ["ada", "jo"] },
  ]);
  assert.deepEqual(report.expiring, [{ owner: "jo", fingerprint: fingerprints["jo"] ?? "", on: "2026-12-05" }]);
  const platform = report.remarks.find((one) => one.what === "role platform");
  assert.deepEqual([platform?.state, platform?.message], ["warn", "1 person (ada)"]);
});

test("trust check exits 1 when a target's count cannot be met", async (t) => {
  const { folder } = scene(t, "{count: 3}");
  const { code, report } = await check(folder);
  assert.deepEqual([code, report.rules[0]?.isMet], [1, false]);
  const words = await runSluice(["trust", "check", ...AT], { cwd: folder });
  assert.equal(words.code, 1);
  assert.match(
    words.stdout,
    /^FAIL {2}prod .*prod requires 3 people; 2 could approve, one more person is missing\.\n {6}fix /m,
  );
});

test("trust check exits 1 when nobody who is still there has a required role", async (t) => {
  const { folder } = scene(t, "{count: 1, roles: [legal]}");
  const { code, report } = await check(folder);
  assert.deepEqual([code, report.rules[0]?.isMet], [1, false]);
  assert.equal(report.roles.find((one) => one.role === "legal")?.people.length, 0);
});

test("trust check counts a person only while one of their keys counts", async (t) => {
  const { folder } = scene(t, "{count: 2}");
  const now = await check(folder);
  assert.deepEqual([now.code, now.report.rules[0]?.people.length], [0, 2]);
  const later = await check(folder, ["--at", "2026-12-05"]);
  assert.deepEqual([later.code, later.report.rules[0]?.people.map((one) => one.id)], [1, ["ada"]]);
  const earlier = await check(folder, ["--at", "2026-09-30"]);
  assert.deepEqual(
    earlier.report.rules[0]?.people.map((one) => one.id),
    ["ada", "jo", "max"],
  );
});

test("trust check holds the rule about governance files to the same people", async (t) => {
  const { folder } = scene(t, "{count: 0}", "change: {count: 3, roles: [security]}\n");
  const { code, report } = await check(folder);
  assert.equal(code, 1);
  assert.deepEqual(
    report.rules.map((rule) => [rule.target, rule.isMet]),
    [
      ["prod", true],
      [null, false],
    ],
  );
});

test("trust check counts nobody whose key is listed for other things than approvals", async (t) => {
  const { folder } = scene(t, "{count: 1}");
  const key = makeSshKey(folder, "key").line;
  writeFileSync(join(folder, "signers"), `ada@example.com namespaces="git" ${key}\n`);
  const args = ["trust", "check", "--trust", "signers", "--format", "json"];
  const run = await runSluice(args, { cwd: folder });
  assert.deepEqual([run.code, trustCheckSchema.parse(JSON.parse(run.stdout)).rules[0]?.people], [1, []]);
  writeFileSync(join(folder, "signers"), `ada@example.com namespaces="git,sluice-*" ${key}\n`);
  assert.equal((await runSluice(args, { cwd: folder })).code, 0);
});

test("trust list and check refuse a trust that cannot be read, with its code", async (t) => {
  const { folder } = scene(t, "{count: 1}");
  writeFileSync(join(folder, "trust", "people.yaml"), "people:\n  ada: {emial: [ada@example.com], keys: []}\n");
  for (const command of ["list", "check"]) {
    const run = await runSluice(["trust", command], { cwd: folder });
    assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [3, "", "trust-invalid"]);
    assert.match(run.stderr, /trust\/people\.yaml:2:.*unknown key "emial"; did you mean "email"\?/);
  }
});
