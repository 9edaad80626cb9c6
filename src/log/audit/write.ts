/** Writes an auditor's bundle: the reading is logged first, so the bundle proves who took it and when. */
import { mkdirSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { SluiceError } from "../../lib/errors.ts";
import { formatTime, type Instant } from "../../lib/time.ts";
import { VERSION } from "../../lib/version.ts";
import { digestOfText } from "../../policy/policy-sources.ts";
import { signCheckpoint } from "../checkpoint.ts";
import type { Checkpoint, DecisionLog } from "../decision-log.ts";
import { createFile, syncFolder } from "../durable.ts";
import type { EntryDraft, LoggedEntry } from "../entry.ts";
import type { NoteSigner } from "../note.ts";
import { folderSource } from "../source.ts";
import { tilePath } from "../tile.ts";
import { consistencyProof, type HashSource, storedRoot, subtreesFrom } from "../tree.ts";
import {
  AUDIT_FILES,
  type AuditQuery,
  auditTiles,
  consistencyText,
  keysText,
  policiesPath,
  rowText,
  unloggedText,
} from "./layout.ts";
import { RowFile } from "./row-file.ts";
import { Tally } from "./statement.ts";

/** Values beside the entries are in it: for its owner only. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const ROWS_A_STEP = 500;

export interface AuditRequest {
  readonly from: Instant | null;
  readonly to: Instant | null;
  readonly by: string;
}

export interface RecordedReading {
  readonly query: AuditQuery;
  /** Index of the entry that says who read: the last one under the checkpoint. */
  readonly index: number;
  readonly checkpoint: Checkpoint;
}

/** Finds out what will be read and logs it, while nobody else appends. */
export type RecordReading = (request: AuditRequest) => Promise<RecordedReading>;

/** The sources of the policies with a digest, as one text that proves it; null where they are not to be had. */
export type FindSources = (digest: string, judges: readonly string[]) => Promise<string | null>;

/** In a log that is open for writing. */
export function recordIn(log: DecisionLog): RecordReading {
  return async (request) => {
    const query = await queryOf(log, request, (await log.checkpoint()).size);
    const { index } = await log.append(readDraft(query, request.by));
    return { query, index, checkpoint: await log.checkpoint() };
  };
}

export interface AuditBundle {
  readonly checkpoint: Checkpoint;
  readonly query: AuditQuery;
  /** Index of the entry that logged the reading; null where it is in no log. */
  readonly read: number | null;
  /** Rows of changes.csv. */
  readonly changes: number;
  /** Policy sets that judged in the period, and how many of them are in the bundle with their sources. */
  readonly policies: { readonly judged: number; readonly held: number };
}

/**
 * `log` need only be open for reading, while others write it; `signer` is its key. In order: (1) take the folder, (2) log the
 * reading, or say in the bundle that it is in no log (`record` null), (3) tiles, (4) rows, (5) what follows from them, (6) the
 * head, last. A folder that a crash left behind has no head, and does not verify.
 * @throws `bundle-exists`, `usage`, and what `record` rejects with: then there is no folder
 */
export async function writeAuditBundle(
  log: DecisionLog,
  signer: NoteSigner,
  folder: string,
  request: AuditRequest,
  record: RecordReading | null = recordIn(log),
  findSources: FindSources = async () => null,
): Promise<AuditBundle> {
  takeFolder(folder);
  const { query, read, head } = await reading(log, request, record).catch((refused: unknown) => {
    rmdirSync(folder);
    throw refused;
  });
  await writeTiles(log, folder, query, head.size);
  const { hash } = folderSource(folder, head.size);
  const hashes: HashSource = (level, first, count) =>
    Array.from({ length: count }, (_, at) => hash(level, first + at, head.size) ?? new Uint8Array(0));
  const start = signCheckpoint(log.origin, query.start, storedRoot(hashes, query.start), signer);
  const tally = await writeRows(log, folder, query);
  const put = (name: keyof typeof AUDIT_FILES, text: string) =>
    createFile(join(folder, AUDIT_FILES[name]), text, FILE_MODE);
  await put("read", read === null ? unloggedText({ by: request.by, query }) : rowText(read));
  await put("changes", tally.changes.text());
  const held = await writePolicies(folder, tally, findSources);
  await put("statement", tally.text({ read, query, by: request.by, head, start, held }));
  await put("key", keysText(signer.vkeys));
  await put("consistency", consistencyText(consistencyProof(subtreesFrom(hashes), query.start, head.size)));
  await put("start", start.note);
  await put("checkpoint", head.note);
  await syncFolder(folder);
  return {
    checkpoint: head,
    query,
    read: read?.index ?? null,
    changes: tally.changes.count,
    policies: { judged: tally.policies.length, held: held.size },
  };
}

