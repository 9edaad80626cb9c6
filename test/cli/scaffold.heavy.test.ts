/** What `policy new` and `waiver new` write is what the readers and the judge take at once. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { policyNewSchema, waiverNewSchema } from "../../src/cli/reports/schemas/scaffold.ts";
import { policyCheckSchema, policyTestSchema } from "../../src/cli/reports/schemas.ts";
import { readWaivers } from "../../src/decision/waiver.ts";
import { deployment } from "../support/shop.ts";
import { runSluice } from "../support/sluice.ts";
import { tempFolder } from "../support/temp.ts";
import { makeWorld, onlyTarget } from "../support/world.ts";
import { write } from "./policy-scene.ts";
import { makeSshKey } from "./ssh-key.ts";

async function json(folder: string, args: readonly string[]): Promise<unknown> {
  const run = await runSluice([...args, "--format", "json"], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, ""], `${args.join(" ")}: ${run.stdout}`);
  return JSON.parse(run.stdout);
}

async function refused(folder: string, args: readonly string[], code = "usage", exit = 2): Promise<string> {
  const run = await runSluice(args, { cwd: folder });
  assert.deepEqual([run.code, run.stdout, run.stderr.split("  ")[0]], [exit, "", code], args.join(" "));
  return run.stderr;
}

test("policy new writes a rule that passes policy check and policy test as it is, also by an awkward name", async (t) => {
  const folder = tempFolder(t);
  for (const name of ["no-latest", "default", "input"]) {
    const { files } = policyNewSchema.parse(await json(folder, ["policy", "new", name]));
    const inside = ["examples/allow/without.yaml", "examples/deny/with.yaml", "policy.rego", "policy_test.rego"];
    assert.deepEqual(
      files,
      inside.map((path) => `policies/${name}/${path}`),
    );
  }
  const checked = policyCheckSchema.parse(await json(folder, ["policy", "check"]));
  assert.deepEqual([checked.rules, checked.problems], [["default", "input", "no-latest"], []]);
  const { counts, examples } = policyTestSchema.parse(await json(folder, ["policy", "test"]));
  assert.deepEqual(counts, { passed: 15, failed: 0, skipped: 0 });
  assert.deepEqual([...new Set(examples.map(({ expected }) => expected))].sort(), ["allow", "deny"]);
});

test("policy new refuses a name that is none or taken, and writes through no link", async (t) => {
  const folder = tempFolder(t);
  await refused(folder, ["policy", "new", "../away"]);
  assert.match(await refused(folder, ["policy", "new", "k8s-privileged"]), /fix {2}sluice explain k8s-privileged/);
  mkdirSync(join(folder, "policies", "mine", "examples"), { recursive: true });
  writeFileSync(join(folder, "policies", "mine", "policy_test.rego"), "# mine\n");
  await refused(folder, ["policy", "new", "mine"]);
  assert.equal(existsSync(join(folder, "policies", "mine", "policy.rego")), false);
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync(join(folder, "elsewhere"), join(folder, "policies", "led"));
  assert.match(await refused(folder, ["policy", "new", "led"]), /policies\/led is a link/);
  assert.deepEqual(existsSync(join(folder, "elsewhere", "policy.rego")), false);
});

const NEW = ["waiver", "new", "k8s-privileged", "DaemonSet/falco/falco", "--owner", "ada", "--reason", "a: probe # 1"];

function shop(folder: string): string {
  const { line } = makeSshKey(folder, "ada");
  return write(folder, {
    "sluice.yaml": "version: 1\ntargets:\n  prod: {branch: main, path: prod}\n",
    "trust/people.yaml": `people:\n  ada: {email: [ada@example.com], keys: [${line}]}\n`,
    "waivers.yaml": "# exceptions\n[]\n",
  });
}

test("waiver new adds entries that the judge reads back exactly, and keeps what stood there", async (t) => {
  const folder = shop(tempFolder(t));
  const { waiver, file } = waiverNewSchema.parse(await json(folder, [...NEW, "--ticket", "SEC-12"]));
  const more = ["waiver", "new", "image-digest", "change", "--owner", "ada", "--reason", "[]", "--target", "prod"];
  await json(folder, more);
  const text = readFileSync(join(folder, file), "utf8");
  assert.match(text, /^# exceptions\n- rule: k8s-privileged\n {2}target: prod\n/);
  const read = readWaivers(text, file);
  assert.deepEqual(
    read.map(({ rule, resource, reason, ticket, owner }) => [rule, resource, reason, ticket, owner]),
    [
      ["k8s-privileged", "DaemonSet/falco/falco", "a: probe # 1", "SEC-12", "ada"],
      ["image-digest", "change", "[]", null, "ada"],
    ],
  );
  assert.equal(read[0]?.untilText, waiver.until);
  const days = ((read[0]?.until ?? 0) - Date.now()) / 86_400_000;
  assert.ok(days > 88 && days <= 90, `${days}`);
  assert.match(await refused(folder, NEW), /is waived for DaemonSet\/falco\/falco until/);
});

test("waiver new refuses what no judge would count, and then writes nothing", async (t) => {
  const folder = shop(tempFolder(t));
  const before = readFileSync(join(folder, "waivers.yaml"), "utf8");
  const changed = (at: number, word: string): string[] => NEW.map((one, index) => (index === at ? word : one));
  assert.match(await refused(folder, changed(2, "k8s-priviliged")), /fix {2}sluice waiver new k8s-privileged /);
  await refused(folder, changed(3, "falco"));
  assert.match(await refused(folder, changed(5, "adda")), /fix {2}--owner ada/);
  await refused(folder, NEW.slice(0, 6));
  await refused(folder, [...NEW, "--until", "2020-01-01"]);
  await refused(folder, [...NEW, "--until", "soon"]);
  await refused(folder, [...NEW, "--target", "production"], "target-unknown");
  await refused(folder, [...NEW, "--until", "2090-01-01"], "waiver-too-long", 1);
  assert.equal(readFileSync(join(folder, "waivers.yaml"), "utf8"), before);
  writeFileSync(join(folder, "waivers.yaml"), Buffer.from([0xff, 0xfe]));
  await refused(folder, NEW, "waivers-invalid", 3);
  writeFileSync(
    join(folder, "waivers.yaml"),
    "[{rule: a, target: prod, resource: b, reason: c, owner: d, until: 2020-01-01}]\n",
  );
  assert.notEqual((await runSluice(NEW, { cwd: folder })).code, 0);
  assert.equal(readFileSync(join(folder, "waivers.yaml"), "utf8").split("\n").length, 2);
});

test("a waiver that waiver new wrote lets the finding pass once it has landed", async (t) => {
  const world = await makeWorld(t, { target: { approvals: { count: 0 } } });
  const args = ["waiver", "new", "no-privileged", "Deployment/apps/web", "--owner", "ada", "--reason", "a probe"];
  const made = await world.sluice(args);
  assert.deepEqual([made.code, made.stderr], [0, ""]);
  world.push({ files: { "waivers.yaml": world.repo.read("waivers.yaml") } });
  const head = world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) } });
  const { report } = await world.preview(head);
  const { verdict, waivers } = onlyTarget(report);
  assert.deepEqual([verdict, waivers.map(({ rule, owner }) => [rule, owner])], ["allow", [["no-privileged", "ada"]]]);
});
