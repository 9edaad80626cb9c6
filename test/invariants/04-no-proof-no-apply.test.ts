/** Invariant 4: no proof, no apply. Every refusal leaves what runs as it is. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { openCheckpoint } from "../../src/log/checkpoint.ts";
import { noteSigner, noteVerifier } from "../../src/log/note.ts";
import { makeHead, signHead } from "../../src/release/head.ts";
import type { Head } from "../../src/release/release.ts";
import { deployment } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const APPLIED = "www/apps_%44eployment_apps_web";
const release = (world: World, replicas: number) => world.land({ [WEB]: deployment("web", { replicas }) });

const base = await makeWorld({ after });
/** Release 1 is applied; its channel is kept aside as `channel-1`. */
const first = base.copy({ after });
assert.equal((await release(first, 3)).code, 0);
const unapplied = first.copy({ after });
assert.equal((await first.agent()).code, 0);
cpSync(first.path("channel"), first.path("channel-1"), { recursive: true });
/** Release 2 waits to be applied. */
const second = first.copy({ after });
assert.equal((await release(second, 4)).code, 0);

async function assertRefused(world: World, code: string, exitCode = 1): Promise<void> {
  const before = world.read(APPLIED);
  const { report, code: exit } = await world.agent();
  assert.deepEqual([report["code"], exit], [code, exitCode], JSON.stringify(report));
  assert.equal(typeof report["fix"], "string", "says what to do");
  assert.equal(world.read(APPLIED), before, "what runs stays");
}

/** Changes the first byte that is `from` into `to`. */
function edit(world: World, file: string, from: string, to: string): void {
  const text = readFileSync(world.path(file), "latin1");
  assert.ok(text.includes(from), `${file} holds ${from}`);
  writeFileSync(world.path(file), text.replace(from, to), "latin1");
}

test("a proven release is applied, and a second run changes nothing", async (t) => {
  const world = second.copy(t);
  const applied = await world.agent();
  assert.deepEqual([applied.code, applied.report["outcome"], applied.report["sequence"]], [0, "applied", 2]);
  assert.match(world.read(APPLIED), /"replicas":4/);
  const again = await world.agent();
  assert.deepEqual([again.code, again.report["outcome"]], [0, "unchanged"]);
});

test("a release without its proof of inclusion is refused", async (t) => {
  const world = second.copy(t);
  rmSync(world.path("channel/releases/2/entry.tlog-proof"));
  await assertRefused(world, "release-incomplete");
});

test("a release with the proof of another entry is refused", async (t) => {
  const world = second.copy(t);
  cpSync(world.path("channel/releases/1/entry.tlog-proof"), world.path("channel/releases/2/entry.tlog-proof"));
  const { code, report } = await world.agent();
  assert.equal(code, 1, JSON.stringify(report));
  assert.match(String(report["code"]), /^(?:proof-wrong|release-entry-differs|release-differs)$/);
  assert.match(world.read(APPLIED), /"replicas":3/);
});

test("a log entry with one byte changed is refused", async (t) => {
  const world = second.copy(t);
  edit(world, "channel/releases/2/entry.json", '"allow"', '"allov"');
  await assertRefused(world, "proof-wrong");
});

test("a release with one byte changed is refused", async (t) => {
  const world = second.copy(t);
  edit(world, "channel/releases/2/release.json", '"sequence":2', '"sequence":3');
  await assertRefused(world, "release-differs");
});

test("an object with one byte changed is refused before anything of its release is put in place", async (t) => {
  const world = second.copy(t);
  edit(world, "channel/releases/2/objects/apps_%44eployment_apps_web", '"replicas":4', '"replicas":9');
  await assertRefused(world, "object-differs");
});

test("a head that no release key signed is refused", async (t) => {
  const world = second.copy(t);
  edit(world, "channel/head.json", '"latestSequence":2', '"latestSequence":1');
  await assertRefused(world, "head-untrusted");
});

test("a missing head applies nothing", async (t) => {
  const world = second.copy(t);
  rmSync(world.path("channel/head.json"));
  await assertRefused(world, "head-missing", 3);
});

/** What somebody with the release key, or the gate long ago, could sign. */
function putHead(world: World, change: Partial<Head>, ageMs = 0): void {
  const agentYaml = JSON.parse(world.read("agent.yaml")) as { log: { origin: string; keys: string[] } };
  const { origin, keys } = agentYaml.log;
  const checkpoint = openCheckpoint(world.read("channel/checkpoint"), origin, keys.map(noteVerifier));
  const head = makeHead({ target: "prod", latest: null, hold: null, checkpoint }, Date.now() - ageMs);
  writeFileSync(
    world.path("channel/head.json"),
    signHead({ ...head, ...change }, noteSigner(world.read("release.key").trim())),
  );
}

function currentHead(world: World): Head {
  return JSON.parse(world.read("channel/head.json").split("\n")[0] ?? "") as Head;
}

test("a head older than ten minutes waits and applies nothing, whatever it names", async (t) => {
  const world = unapplied.copy(t);
  const { latestSequence, manifestDigest } = currentHead(world);
  putHead(world, { latestSequence, manifestDigest }, 11 * 60_000);
  const { report, code } = await world.agent();
  assert.deepEqual([report["code"], code, world.files("www")], ["head-stale", 4, []]);
});

test("an old release under a fresh head is refused", async (t) => {
  const world = second.copy(t);
  assert.equal((await world.agent()).code, 0);
  const old = JSON.parse(world.read("channel-1/head.json").split("\n")[0] ?? "") as Head;
  putHead(world, { latestSequence: old.latestSequence, manifestDigest: old.manifestDigest });
  await assertRefused(world, "release-replayed");
});

test("yesterday's channel is refused once a newer head was seen", async (t) => {
  const world = second.copy(t);
  assert.equal((await world.agent()).code, 0);
  rmSync(world.path("channel"), { recursive: true });
  cpSync(world.path("channel-1"), world.path("channel"), { recursive: true });
  await assertRefused(world, "head-replayed");
});

test("a second history under the same keys is proven to be a fork and refused", async (t) => {
  const world = second.copy(t);
  assert.equal((await world.agent()).code, 0);
  const fork = first.copy(t);
  assert.equal((await release(fork, 7)).code, 0);
  assert.equal((await release(fork, 8)).code, 0);
  rmSync(world.path("channel"), { recursive: true });
  cpSync(fork.path("channel"), world.path("channel"), { recursive: true });
  await assertRefused(world, "log-forked");
});

test("a release of another gate, whose keys agent.yaml does not name, is refused", async (t) => {
  const world = second.copy(t);
  const other = await makeWorld(t);
  assert.equal((await release(other, 9)).code, 0);
  rmSync(world.path("channel"), { recursive: true });
  cpSync(other.path("channel"), world.path("channel"), { recursive: true });
  await assertRefused(world, "head-untrusted");
});

test("lost state needs a person: the agent does not begin again by itself", async (t) => {
  const world = second.copy(t);
  world.configure("agent.yaml", () => ({ minimumSequence: undefined }));
  rmSync(world.path("agent-state"), { recursive: true });
  await assertRefused(world, "agent-state-missing");
});

test("under a hold nothing new is applied", async (t) => {
  const world = second.copy(t);
  assert.equal((await world.hold()).code, 0);
  await assertRefused(world, "head-held", 4);
  assert.equal((await world.resume()).code, 0);
  assert.deepEqual([(await world.agent()).code, /"replicas":4/.test(world.read(APPLIED))], [0, true]);
});
