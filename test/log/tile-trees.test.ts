/** Proofs from tiles that are kept are those from every hash that storage has. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import {
  appendLeaf,
  EMPTY_FRONTIER,
  frontierRoot,
  leafHash,
  verifyConsistency,
  verifyInclusion,
} from "../../src/log/merkle.ts";
import { type HashTile, TileTrees } from "../../src/log/tile-trees.ts";
import { consistencyProof, type HashSource, inclusionProof, storedRoot, subtreesFrom } from "../../src/log/tree.ts";
import { fill, logPath, openTestLog, openTestReader } from "../support/log.ts";

const LEAVES = 66_000;
const SIZES = [1, 2, 3, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, LEAVES];

/** Level by level, as storage holds them. */
function hashesOf(count: number): readonly (readonly Uint8Array[])[] {
  const levels: Uint8Array[][] = [];
  let frontier = EMPTY_FRONTIER;
  for (let at = 0; at < count; at++)
    frontier = appendLeaf(frontier, leafHash(Buffer.from(`leaf ${at}`)), ({ height }, hash) => {
      if (height % 8 !== 0) return;
      levels[height / 8] ??= [];
      levels[height / 8]?.push(hash);
    });
  assert.deepEqual(storedRoot(sourceOf(levels), count), frontierRoot(frontier));
  return levels;
}

function sourceOf(levels: readonly (readonly Uint8Array[])[]): HashSource {
  return (level, start, count) => levels[level]?.slice(start, start + count) ?? [];
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("proofs from tiles", () => {
  const levels = hashesOf(LEAVES);
  const source = sourceOf(levels);
  const asked: HashTile[] = [];
  const read = (tile: HashTile) => {
    asked.push(tile);
    return new Uint8Array(Buffer.concat(source(tile.level, tile.position * 256, tile.width)));
  };

  it("are those from every hash, at sizes around the powers of 256", () => {
    const trees = new TileTrees(read);
    for (const size of SIZES) {
      const subtrees = trees.subtrees(size);
      const root = storedRoot(source, size);
      for (const index of [0, 1, 200, 255, 256, 300, 40_000, size - 2, size - 1].filter((at) => at >= 0 && at < size)) {
        const proof = inclusionProof(subtrees, index, size);
        assert.deepEqual(proof.map(hex), inclusionProof(subtreesFrom(source), index, size).map(hex));
        assert.ok(verifyInclusion(levels[0]?.[index] as Uint8Array, index, size, proof, root), `${index} of ${size}`);
      }
      for (const old of SIZES.filter((one) => one <= size))
        assert.ok(
          verifyConsistency(old, size, consistencyProof(subtrees, old, size), storedRoot(source, old), root),
          `${old} to ${size}`,
        );
    }
  });

  it("read a tile once, and again when so many others were read that it was given up", () => {
    const trees = new TileTrees(read);
    asked.length = 0;
    for (let round = 0; round < 3; round++) inclusionProof(trees.subtrees(LEAVES), 300, LEAVES);
    const first = asked.length;
    assert.equal(new Set(asked.map((tile) => JSON.stringify(tile))).size, first);
    for (let tile = 0; tile < 200; tile++) inclusionProof(trees.subtrees(65_536), tile * 256, 65_536);
    asked.length = 0;
    inclusionProof(trees.subtrees(LEAVES), 300, LEAVES);
    assert.ok(asked.some(({ level, position }) => level === 0 && position === 1));
  });

  it("name what a proof needs and is not kept", () => {
    const trees = new TileTrees(() => assert.fail("everything is kept"));
    const ranges = [
      { start: 0, end: 128 },
      { start: 65_536, end: LEAVES },
    ];
    const missing = trees.missing(ranges, LEAVES);
    assert.deepEqual(
      missing.map(({ level, position, width }) => [level, position, width]),
      [
        [0, 0, 256],
        [1, 1, 1],
        [0, 257, LEAVES - 257 * 256],
      ],
    );
    for (const tile of missing) trees.keep(tile, read(tile));
    assert.deepEqual(trees.missing(ranges, LEAVES), []);
  });
});

describe("a reader", () => {
  it("proves nothing from a tile of which hashes are missing", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 600);
    await log.close();
    const db = new DatabaseSync(path);
    db.exec("DELETE FROM hashes WHERE level = 1 AND n = 1");
    db.close();
    const reader = await openTestReader(path);
    context.after(() => reader.close());
    await assert.rejects(reader.inclusionProof(3, 600), { code: "log-corrupt" });
    await assert.rejects(reader.consistencyProof(3, 600), { code: "log-corrupt" });
  });

  it("looks at storage again once an entry could not be proven from what was kept", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 300);
    await log.close();
    const db = new DatabaseSync(path);
    context.after(() => db.close());
    const original = db.prepare("SELECT hash FROM entries WHERE idx = 7").get()?.["hash"] as Uint8Array;
    const write = db.prepare("UPDATE entries SET hash = ? WHERE idx = 7");
    write.run(new Uint8Array(32));
    const reader = await openTestReader(path);
    context.after(() => reader.close());
    await assert.rejects(reader.read(6), { code: "log-corrupt" });
    write.run(original);
    assert.equal((await reader.read(6)).index, 6);
  });
});
