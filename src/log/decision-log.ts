/** The log as the rest of Sluice sees it. */
import type { EntryDraft, EntryQuery, Erasure, LoggedEntry, Receipt } from "./entry.ts";

/** C2SP tlog-checkpoint: origin, size, root, and the exact signed note that says so. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The whole signed note, as published. */
  readonly note: string;
}

export interface DecisionLog {
  readonly origin: string;
  /**
   * Appends one entry. MUST resolve only after leaf, hashes and head are durable and the signed checkpoint that covers
   * them is published; concurrent calls share one transaction (group commit). Rejects with `log-failed`, `log-full`,
   * `log-busy`, `log-moved`, `entry-too-large`, `entry-malformed` and then nothing of the entry is in the tree; with `log-unpublished`
   * it is in the tree, but nothing more is recorded before its checkpoint is published.
   */
  append(draft: EntryDraft): Promise<Receipt>;
  /** Several entries in one transaction, in order: all or none. */
  appendAll(drafts: readonly EntryDraft[]): Promise<readonly Receipt[]>;
  /**
   * Appends the entry of a redaction and takes away what it erases, in one transaction. Absent where the log is open for
   * reading only, or its store cannot. Rejects as append() does, and then nothing was erased.
   */
  redact?(draft: EntryDraft, erasures: readonly Erasure[]): Promise<Receipt>;
  /** Re-read from storage, re-hashed against the tree. @throws `entry-unknown`, `log-corrupt` */
  read(index: number): Promise<LoggedEntry>;
  find(query: EntryQuery): Promise<readonly LoggedEntry[]>;
  /** Numbers of the entries that find() would answer, in its order. By the tables alone: none of them is read or proven. */
  findIndexes(query: EntryQuery): Promise<readonly number[]>;
  count(query: EntryQuery): Promise<number>;
  /** The newest entry of these kinds for the target, or null. */
  latest(target: string, kinds: readonly EntryDraft["kind"][]): Promise<LoggedEntry | null>;
  checkpoint(): Promise<Checkpoint>;
  /** Audit path of entry `index` in the tree of `size`, leaf's sibling first. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** A C2SP tlog-tiles resource below the log's root: `checkpoint`, `tile/0/000.p/3`, `tile/entries/000.p/3`; null if absent. */
  resource(path: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}
