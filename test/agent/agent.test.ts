import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lockState } from "../../src/agent/lock.ts";
import { noteVerifier } from "../../src/log/note.ts";
import { holdDraft } from "../../src/release/holds.ts";
import { appliedDraft, readReportHistory, readReports } from "../../src/release/report.ts";
import { AGENT_KEY, openWorld, resources } from "../release/world.ts";
import { makeAgent } from "./agent-world.ts";

const BY = { by: "sam", reason: "db migration" };

test("applies a verified release, and a second run changes nothing and says so", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  const given = resources(3);
  await world.release(given);
  const first = await agent.run();
  assert.deepEqual([first.kind, first.exitCode, first.code, first.sequence], ["applied", 0, null, 1]);
  assert.deepEqual([first.plan?.create.length, first.plan?.unchanged.length], [3, 0]);
  const before = agent.served();
  assert.deepEqual(
    Object.values(before),
    given.map((one) => one.canonical),
  );

  const placed = statSync(join(agent.www, ".sluice", "current")).mtimeMs;
  const second = await agent.run();
  assert.deepEqual([second.kind, second.exitCode, second.code], ["unchanged", 0, null]);
  assert.match(second.message, /already/);
  assert.deepEqual([second.plan?.create, second.plan?.update, second.plan?.delete], [[], [], []]);
  assert.deepEqual(agent.served(), before);
  assert.equal(statSync(join(agent.www, ".sluice", "current")).mtimeMs, placed);
});

test("a next release creates, updates and prunes, and leaves what is not ours", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  writeFileSync(join(agent.www, "index.html"), "theirs");
  symlinkSync("/etc/hostname", join(agent.www, "_%43onfig%4dap_shop_theirs"));
  await world.release(resources(4));
  await agent.run();
  const next = [...resources(2), ...resources(3, "b").slice(2), ...resources(6).slice(5)];
  await world.release(next);
  const outcome = await agent.run();
  assert.equal(outcome.kind, "applied");
  assert.deepEqual(
    [outcome.plan?.create, outcome.plan?.update, outcome.plan?.delete, outcome.plan?.unchanged].map((one) =>
      one?.map((file) => file.slice(-5)),
    ),
    [["web-5"], ["web-2"], ["web-3"], ["web-0", "web-1"]],
  );
  const served = agent.served();
  assert.equal(served["index.html"], "theirs");
  assert.ok("_%43onfig%4dap_shop_theirs" in served);
  assert.deepEqual(
    Object.keys(served)
      .filter((name) => name.includes("web-"))
      .map((name) => name.slice(-5)),
    ["web-0", "web-1", "web-2", "web-5"],
  );
  assert.equal(readdirSync(join(agent.www, ".sluice")).length, 2, "the current version and the link to it");
});

test("a target without a release is nothing to do", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.decide(resources(1));
  await world.head();
  assert.deepEqual([(await agent.run()).kind, agent.served()], ["unchanged", {}]);
});

test("waits with exit 4 under a stale head and under a hold, and keeps what runs", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(1));
  await agent.run();
  const runs = agent.served();
  world.now += 10 * 60_000;
  assert.equal((await agent.run()).code, "head-stale", "also when nothing is new");
  await world.release(resources(1, "b"));
  world.now += 10 * 60_000;
  const stale = await agent.run();
  assert.deepEqual([stale.kind, stale.code, stale.exitCode], ["waiting", "head-stale", 4]);

  await world.log.append(holdDraft("hold", { scope: "prod", ...BY }, null));
  await world.head();
  const held = await agent.run();
  assert.deepEqual([held.kind, held.code, held.exitCode], ["waiting", "head-held", 4]);
  assert.match(held.message, /sam.*db migration/);
  assert.deepEqual(agent.served(), runs);

  await world.log.append(holdDraft("resume", { scope: "prod", ...BY }, null));
  await world.head();
  assert.equal((await agent.run()).kind, "applied");
  assert.notDeepEqual(agent.served(), runs);
});

test("reports what it applied, and the gate records it once", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  const { manifestDigest } = await world.release(resources(1));
  await agent.run();
  await agent.run();
  const keys = [noteVerifier(AGENT_KEY.vkey)];
  const [reading, ...more] = await readReports(agent.reports, keys, await readReportHistory(world.log, "prod"));
  assert.deepEqual([reading?.kind, more.length], ["verified", 0]);
  if (reading?.kind !== "verified") return;
  const { agent: name, sequence, result } = reading.report;
  assert.deepEqual([name, sequence, result, reading.report.manifestDigest], ["prod-1", 1, "applied", manifestDigest]);
  await world.log.append(appliedDraft(reading.report, reading.sha256, null));
  assert.deepEqual(await readReports(agent.reports, keys, await readReportHistory(world.log, "prod")), []);
});

test("a report that cannot be written is exit 3 after the release is in place, and is sent at the next run", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(1));
  writeFileSync(agent.reports, "not a folder");
  const failed = await agent.run();
  assert.deepEqual([failed.code, failed.exitCode, Object.keys(agent.served()).length], ["report-failed", 3, 1]);
  rmSync(agent.reports);
  assert.equal((await agent.run()).kind, "unchanged");
  assert.deepEqual(readdirSync(agent.reports), ["prod-1.1.report"]);
});

