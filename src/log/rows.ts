/** A whole log at one moment, row by row: what a copy of it in another store is made of. Nothing here is verified yet. */

export interface LogRows {
  /** The signed head. */
  readonly note: string;
  /** Whether its checkpoints were written to an anchor. */
  readonly anchored: boolean;
  /** In order, some at a time. */
  readonly entries: AsyncIterable<readonly EntryRow[]>;
  /** Of the levels above the leaves; some at a time. */
  readonly hashes: AsyncIterable<readonly HashRow[]>;
}

export interface EntryRow {
  readonly index: number;
  /** Milliseconds. */
  readonly time: number;
  readonly target: string | null;
  readonly kind: string;
  readonly verdict: string | null;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  /** JSON texts of what stands beside the entry; null where it is missing. */
  readonly terms: string | null;
  readonly json: string | null;
}

export interface HashRow {
  readonly level: number;
  readonly n: number;
  readonly hash: Uint8Array;
}
