/** Queries find what a look at every entry finds, and walk an index for every filter that there is. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryKind, EntryQuery, LoggedEntry, Term, Verdict } from "../../src/log/entry.ts";
import { countStatements, findStatements, type Lane, lanesStatement, type Statement } from "../../src/log/query.ts";
import { openForReading } from "../../src/log/stores/sqlite/database.ts";
import { attachSearchIndex, SearchIndex, searchIndexPath } from "../../src/log/stores/sqlite/search-index.ts";
import { draft, logPath, openTestLog, openTestReader } from "../support/log.ts";
import type { Scope } from "../support/temp.ts";

const COUNT = 60;
const BEGIN = Date.parse("2026-10-01T00:00:00Z");
const TARGETS = ["prod", "staging", null] as const;
const KINDS: readonly EntryKind[] = ["decision", "release", "hold", "receipt"];
const VERDICTS: readonly (Verdict | null)[] = ["allow", "deny", null, "error", "wait"];

const commitOf = (at: number) =>
  (at % 13)
    .toString(16)
    .repeat(4)
    .padEnd(40, String(at % 7));

/** Entry `at`: everything about it is a function of its number, with periods that share no divisor. */
const termsOf = (at: number): readonly Term[] => [
  { kind: "person", value: `person-${at % 5}` },
  { kind: "resource", value: `Deployment/apps/web-${at % 11}` },
  { kind: "commit", value: commitOf(at) },
  { kind: "commit", value: commitOf(at + 13) },
];
const noteOf = (at: number) => `Reason ${at % 3}: Überprüfung of batch-${at % 17}, all-common`;

async function mixedLog(scope: Scope): Promise<string> {
  const path = logPath(scope);
  let now = BEGIN;
  const log = await openTestLog(path, { clock: () => now });
  for (let at = 0; at < COUNT; at++) {
    now += 60_000;
    const kind = KINDS[at % KINDS.length] as EntryKind;
    const [target, verdict] = [TARGETS[at % 3] ?? null, VERDICTS[at % 5] ?? null];
    await log.append(
      draft({ kind, target, verdict, terms: termsOf(at), disclosed: { note: noteOf(at), n: { a: [at] } } }),
    );
  }
  await log.close();
  return path;
}

const QUERIES: Readonly<Record<string, EntryQuery>> = {
  everything: {},
  "a time range": { from: BEGIN + 600_000, to: BEGIN + 1_800_000 },
  "a target": { target: "prod" },
  "a target that is not there": { target: "none" },
  "several targets": { targets: ["prod", "staging"] },
  "several targets and a kind": { targets: ["prod", "none"], kinds: ["decision"] },
  "several targets and a word": { targets: ["prod", "staging"], text: "common" },
  "a kind": { kinds: ["hold"] },
  "several kinds": { kinds: ["hold", "receipt"] },
  "no kind": { kinds: [] },
  "a target and a kind": { target: "staging", kinds: ["decision", "release"] },
  "a verdict": { verdict: "deny" },
  "a verdict of a target": { verdict: "allow", target: "prod" },
  "a person": { terms: [{ kind: "person", value: "person-3" }] },
  "a person and a resource": {
    terms: [
      { kind: "person", value: "person-3" },
      { kind: "resource", value: "Deployment/apps/web-3" },
    ],
  },
  "a whole commit": { terms: [{ kind: "commit", value: commitOf(4) }] },
  "a commit's first digits": { commitPrefix: "33333" },
  "a commit's first four digits, which several commits of an entry have": { commitPrefix: "3333" },
  "a commit's first digits and a person": { commitPrefix: "3333", terms: [{ kind: "person", value: "person-1" }] },
  "first digits that are nobody's": { commitPrefix: "ffff" },
  "a word": { text: "überprüfung" },
  "words, in either case and any order": { text: "BATCH reason, 3" },
  "words of a kind": { text: "common 5", kinds: ["decision"] },
  "words of a target and a verdict": { text: "common", target: "prod", verdict: "allow" },
  "words and a person": { text: "common 2", terms: [{ kind: "person", value: "person-1" }] },
  "words and a commit's first digits": { text: "common", commitPrefix: "3333" },
  "a word that nobody said": { text: "common nobody" },
};

function matches({ leaf }: LoggedEntry, at: number, query: EntryQuery): boolean {
  const time = Date.parse(leaf.time);
  const {
    from = 0,
    to = Number.POSITIVE_INFINITY,
    target,
    targets,
    kinds,
    verdict,
    terms = [],
    commitPrefix,
    text,
  } = query;
  const words = new Set(
    noteOf(at)
      .toLowerCase()
      .split(/[^a-zäöü0-9]+/),
  );
  const own = termsOf(at);
  return (
    time >= from &&
    time < to &&
    (target === undefined || leaf.target === target) &&
    (targets === undefined || targets.includes(leaf.target ?? "")) &&
    (kinds === undefined || kinds.includes(leaf.kind)) &&
    (verdict === undefined || leaf.verdict === verdict) &&
    (text ?? "")
      .toLowerCase()
      .split(/[^a-zäöü0-9]+/)
      .every((word) => word === "" || words.has(word)) &&
    terms.every((term) => own.some(({ kind, value }) => kind === term.kind && value === term.value)) &&
    (commitPrefix === undefined || own.some(({ kind, value }) => kind === "commit" && value.startsWith(commitPrefix)))
  );
}

