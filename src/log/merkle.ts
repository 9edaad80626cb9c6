/**
 * The Merkle tree of RFC 6962 section 2.1 (the same tree as RFC 9162): leaf = SHA-256(0x00 || entry),
 * node = SHA-256(0x01 || left || right), split at the largest power of two below the size, empty = SHA-256("").
 * Sizes and indexes are safe integers up to 2^53; no bit operators, which would break at 2^31.
 */
import { hash } from "node:crypto";
import { equalBytes } from "../lib/bytes.ts";

export const HASH_BYTES = 32;
const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

/** A complete subtree of 2^height leaves, the `position`-th of that height. */
export interface Node {
  readonly height: number;
  readonly position: number;
}

export function emptyRoot(): Uint8Array {
  return digest(new Uint8Array(0));
}

export function leafHash(entry: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + entry.byteLength);
  bytes[0] = LEAF_PREFIX;
  bytes.set(entry, 1);
  return digest(bytes);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + left.byteLength + right.byteLength);
  bytes[0] = NODE_PREFIX;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.byteLength);
  return digest(bytes);
}

/**
 * The hashes of every complete subtree over a row of hashes, all as bytes one after the other: the row itself, then the row
 * above it, half as long, and so on to the last of one hash.
 */
export function hashRows(row: Uint8Array): Uint8Array {
  let length = row.byteLength / HASH_BYTES;
  const rows = Buffer.allocUnsafeSlow(2 * row.byteLength);
  rows.set(row);
  const node = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  node[0] = NODE_PREFIX;
  let [from, to] = [0, row.byteLength];
  for (; length > 1; length = Math.floor(length / 2)) {
    const end = from + length * HASH_BYTES;
    for (; from + 2 * HASH_BYTES <= end; from += 2 * HASH_BYTES, to += HASH_BYTES) {
      node.set(rows.subarray(from, from + 2 * HASH_BYTES), 1);
      rows.write(hash("sha256", node, "binary"), to, "binary");
    }
    from = end;
  }
  return rows.subarray(0, to);
}

/** Handed over as a text: memory of its own for each hash would take longer than the hashing (measured: 2.1 to 0.9 µs). */
function digest(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}

export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The complete subtrees that make up [start, end), left to right, largest first; `start` must be aligned to them. */
export function decompose(start: number, end: number): readonly Node[] {
  const nodes: Node[] = [];
  for (let at = start; at < end; ) {
    const height = largestHeight(at, end - at);
    nodes.push({ height, position: at / 2 ** height });
    at += 2 ** height;
  }
  return nodes;
}

function largestHeight(start: number, width: number): number {
  let height = 0;
  while (2 ** (height + 1) <= width && start % 2 ** (height + 1) === 0) height++;
  return height;
}

/** Joins subtrees, given left to right and largest first, into one hash. */
export function joinSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.length === 0 ? emptyRoot() : hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** The right edge of a tree: all that is needed to append to it and to know its root. Immutable. */
export interface Frontier {
  readonly size: number;
  /** One hash for each complete subtree of decompose(0, size). */
  readonly hashes: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

/** `completed(node, hash)` hears of every complete subtree that the new leaf closes, the leaf itself included. */
export function appendLeaf(
  frontier: Frontier,
  leaf: Uint8Array,
  completed: (node: Node, hash: Uint8Array) => void = () => {},
): Frontier {
  const hashes = [...frontier.hashes];
  let [height, position, current] = [0, frontier.size, leaf];
  completed({ height, position }, current);
  while (position % 2 === 1) {
    current = nodeHash(hashes.pop() as Uint8Array, current);
    [height, position] = [height + 1, (position - 1) / 2];
    completed({ height, position }, current);
  }
  return { size: frontier.size + 1, hashes: [...hashes, current] };
}

export function frontierRoot(frontier: Frontier): Uint8Array {
  return joinSubtrees(frontier.hashes);
}

/** A run of leaves [start, end) whose hash a proof needs. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** PATH(m, D[n]) of RFC 6962 section 2.1.1 as ranges, the leaf's sibling first. Requires 0 <= index < size. */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  const path: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) [path[path.length], end] = [{ start: middle, end }, middle];
    else [path[path.length], start] = [{ start, end: middle }, middle];
  }
  return path.reverse();
}

/** PROOF(m, D[n]) of RFC 6962 section 2.1.2 as ranges; empty when oldSize is 0 or newSize. */
export function consistencyRanges(oldSize: number, newSize: number): readonly Range[] {
  if (oldSize === 0 || oldSize === newSize) return [];
  const path: Range[] = [];
  let [start, end] = [0, newSize];
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) [path[path.length], end] = [{ start: middle, end }, middle];
    else [path[path.length], start] = [{ start, end: middle }, middle];
  }
  if (start !== 0) path.push({ start, end });
  return path.reverse();
}

/** The largest power of two below `size`; size >= 2. */
function splitPoint(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** RFC 9162 section 2.1.3.2. False for anything that does not prove that `leaf` is at `index` under `root`. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isTreeSize(index) || !isTreeSize(size) || index >= size) return false;
  let [fn, sn, r] = [index, size - 1, leaf];
  for (const p of proof) {
    if (p.byteLength !== HASH_BYTES || sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(r, root);
}

/** RFC 9162 section 2.1.4.2. A tree is consistent with itself and with the empty tree by an empty proof. */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): boolean {
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize) return false;
  if (proof.some((p) => p.byteLength !== HASH_BYTES)) return false;
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot);
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, emptyRoot());
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (path.length === 0) return false;
  let [fn, sn] = [oldSize - 1, newSize - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [path[0] as Uint8Array, path[0] as Uint8Array];
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      sr = nodeHash(sr, c);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(fr, oldRoot) && equalBytes(sr, newRoot);
}

function isPowerOfTwo(size: number): boolean {
  return splitPoint(size * 2) === size;
}
