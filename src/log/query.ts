/** EntryQuery as SQL over the tables of a store; every form of it walks an index, where there is one (`isIndexed`). */
import { SluiceError } from "../lib/errors.ts";
import { ENTRY_KINDS, type EntryKind, type EntryQuery, type Term } from "./entry.ts";
import { askedWords } from "./words.ts";

const DEFAULT_LIMIT = 1000;

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

/** What the caller knows of the log before it asks. */
export interface Bounds {
  /** Entry numbers [start, end) that a query can concern: its times and `after`, turned into numbers. */
  readonly start: number;
  readonly end: number;
  /** Every target of the log, null for entries of the whole gate; empty where the query needs none of them. */
  readonly targets: readonly (string | null)[];
}

/** What a query's `after` leaves of the entries [start, end) between its times. */
export function narrowed({ after, order }: EntryQuery, start: number, end: number): Pick<Bounds, "start" | "end"> {
  if (after === undefined) return { start, end };
  return order === "oldest" ? { start: Math.max(start, after + 1), end } : { start, end: Math.min(end, after) };
}

/** With `$1`, `$2`, ... for each `?`, as PostgreSQL counts its parameters. */
export function numbered({ sql, parameters }: Statement): Statement {
  let count = 0;
  return { sql: sql.replace(/\?/g, () => `$${++count}`), parameters };
}

/** SQLite takes 500 at most. */
const MAXIMUM_ARMS = 400;

/** Whether the caller has to say which targets there are. */
export function needsTargets({ target, targets, kinds, verdict, text, ...query }: EntryQuery): boolean {
  return (
    (target ?? targets) === undefined &&
    (kinds ?? verdict) !== undefined &&
    text === undefined &&
    cluesOf(query).length === 0
  );
}

/** Every target, each by one step in the index. */
export const TARGETS_SQL = `WITH RECURSIVE named (target) AS (
  SELECT min(target) FROM entries WHERE target IS NOT NULL
  UNION ALL SELECT (SELECT min(e.target) FROM entries e WHERE e.target > named.target) FROM named WHERE named.target IS NOT NULL
) SELECT target FROM named WHERE target IS NOT NULL UNION ALL SELECT NULL`;

/** Rows {idx}, in order. */
export function findStatement(
  query: EntryQuery,
  bounds: Bounds,
  isIndexed: boolean,
  language: TermLanguage = SQLITE_TERMS,
): Statement {
  const { sql, parameters } = matching(query, bounds, { isIndexed, ...language });
  const direction = query.order === "oldest" ? "ASC" : "DESC";
  return { sql: `${sql} ORDER BY idx ${direction} LIMIT ?`, parameters: [...parameters, query.limit ?? DEFAULT_LIMIT] };
}

/** One row {n}. */
export function countStatement(
  query: EntryQuery,
  bounds: Bounds,
  isIndexed: boolean,
  language: TermLanguage = SQLITE_TERMS,
): Statement {
  const { sql, parameters } = matching(query, bounds, { isIndexed, ...language });
  return { sql: `SELECT count(*) AS n FROM (${sql}) found`, parameters };
}

/**
 * With terms, the first term drives (the index, then the entries that the index has not reached); with a target, kinds or a
 * verdict, one arm for each target and kind, whose index also holds the verdict, so that SQLite merges arms that the index already gives in order; otherwise the entries
 * themselves.
 */
function matching(query: EntryQuery, bounds: Bounds, search: Search): Statement {
  const words = query.text === undefined ? null : textSearch(query.text, search);
  const [driver, ...others] = cluesOf(query);
  if (driver === undefined && words !== null)
    return union(byWords(words).map(({ number, ...from }) => arm(from, query, bounds, [], number)));
  if (driver !== undefined) {
    const rest = [...others.map((clue) => carries(clue, search)), ...(words === null ? [] : [saysWords(words)])];
    return union(byClue(driver, search).map((from) => arm(from, query, bounds, rest)));
  }
  const targets = query.target === undefined ? (query.targets ?? bounds.targets) : [query.target];
  const kinds = [...new Set(query.kinds ?? ENTRY_KINDS)];
  const arms = targets.flatMap((target) => kinds.map((kind) => ({ target, kind })));
  if (arms.length === 0 || arms.length > MAXIMUM_ARMS) return arm(ENTRIES, query, bounds, []);
  return union(arms.map((one) => armOf(one, query, bounds)));
}

