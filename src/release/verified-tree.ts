/**
 * The log's tree as read from the hash tiles of a channel, which nobody trusts: every hash that leaves this file is
 * bound to the root of a signed checkpoint. Partial tiles are the right edge of the tree, so together they make its
 * root; a full tile must make the hash that stands for it one level up, which is bound in the same way.
 */
import { equalBytes } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Checkpoint } from "../log/decision-log.ts";
import { decompose, HASH_BYTES, joinSubtrees, type Node, nodeHash } from "../log/merkle.ts";
import { hashesAtLevel, TILE_HEIGHT, TILE_WIDTH, tilePath } from "../log/tile.ts";

export interface VerifiedTree {
  readonly size: number;
  /** Hash of leaf `index`. */
  leaf(index: number): Promise<Uint8Array>;
  /** Root of the tree when it had `size` leaves, which must not be above its size. */
  rootAt(size: number): Promise<Uint8Array>;
}

type ReadTile = (path: string) => Promise<Uint8Array | null>;
type Hashes = readonly Uint8Array[];

/** @throws SluiceError `tile-wrong` here and from every method: a tile is missing, misshapen, or not of this tree */
export async function openTree(read: ReadTile, checkpoint: Checkpoint): Promise<VerifiedTree> {
  const { size } = checkpoint;
  const tiles = new Map<string, Hashes>();

  async function tile(level: number, position: number): Promise<Hashes> {
    const width = Math.min(TILE_WIDTH, hashesAtLevel(level, size) - position * TILE_WIDTH);
    const path = tilePath({ level, position, width });
    const known = tiles.get(path);
    if (known !== undefined) return known;
    const hashes = split(path, await read(path), width);
    if (width === TILE_WIDTH) {
      const above = (await tile(level + 1, Math.floor(position / TILE_WIDTH)))[position % TILE_WIDTH] as Uint8Array;
      if (!equalBytes(completeRoot(hashes), above)) throw wrong(path);
    }
    tiles.set(path, hashes);
    return hashes;
  }

  async function subtree({ height, position }: Node): Promise<Uint8Array> {
    const level = Math.floor(height / TILE_HEIGHT);
    const width = 2 ** (height % TILE_HEIGHT);
    const hashes = await tile(level, Math.floor((position * width) / TILE_WIDTH));
    const start = (position * width) % TILE_WIDTH;
    return completeRoot(hashes.slice(start, start + width));
  }

  async function rootAt(at: number): Promise<Uint8Array> {
    const hashes: Uint8Array[] = [];
    for (const node of decompose(0, at)) hashes.push(await subtree(node));
    return joinSubtrees(hashes);
  }

  if (!equalBytes(await rootAt(size), checkpoint.root)) throw wrong("tile/");
  return {
    size,
    rootAt,
    async leaf(index) {
      if (index >= size) throw wrong(`leaf ${index}`);
      return subtree({ height: 0, position: index });
    },
  };
}

/** Root of a complete subtree of 2^k hashes. */
function completeRoot(hashes: Hashes): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < row.length; at += 2) next.push(nodeHash(row[at] as Uint8Array, row[at + 1] as Uint8Array));
    row = next;
  }
  return row[0] as Uint8Array;
}

function split(path: string, bytes: Uint8Array | null, width: number): Hashes {
  if (bytes?.byteLength !== width * HASH_BYTES) throw wrong(path);
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

function wrong(path: string): SluiceError {
  return new SluiceError("tile-wrong", `${path} is missing or is not a part of the log's tree.`);
}
