/** Gives prepared entries their place: index, time, previous, hashes. Pure; nothing is written. */
import { encodeBase64 } from "../lib/bytes.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import type { Receipt } from "./entry.ts";
import { type PreparedEntry, sequenceLeaf } from "./leaf.ts";
import { appendLeaf, type Frontier, leafHash } from "./merkle.ts";
import { TILE_HEIGHT } from "./tile.ts";

/** Where the log ends. Immutable. */
export interface End {
  readonly frontier: Frontier;
  /** Of the newest entry; 0 for an empty log. */
  readonly time: Instant;
}

export interface StagedEntry {
  readonly index: number;
  readonly time: Instant;
  /** Of the leaf. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly prepared: PreparedEntry;
}

/** A hash of level L above the leaves: the `n`-th complete subtree of 256^L leaves. */
export interface LevelHash {
  readonly level: number;
  readonly n: number;
  readonly hash: Uint8Array;
}

export interface Stage {
  readonly entries: readonly StagedEntry[];
  readonly hashes: readonly LevelHash[];
  readonly end: End;
  /** base64 leaf hash of the newest entry of each target that was touched. */
  readonly tails: ReadonlyMap<string, string>;
  /** One for each group, in order: its receipts, or why nothing of it is in the stage. */
  readonly outcomes: readonly (readonly Receipt[] | SluiceError)[];
}

/**
 * Each group whole or not at all: a poison entry takes only its own group with it. `tailOf(target)` is the leaf hash of
 * the target's newest entry in storage, or null.
 */
export function stageGroups(
  end: End,
  groups: readonly (readonly PreparedEntry[])[],
  tailOf: (target: string) => string | null,
): Stage {
  const entries: StagedEntry[] = [];
  const hashes: LevelHash[] = [];
  const tails = new Map<string, string>();
  const outcomes: (readonly Receipt[] | SluiceError)[] = [];
  for (const group of groups) {
    try {
      const staged = stageGroup(end, group, (target) => tails.get(target) ?? tailOf(target));
      entries.push(...staged.entries);
      hashes.push(...staged.hashes);
      for (const [target, hash] of staged.tails) tails.set(target, hash);
      outcomes.push(staged.receipts);
      end = staged.end;
    } catch (refused) {
      outcomes.push(asSluiceError(refused));
    }
  }
  return { entries, hashes, end, tails, outcomes };
}

/** @throws `entry-too-large`, `log-moved` */
function stageGroup(end: End, group: readonly PreparedEntry[], tailOf: (target: string) => string | null) {
  const entries: StagedEntry[] = [];
  const hashes: LevelHash[] = [];
  const receipts: Receipt[] = [];
  const tails = new Map<string, string>();
  let { frontier, time } = end;
  for (const prepared of group) {
    const { target } = prepared;
    time = Math.max(time, prepared.at);
    const previous = target === null ? null : (tails.get(target) ?? tailOf(target));
    if (prepared.follows !== undefined && prepared.follows !== previous) throw moved(target);
    const { id, time: text, bytes } = sequenceLeaf(prepared, time, previous);
    const index = frontier.size;
    const hash = leafHash(bytes);
    const hashText = encodeBase64(hash);
    frontier = appendLeaf(frontier, hash, ({ height, position }, complete) => {
      if (height > 0 && height % TILE_HEIGHT === 0)
        hashes.push({ level: height / TILE_HEIGHT, n: position, hash: complete });
    });
    if (target !== null) tails.set(target, hashText);
    entries.push({ index, time, hash, bytes, prepared });
    receipts.push({ index, id, time: text, leafHash: hashText });
  }
  return { entries, hashes, receipts, tails, end: { frontier, time } };
}

function moved(target: string | null): SluiceError {
  return new SluiceError("log-moved", `Something else of ${target} was recorded since its entries were looked at.`, {
    retryable: true,
  });
}