/** By index columns alone: target and kind said once, in this order. */
function armOf(
  { target, kind }: { readonly target: string | null; readonly kind: EntryKind },
  { target: _, targets: __, kinds: ___, ...query }: EntryQuery,
  bounds: Bounds,
): Statement {
  const of: Statement =
    target === null
      ? { sql: "e.target IS NULL AND e.kind = ?", parameters: [kind] }
      : { sql: "e.target = ? AND e.kind = ?", parameters: [target, kind] };
  return arm(ENTRIES, query, bounds, [of]);
}

/** What a query looks for in the terms of entries. */
export type Clue = Term | CommitPrefix;

interface CommitPrefix {
  readonly prefix: string;
}

/** Those that find least come first. */
function cluesOf({ terms = [], commitPrefix }: EntryQuery): readonly Clue[] {
  return [...(commitPrefix === undefined ? [] : [{ prefix: commitPrefix }]), ...terms];
}

const ENTRIES: Statement = { sql: "FROM entries e WHERE TRUE", parameters: [] };

/** How a store says that an entry has a term. */
export interface TermLanguage {
  /** The table of the index, {idx, ...}. */
  readonly terms: string;
  /** The table whose one row says how many entries the index has reached, {size}. */
  readonly progress: string;
  /** The condition on a row `d` of disclosures. */
  said(clue: Clue): Statement;
  /** The condition on a row of the index. */
  indexed(clue: Clue): Statement;
  /** Absent where the store looks for no texts. */
  readonly text?: TextLanguage;
}

/** How a store says that a text beside an entry has words. */
export interface TextLanguage {
  /** Rows {idx} of entries that the index has reached, with `x.rowid` as their number and `words` as a parameter. */
  readonly found: string;
  readonly progress: string;
  /** The condition on a row `d` of disclosures. */
  readonly said: string;
  parameter(words: readonly string[], place: "found" | "said"): string;
}

interface Search extends TermLanguage {
  readonly isIndexed: boolean;
}

/** A function that readers of SQLite bring along. */
export const SAYS_WORDS = "says_words";

const SQLITE_TERMS: TermLanguage = {
  terms: "search.terms",
  progress: "search.progress",
  said: (clue) => {
    const { sql, parameters } = is(clue, "j.value ->> 0", "j.value ->> 1");
    return { sql: `EXISTS (SELECT 1 FROM json_each(d.terms) j WHERE ${sql})`, parameters };
  },
  indexed: (clue) => is(clue, "kind", "value"),
  text: {
    found: "search.texts x",
    progress: "search.progress",
    said: `${SAYS_WORDS}(d.json, ?)`,
    parameter: (words, place) => (place === "said" ? words.join(" ") : words.map((word) => `"${word}"`).join(" ")),
  },
};

/** The condition on a kind and a value, by the names that they have there. */
function is(clue: Clue, kind: string, value: string): Statement {
  if (!("prefix" in clue)) return { sql: `${kind} = ? AND ${value} = ?`, parameters: [clue.kind, clue.value] };
  const { prefix } = clue; // every digit sorts before g
  return { sql: `${kind} = 'commit' AND ${value} >= ? AND ${value} < ?`, parameters: [prefix, `${prefix}g`] };
}

function byClue(clue: Clue, { isIndexed, terms, progress, ...language }: Search): readonly Statement[] {
  const said = language.said(clue);
  const read = `FROM disclosures d JOIN entries e ON e.idx = d.idx WHERE ${said.sql}`;
  if (!isIndexed) return [{ sql: read, parameters: said.parameters }];
  const reached = `(SELECT size FROM ${progress})`;
  const { sql, parameters } = language.indexed(clue);
  const distinct = "prefix" in clue ? "DISTINCT " : ""; // several commits of one entry may begin alike
  const found = `(SELECT ${distinct}idx FROM ${terms} WHERE ${sql} AND idx < ${reached})`;
  return [
    { sql: `FROM ${found} t JOIN entries e ON e.idx = t.idx WHERE TRUE`, parameters },
    { sql: `${read} AND d.idx >= ${reached} AND e.idx >= ${reached}`, parameters: said.parameters }, // so that it begins there
  ];
}

