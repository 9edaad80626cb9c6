/** A log in PostgreSQL as rows, and rows into an empty database: for copies from one store to the other. */
import type { Client } from "pg";
import { encodeBase64 } from "../../../lib/bytes.ts";
import { SluiceError } from "../../../lib/errors.ts";
import { parseCheckpoint } from "../../checkpoint.ts";
import type { EntryRow, HashRow, LogRows } from "../../rows.ts";
import { storedFrontier } from "../../tree.ts";
import {
  connect,
  DURABILITY_COLUMNS,
  drop,
  hangUp,
  type PostgresPlace,
  requireDurable,
  rows,
  sendWithCopies,
  storageFailure,
} from "./connection.ts";
import { copyRows, int4, int8 } from "./copy.ts";
import { fetchHashes, runsOfRoots } from "./hashes.ts";
import { migrate, requireLayout } from "./layout.ts";

const STEP_ENTRIES = 500;
const STEP_HASHES = 5000;

/** One snapshot, whatever others append meanwhile. @throws `log-missing`, `log-version-unknown`, `log-failed` */
export async function withPostgresRows<T>(place: PostgresPlace, work: (rows: LogRows) => Promise<T>): Promise<T> {
  const client = await connect(place);
  try {
    await rows(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await rows(client, "SET LOCAL idle_in_transaction_session_timeout = 0"); // it holds no lock, and writing takes its time
    await requireLayout(client);
    const [head] = await rows<{ note: string; anchored: boolean }>(client, "SELECT note, anchored FROM head");
    return await work({
      note: head?.note ?? "",
      anchored: head?.anchored ?? false,
      entries: entriesOf(client),
      hashes: hashesOf(client),
    });
  } finally {
    drop(client);
  }
}

type Numbers<R, K extends keyof R> = Omit<R, K> & Record<K, string> & Record<string, unknown>;

async function* entriesOf(client: Client): AsyncGenerator<readonly EntryRow[]> {
  for (let last = -1; ; ) {
    const found = await rows<Numbers<EntryRow, "index" | "time">>(
      client,
      'SELECT e.idx AS "index", time, target, kind, verdict, hash, bytes, terms, json FROM entries e LEFT JOIN disclosures d ON d.idx = e.idx WHERE e.idx > $1 ORDER BY e.idx LIMIT $2',
      [last, STEP_ENTRIES],
    );
    const step = found.map((row): EntryRow => ({ ...row, index: Number(row.index), time: Number(row.time) }));
    if (step.length > 0) yield step;
    if (step.length < STEP_ENTRIES) return;
    last = (step.at(-1) as EntryRow).index;
  }
}

async function* hashesOf(client: Client): AsyncGenerator<readonly HashRow[]> {
  for (let last = { level: 0, n: -1 }; ; ) {
    const found = await rows<Numbers<HashRow, "n">>(
      client,
      "SELECT level, n, hash FROM hashes WHERE (level, n) > ($1::int, $2::bigint) ORDER BY level, n LIMIT $3",
      [last.level, last.n, STEP_HASHES],
    );
    const step = found.map((row): HashRow => ({ ...row, n: Number(row.n) }));
    if (step.length > 0) yield step;
    if (step.length < STEP_HASHES) return;
    last = step.at(-1) as HashRow;
  }
}

/**
 * Writes the rows into a database that holds no entry, in one transaction: all of them or none. A replica that is running
 * on it waits meanwhile, and goes on from what was put there.
 * @throws `backup-exists` where the database holds a log, `log-not-durable`, `log-failed`
 */
export async function loadRows(place: PostgresPlace, log: LogRows): Promise<void> {
  const client = await connect(place);
  try {
    const [settings] = await rows<Record<string, unknown>>(client, `SELECT ${DURABILITY_COLUMNS}`);
    requireDurable(settings as Parameters<typeof requireDurable>[0]);
    await migrate(client);
    await rows(client, "BEGIN ISOLATION LEVEL READ COMMITTED");
    await rows(client, "SET LOCAL idle_in_transaction_session_timeout = 0");
    await rows(client, "LOCK TABLE head IN ACCESS EXCLUSIVE MODE"); // whoever appends has to read it first
    const [entry] = await rows(client, "SELECT 1 FROM entries LIMIT 1");
    if (entry !== undefined)
      throw new SluiceError("backup-exists", "The database holds a log; a backup is never written over anything.", {
        fix: "name an empty database in log.store",
      });
    await rows(client, "DELETE FROM head"); // an empty one, of a replica that began before
    const { tails, time } = await loadEntries(client, log);
    for await (const step of log.hashes)
      await sendWithCopies(client, "COPY hashes (level, n, hash) FROM STDIN (FORMAT binary)", [
        copyRows(step.map(({ level, n, hash }) => [int4(level), int8(n), hash])),
      ]);
    await rows(client, "INSERT INTO tails (target, hash) SELECT * FROM unnest($1::text[], $2::text[])", [
      [...tails.keys()],
      [...tails.values()],
    ]);
    const size = parseCheckpoint(log.note)?.size ?? 0;
    const { hashes } = storedFrontier(await fetchHashes(client, runsOfRoots([size])), size);
    await rows(client, "INSERT INTO head (one, size, time, frontier, note, anchored) VALUES (1, $1, $2, $3, $4, $5)", [
      size,
      time,
      Buffer.concat(hashes),
      log.note,
      log.anchored,
    ]);
    await rows(client, "COMMIT");
    await hangUp(client);
  } catch (cause) {
    drop(client); // and with it the transaction
    throw storageFailure(cause);
  }
}

/** What the head's turn needs to know of them: the newest leaf hash of each target, and the newest time. */
async function loadEntries(
  client: Client,
  { entries }: LogRows,
): Promise<{ readonly tails: ReadonlyMap<string, string>; readonly time: number }> {
  const tails = new Map<string, string>();
  let newest = 0;
  for await (const step of entries) {
    await sendWithCopies(client, COPY_ENTRIES.join("; "), copiedEntries(step));
    for (const { target, hash, time } of step) {
      if (target !== null) tails.set(target, encodeBase64(hash));
      newest = time;
    }
  }
  return { tails, time: newest };
}

/** What takes copiedEntries(), in its order. */
export const COPY_ENTRIES: readonly string[] = [
  "COPY entries (idx, time, target, kind, verdict, hash, bytes) FROM STDIN (FORMAT binary)",
  "COPY disclosures (idx, terms, json) FROM STDIN (FORMAT binary)",
];

/** The chunks of each statement of COPY_ENTRIES. */
export function copiedEntries(entries: readonly EntryRow[]): readonly (readonly Uint8Array[])[] {
  return [
    copyRows(
      entries.map(({ index, time, target, kind, verdict, hash, bytes }) => [
        int8(index),
        int8(time),
        target,
        kind,
        verdict,
        hash,
        bytes,
      ]),
    ),
    copyRows(entries.map(({ index, terms, json }) => [int8(index), terms, json])),
  ];
}
