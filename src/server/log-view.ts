/** The part of ServiceView that a log answers by itself, whoever writes it. */
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import { timeOfUlid, ULID } from "../lib/ulid.ts";
import { VERSION } from "../lib/version.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDraft, EntryQuery, LoggedEntry } from "../log/entry.ts";
import { proveInclusion, writeProof } from "../log/proof.ts";
import { readHolds } from "../release/holds.ts";
import { releaseOf } from "../release/record.ts";
import type { EntryName, EntryPage, LogView, ReadRecord, ReleaseQuery, ReleaseSummary } from "./view.ts";

const MAXIMUM_ASKED = 2000;
/** Entries of one transaction share a millisecond. */
const ENTRIES_OF_A_MILLISECOND = 10_000;

export function openLogView(log: DecisionLog): LogView {
  return {
    entries: (query, targets) => entriesOf(log, query, targets),
    entry: (name) => entryNamed(log, name),
    proof: async (index) => writeProof(await proveInclusion(log, (await log.read(index)).index)),
    releases: (query) => releasesOf(log, query),
    holds: () => readHolds(log),
    resource: (path) => log.resource(path),
    recordRead: async (read) => void (await log.append(readDraft(read))),
  };
}

/** One query for each target, then in the order asked for: a query of the log is about one target or about all. */
async function entriesOf(log: DecisionLog, query: EntryQuery, targets: readonly string[] | null): Promise<EntryPage> {
  const queries = targets === null ? [query] : askedTargets(query, targets).map((target) => ({ ...query, target }));
  const pages = await Promise.all(queries.map((one) => Promise.all([log.find(one), log.count(one)])));
  const direction = query.order === "oldest" ? 1 : -1;
  const entries = pages.flatMap(([found]) => found).sort((a, b) => direction * (a.index - b.index));
  const count = pages.reduce((sum, [, n]) => sum + n, 0);
  return { entries: entries.slice(0, query.limit ?? entries.length), count };
}

function askedTargets({ target }: EntryQuery, targets: readonly string[]): readonly string[] {
  return target === undefined ? [...new Set(targets)] : targets.filter((one) => one === target).slice(0, 1);
}

async function entryNamed(log: DecisionLog, name: EntryName): Promise<LoggedEntry | null> {
  if ("index" in name) return entryAt(log, name.index);
  if (!ULID.test(name.id)) return null;
  const at: Instant = timeOfUlid(name.id);
  const found = await log.find({ from: at, to: at + 1, limit: ENTRIES_OF_A_MILLISECOND });
  const entry = found.find(({ leaf }) => leaf.id === name.id);
  return entry === undefined ? null : log.read(entry.index);
}

async function entryAt(log: DecisionLog, index: number): Promise<LoggedEntry | null> {
  const { size } = await log.checkpoint();
  return index < size ? log.read(index) : null;
}

async function releasesOf(
  log: DecisionLog,
  { targets, after, limit }: ReleaseQuery,
): Promise<readonly ReleaseSummary[]> {
  const query: EntryQuery = { kinds: ["release"], order: "newest", limit, ...(after === null ? {} : { after }) };
  const { entries } = await entriesOf(log, query, targets);
  return entries.map(releaseSummary);
}

function releaseSummary(entry: LoggedEntry): ReleaseSummary {
  const { release, manifestDigest } = releaseOf(entry);
  const { target, sequence, commit, tree, rollbackOf, objects } = release;
  const { index, leaf } = entry;
  return {
    target,
    sequence,
    commit,
    tree,
    rollbackOf,
    objects: objects.length,
    manifestDigest,
    index,
    time: leaf.time,
  };
}

/** @throws SluiceError `internal` for a reader without a name: it would be logged as nobody */
function readDraft({ person, route, asked, target }: ReadRecord): EntryDraft {
  if (person === "") throw new SluiceError("internal", "a read without a reader");
  return {
    kind: "read",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: {},
    digests: { policies: null, trust: null, configuration: null, waivers: null, code: VERSION },
    disclosed: { by: person, route, asked: asked.slice(0, MAXIMUM_ASKED) },
    terms: [{ kind: "person", value: person }],
  };
}
