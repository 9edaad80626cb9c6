/** The part of ServiceView that a log answers by itself, whoever writes it. */
import { reviewState } from "../gate/review.ts";
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
    reviewState: (entry, now) => reviewState(log, entry, now),
    holds: () => readHolds(log),
    resource: (path) => log.resource(path),
    recordRead: async (read) => void (await log.append(readDraft(read))),
  };
}

async function entriesOf(log: DecisionLog, query: EntryQuery, targets: readonly string[] | null): Promise<EntryPage> {
  const allowed = targets === null ? {} : within(query, targets);
  if (allowed === null) return { entries: [], count: 0 };
  const asked = { ...query, ...allowed };
  const [entries, count] = await Promise.all([query.limit === 0 ? [] : log.find(asked), log.count(asked)]);
  return { entries, count };
}

/** What a query has to ask for besides so that it finds entries of these targets only; null where it finds none. */
function within({ target }: EntryQuery, targets: readonly string[]): Pick<EntryQuery, "targets"> | null {
  if (targets.length === 0 || (target !== undefined && !targets.includes(target))) return null;
  return target === undefined ? { targets: [...new Set(targets)] } : {};
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
