/** A channel is nobody's to trust: whatever stands in it, nothing is applied that the gate did not log and sign. */
import assert from "node:assert/strict";
import {
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../src/lib/bytes.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/canonical.ts";
import type { Code } from "../../src/lib/codes.ts";
import { sha256, sha256Hex } from "../../src/lib/digest.ts";
import { signCheckpoint } from "../../src/log/checkpoint.ts";
import { appendLeaf, EMPTY_FRONTIER, frontierRoot, leafHash } from "../../src/log/merkle.ts";
import { generateNoteKey, noteSigner, noteVerifier } from "../../src/log/note.ts";
import { proveInclusion, verifyProof, writeProof } from "../../src/log/proof.ts";
import { writeEntryFile } from "../../src/release/decision-entry.ts";
import type { Release } from "../../src/release/release.ts";
import { openWorld, RELEASE_KEY, resource, resources, START, type World } from "../release/world.ts";
import { KEY, ORIGIN } from "../support/log.ts";
import type { Scope } from "../support/temp.ts";
import { filesBelow, makeAgent, type TestAgent } from "./agent-world.ts";

const OTHER_KEY = generateNoteKey("gate.example/release", new Uint8Array(32).fill(9));

/** Two releases, the first of which the agent runs; the second is what the attack is on. */
async function underAttack(
  t: Scope,
): Promise<{ world: World; agent: TestAgent; runs: Readonly<Record<string, string>> }> {
  const world = await openWorld(t);
  const agent = makeAgent(t, world);
  await world.release(resources(3));
  await agent.run();
  const runs = agent.served();
  await world.release(resources(3, "b"));
  return { world, agent, runs };
}

async function assertRefused(agent: TestAgent, runs: unknown, code: Code, exitCode = 1): Promise<void> {
  const outcome = await agent.run();
  assert.deepEqual([outcome.code, outcome.exitCode], [code, exitCode], outcome.message);
  assert.deepEqual(agent.served(), runs);
}

test("one flipped byte in any file of the channel: never applied", async (t) => {
  const world = await openWorld(t);
  await world.release(resources(2));
  const files = filesBelow(world.channelFolder);
  assert.deepEqual(files.map((path) => path.replace(/^releases\/1\//, "")).sort(), [
    "checkpoint",
    "entry.json",
    "entry.tlog-proof",
    "head.json",
    "objects/_%43onfig%4dap_shop_web-0",
    "objects/_%43onfig%4dap_shop_web-1",
    "release.json",
    "tile/0/000.p/2",
  ]);
  const agent = makeAgent(t, world);
  for (const path of files) {
    const file = join(world.channelFolder, path);
    const bytes = readFileSync(file);
    for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      for (const bit of [1, 128]) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ bit;
        writeFileSync(file, flipped);
        const outcome = await agent.run();
        assert.deepEqual([outcome.kind, agent.served()], ["refused", {}], `${path} at ${at}: ${outcome.message}`);
      }
    }
    for (const changed of [Buffer.alloc(0), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from("\n")])]) {
      writeFileSync(file, changed);
      assert.deepEqual([(await agent.run()).kind, agent.served()], ["refused", {}], path);
    }
    writeFileSync(file, bytes);
  }
  assert.equal((await agent.run()).kind, "applied");
});

test("any file of the channel missing, or a link to its own content: never applied", async (t) => {
  const world = await openWorld(t);
  await world.release(resources(2));
  const agent = makeAgent(t, world);
  for (const path of filesBelow(world.channelFolder)) {
    const file = join(world.channelFolder, path);
    const aside = join(agent.folder, "aside");
    renameSync(file, aside);
    const missing = await agent.run();
    assert.deepEqual([missing.code, missing.exitCode], path === "head.json" ? ["head-missing", 3] : [missing.code, 1]);
    for (const make of [symlinkSync, linkSync]) {
      make(aside, file);
      const linked = await agent.run();
      assert.deepEqual([linked.code, linked.exitCode], ["channel-link", 1], path);
      rmSync(file);
    }
    assert.deepEqual(agent.served(), {});
    renameSync(aside, file);
  }
  renameSync(join(world.channelFolder, "releases"), join(agent.folder, "releases"));
  symlinkSync(join(agent.folder, "releases"), join(world.channelFolder, "releases"));
  assert.equal((await agent.run()).code, "channel-link");
});

