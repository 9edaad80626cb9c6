/**
 * Verifies a whole log from its bytes alone: a database, or a folder in the layout of C2SP tlog-tiles; an auditor's
 * bundle goes to audit/verify.ts. Streams; what is kept is the tree's right edge, one tile and one hash for each target.
 */
import { existsSync, statSync } from "node:fs";
import { encodeBase64, equalBytes } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseTime } from "../lib/time.ts";
import { isAuditBundle } from "./audit/layout.ts";
import { verifyAuditBundle } from "./audit/verify.ts";
import type { Leaf } from "./entry.ts";
import { readLeaf } from "./leaf.ts";
import { appendLeaf, EMPTY_FRONTIER, type Frontier, frontierRoot, leafHash } from "./merkle.ts";
import { type NoteVerifier, noteVerifier } from "./note.ts";
import { databaseSource, folderSource, type Source, type SourceEntry } from "./source.ts";
import { isNotDatabase, isStorageDamage } from "./stores/sqlite/database.ts";
import { TILE_HEIGHT, TILE_WIDTH } from "./tile.ts";
import {
  Broken,
  checkDisclosures,
  checkKnown,
  type LogVerification,
  openHead,
  openKnown,
  type VerifyOptions,
} from "./verification.ts";

/** @throws `log-missing`, `log-version-unknown`, `not-supported`, `note-key-invalid` when there is nothing to verify */
export async function verifyLog(path: string, options: VerifyOptions): Promise<LogVerification> {
  const keys = options.keys.map(noteVerifier);
  if (isAuditBundle(path)) return verifyAuditBundle(path, options);
  const source = openSource(path);
  try {
    return await verifySource(source, keys, options);
  } catch (thrown) {
    if (thrown instanceof Broken) return thrown.result;
    if (!isStorageDamage(thrown)) throw thrown;
    const detail = "The database is damaged: it cannot be read to its end.";
    return { kind: "broken", code: "log-tampered", index: null, differs: "tree", detail };
  } finally {
    source.close();
  }
}

async function verifySource(
  source: Source,
  keys: readonly NoteVerifier[],
  options: VerifyOptions,
): Promise<LogVerification> {
  const head = openHead(source.note, options.origin, keys);
  const known = openKnown(options.known, head, keys);
  const walk: Walk = { frontier: EMPTY_FRONTIER, newest: null, tails: new Map(), matching: 0, redacted: 0 };
  checkKnown(walk.frontier, known);
  while (walk.frontier.size < head.size) {
    step(source, walk, head.size);
    checkKnown(walk.frontier, known);
    const { size } = walk.frontier;
    if (size % TILE_WIDTH !== 0 && size !== head.size) continue;
    options.progress?.(size, head.size);
    await new Promise(setImmediate); // a long verification lets others run
  }
  if (!equalBytes(frontierRoot(walk.frontier), head.root))
    throw new Broken(
      "tree",
      null,
      "Every entry agrees with its stored hash, but not with the signed root: entries and hashes were rewritten.",
    );
  if (source.hasMore(head.size))
    throw new Broken("tree", head.size, `Entries follow behind the signed size ${head.size}.`);
  const { matching, redacted } = walk;
  return { kind: "intact", checkpoint: head, disclosures: source.hasDisclosures ? { matching, redacted } : null };
}

interface Walk {
  frontier: Frontier;
  newest: Leaf | null;
  /** base64 leaf hash of each target's newest entry. */
  readonly tails: Map<string, string>;
  matching: number;
  redacted: number;
}

function step(source: Source, walk: Walk, size: number): void {
  const index = walk.frontier.size;
  const entry = source.entry(index);
  if (entry === null) throw new Broken("entry", index, `Entry ${index} is missing.`);
  const hash = leafHash(entry.bytes);
  const stored = source.hash(0, index, size);
  if (stored === null || !equalBytes(hash, stored))
    throw new Broken(
      stored === null ? "hash" : "entry",
      index,
      `Entry ${index} is not the one whose hash is in the tree.`,
    );
  const reading = readLeaf(entry.bytes);
  if (reading.kind === "malformed")
    throw new Broken("entry", index, `Entry ${index} is not a leaf of version 1: ${reading.detail}.`);
  const { leaf } = reading;
  if (walk.newest !== null && leaf.time < walk.newest.time)
    throw new Broken("time", index, `Entry ${index} is older than the entry before it.`);
  checkChain(walk, leaf, index, encodeBase64(hash));
  if (entry.columns !== null) checkColumns(leaf, index, entry.columns);
  if (source.hasDisclosures) checkDisclosures(walk, leaf, index, entry.disclosures);
  walk.newest = leaf;
  walk.frontier = appendLeaf(walk.frontier, hash, ({ height, position }, complete) => {
    if (height === 0 || height % TILE_HEIGHT !== 0) return;
    const upper = source.hash(height / TILE_HEIGHT, position, size);
    if (upper === null || !equalBytes(upper, complete))
      throw new Broken("hash", index, `A hash of level ${height / TILE_HEIGHT} is not that of the entries below it.`);
  });
}

function checkChain(walk: Walk, leaf: Leaf, index: number, hash: string): void {
  const expected = leaf.target === null ? null : (walk.tails.get(leaf.target) ?? null);
  if (leaf.previous !== expected)
    throw new Broken(
      "chain",
      index,
      `Entry ${index} does not follow the entry before it for ${leaf.target}: that one was changed.`,
    );
  if (leaf.target !== null) walk.tails.set(leaf.target, hash);
}

/** An entry whose columns lie is there, and no query finds it. */
function checkColumns(leaf: Leaf, index: number, columns: NonNullable<SourceEntry["columns"]>): void {
  const { target, kind, verdict } = leaf;
  const expected = { time: parseTime(leaf.time), target, kind, verdict };
  for (const [name, value] of Object.entries(expected))
    if (columns[name as keyof typeof columns] !== value)
      throw new Broken("columns", index, `Queries see another ${name} of entry ${index} than the entry has.`);
}

function openSource(path: string): Source {
  if (!existsSync(path)) throw new SluiceError("log-missing", `There is no log at ${path}.`);
  if (statSync(path).isDirectory()) return folderSource(path);
  try {
    return databaseSource(path);
  } catch (cause) {
    if (!isNotDatabase(cause)) throw cause;
    throw new SluiceError("not-supported", `${path} is neither a database nor a folder.`);
  }
}
