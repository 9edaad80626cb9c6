import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../src/lib/bytes.ts";
import { proveInclusion, writeProof } from "../../src/log/proof.ts";
import { openDirectoryChannel } from "../../src/release/channels/directory.ts";
import { publishHead, publishRelease } from "../../src/release/publish.ts";
import { releaseOf } from "../../src/release/record.ts";
import type { Channel } from "../../src/release/release.ts";
import { openTree } from "../../src/release/verified-tree.ts";
import { fill } from "../support/log.ts";
import { tempFolder } from "../support/temp.ts";
import { openWorld, resources } from "./world.ts";

/** A channel that stops for good before its `count`-th write, as a full disk or a killed process does. */
function stoppingAfter(channel: Channel, count: number, written: string[]): Channel {
  return {
    ...channel,
    async write(path, bytes) {
      if (written.length >= count) throw new Error("stopped");
      await channel.write(path, bytes);
      written.push(path);
    },
  };
}

test("writes objects, entry, proof, release, tiles, checkpoint, and the head last", async (t) => {
  const world = await openWorld(t);
  const signed = await world.release(resources(2));
  const head = readFileSync(join(world.channelFolder, "head.json"));
  const channel = await openDirectoryChannel(tempFolder(t));
  const written: string[] = [];
  const watched = stoppingAfter(channel, 100, written);
  await publishRelease(watched, signed, world);
  await publishHead(watched, head, await world.log.checkpoint(), world.log);
  assert.deepEqual(written, [
    "releases/1/objects/_%43onfig%4dap_shop_web-0",
    "releases/1/objects/_%43onfig%4dap_shop_web-1",
    "releases/1/entry.json",
    "releases/1/entry.tlog-proof",
    "releases/1/release.json",
    "tile/0/000.p/2",
    "checkpoint",
    "head.json",
  ]);
});

test("stopped before any of its writes, publishing again completes the same release", async (t) => {
  const world = await openWorld(t);
  const signed = await world.release(resources(2));
  const head = readFileSync(join(world.channelFolder, "head.json"));
  for (let count = 0; count < 8; count++) {
    const channel = await openDirectoryChannel(tempFolder(t));
    const stopping = stoppingAfter(channel, count, []);
    const publish = async (to: Channel): Promise<void> => {
      await publishRelease(to, signed, world);
      await publishHead(to, head, await world.log.checkpoint(), world.log);
    };
    await assert.rejects(publish(stopping), { message: "stopped" });
    assert.equal(await channel.read("head.json"), null);
    await world.decide(resources(1)); // the log grows in between: the proof that is there stays
    await publish(channel);
    await publish(channel);
    assert.deepEqual(await channel.read("releases/1/release.json"), signed.note);
    const checkpoint = await world.log.checkpoint();
    assert.equal((await openTree((path) => channel.read(path), checkpoint)).size, checkpoint.size);
  }
});

test("never replaces a file of a release by other bytes, a wrong proof either", async (t) => {
  const world = await openWorld(t);
  const signed = await world.release(resources(1));
  for (const file of ["release.json", "entry.json", "entry.tlog-proof", "objects/_%43onfig%4dap_shop_web-0"]) {
    const channel = await openDirectoryChannel(tempFolder(t));
    await channel.write(`releases/1/${file}`, utf8("other"));
    await assert.rejects(publishRelease(channel, signed, world), { code: "channel-conflict" });
  }
  const channel = await openDirectoryChannel(tempFolder(t));
  const proof = await proveInclusion(world.log, signed.release.decision.index);
  const wrong = writeProof({ ...proof, hashes: proof.hashes.map((hash) => hash.map((byte) => byte ^ 1)) });
  await channel.write("releases/1/entry.tlog-proof", utf8(wrong));
  await assert.rejects(publishRelease(channel, signed, world), { code: "channel-conflict" });
});

test("what was logged is enough to publish it again after a crash, byte for byte", async (t) => {
  const world = await openWorld(t);
  const signed = await world.release(resources(2));
  const entry = await world.log.latest("prod", ["release"]);
  assert.ok(entry);
  assert.deepEqual(releaseOf(entry), signed);
});

test("a lost or damaged object of the gate stops the release", async (t) => {
  const world = await openWorld(t);
  const signed = await world.release(resources(1));
  const objects = { put: world.objects.put, get: async () => utf8("damaged") };
  await assert.rejects(publishRelease(world.channel, signed, { log: world.log, objects }), { code: "object-lost" });
});

test("tiles follow the log as it grows, and every earlier root and leaf is proven from them", async (t) => {
  const world = await openWorld(t);
  const roots = new Map<number, Uint8Array>();
  for (const count of [1, 2, 252, 1, 1, 300, 512]) {
    await fill(world.log, count);
    await world.head();
    const { size, root } = await world.log.checkpoint();
    roots.set(size, root);
  }
  const checkpoint = await world.log.checkpoint();
  const tree = await openTree((path) => world.channel.read(path), checkpoint);
  for (const [size, root] of roots) assert.deepEqual(Buffer.from(await tree.rootAt(size)), Buffer.from(root));
  for (const index of [0, 1, 255, 256, 700, checkpoint.size - 1]) {
    assert.equal(Buffer.from(await tree.leaf(index)).toString("base64"), (await world.log.read(index)).leafHash);
  }
});

test("a changed, missing or cut tile is refused wherever it is used", async (t) => {
  const world = await openWorld(t);
  await fill(world.log, 600);
  await world.head();
  const checkpoint = await world.log.checkpoint();
  const changes: readonly ((bytes: Uint8Array) => Uint8Array | null)[] = [
    () => null,
    (bytes) => bytes.subarray(1),
    (bytes) => bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
  ];
  for (const wrong of ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]) {
    for (const change of changes) {
      const read = async (path: string): Promise<Uint8Array | null> => {
        const bytes = await world.channel.read(path);
        return path === wrong && bytes !== null ? change(bytes) : bytes;
      };
      const all = async (): Promise<void> => {
        const tree = await openTree(read, checkpoint);
        for (const index of [0, 300, 599]) await tree.leaf(index);
      };
      await assert.rejects(all(), { code: "tile-wrong" });
    }
  }
});
