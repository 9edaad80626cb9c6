/**
 * Verifies a whole log from its bytes alone: a database, or a folder in the layout of C2SP tlog-tiles; an auditor's
 * bundle goes to audit/verify.ts. Entries are read in runs, several at a time where that pays; what is kept is a hash for
 * each tile and one for each target.
 */
import { existsSync, statSync } from "node:fs";
import { equalBytes } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { isAuditBundle } from "./audit/layout.ts";
import { verifyAuditBundle } from "./audit/verify.ts";
import type { Checkpoint } from "./decision-log.ts";
import { type NoteVerifier, noteVerifier } from "./note.ts";
import { databaseSource, folderSource, type Source } from "./source.ts";
import { isStorageDamage, readFailure } from "./stores/sqlite/database.ts";
import { verifyInThreads } from "./stores/sqlite/verifiers.ts";
import { type LogPlace, postgresPlace, sqlitePath } from "./stores.ts";
import { TILE_WIDTH } from "./tile.ts";
import { type HashSource, storedRoot } from "./tree.ts";
import { Broken, type LogVerification, openHead, openKnown, type VerifyOptions } from "./verification.ts";
import { outOfTime, type RangeVerification, tileHash, unlinked, verifyRange } from "./verify-range.ts";

/** Whole tiles; some hundred milliseconds of work. */
const RANGE_ENTRIES = 32 * TILE_WIDTH;
/** Below, starting threads takes longer than it saves. */
const SHARED_FROM_ENTRIES = 2 * RANGE_ENTRIES;

/** @throws `log-missing`, `log-version-unknown`, `note-key-invalid` when there is nothing to verify, and what readFailure() names */
export async function verifyLog(path: string, options: VerifyOptions): Promise<LogVerification> {
  const keys = options.keys.map(noteVerifier);
  if (isAuditBundle(path)) return verifyAuditBundle(path, options);
  let source: Source;
  try {
    source = openSource(path);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "log-corrupt") throw thrown;
    return damaged(thrown.message);
  }
  try {
    return await verifySource(source, (size) => verifiedRanges(source, path, size), keys, options);
  } finally {
    source.close();
  }
}

/** The log where a gate keeps it. @throws as verifyLog(), and `log-failed` */
export async function verifyStore(place: LogPlace, options: VerifyOptions): Promise<LogVerification> {
  const postgres = postgresPlace(place);
  if (postgres === null) return verifyLog(sqlitePath(place.store), options);
  const { openPostgresSource } = await import("./stores/postgres/source.ts");
  const source = await openPostgresSource(postgres, options.known ?? []);
  try {
    return await verifySource(source, source.ranges, options.keys.map(noteVerifier), options);
  } finally {
    await source.end();
  }
}

/** `rangesOf` answers every entry of a tree of that size, in order. */
async function verifySource(
  source: Source,
  rangesOf: (size: number) => AsyncIterable<RangeVerification>,
  keys: readonly NoteVerifier[],
  options: VerifyOptions,
): Promise<LogVerification> {
  try {
    return await verified(source, rangesOf, keys, options);
  } catch (thrown) {
    if (thrown instanceof Broken) return thrown.result;
    if (!isStorageDamage(thrown)) throw readFailure(thrown);
    return damaged("The log's database is damaged: it cannot be read to its end.");
  }
}

function damaged(detail: string): LogVerification {
  return { kind: "broken", code: "log-corrupt", index: null, differs: "tree", detail };
}

async function verified(
  source: Source,
  rangesOf: (size: number) => AsyncIterable<RangeVerification>,
  keys: readonly NoteVerifier[],
  options: VerifyOptions,
): Promise<LogVerification> {
  const head = openHead(source.note, options.origin, keys);
  const known = openKnown(options.known, head, keys);
  const spine = new Spine(source, head.size);
  for await (const range of rangesOf(head.size)) {
    spine.join(range);
    options.progress?.(spine.size, head.size);
  }
  checkKnown(source, head.size, known);
  if (!equalBytes(spine.root(), head.root))
    throw new Broken(
      "tree",
      null,
      "Every entry agrees with its stored hash, but not with the signed root: entries and hashes were rewritten.",
    );
  if (source.hasMore(head.size))
    throw new Broken("tree", head.size, `Entries follow behind the signed size ${head.size}.`);
  const { matching, redacted } = spine;
  const redactions = spine.redactions();
  const disclosures = source.hasDisclosures ? { matching, redacted } : null;
  return { kind: "intact", checkpoint: head, disclosures, redactions };
}