interface Reading {
  readonly query: AuditQuery;
  readonly read: LoggedEntry | null;
  readonly head: Checkpoint;
}

async function reading(log: DecisionLog, request: AuditRequest, record: RecordReading | null): Promise<Reading> {
  if (record === null) {
    const head = await log.checkpoint();
    return { query: await queryOf(log, request, head.size), read: null, head };
  }
  const { query, index, checkpoint } = await record(request);
  return { query, read: await log.read(index), head: checkpoint };
}

function takeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST")
      throw new SluiceError("bundle-exists", `${folder} exists; a bundle is written into a folder of its own.`, {
        cause,
      });
    throw new SluiceError("usage", `${folder} cannot be made.`, { fix: "name a folder in one of yours", cause });
  }
}

/** Of the first `size` entries. */
async function queryOf(log: DecisionLog, { from, to }: AuditRequest, size: number): Promise<AuditQuery> {
  const end = to === null ? size : await log.count({ to, after: size });
  const start = from === null ? 0 : Math.min(end, await log.count({ to: from, after: size }));
  const text = (at: Instant | null) => (at === null ? null : formatTime(at));
  return { from: text(from), to: text(to), start, end };
}

function readDraft(query: AuditQuery, by: string): EntryDraft {
  return {
    kind: "read",
    target: null,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: {},
    digests: { policies: null, trust: null, configuration: null, waivers: null, code: VERSION },
    disclosed: { by, query: { ...query } },
    terms: [{ kind: "person", value: by }],
  };
}

async function writeTiles(log: DecisionLog, folder: string, query: AuditQuery, size: number): Promise<void> {
  for (const tile of auditTiles(query, size)) {
    const path = tilePath(tile);
    const bytes = await log.resource(path);
    if (bytes === null) throw new SluiceError("log-corrupt", `The log has no ${path}.`);
    mkdirSync(dirname(join(folder, path)), { recursive: true, mode: FOLDER_MODE });
    await createFile(join(folder, path), bytes, FILE_MODE);
  }
}

/** Digests of what could be written. */
async function writePolicies(folder: string, tally: Tally, find: FindSources): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (const [digest, judges] of tally.policies) {
    const text = await find(digest, judges);
    if (text === null || digestOfText(text) !== digest) continue;
    const path = join(folder, policiesPath(digest));
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
    await createFile(path, text, FILE_MODE);
    held.add(digest);
  }
  return held;
}

/** Every row is re-hashed against the signed head as it is read. */
async function writeRows(log: DecisionLog, folder: string, { start, end }: AuditQuery): Promise<Tally> {
  const tally = new Tally();
  const file = new RowFile(join(folder, AUDIT_FILES.rows), FILE_MODE);
  try {
    for (let next = start; next < end; next += ROWS_A_STEP) {
      const limit = Math.min(ROWS_A_STEP, end - next);
      const entries: readonly LoggedEntry[] = await log.find({ order: "oldest", after: next - 1, limit });
      if (entries.length !== limit) throw new SluiceError("log-corrupt", `Entries are missing after ${next}.`);
      for (const entry of entries) tally.add(entry);
      file.write(entries.map(rowText).join(""));
    }
  } finally {
    file.close();
  }
  return tally;
}
