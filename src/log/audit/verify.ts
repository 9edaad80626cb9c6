/** Verifies an auditor's bundle from its bytes alone: whatever is not signed or hashed is made again and compared. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeUtf8, encodeBase64, equalBytes, utf8 } from "../../lib/bytes.ts";
import { canonicalJson, type JsonValue } from "../../lib/canonical.ts";
import { parseTime } from "../../lib/time.ts";
import { digestOfText } from "../../policy/policy-sources.ts";
import { openCheckpoint } from "../checkpoint.ts";
import type { Checkpoint } from "../decision-log.ts";
import type { Leaf } from "../entry.ts";
import { readLeaf } from "../leaf.ts";
import { appendLeaf, EMPTY_FRONTIER, type Frontier, frontierRoot, leafHash } from "../merkle.ts";
import { noteVerifier } from "../note.ts";
import { type FolderSource, folderSource } from "../source.ts";
import { parseDisclosures } from "../stored.ts";
import { TILE_HEIGHT, TILE_WIDTH, tilePath } from "../tile.ts";
import { consistencyProof, type HashSource, subtreesFrom } from "../tree.ts";
import {
  Broken,
  checkDisclosures,
  type DisclosureCount,
  type LogVerification,
  openHead,
  openKnown,
  type VerifyOptions,
} from "../verification.ts";
import {
  AUDIT_FILES,
  type AuditQuery,
  type AuditRow,
  auditTiles,
  consistencyText,
  keysText,
  policiesPath,
  rowText,
  type UnloggedReading,
  unloggedText,
} from "./layout.ts";
import { linesOf } from "./row-file.ts";
import { Tally } from "./statement.ts";

/** @throws `note-key-invalid` */
export async function verifyAuditBundle(folder: string, options: VerifyOptions): Promise<LogVerification> {
  options.keys.map(noteVerifier);
  try {
    return await verifyBundle(folder, options);
  } catch (thrown) {
    if (thrown instanceof Broken) return thrown.result;
    throw thrown;
  }
}

/** In order: that it is made of files, signatures, who read what, the tree, the entries, the rows, what follows from them, and that nothing else is there. */
async function verifyBundle(folder: string, options: VerifyOptions): Promise<LogVerification> {
  const keys = options.keys.map(noteVerifier);
  const names = namesIn(folder);
  const source = folderSource(folder);
  const head = openHead(source.note, options.origin, keys);
  const start = openHead(textOf(folder, AUDIT_FILES.start), head.origin, keys);
  const known = [...openKnown(options.known, head, keys), start];
  checkKeys(folder, options.keys, start);
  const count: DisclosureCount = { matching: 0, redacted: 0 };
  const { read, query, by } = readingOf(folder, source, head.size, count);
  if (start.size !== query.start) throw differs(AUDIT_FILES.start);
  await checkTree(source, head, known, options);
  checkEntries(source, query, head.size, read !== null);
  const tally = checkRows(folder, source, query, head.size, count);
  const hashes: HashSource = (level, first, width) =>
    Array.from({ length: width }, (_, at) => source.hash(level, first + at, head.size) ?? new Uint8Array(0));
  compare(
    folder,
    AUDIT_FILES.consistency,
    consistencyText(consistencyProof(subtreesFrom(hashes), query.start, head.size)),
  );
  compare(folder, AUDIT_FILES.changes, tally.changes.text());
  const held = heldPolicies(folder, names, tally);
  compare(folder, AUDIT_FILES.statement, tally.text({ read, query, by, head, start, held }));
  checkNames(names, query, head.size, held);
  return { kind: "intact", checkpoint: head, disclosures: count, redactions: [] };
}

interface Reading {
  /** null where the bundle says that it is in no log. */
  readonly read: AuditRow | null;
  readonly query: AuditQuery;
  readonly by: string;
}

/** The last entry of the tree, which says what the bundle is of; that it is in the tree is shown with all the others. */
function readingOf(folder: string, source: FolderSource, size: number, count: DisclosureCount): Reading {
  const text = textOf(folder, AUDIT_FILES.read);
  const unlogged = unloggedIn(text);
  if (unlogged !== null) {
    requireBounds(unlogged.query, size);
    return { read: null, ...unlogged };
  }
  const read = rowOf(text, source, size - 1, size, count);
  const query = read.disclosed["query"]?.value as unknown as AuditQuery | undefined;
  const by = read.disclosed["by"]?.value;
  if (read.leaf.kind !== "read" || query === undefined || typeof by !== "string") throw differs(AUDIT_FILES.read);
  requireBounds(query, size - 1);
  return { read, query, by };
}

