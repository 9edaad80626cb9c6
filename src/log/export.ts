/** The log as files in the layout of C2SP tlog-tiles: what a channel carries and an auditor takes away. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SluiceError } from "../lib/errors.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint, DecisionLog } from "./decision-log.ts";
import { replaceFile } from "./durable.ts";
import { verifyConsistency } from "./merkle.ts";
import { hashesAtLevel, newTiles, type Tile, tilePath } from "./tile.ts";

const FILE_MODE = 0o644;

export interface LogFile {
  /** Below the log's root, `/` as separator. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The hash tiles that a tree of `toSize` entries has and a tree of `fromSize` has not; with `entries` the bundles too. */
async function* tileFiles(
  log: DecisionLog,
  fromSize: number,
  toSize: number,
  { entries = false }: { readonly entries?: boolean } = {},
): AsyncGenerator<LogFile> {
  for (const tile of tilesBetween(fromSize, toSize, entries)) {
    const path = tilePath(tile);
    const bytes = await log.resource(path);
    if (bytes === null) throw new SluiceError("entry-unknown", `The log has no ${path}; it is shorter than ${toSize}.`);
    yield { path, bytes };
  }
}

function* tilesBetween(fromSize: number, toSize: number, entries: boolean): Generator<Tile> {
  if (entries) yield* newTiles("entries", fromSize, toSize);
  for (let level = 0; hashesAtLevel(level, toSize) > 0; level++) yield* newTiles(level, fromSize, toSize);
}

/**
 * Brings a folder up to the newest checkpoint, which is written last; only what is missing is written.
 * @throws `log-rolled-back` when the folder is ahead of the log, `log-forked` when it contradicts it
 */
export async function exportFolder(log: DecisionLog, folder: string): Promise<Checkpoint> {
  const newest = await log.checkpoint();
  const before = await exportedSize(log, folder, newest);
  for await (const { path, bytes } of tileFiles(log, before, newest.size, { entries: true })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    await replaceFile(join(folder, path), bytes, FILE_MODE);
  }
  mkdirSync(folder, { recursive: true });
  await replaceFile(join(folder, "checkpoint"), newest.note, FILE_MODE);
  return newest;
}

async function exportedSize(log: DecisionLog, folder: string, newest: Checkpoint): Promise<number> {
  const path = join(folder, "checkpoint");
  if (!existsSync(path)) return 0;
  const old = parseCheckpoint(readFileSync(path, "utf8"));
  if (old === null) throw new SluiceError("checkpoint-malformed", `${path} is not a checkpoint.`);
  if (old.size > newest.size)
    throw new SluiceError("log-rolled-back", `${folder} holds ${old.size} entries; the log has ${newest.size}.`);
  const proof = await log.consistencyProof(old.size, newest.size);
  if (old.origin !== newest.origin || !verifyConsistency(old.size, newest.size, proof, old.root, newest.root))
    throw new SluiceError("log-forked", `${folder} contradicts the log at size ${old.size}.`);
  return old.size;
}
