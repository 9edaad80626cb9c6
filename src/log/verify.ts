/**
 * Verifies a whole log from its bytes alone: a database, or a folder in the layout of C2SP tlog-tiles. Streams; what is
 * kept is the tree's right edge, one tile and one hash for each target.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { encodeBase64, equalBytes } from "../lib/bytes.ts";
import { asSluiceError, SluiceError } from "../lib/errors.ts";
import { parseTime } from "../lib/time.ts";
import { openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./decision-log.ts";
import type { Leaf } from "./entry.ts";
import { matchesCommitment, readLeaf } from "./leaf.ts";
import { appendLeaf, EMPTY_FRONTIER, type Frontier, frontierRoot, leafHash } from "./merkle.ts";
import { type NoteVerifier, noteVerifier } from "./note.ts";
import { isNotDatabase, isStorageDamage, openForReading, storedHashes } from "./stores/sqlite/database.ts";
import { parseDisclosures } from "./stores/sqlite/reader.ts";
import { hashesAtLevel, readBundle, TILE_HEIGHT, TILE_WIDTH, tilePath } from "./tile.ts";

export interface VerifyOptions {
  /** Verifier keys of the log; the checkpoint must bear the signature of one. */
  readonly keys: readonly string[];
  /** When given, the log must be this one. */
  readonly origin?: string;
  /** Signed checkpoints seen earlier (an anchor's, an agent's); the log must contain them all. */
  readonly known?: readonly string[];
  progress?(done: number, total: number): void;
}

export type LogVerification =
  | {
      readonly kind: "intact";
      readonly checkpoint: Checkpoint;
      /** Values beside the entries, where the source has them: how many match their commitment, how many were redacted. */
      readonly disclosures: { readonly matching: number; readonly redacted: number } | null;
    }
  | {
      readonly kind: "broken";
      readonly code: "log-tampered" | "log-rolled-back" | "log-forked";
      /** The first entry that is not what was recorded; null where no single entry can be named. */
      readonly index: number | null;
      readonly differs: "entry" | "hash" | "chain" | "time" | "disclosure" | "columns" | "checkpoint" | "tree";
      /** One plain sentence. */
      readonly detail: string;
    };

type Difference = (LogVerification & { kind: "broken" })["differs"];

interface SourceEntry {
  readonly bytes: Uint8Array;
  /** JSON text of the values beside the entry; null where the source has none. */
  readonly disclosures: string | null;
  /** What queries go by; null where the source has no such thing. */
  readonly columns: Readonly<Record<"time" | "target" | "kind" | "verdict", unknown>> | null;
}

/** What a database and a folder have in common. */
interface Source {
  readonly note: string;
  /** Entry `index`, or null when it is missing. In rising order only. */
  entry(index: number): SourceEntry | null;
  /** Whether anything lies behind the checkpoint's last entry. */
  hasMore(size: number): boolean;
  /** The stored hash `n` of level `level`, or null. */
  hash(level: number, n: number, size: number): Uint8Array | null;
  readonly hasDisclosures: boolean;
  close(): void;
}

class Broken extends Error {
  readonly result: LogVerification & { kind: "broken" };

  constructor(
    differs: Difference,
    index: number | null,
    detail: string,
    code: "log-tampered" | "log-rolled-back" | "log-forked" = "log-tampered",
  ) {
    super(detail);
    this.result = { kind: "broken", code, index, differs, detail };
  }
}