function requireBounds({ start, end }: AuditQuery, size: number): void {
  if (!Number.isSafeInteger(start) || start < 0 || !Number.isSafeInteger(end) || end < start || end > size)
    throw differs(AUDIT_FILES.read);
}

/** The reading of a bundle that says to be in no log; null for every other text. */
function unloggedIn(text: string): UnloggedReading | null {
  try {
    const { by, query } = JSON.parse(text) as UnloggedReading;
    const { from, to, start, end } = query;
    const isWhole = typeof by === "string" && unloggedText({ by, query: { from, to, start, end } }) === text;
    return isWhole ? { by, query } : null;
  } catch {
    return null;
  }
}

async function checkTree(
  source: FolderSource,
  head: Checkpoint,
  known: readonly Checkpoint[],
  options: VerifyOptions,
): Promise<void> {
  let frontier: Frontier = EMPTY_FRONTIER;
  checkKnown(frontier, known);
  while (frontier.size < head.size) {
    const index = frontier.size;
    const hash = source.hash(0, index, head.size);
    if (hash === null) throw new Broken("hash", index, `The hash of entry ${index} is missing.`);
    frontier = appendLeaf(frontier, hash, ({ height, position }, complete) => {
      if (height === 0 || height % TILE_HEIGHT !== 0) return;
      const upper = source.hash(height / TILE_HEIGHT, position, head.size);
      if (upper === null || !equalBytes(upper, complete))
        throw new Broken("hash", index, `A hash of level ${height / TILE_HEIGHT} is not that of the hashes below it.`);
    });
    checkKnown(frontier, known);
    if (frontier.size % TILE_WIDTH !== 0 && frontier.size !== head.size) continue;
    options.progress?.(frontier.size, head.size);
    await new Promise(setImmediate); // a long verification lets others run
  }
  if (!equalBytes(frontierRoot(frontier), head.root))
    throw new Broken("tree", null, "The hashes of the tree do not give the signed root.");
}

function checkKnown(frontier: Frontier, known: readonly Checkpoint[]): void {
  for (const { size, root } of known)
    if (size === frontier.size && !equalBytes(frontierRoot(frontier), root))
      throw new Broken("tree", null, `It contradicts the checkpoint of size ${size} that was published.`, "log-forked");
}

/** Every entry that is in the bundle, also those around the period, and that the period is the whole of its time. */
function checkEntries(source: FolderSource, query: AuditQuery, size: number, isLogged: boolean): void {
  let newest: Leaf | null = null;
  for (const { level, position, width } of auditTiles(query, size)) {
    if (level !== "entries") continue;
    for (let index = position * TILE_WIDTH; index < position * TILE_WIDTH + width; index++) {
      const leaf = leafOf(source, index, size);
      if (newest !== null && leaf.time < newest.time)
        throw new Broken("time", index, `Entry ${index} is older than an entry before it.`);
      newest = leaf;
      if (isInPeriod(leaf, query) === (index >= query.start && index < query.end)) continue;
      if (isLogged && index === size - 1) continue; // the reading itself is logged after everything that it reads
      throw new Broken("bundle", index, `Entry ${index} is on the wrong side of the period's bounds.`);
    }
  }
}

function isInPeriod({ time }: Leaf, { from, to }: AuditQuery): boolean {
  const at = parseTime(time) ?? Number.NaN;
  const bound = (text: string | null, open: number) => (text === null ? open : (parseTime(text) ?? Number.NaN));
  return at >= bound(from, Number.NEGATIVE_INFINITY) && at < bound(to, Number.POSITIVE_INFINITY);
}

function checkRows(
  folder: string,
  source: FolderSource,
  query: AuditQuery,
  size: number,
  count: DisclosureCount,
): Tally {
  const tally = new Tally();
  let index = query.start;
  for (const line of linesIn(folder)) {
    if (index >= query.end || line === null) throw new Broken("bundle", index, `Row ${index} is not in the period.`);
    tally.add(rowOf(line, source, index, size, count));
    index += 1;
  }
  if (index !== query.end) throw new Broken("bundle", index, `The row of entry ${index} is missing.`);
  return tally;
}