test("drift of our files is reported with exit 5 and not overwritten", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(4));
  await agent.run();
  const file = (at: number): string => join(agent.www, `_%43onfig%4dap_shop_web-${at}`);
  writeFileSync(file(0), "edited in place");
  rmSync(file(1));
  rmSync(file(2));
  writeFileSync(file(2), "put in its place");
  writeFileSync(join(agent.www, ".sluice/current/objects/stray"), "");
  const outcome = await agent.run();
  assert.deepEqual([outcome.kind, outcome.exitCode, outcome.code], ["drifted", 5, "drift"]);
  assert.deepEqual(
    outcome.drift.map((one) => one.how),
    ["changed", "missing", "replaced", "added"],
  );
  assert.equal(readFileSync(file(0), "utf8"), "edited in place");

  await world.release(resources(4, "b"));
  const blocked = await agent.run();
  assert.deepEqual([blocked.code, blocked.exitCode], ["apply-blocked", 1]);
  assert.equal(readFileSync(file(2), "utf8"), "put in its place");
  rmSync(file(2));
  assert.equal((await agent.run()).kind, "applied");
  assert.deepEqual(
    Object.values(agent.served()),
    resources(4, "b").map((one) => one.canonical),
  );
});

test("never writes through a link that stands where an object belongs", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  const victim = join(agent.folder, "victim");
  writeFileSync(victim, "safe");
  symlinkSync(victim, join(agent.www, "_%43onfig%4dap_shop_web-0"));
  await world.release(resources(1));
  assert.equal((await agent.run()).code, "apply-blocked");
  symlinkSync(agent.folder, join(agent.www, ".sluice"));
  assert.equal((await agent.run()).code, "apply-blocked");
  assert.equal(readFileSync(victim, "utf8"), "safe");
});

test("a first run needs a person's minimumSequence", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(1));
  agent.configure({ minimumSequence: null });
  const outcome = await agent.run();
  assert.deepEqual([outcome.code, outcome.exitCode, agent.served()], ["agent-state-missing", 1, {}]);
});

test("lost state needs a new, higher minimumSequence; the one of the first run no longer counts", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  for (const content of ["a", "b", "c"]) {
    await world.release(resources(1, content));
    await agent.run();
  }
  const runs = agent.served();
  rmSync(agent.state, { recursive: true });
  for (const minimumSequence of ["1", "2", null]) {
    agent.configure({ minimumSequence });
    assert.equal((await agent.run()).code, "agent-state-missing");
  }
  agent.configure({ minimumSequence: "3" });
  assert.equal((await agent.run()).exitCode, 0);
  assert.deepEqual(agent.served(), runs);
  await world.release(resources(1, "d"));
  assert.equal((await agent.run()).kind, "applied");
  rmSync(agent.state, { recursive: true });
  assert.equal((await agent.run()).code, "agent-state-missing");
});

test("refuses a release below the minimum", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  agent.configure({ minimumSequence: "2" });
  await world.release(resources(1));
  assert.equal((await agent.run()).code, "release-below-minimum");
  await world.release(resources(1, "b"));
  assert.equal((await agent.run()).kind, "applied");
});

test("a damaged memory, and one of another target, is not an empty one", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(1));
  await agent.run();
  const path = join(agent.state, "state.json");
  const good = readFileSync(path, "utf8");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  for (const damaged of ["", "{}", good.slice(0, -1), good.replace('"v":1', '"v":2')]) {
    writeFileSync(path, damaged);
    const outcome = await agent.run();
    assert.deepEqual([outcome.code, outcome.exitCode], ["agent-state-malformed", 3]);
  }
  writeFileSync(path, good.replace('"target":"prod"', '"target":"staging"'));
  assert.equal((await agent.run()).code, "agent-state-other");
});

test("two agents do not run at once on one state folder", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(3));
  await agent.run();
  const unlock = lockState(agent.state);
  const busy = await agent.run();
  assert.deepEqual([busy.code, busy.exitCode], ["agent-busy", 3]);
  unlock();
  const both = await Promise.all([agent.run(), agent.run()]);
  const codes = both.map((one) => one.code).sort();
  // the second may come when the first has let go
  assert.deepEqual(codes, codes.includes("agent-busy") ? ["agent-busy", null] : [null, null]);
});

test("two targets do not share one folder", async (t) => {
  const world = await openWorld(t);
  const [agent, other] = [makeAgent(t, world), makeAgent(t, world)];
  await world.release(resources(1));
  await agent.run();
  cpSync(agent.www, other.www, { recursive: true, verbatimSymlinks: true });
  const record = join(other.www, ".sluice/current/record.json");
  writeFileSync(record, readFileSync(record, "utf8").replace('"prod"', '"staging"'));
  assert.equal((await other.run()).code, "apply-other-target");
  writeFileSync(record, "{}");
  assert.equal((await other.run()).code, "apply-record-lost");
});

test("what is not there yet is refused: witnesses, a key of another name, and other kinds", async (t) => {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(1));
  agent.configure({ name: "prod-2" });
  assert.deepEqual([(await agent.run()).code, (await agent.run()).exitCode], ["agent-key-name", 2]);
  agent.configure({ channel: "{oci: registry.example/prod}" });
  assert.throws(() => agent.run(), { code: "not-supported" });
  agent.configure({ apply: "{kubernetes: {}}" });
  assert.throws(() => agent.run(), { code: "not-supported" });
});
