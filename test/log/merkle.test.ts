import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeHex } from "../../src/lib/bytes.ts";
import {
  appendLeaf,
  consistencyRanges,
  EMPTY_FRONTIER,
  emptyRoot,
  type Frontier,
  frontierRoot,
  inclusionRanges,
  leafHash,
  type Range,
  verifyConsistency,
  verifyInclusion,
} from "../../src/log/merkle.ts";

/** RFC 6962 section 2.1 as it is written, without any cleverness: the oracle. */
function naiveRoot(entries: readonly Uint8Array[]): Buffer {
  const digest = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  if (entries.length === 0) return digest();
  if (entries.length === 1) return digest(Buffer.from([0]), entries[0] as Uint8Array);
  const split = naiveSplit(entries.length);
  return digest(Buffer.from([1]), naiveRoot(entries.slice(0, split)), naiveRoot(entries.slice(split)));
}

function naiveSplit(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

function naivePath(index: number, entries: readonly Uint8Array[]): Buffer[] {
  if (entries.length === 1) return [];
  const split = naiveSplit(entries.length);
  return index < split
    ? [...naivePath(index, entries.slice(0, split)), naiveRoot(entries.slice(split))]
    : [...naivePath(index - split, entries.slice(split)), naiveRoot(entries.slice(0, split))];
}

function naiveProof(size: number, entries: readonly Uint8Array[], isWhole = true): Buffer[] {
  if (size === entries.length) return isWhole ? [] : [naiveRoot(entries)];
  const split = naiveSplit(entries.length);
  return size <= split
    ? [...naiveProof(size, entries.slice(0, split), isWhole), naiveRoot(entries.slice(split))]
    : [...naiveProof(size - split, entries.slice(split), false), naiveRoot(entries.slice(0, split))];
}

function entriesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => Buffer.from(`entry ${at}`));
}

function frontierOf(entries: readonly Uint8Array[]): Frontier {
  return entries.reduce<Frontier>((frontier, entry) => appendLeaf(frontier, leafHash(entry)), EMPTY_FRONTIER);
}

function hashes(ranges: readonly Range[], entries: readonly Uint8Array[]): Uint8Array[] {
  return ranges.map(({ start, end }) => naiveRoot(entries.slice(start, end)));
}

const SIZES = fc.integer({ min: 1, max: 70 });

describe("the Merkle tree", () => {
  it("has the roots of RFC 6962's own test vectors", () => {
    const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const roots = [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    const entries = leaves.map((hex) => Buffer.from(hex, "hex"));
    for (const [at, root] of roots.entries())
      assert.equal(encodeHex(frontierRoot(frontierOf(entries.slice(0, at + 1)))), root);
    assert.equal(encodeHex(emptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  it("has the root that the definition gives, at every size around a power of two and of 256", () => {
    for (const size of [0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513])
      assert.deepEqual(Buffer.from(frontierRoot(frontierOf(entriesOf(size)))), naiveRoot(entriesOf(size)), `${size}`);
  });

  it("tells of every complete subtree exactly once, with its hash", () => {
    const entries = entriesOf(37);
    let frontier: Frontier = EMPTY_FRONTIER;
    const seen = new Set<string>();
    for (const entry of entries)
      frontier = appendLeaf(frontier, leafHash(entry), ({ height, position }, hash) => {
        const [start, end] = [position * 2 ** height, (position + 1) * 2 ** height];
        assert.deepEqual(Buffer.from(hash), naiveRoot(entries.slice(start, end)));
        assert.ok(!seen.has(`${height}/${position}`));
        seen.add(`${height}/${position}`);
      });
    assert.equal(seen.size, 37 + 18 + 9 + 4 + 2 + 1);
  });

  it("proves inclusion with the path of the definition, and only of that leaf at that index in that tree", () => {
    fc.assert(
      fc.property(SIZES, fc.nat(), fc.nat(), (size, pick, flip) => {
        const entries = entriesOf(size);
        const index = pick % size;
        const path = hashes(inclusionRanges(index, size), entries);
        assert.deepEqual(path, naivePath(index, entries));
        const root = naiveRoot(entries);
        const leaf = leafHash(entries[index] as Uint8Array);
        assert.ok(verifyInclusion(leaf, index, size, path, root));
        for (const other of [index - 1, index + 1, size, -1, 0.5])
          assert.ok(!verifyInclusion(leaf, other, size, path, root), `index ${other}`);
        assert.ok(!verifyInclusion(leafHash(Buffer.from("other")), index, size, path, root));
        assert.ok(!verifyInclusion(leaf, index, size, [...path, root], root));
        if (path.length === 0) return;
        assert.ok(!verifyInclusion(leaf, index, size, path.slice(1), root));
        assert.ok(!verifyInclusion(leaf, index, size, flipped(path, flip), root));
      }),
    );
  });

  it("proves consistency with the proof of the definition, and only between those two trees", () => {
    fc.assert(
      fc.property(SIZES, SIZES, fc.nat(), (a, b, flip) => {
        const [oldSize, newSize] = [Math.min(a, b), Math.max(a, b)];
        const entries = entriesOf(newSize);
        const proof = hashes(consistencyRanges(oldSize, newSize), entries);
        assert.deepEqual(proof, naiveProof(oldSize, entries));
        const [oldRoot, newRoot] = [naiveRoot(entries.slice(0, oldSize)), naiveRoot(entries)];
        const other = naiveRoot(entriesOf(newSize + 1));
        assert.ok(verifyConsistency(oldSize, newSize, proof, oldRoot, newRoot));
        assert.ok(!verifyConsistency(oldSize, newSize, proof, other, newRoot));
        assert.ok(!verifyConsistency(oldSize, newSize, proof, oldRoot, other));
        assert.ok(!verifyConsistency(oldSize, newSize, [...proof, other], oldRoot, newRoot));
        if (oldSize !== newSize) assert.ok(!verifyConsistency(newSize, oldSize, proof, newRoot, oldRoot));
        if (proof.length > 0) assert.ok(!verifyConsistency(oldSize, newSize, flipped(proof, flip), oldRoot, newRoot));
      }),
    );
  });

  it("starts consistent with the empty tree, whose root is fixed", () => {
    assert.ok(verifyConsistency(0, 5, [], emptyRoot(), naiveRoot(entriesOf(5))));
    assert.ok(!verifyConsistency(0, 5, [], naiveRoot(entriesOf(1)), naiveRoot(entriesOf(5))));
  });

  it("keeps its arithmetic beyond 2^31 and 2^32 leaves", () => {
    const size = 2 ** 33 + 3;
    assert.deepEqual(inclusionRanges(size - 1, size), [
      { start: 2 ** 33, end: 2 ** 33 + 2 },
      { start: 0, end: 2 ** 33 },
    ]);
    assert.deepEqual(consistencyRanges(2 ** 33, size), [{ start: 2 ** 33, end: size }]);
    const [left, right] = [leafHash(Buffer.from("left")), leafHash(Buffer.from("right"))];
    const leaf = leafHash(Buffer.from("last"));
    const root = appendLeaf({ size: 2 ** 33 + 2, hashes: [left, right] }, leaf);
    assert.ok(verifyInclusion(leaf, size - 1, size, [right, left], frontierRoot(root)));
    assert.ok(!verifyInclusion(leaf, 2, 3, [right, left], left));
  });
});

function flipped(proof: readonly Uint8Array[], pick: number): Uint8Array[] {
  const copy = proof.map((hash) => Uint8Array.from(hash));
  const hash = copy[pick % copy.length] as Uint8Array;
  hash[pick % 32] = (hash[pick % 32] as number) ^ 1;
  return copy;
}
