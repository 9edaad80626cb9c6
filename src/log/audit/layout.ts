/**
 * The auditor's bundle, version 2: a folder in the layout of C2SP tlog-tiles with what belongs to a period beside it.
 *
 *     checkpoint         the signed head under which everything is proven; its last entry says that this was read
 *     checkpoint.start   the signed head before the period's first entry
 *     consistency        the proof from one to the other, a base64 hash a line, in the order of RFC 6962
 *     key                the verifier key of the log; while one is replaced by another, both, a line each
 *     read.json          the last entry: who took the bundle, when, of which period; or that no entry says so
 *     rows.ndjson        every entry of the period, with its leaf and the values that are not withheld
 *     changes.csv        a row for each decision on a landed commit
 *     policies/...       the sources of each policy set, named by its digest, where the gate still had them
 *     statement.json     how many there are of what, and how to count again
 *     tile/...           all hashes of the tree; the entries of the period and those around it
 *
 * Nothing in it is believed: every file but the signed and the hashed ones is what these functions make of them, byte for
 * byte. So what they write is fixed; another text is another version.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encodeBase64 } from "../../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../../lib/canonical.ts";
import type { Disclosure, Leaf } from "../entry.ts";
import { hashesAtLevel, newTiles, TILE_WIDTH, type Tile } from "../tile.ts";

export const AUDIT_FILES = {
  checkpoint: "checkpoint",
  start: "checkpoint.start",
  consistency: "consistency",
  key: "key",
  read: "read.json",
  rows: "rows.ndjson",
  changes: "changes.csv",
  statement: "statement.json",
} as const;

/** An entry as the bundle shows it; a withheld value is null. */
export interface AuditRow {
  readonly index: number;
  readonly leafHash: string;
  readonly leaf: Leaf;
  readonly disclosed: Readonly<Record<string, Disclosure | null>>;
}

/** What the `read` entry discloses: the entries [start, end) are those with from <= time < to. */
export interface AuditQuery {
  /** RFC 3339 in UTC; null for no bound. */
  readonly from: string | null;
  readonly to: string | null;
  readonly start: number;
  readonly end: number;
}

/** Where the sources of the policies with this digest stand. */
export function policiesPath(digest: string): string {
  return `policies/${digest}.json`;
}

/** By any file that only a bundle has, so that taking one of them away does not make it a plain folder. */
export function isAuditBundle(path: string): boolean {
  const { checkpoint: _, ...own } = AUDIT_FILES;
  return Object.values(own).some((name) => existsSync(join(path, name)));
}

/** A line of rows.ndjson, and the whole of read.json, with the line end. */
export function rowText({ index, leafHash, leaf, disclosed }: AuditRow): string {
  return `${canonicalJson({ index, leafHash, leaf, disclosed } as unknown as JsonValue)}\n`;
}

/** A reading that is in no log: who says to have read, and what. */
export interface UnloggedReading {
  readonly by: string;
  readonly query: AuditQuery;
}

/** The whole of read.json for such a reading. */
export function unloggedText({ by, query }: UnloggedReading): string {
  return `${canonicalJson({ by, logged: false, query: { ...query } })}\n`;
}

export function keysText(vkeys: readonly string[]): string {
  return vkeys.map((vkey) => `${vkey}\n`).join("");
}

export function consistencyText(proof: readonly Uint8Array[]): string {
  return proof.map((hash) => `${encodeBase64(hash)}\n`).join("");
}

/** Every hash tile of the tree, and the bundles with the period, the entry before it, the one behind it, and the last. */
export function auditTiles({ start, end }: AuditQuery, size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAtLevel(level, size) > 0; level++) tiles.push(...newTiles(level, 0, size));
  const first = Math.floor(Math.max(0, start - 1) / TILE_WIDTH);
  const last = Math.floor(Math.min(end, size - 1) / TILE_WIDTH);
  const needed = ({ position }: Tile) =>
    (position >= first && position <= last) || position === Math.floor((size - 1) / TILE_WIDTH);
  return [...tiles, ...newTiles("entries", 0, size).filter(needed)];
}
