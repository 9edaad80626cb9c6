/**
 * The subtrees within tiles, computed a tile at a time and kept for the next proof: neighbours share theirs, and all of a log
 * share the few tiles high in the tree. What a tile of one width holds never changes, so nothing here grows old.
 */
import { SluiceError } from "../lib/errors.ts";
import { openLatest } from "../lib/latest.ts";
import { decompose, HASH_BYTES, hashRows, type Node, type Range } from "./merkle.ts";
import { hashesAtLevel, TILE_HEIGHT, TILE_WIDTH } from "./tile.ts";
import type { SubtreeSource } from "./tree.ts";

/** Each takes 16 KB. */
const MAXIMUM_TREES = 192;
/** So many entries can be proven from what is kept: below 2^40 a proof has at most five tiles of its own, and five shared ones. */
export const MAXIMUM_PROVEN_AT_ONCE = 32;

export interface HashTile {
  readonly level: number;
  readonly position: number;
  readonly width: number;
}

/** The hashes of a tile, one after the other; fewer where some are missing. */
export type TileSource = (tile: HashTile) => Uint8Array;

export class TileTrees {
  readonly #read: TileSource;
  #trees = openLatest<string, Uint8Array>(MAXIMUM_TREES);

  constructor(read: TileSource) {
    this.#read = read;
  }

  /** Of a tree of so many leaves. Throws `log-corrupt` where hashes are missing, and what the source throws. */
  subtrees(size: number): SubtreeSource {
    return (node) => {
      const tile = tileOf(node, size);
      return within(this.#tree(tile), tile, node);
    };
  }

  /** What the hashes of these ranges need and is not kept; the rest counts as used. */
  missing(ranges: readonly Range[], size: number): readonly HashTile[] {
    const tiles = ranges.flatMap(({ start, end }) => decompose(start, end).map((node) => tileOf(node, size)));
    const needed = new Map(tiles.map((tile) => [keyOf(tile), tile]));
    return [...needed].filter(([key]) => this.#trees.get(key) === undefined).map(([, tile]) => tile);
  }

  /** @throws SluiceError `log-corrupt` unless it is the whole tile */
  keep(tile: HashTile, hashes: Uint8Array): Uint8Array {
    if (hashes.byteLength !== tile.width * HASH_BYTES)
      throw new SluiceError("log-corrupt", `Hashes of the tree are missing at level ${tile.level}.`);
    const tree = hashRows(hashes);
    this.#trees.set(keyOf(tile), tree);
    return tree;
  }

  /** Storage is asked again: what was read of it may have been damaged. */
  forget(): void {
    this.#trees = openLatest(MAXIMUM_TREES);
  }

  #tree(tile: HashTile): Uint8Array {
    return this.#trees.get(keyOf(tile)) ?? this.keep(tile, this.#read(tile));
  }
}

/** The tile that a complete subtree lies in, as wide as it is in a tree of `size` leaves. */
function tileOf({ height, position }: Node, size: number): HashTile {
  const level = Math.floor(height / TILE_HEIGHT);
  const tile = Math.floor((position * 2 ** (height % TILE_HEIGHT)) / TILE_WIDTH);
  return { level, position: tile, width: Math.min(TILE_WIDTH, hashesAtLevel(level, size) - tile * TILE_WIDTH) };
}

function within(tree: Uint8Array, { level, position, width }: HashTile, node: Node): Uint8Array {
  let [row, length] = [0, width];
  for (let height = level * TILE_HEIGHT; height < node.height; height++) {
    row += length;
    length = Math.floor(length / 2);
  }
  const at = (row + node.position - (position * TILE_WIDTH) / 2 ** (node.height % TILE_HEIGHT)) * HASH_BYTES;
  return tree.subarray(at, at + HASH_BYTES);
}

function keyOf({ level, position, width }: HashTile): string {
  return `${level} ${position} ${width}`;
}