/** @throws `log-missing`, `log-version-unknown`, `not-supported`, `note-key-invalid` when there is nothing to verify */
export async function verifyLog(path: string, options: VerifyOptions): Promise<LogVerification> {
  const keys = options.keys.map(noteVerifier);
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
  const known = (options.known ?? []).map((note) => openCheckpoint(note, head.origin, keys));
  const ahead = known.find(({ size }) => size > head.size);
  if (ahead !== undefined)
    throw new Broken(
      "tree",
      null,
      `It has ${head.size} entries; ${ahead.size} were already published.`,
      "log-rolled-back",
    );
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

function checkDisclosures(walk: Walk, leaf: Leaf, index: number, json: string | null): void {
  const disclosed = json === null ? null : parseDisclosures(json);
  const names = Object.keys(leaf.commitments);
  const isComplete = disclosed !== null && Object.keys(disclosed).sort().join("\n") === names.sort().join("\n");
  if (!isComplete)
    throw new Broken("disclosure", index, `The values beside entry ${index} are not those it commits to.`);
  for (const name of names) {
    const disclosure = disclosed[name] ?? null;
    if (disclosure === null) walk.redacted++;
    else if (matchesCommitment(disclosure, leaf.commitments[name] ?? "")) walk.matching++;
    else throw new Broken("disclosure", index, `Value \`${name}\` beside entry ${index} is not the one it commits to.`);
  }
}

function checkKnown(frontier: Frontier, known: readonly Checkpoint[]): void {
  for (const { size, root } of known)
    if (size === frontier.size && !equalBytes(frontierRoot(frontier), root))
      throw new Broken("tree", null, `It contradicts the checkpoint of size ${size} that was published.`, "log-forked");
}

function openHead(note: string, origin: string | undefined, keys: readonly NoteVerifier[]): Checkpoint {
  try {
    return openCheckpoint(note, origin ?? parseCheckpoint(note)?.origin ?? "", keys);
  } catch (thrown) {
    throw new Broken("checkpoint", null, asSluiceError(thrown).message);
  }
}

function openSource(path: string): Source {
  if (!existsSync(path)) throw new SluiceError("log-missing", `There is no log at ${path}.`);
  if (statSync(path).isDirectory()) return folderSource(path);
  try {
    return databaseSource(path);
  } catch (cause) {
    if (!isNotDatabase(cause)) throw cause;
    throw new SluiceError("not-supported", `${path} is neither a database nor a folder; bundles are not there yet.`);
  }
}

function databaseSource(path: string): Source {
  const db = openForReading(path);
  db.exec("BEGIN"); // one snapshot, whatever is appended meanwhile
  const note = String(db.prepare("SELECT note FROM head").get()?.["note"] ?? "");
  const hashes = storedHashes(db);
  const rows = db
    .prepare(
      "SELECT e.idx AS idx, bytes, json, time, target, kind, verdict FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx ORDER BY e.idx",
    )
    .iterate();
  return {
    note,
    hasDisclosures: true,
    entry(index) {
      const { done, value: row } = rows.next();
      if (done === true || row["idx"] !== index) return null;
      const { bytes, json, time, target, kind, verdict } = row as Record<string, unknown>;
      return { bytes: bytes as Uint8Array, disclosures: String(json), columns: { time, target, kind, verdict } };
    },
    hasMore: () => rows.next().done !== true,
    hash: (level, n) => hashes(level, n, 1)[0] ?? null,
    close: () => db.close(),
  };
}

function folderSource(folder: string): Source {
  const read = (path: string) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : null);
  const tiles = new Map<number, { position: number; bytes: Uint8Array | null }>();
  let bundle: { position: number; entries: readonly Uint8Array[] | null } = { position: -1, entries: null };
  const size = parseCheckpoint(read("checkpoint")?.toString("utf8") ?? "")?.size ?? 0;
  const tileAt = (level: number | "entries", position: number) => {
    const width = Math.min(TILE_WIDTH, hashesAtLevel(level, size) - position * TILE_WIDTH);
    return { width, bytes: read(tilePath({ level, position, width })) };
  };
  return {
    note: read("checkpoint")?.toString("utf8") ?? "",
    hasDisclosures: false,
    entry(index) {
      const position = Math.floor(index / TILE_WIDTH);
      if (bundle.position !== position) {
        const { width, bytes } = tileAt("entries", position);
        bundle = { position, entries: bytes === null ? null : readBundle(bytes, width) };
      }
      const bytes = bundle.entries?.[index % TILE_WIDTH];
      return bytes === undefined ? null : { bytes, disclosures: null, columns: null };
    },
    hasMore: () => false,
    hash(level, n) {
      const position = Math.floor(n / TILE_WIDTH);
      if (tiles.get(level)?.position !== position) {
        const { width, bytes } = tileAt(level, position);
        tiles.set(level, { position, bytes: bytes?.byteLength === width * 32 ? bytes : null });
      }
      const start = (n % TILE_WIDTH) * 32;
      return tiles.get(level)?.bytes?.subarray(start, start + 32) ?? null;
    },
    close() {},
  };
}
