/**
 * C2SP tlog-tiles v0.1.0: hash tiles `tile/<L>/<N>[.p/<W>]` of height 8 and entry bundles `tile/entries/<N>[.p/<W>]`.
 * N is written in groups of three digits, all but the last with an x before them: 1234067 = x001/x234/067.
 */
import { concatBytes } from "../lib/bytes.ts";

export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;
export const MAXIMUM_ENTRY_BYTES = 65_535;
const MAXIMUM_LEVEL = 63;

export interface Tile {
  /** 0 to 63, or `entries` for a bundle. */
  readonly level: number | "entries";
  readonly position: number;
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number;
}

export function tilePath({ level, position, width }: Tile): string {
  const digits = String(position);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) as string[];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${path}${width < TILE_WIDTH ? `.p/${width}` : ""}`;
}

/** The only tile whose path this is; null for every other text. */
export function parseTilePath(path: string): Tile | null {
  const match = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/(0|[1-9][0-9]{0,2}))?$/.exec(
    path,
  );
  if (match === null) return null;
  const level = match[1] === "entries" ? "entries" : Number(match[1]);
  const position = Number((match[2] as string).replace(/[x/]/g, ""));
  const tile: Tile = { level, position, width: match[3] === undefined ? TILE_WIDTH : Number(match[3]) };
  return tile.width > 0 && (level === "entries" || level <= MAXIMUM_LEVEL) && tilePath(tile) === path ? tile : null;
}

/** How many hashes level `level` has in a tree of `size` leaves: one per complete subtree of 256^level leaves. */
export function hashesAtLevel(level: number | "entries", size: number): number {
  return level === "entries" ? size : Math.floor(size / TILE_WIDTH ** level);
}

export function tileExists({ level, position, width }: Tile, size: number): boolean {
  return position * TILE_WIDTH + width <= hashesAtLevel(level, size);
}

/** The tiles that a tree of `newSize` has and a tree of `oldSize` has not, one level. */
export function newTiles(level: number | "entries", oldSize: number, newSize: number): readonly Tile[] {
  const [before, after] = [hashesAtLevel(level, oldSize), hashesAtLevel(level, newSize)];
  const tiles: Tile[] = [];
  for (let position = Math.floor(before / TILE_WIDTH); position * TILE_WIDTH < after && after > before; position++)
    tiles.push({ level, position, width: Math.min(TILE_WIDTH, after - position * TILE_WIDTH) });
  return tiles;
}

/** Concatenated big-endian uint16 length || entry. */
export function writeBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    ...entries.flatMap((entry) => [new Uint8Array([entry.byteLength >> 8, entry.byteLength & 255]), entry]),
  );
}

/** null when the bundle does not hold exactly `width` entries. */
export function readBundle(bundle: Uint8Array, width: number): readonly Uint8Array[] | null {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= bundle.byteLength && entries.length < width) {
    const length = view.getUint16(at);
    if (at + 2 + length > bundle.byteLength) return null;
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return at === bundle.byteLength && entries.length === width ? entries : null;
}