test("a file that no release lists is never applied", async (t) => {
  const { world, agent } = await underAttack(t);
  writeFileSync(join(world.channelFolder, "releases/2/objects/_%43onfig%4dap_shop_evil"), "{}");
  const outcome = await agent.run();
  assert.equal(outcome.kind, "applied");
  assert.deepEqual(
    Object.values(agent.served()),
    resources(3, "b").map((one) => one.canonical),
  );
});

test("an old release under a fresh head, and the same sequence with other content", async (t) => {
  const { world, agent } = await underAttack(t);
  await agent.run();
  const runs = agent.served();
  const old = JSON.parse(
    readFileSync(join(world.channelFolder, "releases/1/release.json"), "utf8").split("\n")[0] ?? "",
  );
  assert.equal((old as Release).sequence, 1);
  const digest = (path: string): string => sha256Hex(readFileSync(join(world.channelFolder, path)));
  world.now += 1000;
  await world.head({ latestSequence: 1, manifestDigest: digest("releases/1/release.json") });
  await assertRefused(agent, runs, "release-replayed");
  world.now += 1000;
  await world.head({ latestSequence: 2, manifestDigest: digest("releases/1/release.json") });
  await assertRefused(agent, runs, "release-replayed");
  world.now += 1000;
  await world.head({ latestSequence: 0, manifestDigest: null });
  await assertRefused(agent, runs, "release-replayed");
});

test("a new sequence that rests on a decision which was used before", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const text = readFileSync(join(world.channelFolder, "releases/1/release.json"), "utf8").split("\n")[0] ?? "";
  await world.put({ ...(JSON.parse(text) as Release), sequence: 3 }, resources(3));
  await world.head();
  await assertRefused(agent, runs, "release-replayed");
});

test("a head that is older than one seen before, even while it is still valid", async (t) => {
  const { world, agent } = await underAttack(t);
  const old = readFileSync(join(world.channelFolder, "head.json"));
  world.now += 60_000;
  await world.head();
  await agent.run();
  const runs = agent.served();
  writeFileSync(join(world.channelFolder, "head.json"), old);
  await assertRefused(agent, runs, "head-replayed");
});

test("a hold is not forgotten by hiding it: the head before it is refused from then on", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const before = readFileSync(join(world.channelFolder, "head.json"));
  world.now += 1000;
  await world.head({ hold: { scope: "prod", reason: "r", by: "sam", since: new Date(START).toISOString() } });
  await assertRefused(agent, runs, "head-held", 4);
  writeFileSync(join(world.channelFolder, "head.json"), before);
  await assertRefused(agent, runs, "head-replayed");
});

const HEADS = [
  ["of another target", { target: "staging" }, "head-other", 1],
  ["of another log", { origin: "other.example/log" }, "head-other", 1],
  ["that would live for a day", { notAfter: "2026-11-22T12:00:00.000Z" }, "head-malformed", 1],
  ["from the future", { issuedAt: "2026-11-21T12:05:00.000Z", notAfter: "2026-11-21T12:15:00.000Z" }, "head-stale", 4],
  ["that is over", { issuedAt: "2026-11-21T12:00:00.000Z", notAfter: "2026-11-21T12:00:00.000Z" }, "head-malformed", 1],
  ["that names no release under a digest", { latestSequence: 0 }, "head-malformed", 1],
  ["with another time form", { issuedAt: "2026-11-21T12:00:00Z" }, "head-malformed", 1],
  ["that names a release that is not there", { latestSequence: 3 }, "release-incomplete", 1],
  ["with the digest of another release", { manifestDigest: "ab".repeat(32) }, "release-differs", 1],
  ["with a checkpoint that is none", { checkpoint: "none" }, "note-malformed", 1],
] as const;

test("a head that says something wrong under the real key", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const memory = readFileSync(join(agent.state, "state.json"));
  for (const [what, change, code, exitCode] of HEADS) {
    await t.test(`a head ${what}`, async () => {
      writeFileSync(join(agent.state, "state.json"), memory);
      await world.head(change);
      await assertRefused(agent, runs, code, exitCode);
    });
  }
});