/** The row that `text` must be, byte for byte: from it come only the disclosed values, and those are committed to. */
function rowOf(text: string, source: FolderSource, index: number, size: number, count: DisclosureCount): AuditRow {
  const leaf = leafOf(source, index, size);
  const leafHash = encodeBase64(source.hash(0, index, size) ?? new Uint8Array(0));
  const json = utf8(disclosedText(text));
  checkDisclosures(count, leaf, index, json);
  const row = { index, leafHash, leaf, disclosed: parseDisclosures(json) ?? {} };
  if (rowText(row) !== text) throw new Broken("bundle", index, `The row of entry ${index} is not what the entry says.`);
  return row;
}

/** Of a row; a text that is no row has none, which no entry commits to. */
function disclosedText(row: string): string {
  try {
    return canonicalJson((JSON.parse(row) as { readonly disclosed: JsonValue }).disclosed);
  } catch {
    return "null";
  }
}

function leafOf(source: FolderSource, index: number, size: number): Leaf {
  const entry = source.entry(index);
  if (entry === null) throw new Broken("entry", index, `Entry ${index} is missing.`);
  const stored = source.hash(0, index, size);
  if (stored === null || !equalBytes(leafHash(entry.bytes), stored))
    throw new Broken("entry", index, `Entry ${index} is not the one whose hash is in the tree.`);
  const reading = readLeaf(entry.bytes);
  if (reading.kind === "leaf") return reading.leaf;
  throw new Broken("entry", index, `Entry ${index} is not a leaf of version 1: ${reading.detail}.`);
}

/** Every file, before one of them is opened: a link leads elsewhere, and a pipe never ends. */
function namesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true }).flatMap((entry) => {
    const name = String(entry);
    const standing = lstatSync(join(folder, name));
    if (standing.isDirectory()) return [];
    if (standing.isFile()) return [name];
    throw new Broken("bundle", null, `${JSON.stringify(name)} is neither a file nor a folder.`);
  });
}

/** Digests of the policies whose sources are there; each source proves the digest that it is named by. */
function heldPolicies(folder: string, names: readonly string[], tally: Tally): ReadonlySet<string> {
  const held = tally.policies.map(([digest]) => digest).filter((digest) => names.includes(policiesPath(digest)));
  const wrong = held.find((digest) => digestOfText(textOf(folder, policiesPath(digest))) !== digest);
  if (wrong !== undefined) throw differs(policiesPath(wrong));
  return new Set(held);
}

/** One of the keys is the one that was brought, and each has signed the checkpoint that was signed for the bundle. */
function checkKeys(folder: string, brought: readonly string[], { note, origin }: Checkpoint): void {
  const vkeys = textOf(folder, AUDIT_FILES.key).split("\n").slice(0, -1);
  compare(folder, AUDIT_FILES.key, keysText(vkeys));
  const signed = vkeys.every((vkey) => {
    try {
      return openCheckpoint(note, origin, [noteVerifier(vkey)]).note === note;
    } catch {
      return false;
    }
  });
  const isBrought = brought.some((key) => vkeys.includes(key.trim()));
  if (!signed || !isBrought || new Set(vkeys).size < vkeys.length) throw differs(AUDIT_FILES.key);
}

/** What nobody made and nobody checks does not belong in evidence. */
function checkNames(names: readonly string[], query: AuditQuery, size: number, held: ReadonlySet<string>): void {
  const tiles = auditTiles(query, size).map(tilePath);
  const expected = new Set<string>([...Object.values(AUDIT_FILES), ...tiles, ...[...held].map(policiesPath)]);
  const stranger = names.find((name) => !expected.has(name));
  if (stranger === undefined) return;
  throw new Broken("bundle", null, `${JSON.stringify(stranger)} does not belong to the bundle.`);
}

function compare(folder: string, name: string, expected: string): void {
  if (textOf(folder, name) !== expected) throw differs(name);
}

/** Strict UTF-8; for what is missing or no text, a text that no file of a bundle has. */
function textOf(folder: string, name: string): string {
  try {
    return decodeUtf8(readFileSync(join(folder, name))) ?? "\u0000";
  } catch {
    return "\u0000";
  }
}

function linesIn(folder: string): Iterable<string | null> {
  try {
    lstatSync(join(folder, AUDIT_FILES.rows));
  } catch {
    throw differs(AUDIT_FILES.rows);
  }
  return linesOf(join(folder, AUDIT_FILES.rows));
}

function differs(name: string): Broken {
  return new Broken("bundle", null, `The bundle's ${name} is missing, or not what the entries say.`);
}
