/** Roots and proofs of a stored tree, computed from the hashes that its tiles hold. */
import { SluiceError } from "../lib/errors.ts";
import {
  consistencyRanges,
  decompose,
  type Frontier,
  inclusionRanges,
  joinSubtrees,
  type Node,
  nodeHash,
  type Range,
} from "./merkle.ts";
import { TILE_HEIGHT } from "./tile.ts";

/** `count` hashes of level `level` from `start` on; level L holds the complete subtrees of 256^L leaves. */
export type HashSource = (level: number, start: number, count: number) => readonly Uint8Array[];

/** Hashes [start, start + count) of a level, as a source is asked for them. */
export interface HashRun {
  readonly level: number;
  readonly start: number;
  readonly count: number;
}

/** What the functions below ask a source for to find the hashes of these ranges, for who has to fetch it first. */
export function runsOf(ranges: readonly Range[]): readonly HashRun[] {
  return ranges.flatMap(({ start, end }) => decompose(start, end).map(runBelow));
}

function runBelow({ height, position }: Node): HashRun {
  const count = 2 ** (height % TILE_HEIGHT);
  return { level: Math.floor(height / TILE_HEIGHT), start: position * count, count };
}

/** At most 255 hashes a level are read, whatever the size. @throws `log-corrupt` when hashes are missing */
export function storedFrontier(source: HashSource, size: number): Frontier {
  return { size, hashes: decompose(0, size).map((node) => subtreeHash(source, node)) };
}

export function storedRoot(source: HashSource, size: number): Uint8Array {
  return joinSubtrees(storedFrontier(source, size).hashes);
}

/** The hash of a complete subtree. */
export type SubtreeSource = (node: Node) => Uint8Array;

export function subtreesFrom(source: HashSource): SubtreeSource {
  return (node) => subtreeHash(source, node);
}

/** Audit path of leaf `index` in the tree of `size`, the leaf's sibling first. @throws `entry-unknown` */
export function inclusionProof(subtrees: SubtreeSource, index: number, size: number): readonly Uint8Array[] {
  return pathOf(index, size).map((range) => rangeHash(subtrees, range));
}

/** The ranges of leaves whose hashes are that path. @throws `entry-unknown` */
export function pathOf(index: number, size: number): readonly Range[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new SluiceError("entry-unknown", `There is no entry ${index} among the first ${size}.`);
  return inclusionRanges(index, size);
}

/** Requires 0 <= oldSize <= newSize. */
export function consistencyProof(subtrees: SubtreeSource, oldSize: number, newSize: number): readonly Uint8Array[] {
  return consistencyRanges(oldSize, newSize).map((range) => rangeHash(subtrees, range));
}

function rangeHash(subtrees: SubtreeSource, { start, end }: Range): Uint8Array {
  return joinSubtrees(decompose(start, end).map(subtrees));
}

function subtreeHash(source: HashSource, node: Node): Uint8Array {
  const { level, start, count } = runBelow(node);
  let row = source(level, start, count);
  if (row.length !== count) throw new SluiceError("log-corrupt", `Hashes of the tree are missing at level ${level}.`);
  while (row.length > 1) row = halve(row);
  return row[0] as Uint8Array;
}

function halve(row: readonly Uint8Array[]): readonly Uint8Array[] {
  return Array.from({ length: row.length / 2 }, (_, at) =>
    nodeHash(row[2 * at] as Uint8Array, row[2 * at + 1] as Uint8Array),
  );
}