test("a head or a release that is signed by an unknown key", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  await world.head({}, OTHER_KEY.skey);
  await assertRefused(agent, runs, "head-untrusted");
  await world.put(await world.build(resources(3, "c")), resources(3, "c"), OTHER_KEY.skey);
  await world.head();
  await assertRefused(agent, runs, "release-untrusted");
});

test("a checkpoint that the log's key did not sign, in the head or in the channel", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const forged = noteSigner(OTHER_KEY.skey).sign(`${ORIGIN}\n1\n${Buffer.alloc(32).toString("base64")}\n`);
  await world.head({ checkpoint: forged });
  await assertRefused(agent, runs, "note-unknown-key");
  await world.head();
  writeFileSync(join(world.channelFolder, "checkpoint"), forged);
  await assertRefused(agent, runs, "note-unknown-key");
});

/** Signed by the real release key, as a gate that went wrong or a stolen key could: the log still says no. */
const RELEASES = [
  [
    "names a file by a path",
    { objects: [{ file: "../../etc/cron.d/evil", sha256: "ab".repeat(32) }] },
    "object-file-name",
  ],
  ["names a file twice", { objects: "twice" }, "object-file-name"],
  ["names two files that fold to one", { objects: "folded" }, "object-file-name"],
  ["lists its files unsorted", { objects: "reversed" }, "object-file-name"],
  ["leaves an object out", { objects: "fewer" }, "release-objects-differ"],
  ["is of another target", { target: "staging" }, "release-differs"],
  ["is of another sequence", { sequence: 9 }, "release-differs"],
  ["is of another commit", { commit: "ab".repeat(20) }, "release-entry-differs"],
  ["is of another tree", { tree: "ab".repeat(20) }, "release-entry-differs"],
  ["brings back a later release", { rollbackOf: 7 }, "release-malformed"],
] as const;

test("a release that says something wrong under the real key", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const good = await world.build(resources(3, "c"));
  const [first, second] = good.objects;
  assert.ok(first && second);
  const lists: Readonly<Record<string, Release["objects"]>> = {
    twice: [first, first, second],
    folded: [first, { ...first, file: first.file.toUpperCase() }],
    reversed: [second, first],
    fewer: [first],
  };
  for (const [what, change, code] of RELEASES) {
    await t.test(`a release that ${what}`, async () => {
      const named = "objects" in change && typeof change.objects === "string" ? lists[change.objects] : undefined;
      await forge(world, { ...good, ...change, ...(named === undefined ? {} : { objects: named }) } as Release);
      await assertRefused(agent, runs, code);
    });
  }
});

/** Puts release.json of sequence 3 as the real key signs it, with the files of the release it pretends to be. */
async function forge(world: World, release: Release, index = release.decision.index): Promise<void> {
  const note = noteSigner(RELEASE_KEY.skey).sign(`${canonicalJson(release as unknown as JsonObject)}\n`);
  const folder = join(world.channelFolder, "releases/3");
  mkdirSync(join(folder, "objects"), { recursive: true });
  writeFileSync(join(folder, "release.json"), note);
  for (const one of resources(3, "c")) {
    writeFileSync(join(folder, "objects", `_%43onfig%4dap_shop_${one.id.name}`), one.canonical);
  }
  const { log } = world;
  writeFileSync(join(folder, "entry.json"), writeEntryFile(await log.read(index)));
  writeFileSync(join(folder, "entry.tlog-proof"), writeProof(await proveInclusion(log, index)));
  await world.head({ latestSequence: 3, manifestDigest: sha256Hex(note) });
}

test("a release signed over a denied decision, or over another decision than it brings", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const given = resources(3, "c");
  const good = await world.build(given);
  const denied = await world.log.read(await world.decide(given, { verdict: "deny" }));
  const decision = { id: denied.leaf.id, index: denied.index, leafHash: denied.leafHash };
  await forge(world, { ...good, decision });
  await assertRefused(agent, runs, "release-not-allowed");
  await forge(world, { ...good, decision: { ...good.decision, index: denied.index } });
  await assertRefused(agent, runs, "release-not-allowed");
  await forge(world, good);
  cpSync(join(world.channelFolder, "releases/2/entry.json"), join(world.channelFolder, "releases/3/entry.json"));
  await assertRefused(agent, runs, "proof-wrong");
  cpSync(
    join(world.channelFolder, "releases/2/entry.tlog-proof"),
    join(world.channelFolder, "releases/3/entry.tlog-proof"),
  );
  await assertRefused(agent, runs, "release-entry-differs");
});

