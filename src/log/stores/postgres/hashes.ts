/** Hashes of the tree, fetched before they are asked for: the functions of tree.ts do not wait. */
import { TILE_WIDTH } from "../../tile.ts";
import type { HashTile } from "../../tile-trees.ts";
import { type HashRun, type HashSource, runsOf } from "../../tree.ts";
import { type Asked, rows } from "./connection.ts";

const SELECT = `
SELECT 0 AS level, e.idx AS n, e.hash FROM unnest($1::bigint[], $2::bigint[]) r (start, stop)
  JOIN entries e ON e.idx >= r.start AND e.idx < r.stop
UNION ALL
SELECT h.level, h.n, h.hash FROM unnest($3::int[], $4::bigint[], $5::bigint[]) r (level, start, stop)
  JOIN hashes h ON h.level = r.level AND h.n >= r.start AND h.n < r.stop`;

/** A source of exactly these runs; what storage has not, is missing from it. */
export async function fetchHashes(asked: Asked, runs: readonly HashRun[]): Promise<HashSource> {
  const distinct = [...new Map(runs.map((run) => [`${run.level} ${run.start} ${run.count}`, run])).values()];
  const [leaves, subtrees] = [distinct.filter(isOfLeaves), distinct.filter((run) => !isOfLeaves(run))];
  const found = await rows<{ level: number; n: string; hash: Buffer }>(asked, SELECT, [
    leaves.map(({ start }) => start),
    leaves.map(stop),
    subtrees.map(({ level }) => level),
    subtrees.map(({ start }) => start),
    subtrees.map(stop),
  ]);
  const hashes = new Map(found.map(({ level, n, hash }) => [`${level} ${n}`, hash]));
  return (level, start, count) => {
    const row: Uint8Array[] = [];
    for (let n = start; n < start + count; n++) {
      const hash = hashes.get(`${level} ${n}`);
      if (hash === undefined) break;
      row.push(hash);
    }
    return row;
  };
}

/** Of the roots of trees of these sizes. */
export function runsOfRoots(sizes: readonly number[]): readonly HashRun[] {
  return runsOf(sizes.map((size) => ({ start: 0, end: size })));
}

function isOfLeaves({ level }: { readonly level: number }): boolean {
  return level === 0;
}

function stop({ start, count }: HashRun): number {
  return start + count;
}

const SELECT_TILES = `
SELECT r.at, string_agg(e.hash, ''::bytea ORDER BY e.idx) AS hashes FROM unnest($1::int[], $2::bigint[], $3::bigint[]) r (at, start, stop)
  JOIN entries e ON e.idx >= r.start AND e.idx < r.stop GROUP BY r.at
UNION ALL
SELECT r.at, string_agg(h.hash, ''::bytea ORDER BY h.n) FROM unnest($4::int[], $5::int[], $6::bigint[], $7::bigint[]) r (at, level, start, stop)
  JOIN hashes h ON h.level = r.level AND h.n >= r.start AND h.n < r.stop GROUP BY r.at`;

/** The hashes of each tile, one after the other; fewer where storage lacks some. */
export async function fetchTiles(asked: Asked, tiles: readonly HashTile[]): Promise<readonly Uint8Array[]> {
  const numbered = tiles.map((tile, at) => ({ ...tile, at }));
  const [leaves, subtrees] = [numbered.filter(isOfLeaves), numbered.filter((tile) => !isOfLeaves(tile))];
  const start = ({ position }: HashTile) => position * TILE_WIDTH;
  const end = (tile: HashTile) => start(tile) + tile.width;
  const found = await rows<{ at: number; hashes: Buffer }>(asked, SELECT_TILES, [
    leaves.map(({ at }) => at),
    leaves.map(start),
    leaves.map(end),
    subtrees.map(({ at }) => at),
    subtrees.map(({ level }) => level),
    subtrees.map(start),
    subtrees.map(end),
  ]);
  const byTile = new Map(found.map(({ at, hashes }) => [at, hashes]));
  return tiles.map((_, at) => byTile.get(at) ?? new Uint8Array(0));
}