/** In order. A long log in a database is shared among threads; what is short, or a folder, is read here. */
async function* verifiedRanges(source: Source, path: string, size: number): AsyncGenerator<RangeVerification> {
  if (source.hasDisclosures && size >= SHARED_FROM_ENTRIES) {
    yield* verifyInThreads(path, size, RANGE_ENTRIES);
    return;
  }
  for (let start = 0; start < size; start += RANGE_ENTRIES) {
    yield verifyRange(source, start, Math.min(start + RANGE_ENTRIES, size), size);
    await new Promise(setImmediate); // a long verification lets others run
  }
}

/** Roots of earlier sizes, from stored hashes that were all compared with their entries by now. */
function checkKnown(source: Source, size: number, known: readonly Checkpoint[]): void {
  for (const checkpoint of known)
    if (!equalBytes(storedRoot(source.hashes(size), checkpoint.size), checkpoint.root))
      throw new Broken(
        "tree",
        null,
        `It contradicts the checkpoint of size ${checkpoint.size} that was published.`,
        "log-forked",
      );
}

/** Joins runs of entries in order: times, links, and the tree above the tiles. */
export class Spine {
  matching = 0;
  redacted = 0;
  readonly #source: Source;
  readonly #size: number;
  /** Computed hashes by level; of level 0 only those that are in no complete tile. */
  readonly #levels: Uint8Array[][] = [[], []];
  readonly #tails = new Map<string, string>();
  readonly #withheld: RangeVerification["withheld"][number][] = [];
  readonly #redactions: RangeVerification["redactions"][number][] = [];
  #time: string | null = null;

  constructor(source: Source, size: number) {
    this.#source = source;
    this.#size = size;
  }

  /** Entries joined so far. */
  get size(): number {
    return (this.#levels[1]?.length ?? 0) * TILE_WIDTH + (this.#levels[0]?.length ?? 0);
  }

  /** The first entry that is wrong counts, whether by itself or by what it follows. */
  join(range: RangeVerification): void {
    const { start, firstTime, lastTime, targets, tiles, rest, broken } = range;
    const bound = broken?.index ?? Number.POSITIVE_INFINITY;
    if (this.#time !== null && firstTime !== null && firstTime < this.#time && start < bound) throw outOfTime(start);
    const loose = targets.find(({ target, previous }) => previous !== (this.#tails.get(target) ?? null));
    if (loose !== undefined && loose.first <= bound) throw unlinked(loose.first, loose.target);
    if (broken !== null) throw new Broken(broken.differs, broken.index, broken.detail, broken.code);
    for (const { target, last } of targets) this.#tails.set(target, last);
    this.#time = lastTime ?? this.#time;
    this.matching += range.matching;
    this.redacted += range.redacted;
    this.#withheld.push(...range.withheld);
    this.#redactions.push(...range.redactions);
    for (const tile of tiles) this.#rise(1, tile);
    this.#levels[0]?.push(...rest);
  }

  /** Entries whose redactions erased something. A value that no later redaction names was taken away unlogged. */
  redactions(): readonly number[] {
    const by = new Map<string, number>();
    for (const { index, erased } of this.#redactions)
      for (const one of erased)
        if (one.index < index) for (const name of one.names) by.set(`${one.index} ${name}`, index);
    const used = new Set<number>();
    for (const { index, names } of this.#withheld) {
      for (const name of names) {
        const redaction = by.get(`${index} ${name}`);
        if (redaction === undefined)
          throw new Broken(
            "disclosure",
            index,
            `Value \`${name}\` beside entry ${index} is gone, and no redaction says so.`,
          );
        used.add(redaction);
      }
    }
    return [...used].sort((a, b) => a - b);
  }

  root(): Uint8Array {
    const inTiles = (this.#levels[1]?.length ?? 0) * TILE_WIDTH;
    const computed: HashSource = (level, start, count) => {
      const from = level === 0 ? start - inTiles : start;
      return this.#levels[level]?.slice(from, from + count) ?? [];
    };
    return storedRoot(computed, this.size);
  }

  /** A hash of level 1 or above takes its place; one that completes a tile makes the hash above it. */
  #rise(level: number, hash: Uint8Array): void {
    const row = this.#levels[level] ?? [];
    this.#levels[level] = row;
    row.push(hash);
    if (row.length % TILE_WIDTH !== 0) return;
    const above = tileHash(row.slice(-TILE_WIDTH));
    const n = row.length / TILE_WIDTH - 1;
    const [stored] = this.#source.hashes(this.#size)(level + 1, n, 1);
    if (stored === undefined || !equalBytes(stored, above)) {
      const last = (n + 1) * TILE_WIDTH ** (level + 1) - 1;
      throw new Broken("hash", last, `A hash of level ${level + 1} is not that of the entries below it.`);
    }
    this.#rise(level + 1, above);
  }
}

function openSource(path: string): Source {
  if (!existsSync(path)) throw new SluiceError("log-missing", `There is no log at ${path}.`);
  return statSync(path).isDirectory() ? folderSource(path) : databaseSource(path);
}