async function paged(log: DecisionLog, query: EntryQuery): Promise<readonly number[]> {
  const found: number[] = [];
  for (let after = query.after; ; after = found.at(-1)) {
    const page = await log.find({ ...query, limit: 4, ...(after === undefined ? {} : { after }) });
    found.push(...page.map(({ index }) => index));
    if (page.length < 4) return found;
  }
}

describe("a query", () => {
  const cleanups: (() => void)[] = [];
  let path = "";
  before(async () => {
    path = await mixedLog({ after: (cleanup) => void cleanups.push(cleanup) });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });
  const forms: readonly (readonly [string, () => void])[] = [
    ["with its index", () => undefined],
    ["with an index that has not reached the end", () => reindex(path, 23)],
    ["with an index without words", () => reindex(path, COUNT, 0)],
    ["without an index", () => removeIndex(path)],
  ];
  for (const [form, prepare] of forms) {
    it(`finds what a look at every entry finds, ${form}`, async (context) => {
      prepare();
      const log = await openTestReader(path);
      context.after(() => log.close());
      const all = await log.find({ order: "oldest" });
      for (const [name, query] of Object.entries(QUERIES)) {
        const expected = all.filter((entry, at) => matches(entry, at, query)).map(({ index }) => index);
        const found = (await log.find({ ...query, order: "oldest" })).map(({ index }) => index);
        assert.deepEqual(found, expected, name);
        assert.equal(await log.count(query), expected.length, name);
        assert.deepEqual(await paged(log, { ...query, order: "newest" }), expected.toReversed(), `${name}, paged`);
        assert.deepEqual(await paged(log, { ...query, order: "oldest" }), expected, `${name}, paged upwards`);
        const below = { ...query, after: 30, order: "newest" } as const;
        const lower = expected.filter((index) => index < 30).toReversed();
        assert.deepEqual(await paged(log, below), lower, `${name}, below entry 30`);
      }
    });
  }

  it("walks an index, whatever it filters by, and sorts nothing that the index gives in order", () => {
    removeIndex(path);
    reindex(path, COUNT);
    const db = openForReading(path);
    assert.ok(attachSearchIndex(db, path));
    const planOf = ({ sql, parameters }: Statement) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map(({ detail }) => String(detail));
    for (const [name, query] of Object.entries(QUERIES)) {
      const asked = lanesStatement(query);
      const lanes = asked === null ? null : (db.prepare(asked.sql).all(...asked.parameters) as unknown as Lane[]);
      const bounds = { start: 0, end: COUNT, lanes };
      for (const line of asked === null ? [] : planOf(asked))
        assert.doesNotMatch(line, /^SCAN e\b|^SCAN entries\b/, `${name}, its lanes`);
      const statements = [...findStatements(query, bounds, true), ...countStatements(query, bounds, true)];
      for (const plan of statements.map(planOf)) {
        const scans = plan.filter((line) =>
          /^SCAN (?:e|d|entries|disclosures|terms)\b|^SCAN x (?!VIRTUAL TABLE INDEX \d+:.*M)/.test(line),
        );
        assert.deepEqual(scans, [], `${name}: ${plan.join("\n")}`);
        const index = "COVERING INDEX entries_search (target=? AND kind=? AND verdict=? AND rowid>? AND rowid<?)";
        for (const line of lanes === null ? [] : plan.filter((one) => / e USING /.test(one)))
          assert.ok(line.includes(index), `${name}: ${line}`);
        if (query.commitPrefix === undefined)
          assert.ok(!plan.some((line) => /TEMP B-TREE/.test(line)), `${name}: ${plan.join("\n")}`);
      }
    }
    db.close();
  });
});

describe("a query of a log with many targets", () => {
  it("finds and counts in order what more lanes hold than one statement takes", async (context) => {
    const path = logPath(context);
    const log = await openTestLog(path);
    context.after(() => log.close());
    const targets = Array.from({ length: 120 }, (_, at) => `target-${at}`);
    const drafts = targets.flatMap((target, at) =>
      KINDS.map((kind, place) => draft({ kind, target, verdict: VERDICTS[(at + place) % 5] ?? null })),
    );
    await log.appendAll(drafts);
    const query: EntryQuery = { kinds: KINDS };
    const lanes = lanesStatement(query);
    assert.ok(lanes !== null);
    const db = openForReading(path);
    const found = db.prepare(lanes.sql).all(...lanes.parameters) as unknown as Lane[];
    db.close();
    assert.equal(findStatements(query, { start: 0, end: drafts.length, lanes: found }, false).length, 2);
    const all = drafts.map((_, index) => index);
    assert.equal(await log.count(query), drafts.length);
    const oldest = await log.find({ ...query, order: "oldest" });
    assert.deepEqual(
      oldest.map(({ index }) => index),
      all,
    );
    const newest = await log.find({ ...query, limit: 25 });
    assert.deepEqual(
      newest.map(({ index }) => index),
      all.toReversed().slice(0, 25),
    );
    const denied = all.filter((index) => drafts[index]?.verdict === "deny");
    assert.equal(await log.count({ verdict: "deny" }), denied.length);
    const refused = await log.find({ verdict: "deny", order: "oldest" });
    assert.deepEqual(
      refused.map(({ index }) => index),
      denied,
    );
  });
});

function removeIndex(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(searchIndexPath(path) + suffix, { force: true });
}

/** An index that has reached so many entries. */
function reindex(path: string, size: number, texts = size - 3): void {
  removeIndex(path);
  const db = new DatabaseSync(path, { readOnly: true });
  const index = new SearchIndex(path, db);
  index.follow(size);
  index.followTexts(texts);
  index.close();
  db.close();
}
