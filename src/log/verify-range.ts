/**
 * Verifies a run of entries by itself, so that several threads can share a log: whatever does not depend on the entries
 * before it is checked here, and what does (time, links, the upper tree) is handed on to be joined in verify.ts.
 */
import { encodeBase64, equalBytes } from "../lib/bytes.ts";
import { quickCounter } from "./disclosed-text.ts";
import type { Erasure } from "./entry.ts";
import { readLeaf } from "./leaf.ts";
import { type LeafFields, recogniseLeaf } from "./leaf-text.ts";
import { isMaskValue, MASKS, maskedValues } from "./masking/mask.ts";
import { HASH_BYTES, hashRows, leafHash } from "./merkle.ts";
import { erasedBy } from "./redaction/record.ts";
import type { Source, SourceEntry } from "./source.ts";
import { parseDisclosures } from "./stored.ts";
import { TILE_WIDTH } from "./tile.ts";
import { Broken, checkDisclosures, type LogVerification } from "./verification.ts";

/** Entries of one target in the run. */
interface TargetRun {
  readonly target: string;
  /** Index of its first entry here, and what that says it follows. */
  readonly first: number;
  readonly previous: string | null;
  /** base64 leaf hash of its newest entry here. */
  last: string;
}

export interface RangeVerification {
  readonly start: number;
  /** Hash of each complete tile, in order. */
  readonly tiles: readonly Uint8Array[];
  /** Leaf hashes of the incomplete tile at the end of the log. */
  readonly rest: readonly Uint8Array[];
  readonly firstTime: string | null;
  readonly lastTime: string | null;
  /** In the order of their first entries. */
  readonly targets: readonly TargetRun[];
  readonly matching: number;
  readonly redacted: number;
  /** Entries of which values are withheld, with their names. */
  readonly withheld: readonly Erasure[];
  /** What the redactions of the run say to have erased. */
  readonly redactions: readonly { readonly index: number; readonly erased: readonly Erasure[] }[];
  /** The first entry of the run that is wrong by itself; the rest then says what was found up to it. */
  readonly broken: (LogVerification & { readonly kind: "broken" }) | null;
}

/** Entries [start, end) of a log of `size`; `start` is at the beginning of a tile. */
export function verifyRange(source: Source, start: number, end: number, size: number): RangeVerification {
  const walk: Walk = {
    tiles: [],
    rest: [],
    firstTime: null,
    lastTime: null,
    targets: new Map(),
    matching: 0,
    redacted: 0,
    withheld: [],
    redactions: [],
    quickly: quickCounter(),
    read: null,
  };
  let broken: RangeVerification["broken"] = null;
  try {
    for (let at = start; at < end; at += TILE_WIDTH) verifyTile(source, walk, at, Math.min(at + TILE_WIDTH, end), size);
  } catch (thrown) {
    if (!(thrown instanceof Broken)) throw thrown;
    broken = thrown.result;
  }
  const { quickly: _, read: __, targets, ...found } = walk; // without the function, which no thread can hand on
  return { start, ...found, targets: [...targets.values()], broken };
}

interface Walk {
  readonly tiles: Uint8Array[];
  rest: readonly Uint8Array[];
  firstTime: string | null;
  lastTime: string | null;
  readonly targets: Map<string, TargetRun>;
  matching: number;
  redacted: number;
  readonly withheld: Erasure[];
  readonly redactions: { readonly index: number; readonly erased: readonly Erasure[] }[];
  readonly quickly: ReturnType<typeof quickCounter>;
  /** The time of an entry that was read last. */
  read: { readonly time: string; readonly at: number } | null;
}

function verifyTile(source: Source, walk: Walk, start: number, end: number, size: number): void {
  const entries = source.entries(start, end);
  const hashes: Uint8Array[] = [];
  for (let index = start; index < end; index++) {
    const entry = entries[index - start];
    if (entry === undefined) throw new Broken("entry", index, `Entry ${index} is missing.`);
    hashes.push(verifyEntry(source, walk, index, entry));
  }
  if (end - start < TILE_WIDTH) {
    walk.rest = hashes;
    return;
  }
  const hash = tileHash(hashes);
  const [upper] = source.hashes(size)(1, start / TILE_WIDTH, 1);
  if (upper === undefined || !equalBytes(upper, hash))
    throw new Broken("hash", end - 1, "A hash of level 1 is not that of the entries below it.");
  walk.tiles.push(hash);
}