test("a signed release that names its own decision by a wrong index or leaf hash", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const good = await world.build(resources(3, "c"));
  const { decision } = good;
  await forge(world, { ...good, decision: { ...decision, index: decision.index - 1 } }, decision.index);
  await assertRefused(agent, runs, "release-entry-differs");
  const brought = join(world.channelFolder, "releases/3/entry.json");
  const text = readFileSync(brought, "utf8");
  writeFileSync(brought, text.replace(`"index":${decision.index}`, `"index":${decision.index - 1}`));
  await assertRefused(agent, runs, "release-entry-differs");
  await forge(world, { ...good, decision: { ...decision, leafHash: Buffer.alloc(32).toString("base64") } });
  await assertRefused(agent, runs, "release-entry-differs");
  await forge(world, good);
  for (const index of [decision.index - 1, decision.index + 1, 2 ** 52]) {
    writeFileSync(brought, text.replace(`"index":${decision.index}`, `"index":${index}`));
    assert.equal((await agent.run()).kind, "refused");
  }
  assert.deepEqual(agent.served(), runs);
});

test("checkpoints that the log's own key signed for two histories: in the head, and in the proof", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const signer = noteSigner(KEY.skey);
  const { size } = await world.log.checkpoint();
  world.now += 1000;
  await world.head({ checkpoint: signCheckpoint(ORIGIN, size, sha256(utf8("other history")), signer).note });
  await assertRefused(agent, runs, "log-forked");
  await world.head();

  const { bytes, index } = await world.log.read(2);
  let before = EMPTY_FRONTIER;
  for (let at = 0; at < index; at++) before = appendLeaf(before, sha256(utf8(`other ${at}`)));
  const other = appendLeaf(before, leafHash(bytes));
  const checkpoint = signCheckpoint(ORIGIN, other.size, frontierRoot(other), signer);
  const proof = writeProof({ index, hashes: [...before.hashes].reverse(), checkpoint });
  assert.equal(verifyProof(proof, bytes, ORIGIN, [noteVerifier(KEY.vkey)]).index, index, "by itself it holds");
  writeFileSync(join(world.channelFolder, "releases/2/entry.tlog-proof"), proof);
  await assertRefused(agent, runs, "log-forked");
});

test("a plain wrong object is refused before anything of the release is written", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const file = join(world.channelFolder, "releases/2/objects/_%43onfig%4dap_shop_web-2");
  writeFileSync(file, resource("ConfigMap", "web-2", { data: { content: "evil" } }).canonical);
  await assertRefused(agent, runs, "object-differs");
  assert.deepEqual(
    readdirSync(join(agent.www, ".sluice")).map((name) => name.split("-")[0]),
    ["current", "v1"],
  );
});

test("a forked log, with the same keys: proven and refused", async (t) => {
  const { agent, runs } = await underAttack(t);
  const fork = await openWorld(t);
  fork.now += 60_000;
  for (const content of ["x", "y", "z"]) await fork.release(resources(3, content));
  agent.configure({ channel: `{directory: ${JSON.stringify(fork.channelFolder)}}` });
  await assertRefused(agent, runs, "log-forked");
});

test("a log that is shorter than it was: a rolled-back gate", async (t) => {
  const { agent, runs } = await underAttack(t);
  const younger = await openWorld(t);
  younger.now += 60_000;
  await younger.decide(resources(1));
  await younger.head();
  agent.configure({ channel: `{directory: ${JSON.stringify(younger.channelFolder)}}` });
  await assertRefused(agent, runs, "checkpoint-older");
});

test("a checkpoint in the channel that is older than the head's", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const older = readFileSync(join(world.channelFolder, "checkpoint"));
  world.now += 1000;
  await world.decide(resources(1));
  await world.head();
  writeFileSync(join(world.channelFolder, "checkpoint"), older);
  await assertRefused(agent, runs, "checkpoint-older");
});

test("a channel that fills the disk or the memory is refused by size", async (t) => {
  const { world, agent, runs } = await underAttack(t);
  const file = join(world.channelFolder, "releases/2/objects/_%43onfig%4dap_shop_web-0");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.alloc(16 * 1024 * 1024 + 1));
  await assertRefused(agent, runs, "channel-file-too-large");
});
