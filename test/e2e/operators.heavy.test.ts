/** What operators order, each with a token of their own: here, and of a service that runs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { startService } from "../support/service.ts";
import { deployment } from "../support/shop.ts";
import type { Scope } from "../support/temp.ts";
import { makeWorld, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const base = await makeWorld({ after }, { gate: { access: { tokens: { file: "tokens.yaml" } } } });
for (const [person, role, more] of [
  ["sam", "operator", []],
  ["jo", "operator", []],
  ["lin", "approver", []],
  ["max", "operator", ["--targets", "prod"]],
  ["root", "admin", []],
] as const) {
  const args = ["token", "new", "--role", role, "--person", person, "--config", "../gate.yaml", "--format", "json"];
  const { report } = await base.sluice<{ token: string }>([...args, ...more]);
  base.write(`${person}.token`, `${report.token}\n`, 0o600);
}

const HERE = ["--config", "../gate.yaml"];
const by = (person: string) => ["--token-file", `../${person}.token`];
const EMERGENCY = ["--emergency", "--reason", "the shop is down", "--ticket", "INC-77"];

/** A copy whose branch lacks approvals and breaks a rule. */
function broken(t: Scope): World {
  const world = base.copy(t);
  world.push({ files: { [WEB]: deployment("web", { privileged: true }) } });
  return world;
}

test("two operators with tokens of their own release in an emergency, and every output is loud", async (t) => {
  const world = broken(t);
  const first = await world.sluice(["release", "prod", ...EMERGENCY, ...HERE, ...by("sam")]);
  assert.equal(first.code, 4);
  assert.match(
    first.stderr,
    /^second-operator-needed {2}sam's word for [0-9a-f]{7} of prod is log \d+; it counts until/,
  );
  const { code, stdout, stderr } = await world.sluice(["release", "prod", ...EMERGENCY, ...HERE, ...by("jo")]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^EMERGENCY {2}prod {2}/);
  assert.match(stdout, /^emergency {2}sam: the shop is down \(INC-77\) {3}log \d+\nemergency {2}jo: /m);
  assert.match(stdout, /^stands in for\nno-privileged .*\n(?:.*\n)+approval-missing /m);
  assert.match(stdout, /^released {3}prod #1, 3 objects/m);
  const why = await world.sluice(["log", "why", "Deployment/apps/web", "--target", "prod", ...HERE]);
  assert.match(
    why.stdout,
    /^Deployment\/apps\/web is released in prod because sam and jo released it in an EMERGENCY; /,
  );
  const listed = await world.log<{ entries: { verdict: string }[] }>(["list", "--kind", "emergency"]);
  assert.deepEqual(
    listed.report.entries.map(({ verdict }) => verdict),
    ["allow", "wait"],
  );
  const lines = await world.sluice(["log", "list", "--kind", "decision", "--verdict", "allow", ...HERE]);
  assert.match(lines.stdout, /emergency-release/);
  const [index = ""] = /\d+/.exec(lines.stdout.trim().split("\n").at(0) ?? "") ?? [];
  const again = await world.sluice(["replay", index, ...HERE]);
  assert.match(again.stdout, /allow again, (\d+) of \1 parts byte for byte/);
});

test("who acts in an emergency is whom a token names, and only an operator", async (t) => {
  const world = broken(t);
  const ask = async (...args: readonly string[]) => {
    const { code, error } = await world.sluice(["release", "prod", ...args]);
    return [code, error];
  };
  assert.deepEqual(await ask(...EMERGENCY, ...HERE), [2, "usage"]);
  assert.deepEqual(await ask("--emergency", "--ticket", "I", ...HERE, ...by("sam")), [2, "usage"]);
  assert.deepEqual(await ask("--emergency", "--reason", "x", ...HERE, ...by("sam")), [2, "usage"]);
  assert.deepEqual(await ask("--reason", "x", ...HERE), [2, "usage"]);
  assert.deepEqual(await ask(...EMERGENCY, ...HERE, ...by("lin")), [1, "not-permitted"]);
  world.write("forged.token", `sluice_${"A".repeat(43)}\n`, 0o600);
  assert.deepEqual(await ask(...EMERGENCY, ...HERE, ...by("forged")), [1, "not-authenticated"]);
  world.configure("gate.yaml", () => ({ access: undefined }));
  assert.deepEqual(await ask(...EMERGENCY, ...HERE, ...by("sam")), [1, "person-needed"]);
  assert.deepEqual((await world.log<{ count: number }>(["list", "--kind", "emergency"])).report.count, 0);
});

test("through a running service two operators do the same, and its metrics count it apart", async (t) => {
  const world = broken(t);
  const service = await startService(t, world);
  const url = await service.url();
  const order = (person: string) => world.sluice(["release", "prod", ...EMERGENCY, "--gate", url, ...by(person)]);
  const first = await order("sam");
  assert.deepEqual([first.code, first.error], [4, "second-operator-needed"]);
  assert.deepEqual((await order("sam")).error, "second-operator-same");
  assert.deepEqual((await order("lin")).error, "not-permitted");
  const second = await order("max");
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /^EMERGENCY {2}prod/m);
  const token = readFileSync(world.path("sam.token"), "utf8").trim();
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  assert.match(metrics, /^sluice_decisions_total\{target="prod",subject="emergency",verdict="allow"\} 1$/m);
  assert.equal((await service.line("decided", { emergency: true })).level, 40);
  const page = await (await fetch(`${url}/changes`, { headers: { authorization: `Bearer ${token}` } })).text();
  assert.match(page, /EMERGENCY/);
  await service.stop();
});