/** The condition that entry `e` carries a clue. */
function carries(clue: Clue, { isIndexed, terms, progress, ...language }: Search): Statement {
  const said = language.said(clue);
  const read = `EXISTS (SELECT 1 FROM disclosures d WHERE d.idx = e.idx AND ${said.sql})`;
  if (!isIndexed) return { sql: read, parameters: said.parameters };
  const reached = `(SELECT size FROM ${progress})`;
  const { sql, parameters } = language.indexed(clue);
  const found = `EXISTS (SELECT 1 FROM ${terms} WHERE ${sql} AND idx = e.idx)`;
  return {
    sql: `((e.idx < ${reached} AND ${found}) OR (e.idx >= ${reached} AND ${read}))`,
    parameters: [...parameters, ...said.parameters],
  };
}

interface TextSearch extends TextLanguage {
  readonly words: readonly string[];
  readonly isIndexed: boolean;
}

/** @throws SluiceError `usage` for a text without words, `not-supported` for a store that looks for none */
function textSearch(text: string, { isIndexed, text: language }: Search): TextSearch {
  const words = askedWords(text);
  if (language !== undefined) return { ...language, words, isIndexed };
  throw new SluiceError("not-supported", "This store does not look for texts yet.", { fix: "leave out --text" });
}

/** What the index has reached is looked for there, in order; the rest is read. */
function byWords({
  words,
  isIndexed,
  found,
  progress,
  said,
  parameter,
}: TextSearch): readonly (Statement & { readonly number: string })[] {
  const read = `FROM disclosures d CROSS JOIN entries e ON e.idx = d.idx WHERE ${said}`;
  const asRead = [parameter(words, "said")];
  if (!isIndexed) return [{ sql: read, parameters: asRead, number: "d.idx" }];
  const reached = `(SELECT texts FROM ${progress})`;
  return [
    {
      sql: `FROM ${found} JOIN entries e ON e.idx = x.rowid WHERE x.texts MATCH ? AND x.rowid < ${reached}`,
      parameters: [parameter(words, "found")],
      number: "x.rowid",
    },
    { sql: `${read} AND d.idx >= ${reached}`, parameters: asRead, number: "d.idx" },
  ];
}

/** The condition that a text beside entry `e` has the words. */
function saysWords({ words, isIndexed, found, progress, said, parameter }: TextSearch): Statement {
  const read = `EXISTS (SELECT 1 FROM disclosures d WHERE d.idx = e.idx AND ${said})`;
  const asRead = parameter(words, "said");
  if (!isIndexed) return { sql: read, parameters: [asRead] };
  const reached = `(SELECT texts FROM ${progress})`;
  const indexed = `EXISTS (SELECT 1 FROM ${found} WHERE x.texts MATCH ? AND x.rowid = e.idx)`;
  return {
    sql: `((e.idx < ${reached} AND ${indexed}) OR (e.idx >= ${reached} AND ${read}))`,
    parameters: [parameter(words, "found"), asRead],
  };
}

function arm(
  from: Statement,
  query: EntryQuery,
  { start, end }: Bounds,
  more: readonly Statement[],
  number = "e.idx",
): Statement {
  const conditions: Statement[] = [...more, { sql: `${number} >= ? AND ${number} < ?`, parameters: [start, end] }];
  if (query.target !== undefined) conditions.push({ sql: "e.target = ?", parameters: [query.target] });
  if (query.targets !== undefined) conditions.push(oneOf("e.target", query.targets));
  if (query.kinds !== undefined) conditions.push(oneOf("e.kind", query.kinds));
  if (query.verdict !== undefined) conditions.push({ sql: "e.verdict = ?", parameters: [query.verdict] });
  return {
    sql: [`SELECT ${number} AS idx ${from.sql}`, ...conditions.map(({ sql }) => sql)].join(" AND "),
    parameters: [...from.parameters, ...conditions.flatMap(({ parameters }) => parameters)],
  };
}

function oneOf(column: string, values: readonly string[]): Statement {
  return { sql: `${column} IN (${values.map(() => "?").join(", ") || "NULL"})`, parameters: values };
}

function union(arms: readonly Statement[]): Statement {
  return {
    sql: arms.map(({ sql }) => sql).join(" UNION ALL "),
    parameters: arms.flatMap(({ parameters }) => parameters),
  };
}
