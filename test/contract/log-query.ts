/** What every store's queries promise: they find exactly what a look at every entry finds. */
import assert from "node:assert/strict";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryKind, EntryQuery, LoggedEntry, Term, Verdict } from "../../src/log/entry.ts";
import { draft } from "../support/log.ts";

export const COUNT = 60;
const BEGIN = Date.parse("2026-10-01T00:00:00Z");
const TARGETS = ["prod", "staging", null] as const;
export const KINDS: readonly EntryKind[] = ["decision", "release", "hold", "receipt"];
export const VERDICTS: readonly (Verdict | null)[] = ["allow", "deny", null, "error", "wait"];

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

/** The entries that the queries below tell apart, into an empty log whose clock is asked once for each. */
export async function fillMixed(open: (change: { clock: () => number }) => Promise<DecisionLog>): Promise<void> {
  let now = BEGIN;
  const log = await open({ clock: () => now });
  for (let at = 0; at < COUNT; at++) {
    now += 60_000;
    const kind = KINDS[at % KINDS.length] as EntryKind;
    const [target, verdict] = [TARGETS[at % 3] ?? null, VERDICTS[at % 5] ?? null];
    await log.append(
      draft({ kind, target, verdict, terms: termsOf(at), disclosed: { note: noteOf(at), n: { a: [at] } } }),
    );
  }
  await log.close();
}

export const QUERIES: Readonly<Record<string, EntryQuery>> = {
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

/** Each query finds what a look at every entry finds, and counts it, page by page and in either order. */
export async function findsAll(log: DecisionLog): Promise<void> {
  const all = await log.find({ order: "oldest" });
  assert.equal(all.length, COUNT);
  for (const [name, query] of Object.entries(QUERIES)) {
    const expected = all.filter((entry, at) => matches(entry, at, query)).map(({ index }) => index);
    const found = (await log.find({ ...query, order: "oldest" })).map(({ index }) => index);
    assert.deepEqual(found, expected, name);
    assert.equal(await log.count(query), expected.length, name);
    assert.deepEqual(await log.findIndexes({ ...query, order: "oldest" }), expected, `${name}, by number`);
    assert.deepEqual(await paged(log, { ...query, order: "newest" }), expected.toReversed(), `${name}, paged`);
    assert.deepEqual(await paged(log, { ...query, order: "oldest" }), expected, `${name}, paged upwards`);
    const below = { ...query, after: 30, order: "newest" } as const;
    const lower = expected.filter((index) => index < 30).toReversed();
    assert.deepEqual(await paged(log, below), lower, `${name}, below entry 30`);
  }
}
