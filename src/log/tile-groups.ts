/**
 * A shorter way to the subtrees of the lowest tiles, for entries that lie far apart: of a tile of 256 leaves the hashes of
 * its 16 groups of 16 leaves are kept somewhere, so that a proof reads and hashes 16 leaves and 16 groups, not 256 leaves.
 * What is kept is derived and may be wrong: only for proofs that are verified before they are believed.
 */
import { openLatest } from "../lib/latest.ts";
import { HASH_BYTES, hashRows, type Node } from "./merkle.ts";
import { TILE_HEIGHT, TILE_WIDTH } from "./tile.ts";
import type { TileTrees } from "./tile-trees.ts";
import type { SubtreeSource } from "./tree.ts";

const GROUP_HEIGHT = TILE_HEIGHT / 2;
/** Leaves of a group, and groups of a tile. */
export const GROUP_WIDTH = 2 ** GROUP_HEIGHT;
const GROUP_BYTES = GROUP_WIDTH * HASH_BYTES;
/** Each takes 1 KB; a page of a thousand entries has two for each. */
const MAXIMUM_ROWS = 2048;

interface GroupSource {
  /** The hashes of the groups of complete tile `position`, one after the other; null where they are not known. */
  groups(position: number): Uint8Array | null;
  /** The hashes of leaves [start, start + GROUP_WIDTH), one after the other; fewer where some are missing. */
  leaves(start: number): Uint8Array;
}

/** What a source keeps of a complete tile: its 256 leaf hashes, one after the other. */
export function groupsOf(leaves: Uint8Array): Uint8Array {
  let start = 0;
  for (let height = 0; height < GROUP_HEIGHT; height++) start += TILE_WIDTH / 2 ** height;
  return hashRows(leaves).slice(start * HASH_BYTES, (start + GROUP_WIDTH) * HASH_BYTES);
}

export class TileGroups {
  readonly #trees: TileTrees;
  readonly #source: GroupSource;
  /** Rows above 16 hashes each, by what they are of. */
  readonly #rows = openLatest<string, Uint8Array>(MAXIMUM_ROWS);

  /** `trees` answers for everything that the source does not know. */
  constructor(trees: TileTrees, source: GroupSource) {
    this.#trees = trees;
    this.#source = source;
  }

  /** Of a tree of so many leaves. Throws what both sources throw. */
  subtrees(size: number): SubtreeSource {
    const whole = this.#trees.subtrees(size);
    return (node) => this.#within(node, size) ?? whole(node);
  }

  #within({ height, position }: Node, size: number): Uint8Array | null {
    if (height >= TILE_HEIGHT) return null;
    const first = position * 2 ** height;
    const tile = Math.floor(first / TILE_WIDTH);
    if ((tile + 1) * TILE_WIDTH > size) return null;
    if (height >= GROUP_HEIGHT) {
      const rows = this.#row(`g${tile}`, () => this.#source.groups(tile));
      return rows && hashIn(rows, height - GROUP_HEIGHT, position % 2 ** (TILE_HEIGHT - height));
    }
    if (this.#row(`g${tile}`, () => this.#source.groups(tile)) === null) return null; // the whole tile is needed anyway
    const group = Math.floor(first / GROUP_WIDTH);
    const rows = this.#row(`l${group}`, () => this.#source.leaves(group * GROUP_WIDTH));
    return rows && hashIn(rows, height, position % 2 ** (GROUP_HEIGHT - height));
  }

  #row(key: string, read: () => Uint8Array | null): Uint8Array | null {
    const kept = this.#rows.get(key);
    if (kept !== undefined) return kept;
    const hashes = read();
    if (hashes?.byteLength !== GROUP_BYTES) return null;
    const rows = hashRows(hashes);
    this.#rows.set(key, rows);
    return rows;
  }
}

/** Of the rows above GROUP_WIDTH hashes: so many rows up, at that place. */
function hashIn(rows: Uint8Array, up: number, place: number): Uint8Array {
  let start = 0;
  for (let row = 0; row < up; row++) start += GROUP_WIDTH / 2 ** row;
  return rows.subarray((start + place) * HASH_BYTES, (start + place + 1) * HASH_BYTES);
}
