/** What every store checks of what its storage gives back, before anybody sees it. */
import { encodeBase64, equalBytes, utf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./decision-log.ts";
import { countQuickly } from "./disclosed-text.ts";
import type { Disclosure, Leaf, LoggedEntry } from "./entry.ts";
import { matchesCommitment, readLeaf } from "./leaf.ts";
import { isTreeSize, leafHash, verifyInclusion } from "./merkle.ts";
import { type NoteSigner, type NoteVerifier, noteSigner } from "./note.ts";
import { TILE_WIDTH } from "./tile.ts";

/** A row of an entry with the values beside it. */
export interface StoredRow {
  readonly bytes: Uint8Array;
  readonly json: unknown;
}

export interface HeadExpectation {
  readonly origin: string | null;
  /** null: the head's signature is not looked at (what it says is still held against the tree). */
  readonly keys: readonly NoteVerifier[] | null;
}

/** For a reader. @throws `log-origin-mismatch`, `log-corrupt`, and what openCheckpoint() throws */
export function openStoredHead(note: string, { keys, origin }: HeadExpectation): Checkpoint {
  const claimed = parseCheckpoint(note);
  if (claimed === null) throw new SluiceError("log-corrupt", "The log's head is not a signed checkpoint.");
  if (keys !== null) return openCheckpoint(note, origin ?? claimed.origin, keys);
  if (origin !== null && origin !== claimed.origin)
    throw new SluiceError("log-origin-mismatch", `The log is ${claimed.origin}; ${origin} is expected.`);
  return claimed;
}

/** Of whoever writes a log: a key bears its log's name. @throws `note-key-invalid`, `log-origin-mismatch` */
export function ownSigner(origin: string, key: string): NoteSigner {
  const signer = noteSigner(key);
  if (signer.name === origin) return signer;
  throw new SluiceError("log-origin-mismatch", `The key is named ${signer.name}; the log's origin is ${origin}.`);
}

/** For whoever is to sign the next one. @throws `log-origin-mismatch`, `log-corrupt` */
export function openOwnHead(note: string, origin: string, keys: readonly NoteVerifier[]): Checkpoint {
  try {
    return openCheckpoint(note, origin, keys);
  } catch (cause) {
    const { code, message } = cause as SluiceError;
    const isOther = code === "note-unknown-key" || code === "log-origin-mismatch";
    throw new SluiceError(isOther ? "log-origin-mismatch" : "log-corrupt", `The log's head is refused: ${message}`, {
      cause,
    });
  }
}

/** The entry only if it is, byte for byte, what the signed head covers. @throws `log-corrupt` */
export function storedEntry(
  index: number,
  row: StoredRow | undefined,
  head: Checkpoint,
  proof: readonly Uint8Array[],
): LoggedEntry {
  const bytes = new Uint8Array(Buffer.from(row?.bytes ?? []));
  const hash = leafHash(bytes);
  if (!verifyInclusion(hash, index, head.size, proof, head.root))
    throw new SluiceError("log-corrupt", `Entry ${index} is not what the log's signed head covers.`);
  const reading = readLeaf(bytes);
  if (reading.kind === "malformed")
    throw new SluiceError("log-corrupt", `Entry ${index} is not a leaf of version 1: ${reading.detail}.`);
  const json = typeof row?.json === "string" ? utf8(row.json) : null;
  const { fault } = examineDisclosures(reading.leaf, index, json);
  const disclosed = parseDisclosures(json);
  if (fault !== null || disclosed === null)
    throw new SluiceError("log-corrupt", fault ?? `The values beside entry ${index} are damaged.`);
  return { index, leaf: reading.leaf, bytes, leafHash: encodeBase64(hash), disclosed };
}

/** What stands beside an entry, held against what it commits to. */
export interface DisclosureExamination {
  readonly matching: number;
  /** Names of the values that are withheld. */
  readonly withheld: readonly string[];
  /** What is wrong, as a sentence, or null. */
  readonly fault: string | null;
}

/** Whoever can write the storage can write beside the tree too: a value counts only with its commitment. */
export function examineDisclosures(
  leaf: Pick<Leaf, "commitments">,
  index: number,
  json: Uint8Array | null,
  count: typeof countQuickly = countQuickly,
): DisclosureExamination {
  const quick = json === null ? null : count(json, leaf.commitments);
  if (quick !== null) return { ...quick, fault: null };
  const disclosed = parseDisclosures(json);
  const names = Object.keys(leaf.commitments);
  const isComplete = disclosed !== null && Object.keys(disclosed).sort().join("\n") === names.sort().join("\n");
  if (!isComplete) return faulty(`The values beside entry ${index} are not those it commits to.`);
  const isOther = (name: string): boolean => {
    const disclosure = disclosed[name] ?? null;
    return disclosure !== null && !matchesCommitment(disclosure, leaf.commitments[name] ?? "");
  };
  const other = names.find(isOther);
  if (other !== undefined) return faulty(`Value \`${other}\` beside entry ${index} is not the one it commits to.`);
  const withheld = names.filter((name) => (disclosed[name] ?? null) === null);
  return { matching: names.length - withheld.length, withheld, fault: null };
}

function faulty(fault: string): DisclosureExamination {
  return { matching: 0, withheld: [], fault };
}

/** Number of the first entry of the newest tile. */
export function newestTileStart(size: number): number {
  return Math.max(0, (Math.ceil(size / TILE_WIDTH) - 1) * TILE_WIDTH);
}

/** The leaves from `start` to the end of the log against the hashes that are stored of them. @throws `log-corrupt` */
export function checkNewestLeaves(start: number, leaves: readonly Uint8Array[], hashes: readonly Uint8Array[]): void {
  if (leaves.length !== hashes.length)
    throw new SluiceError("log-corrupt", "Entries are missing at the end of the log.");
  for (const [at, bytes] of leaves.entries())
    if (!equalBytes(leafHash(bytes), hashes[at] ?? new Uint8Array(0)))
      throw new SluiceError("log-corrupt", `Entry ${start + at} is not what was recorded.`);
}

/** @throws `entry-unknown` */
export function requireSize(size: number, head: Checkpoint): void {
  if (!isTreeSize(size) || size > head.size)
    throw new SluiceError("entry-unknown", `The log has ${head.size} entries, not ${size}.`);
}

/** @throws `entry-unknown` */
export function requireFollowing(oldSize: number, newSize: number): void {
  if (!isTreeSize(oldSize) || oldSize > newSize)
    throw new SluiceError("entry-unknown", `A tree of ${newSize} entries does not follow one of ${oldSize}.`);
}

/** {name: {salt, value} | null}; null for anything else. */
export function parseDisclosures(json: Uint8Array | null): Readonly<Record<string, Disclosure | null>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(json ?? []).toString("utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    const isDisclosure = (each: unknown) =>
      each === null ||
      (typeof each === "object" &&
        typeof (each as Disclosure).salt === "string" &&
        Object.keys(each).join() === "salt,value");
    return Object.values(value).every(isDisclosure) ? (value as Record<string, Disclosure | null>) : null;
  } catch {
    return null;
  }
}
