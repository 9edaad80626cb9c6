/** Proofs by groups of leaves are those by whole tiles, and only a shorter way to them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { decodeBase64 } from "../../src/lib/bytes.ts";
import { verifyInclusion } from "../../src/log/merkle.ts";
import { searchIndexPath } from "../../src/log/stores/sqlite/search-index.ts";
import { groupsOf, TileGroups } from "../../src/log/tile-groups.ts";
import { TileTrees } from "../../src/log/tile-trees.ts";
import { inclusionProof } from "../../src/log/tree.ts";
import { fill, logPath, openTestLog, openTestReader } from "../support/log.ts";

const hashOf = (text: string) => createHash("sha256").update(text).digest();
const leaves = (start: number, end: number) =>
  new Uint8Array(Buffer.concat(Array.from({ length: end - start }, (_, at) => hashOf(`leaf ${start + at}`))));
/** Of a log of fewer than 65,536 leaves. */
const tiles = () =>
  new TileTrees(({ level, position, width }) =>
    level === 0
      ? leaves(position * 256, position * 256 + width)
      : new Uint8Array(Buffer.concat(Array.from({ length: width }, (_, at) => rootOfTile(position * 256 + at)))),
  );
function rootOfTile(position: number): Uint8Array {
  let row = Array.from({ length: 256 }, (_, at) => hashOf(`leaf ${position * 256 + at}`));
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, at) =>
      createHash("sha256")
        .update(Buffer.concat([Buffer.from([1]), row[2 * at] as Buffer, row[2 * at + 1] as Buffer]))
        .digest(),
    );
  return row[0] as Buffer;
}

describe("groups of leaves", () => {
  for (const size of [1, 255, 256, 257, 511, 512, 700])
    it(`prove every entry of ${size} as whole tiles do, where they are known and where they are not`, () => {
      const known = new TileGroups(tiles(), {
        groups: (position) => (position === 1 ? null : groupsOf(leaves(position * 256, position * 256 + 256))),
        leaves: (start) => leaves(start, start + 16),
      });
      const whole = tiles();
      for (let index = 0; index < size; index++)
        assert.deepEqual(
          inclusionProof(known.subtrees(size), index, size).map((one) => Buffer.from(one).toString("hex")),
          inclusionProof(whole.subtrees(size), index, size).map((one) => Buffer.from(one).toString("hex")),
          `${index}`,
        );
    });

  it("read no more than a group of leaves and the groups of their tile", () => {
    const read: number[] = [];
    const refusing = new TileTrees(({ level, width }) => {
      if (level === 0) throw new Error("a whole tile");
      return new Uint8Array(32 * width);
    });
    const groups = new TileGroups(refusing, {
      groups: (position) => groupsOf(leaves(position * 256, position * 256 + 256)),
      leaves: (start) => {
        read.push(start);
        return leaves(start, start + 16);
      },
    });
    inclusionProof(groups.subtrees(512), 300, 512);
    assert.deepEqual(read, [288]);
  });

  it("that say something else than the log are not believed, neither for what is read nor for what is handed out", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    await fill(log, 600);
    const { leafHash } = await log.read(300);
    await log.close();
    for (const change of [
      "UPDATE groups SET hashes = randomblob(512)",
      "UPDATE groups SET hashes = randomblob(100)",
      "DELETE FROM groups",
      "DROP TABLE groups",
    ]) {
      const changed = logPath(context);
      copyFileSync(path, changed);
      copyFileSync(searchIndexPath(path), searchIndexPath(changed));
      const index = new DatabaseSync(searchIndexPath(changed));
      assert.equal(index.prepare("SELECT count(*) AS n FROM groups").get()?.["n"], 2);
      index.exec(change);
      index.close();
      const reader = await openTestReader(changed);
      const { size, root } = await reader.checkpoint();
      const proof = await reader.inclusionProof(300, size);
      assert.ok(verifyInclusion(decodeBase64(leafHash) as Uint8Array, 300, size, proof, root), change);
      assert.equal((await reader.find({ limit: 600 })).length, 600, change);
      await reader.close();
    }
  });
});