/** Its hash. */
function verifyEntry(source: Source, walk: Walk, index: number, entry: SourceEntry): Uint8Array {
  const hash = leafHash(entry.bytes);
  if (entry.hash === null || !equalBytes(hash, entry.hash))
    throw new Broken(
      entry.hash === null ? "hash" : "entry",
      index,
      `Entry ${index} is not the one whose hash is in the tree.`,
    );
  const leaf = recogniseLeaf(entry.bytes) ?? leafOf(entry.bytes, index);
  if (walk.lastTime !== null && leaf.time < walk.lastTime) throw outOfTime(index);
  follow(walk, leaf, index, encodeBase64(hash));
  if (entry.columns !== null) checkColumns(leaf, index, entry.columns, instantOf(walk, leaf.time));
  if (source.hasDisclosures) noteWithheld(walk, leaf, index, entry.disclosures);
  walk.firstTime ??= leaf.time;
  walk.lastTime = leaf.time;
  return hash;
}

function leafOf(bytes: Uint8Array, index: number): LeafFields {
  const reading = readLeaf(bytes);
  if (reading.kind === "leaf") return reading.leaf;
  throw new Broken("entry", index, `Entry ${index} is not a leaf of version 1: ${reading.detail}.`);
}

function noteWithheld(walk: Walk, leaf: LeafFields, index: number, json: Uint8Array | null): void {
  const names = unexplained(checkDisclosures(walk, leaf, index, json, walk.quickly), json);
  if (names.length > 0) walk.withheld.push({ index, names });
  if (leaf.kind !== "redaction") return;
  const erased = erasedBy(leaf.kind, parseDisclosures(json)?.["erased"]?.value);
  if (erased !== null) walk.redactions.push({ index, erased });
}

/** What the entry's own record of its masks explains needs no redaction that does. */
function unexplained(names: readonly string[], json: Uint8Array | null): readonly string[] {
  if (!names.some(isMaskValue)) return names;
  const masks = maskedValues(parseDisclosures(json)?.[MASKS]?.value);
  return names.filter((name) => !masks.has(name));
}

/** Of the entries that are not the first of their target in the run. */
function follow(walk: Walk, leaf: LeafFields, index: number, hash: string): void {
  const { target, previous } = leaf;
  if (target === null) {
    if (previous !== null) throw unlinked(index, target);
    return;
  }
  const run = walk.targets.get(target);
  if (run !== undefined && run.last !== previous) throw unlinked(index, target);
  if (run === undefined) walk.targets.set(target, { target, first: index, previous, last: hash });
  else run.last = hash;
}

export function outOfTime(index: number): Broken {
  return new Broken("time", index, `Entry ${index} is older than the entry before it.`);
}

export function unlinked(index: number, target: string | null): Broken {
  const detail = `Entry ${index} does not follow the entry before it for ${target}: that one was changed.`;
  return new Broken("chain", index, detail);
}

/** Many entries after one another are of one time. */
function instantOf(walk: Walk, time: string): number {
  if (walk.read?.time !== time) walk.read = { time, at: Date.parse(time) };
  return walk.read.at;
}

/** An entry whose columns lie is there, and no query finds it. */
function checkColumns(leaf: LeafFields, index: number, columns: NonNullable<SourceEntry["columns"]>, at: number): void {
  const lie =
    columns.time !== at
      ? "time"
      : (["target", "kind", "verdict"] as const).find((name) => columns[name] !== leaf[name]);
  if (lie !== undefined)
    throw new Broken("columns", index, `Queries see another ${lie} of entry ${index} than the entry has.`);
}

/** Of 256 hashes, or of fewer by a power of two. */
export function tileHash(hashes: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(hashRows(Buffer.concat(hashes)).subarray(-HASH_BYTES)); // a copy: it is kept, the rows are not
}