test("while the service runs, a rollback and a redaction go through it, by name and by role", async (t) => {
  const world = base.copy(t);
  const land = async (replicas: number): Promise<void> => {
    const tip = world.push({ files: { [WEB]: deployment("web", { replicas }) } });
    world.approve("lin", tip, { tree: world.treeOf(tip) });
    assert.equal((await world.release()).code, 0);
  };
  await land(3);
  await land(4);
  const service = await startService(t, world);
  const url = await service.url();
  const busy = await world.rollback(1);
  assert.deepEqual([busy.code, busy.error], [3, "log-busy"]);
  const back = ["rollback", "prod", "--to", "1", "--reason", "errors", "--gate", url];
  assert.equal((await world.sluice([...back, ...by("lin")])).error, "not-permitted");
  const done = await world.sluice([...back, ...by("max")]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^released {3}prod #3, 3 objects, the objects of #1/m);
  assert.equal((await service.line("released", { sequence: 3 })).level, 30);
  const unknown = await world.sluice([...back.map((one) => (one === "1" ? "9" : one)), ...by("max")]);
  assert.equal(unknown.error, "release-unknown");
  const listed = await world.log<{ entries: { index: number }[] }>(["list", "--kind", "rollback"]);
  const shown = await world.sluice(["log", "show", String(listed.report.entries[0]?.index), ...HERE]);
  assert.match(shown.stdout, /errors/);
  assert.match(shown.stdout, /max/);

  const erase = ["log", "redact", "--text", "errors", "--reason", "case 12", "--gate", url];
  assert.equal((await world.sluice([...erase, ...by("sam")])).error, "not-permitted");
  const dry = await world.sluice([...erase, "--dry-run", ...by("root")]);
  assert.match(dry.stdout, /^WOULD ERASE {2}1 values beside 1 entries\n/);
  const erased = await world.sluice([...erase, ...by("root")]);
  assert.match(erased.stdout, /^ERASED {2}1 values beside 1 entries: log \d+, by root\n/, erased.stderr);
  assert.equal((await world.sluice([...erase, ...by("root")])).error, "nothing-to-redact");
  const needed = ["log", "redact", "--value", "baseline", "--reason", "case 13", "--gate", url, ...by("root")];
  assert.equal((await world.sluice(needed)).error, "redaction-needed");
  await service.stop();
  await world.verifiedSize();
});

test("a first state is adopted, and a judge repaired, through the service; here a repair takes two tokens too", async (t) => {
  const world = await makeWorld(t, { adopt: false, gate: { access: { tokens: { file: "tokens.yaml" } } } });
  for (const name of ["tokens.yaml", "sam.token", "jo.token", "lin.token"])
    world.write(name, readFileSync(base.path(name)), 0o600);
  const service = await startService(t, world);
  const url = await service.url();
  const order = (person: string, ...more: readonly string[]) =>
    world.sluice(["adopt", "prod", "--reason", "what runs", "--gate", url, ...by(person), ...more]);
  assert.equal((await order("lin")).error, "not-permitted");
  const adopted = await order("sam");
  assert.match(adopted.stdout, /^ADOPTED {2}prod {2}[0-9a-f]{7}: 3 objects, 0 findings /, adopted.stderr);
  assert.equal((await order("sam")).error, "target-adopted");
  assert.equal((await order("sam", "--compare-with", ".")).error, "usage");
  const first = await order("sam", "--again");
  assert.deepEqual([first.code, first.error], [4, "second-operator-needed"]);
  assert.equal((await order("sam", "--again")).error, "second-operator-same");
  const second = await order("jo", "--again");
  assert.match(second.stdout, /^ADOPTED AGAIN {2}prod {2}/, second.stderr);
  await service.stop();

  const here = (...args: readonly string[]) =>
    world.sluice(["adopt", "prod", "--again", "--reason", "x", ...HERE, ...args]);
  assert.equal((await here()).error, "usage");
  assert.equal((await here(...by("sam"))).error, "second-operator-needed");
  assert.equal((await here(...by("jo"))).code, 0);
  const kinds = await world.log<{ entries: { verdict: string }[] }>(["list", "--kind", "bypass"]);
  assert.deepEqual(
    kinds.report.entries.map(({ verdict }) => verdict),
    ["allow", "wait", "allow", "wait"],
  );
});
