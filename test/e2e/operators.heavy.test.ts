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
  ["eve", "reader", []],
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

/** A copy whose gate.yaml lets one operator do it. */
function alone(t: Scope): World {
  const world = broken(t);
  world.configure("gate.yaml", (now) => {
    const { prod } = now["targets"] as { prod: object };
    return { targets: { prod: { ...prod, emergency: { operators: 1, review: "4h" } } } };
  });
  return world;
}

const ALONE = [...EMERGENCY, "--alone"];
const CURE = ["--reason", "the right cure"];

test("one operator releases alone where gate.yaml allows it; what is owed is loud until another person reviews it", async (t) => {
  const world = alone(t);
  const sluice = (...args: readonly string[]) => world.sluice([...args, ...HERE]);
  assert.equal((await sluice("release", "prod", "--alone")).error, "usage");
  assert.equal((await sluice("release", "prod", ...ALONE)).error, "usage");
  assert.equal((await sluice("release", "prod", ...ALONE, ...by("lin"))).error, "not-permitted");
  const { code, stdout, stderr } = await sluice("release", "prod", ...ALONE, ...by("sam"));
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^EMERGENCY {2}prod {2}[^\n]*: 2 to fix, /);
  const due = /^review due sam did it alone; another person reviews it by (\S+)\.\n {11}(sluice review \d+ .*)$/m;
  const [, until = "", command = ""] = due.exec(stdout) ?? assert.fail(stdout);
  const decision = command.split(" ")[2] ?? "";
  assert.match(stdout, /^released {3}prod #1, 3 objects/m);
  const why = ["log", "why", "Deployment/apps/web", "--target", "prod"];
  assert.match(
    (await sluice(...why)).stdout,
    new RegExp(`^review {5}sam released it alone; .* is due by ${until}: sluice review ${decision} `, "m"),
  );
  const doctor = await sluice("doctor");
  assert.match(
    doctor.stdout,
    new RegExp(`^warn {2}review of prod +In log ${decision} sam released it alone; .* due by ${until}\\.$`, "m"),
  );

  const review = (person: string, ...args: readonly string[]) => sluice("review", decision, ...args, ...by(person));
  assert.equal((await review("jo", ...CURE)).error, "usage", "nothing is said by leaving a word out");
  assert.equal((await review("jo", "--accept", "--contest", ...CURE)).error, "usage");
  assert.equal((await review("jo", "--accept")).error, "usage");
  assert.equal((await sluice("review", decision, "--accept", ...CURE)).error, "usage");
  assert.equal((await review("eve", "--accept", ...CURE)).error, "not-permitted");
  assert.equal((await review("sam", "--accept", ...CURE)).error, "review-own");
  assert.equal((await sluice("review", "0", "--accept", ...CURE, ...by("jo"))).error, "review-not-owed");
  assert.equal((await sluice("review", "9999", "--accept", ...CURE, ...by("jo"))).error, "entry-unknown");
  assert.equal((await world.log<{ count: number }>(["list", "--kind", "review"])).report.count, 0);
  const done = await review("lin", "--accept", ...CURE); // an approver is enough
  assert.match(
    done.stdout,
    new RegExp(`^prod: what sam released alone in log ${decision} is accepted by lin {3}log \\d+\n$`),
    done.stderr,
  );
  assert.equal((await review("jo", "--contest", ...CURE)).error, "review-done");
  assert.match((await sluice(...why)).stdout, /^reviewed {3}accepted at \S+ by lin: the right cure {3}log \d+$/m);
  assert.doesNotMatch((await sluice("doctor")).stdout, /review of prod/);
  const listed = await world.log<{ entries: { verdict: string; kind: string }[] }>(["list", "--kind", "review"]);
  assert.deepEqual(
    listed.report.entries.map(({ kind, verdict }) => [kind, verdict]),
    [["review", "allow"]],
  );
  const again = await sluice("replay", decision);
  assert.match(again.stdout, /allow again, (\d+) of \1 parts byte for byte/);
  await world.verifiedSize();
});

test("through a running service one operator alone and a reviewer do the same, and every view says how it stands", async (t) => {
  const world = alone(t);
  const service = await startService(t, world);
  const url = await service.url();
  const remote = (person: string, ...args: readonly string[]) => world.sluice([...args, "--gate", url, ...by(person)]);
  const token = readFileSync(world.path("sam.token"), "utf8").trim();
  const get = async (path: string) =>
    (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })).text();
  const gauges = async () => {
    const text = await get("/metrics");
    return ["owed", "overdue"].map(
      (name) => new RegExp(`^sluice_target_review_${name}\\{target="prod"\\} (\\d)$`, "m").exec(text)?.[1],
    );
  };
  assert.deepEqual(await gauges(), ["0", "0"]);
  const released = await remote("sam", "release", "prod", ...ALONE);
  assert.equal(released.code, 0, released.stderr);
  const [, decision = ""] = /^ {11}sluice review (\d+) /m.exec(released.stdout) ?? assert.fail(released.stdout);
  assert.deepEqual(await gauges(), ["1", "0"]);
  const [{ review: owed }] = JSON.parse(await get("/v1/targets")).targets;
  assert.deepEqual([owed.entry, owed.operator, owed.state, owed.review], [Number(decision), "sam", "due", null]);
  for (const page of ["/", "/changes", `/changes/${decision}`]) assert.match(await get(page), /review due/);

  world.push({ files: { [WEB]: deployment("web", { privileged: true, replicas: 3 }) } });
  assert.equal((await remote("jo", "release", "prod", ...ALONE)).error, "review-open");
  assert.equal((await remote("sam", "review", decision, "--accept", ...CURE)).error, "review-own");
  assert.equal((await remote("jo", "review", "0", "--accept", ...CURE)).error, "review-not-owed");
  assert.equal((await remote("jo", "review", "9999", "--accept", ...CURE)).error, "route-unknown");
  assert.equal((await remote("eve", "review", decision, "--accept", ...CURE)).error, "not-permitted");
  const contested = await remote("max", "review", decision, "--contest", "--reason", "it was no emergency");
  assert.match(
    contested.stdout,
    /^prod: what sam released alone in log \d+ is contested by max {3}log \d+\nnext /,
    contested.stderr,
  );
  assert.equal((await remote("jo", "review", decision, "--accept", ...CURE)).error, "review-done");
  assert.deepEqual(await gauges(), ["0", "0"]);
  assert.equal(JSON.parse(await get("/v1/targets")).targets[0].review, null);
  for (const page of ["/changes", `/changes/${decision}`])
    assert.match(await get(page), /contested<\/span> <time[^>]*>[^<]*<\/time> by max/);
  const [head = "", ...rows] = (await get("/evidence/changes.csv")).trimEnd().split("\r\n");
  const at = head.split(",").indexOf("reviewed_after_by");
  assert.deepEqual(
    rows
      .map((row) => row.split(","))
      .filter((row) => row.includes("emergency"))
      .map((row) => row[at]),
    ["max"],
  );
  await service.stop();
  await world.verifiedSize();
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
