/** A line of the log: leaf version 1 (FORMS "Log leaf"), fixed from the first commit on. */
import type { JsonObject, JsonValue } from "../lib/canonical.ts";
import type { Instant } from "../lib/time.ts";

export const ENTRY_KINDS = [
  "genesis",
  "decision",
  "receipt",
  "approval",
  "waiver-used",
  "release",
  "head-change",
  "applied",
  "drift",
  "hold",
  "resume",
  "rollback",
  "emergency",
  "review",
  "policy-activation",
  "trust-change",
  "configuration-change",
  "bypass",
  "redaction",
  "read",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];
export type Purpose = "gate" | "dry-run" | "observe";
export const VERDICTS = ["allow", "deny", "wait", "error"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Digests in force, hex SHA-256; null where a kind has none. `code` is the version of Sluice. */
export interface EntryDigests {
  readonly policies: string | null;
  readonly trust: string | null;
  readonly configuration: string | null;
  readonly waivers: string | null;
  readonly code: string | null;
}

/** What a caller asks to be logged. Every value of `disclosed` becomes a salted commitment in the leaf. */
export interface EntryDraft {
  readonly kind: EntryKind;
  /** Target name; null only for entries of the whole gate. */
  readonly target: string | null;
  readonly purpose: Purpose;
  readonly verdict: Verdict | null;
  /** Codes, sorted. */
  readonly reasons: readonly string[];
  /** Commit and tree ids only: {commit, tree, base, head, judge, ...}. */
  readonly subject: Readonly<Record<string, string | null>>;
  readonly digests: EntryDigests;
  readonly disclosed: JsonObject;
  /** Names of `disclosed` that are committed to and not kept: a mask withheld them, and the value `masks` says so. */
  readonly withheld?: readonly string[];
  /**
   * base64 leaf hash that the target's newest entry must have, or null for none, when this one is recorded: otherwise its
   * group is refused with `log-moved`, and nothing of it is recorded. Absent: whatever came before.
   */
  readonly follows?: string | null;
  /** What queries may look for; derived from `disclosed`, kept beside the tree, never in the leaf. */
  readonly terms: readonly Term[];
}

/** `subject`: what a decision is about, in one word; `adopted` on a genesis since whose time every decision has one. */
export type TermKind = "resource" | "person" | "rule" | "commit" | "tree" | "release" | "waiver" | "key" | "subject";
export interface Term {
  readonly kind: TermKind;
  readonly value: string;
}

/** The leaf as parsed from its canonical bytes. */
export interface Leaf {
  readonly v: 1;
  readonly kind: EntryKind;
  readonly id: string;
  readonly time: string;
  readonly target: string | null;
  readonly purpose: Purpose;
  readonly verdict: Verdict | null;
  readonly reasons: readonly string[];
  readonly subject: Readonly<Record<string, string | null>>;
  readonly digests: EntryDigests;
  readonly commitments: Readonly<Record<string, string>>;
  /** base64 leaf hash of the target's prior entry. */
  readonly previous: string | null;
}

/** A value with its salt, as kept in the side table: base64(SHA-256(salt || canonical bytes)) is the commitment. */
export interface Disclosure {
  readonly salt: string;
  readonly value: JsonValue;
}

/** An entry that is in the tree under a signed checkpoint. */
export interface LoggedEntry {
  readonly index: number;
  readonly leaf: Leaf;
  /** Exact canonical bytes of the leaf. */
  readonly bytes: Uint8Array;
  /** base64 SHA-256(0x00 || bytes). */
  readonly leafHash: string;
  /** null for a value that was redacted. */
  readonly disclosed: Readonly<Record<string, Disclosure | null>>;
}

/** Values of an entry that a redaction takes away. */
export interface Erasure {
  readonly index: number;
  /** Names of values that are there and go. Sorted. */
  readonly names: readonly string[];
}

/** What append() gives back, after the entry is durable and its checkpoint published. */
export interface Receipt {
  readonly index: number;
  readonly id: string;
  readonly time: string;
  readonly leafHash: string;
}

export interface EntryQuery {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly target?: string;
  /** Any of these; not beside `target`. */
  readonly targets?: readonly string[];
  readonly kinds?: readonly EntryKind[];
  readonly verdict?: Verdict;
  readonly terms?: readonly Term[];
  /** First digits of a commit id, in small letters. */
  readonly commitPrefix?: string;
  /** Every word of it stands in a text beside the entry. */
  readonly text?: string;
  /** An entry index; newest first below it, or oldest first above it. */
  readonly after?: number;
  readonly order?: "newest" | "oldest";
  /** 1,000 unless said. */
  readonly limit?: number;
}
