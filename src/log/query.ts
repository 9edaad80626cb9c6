/** EntryQuery as SQL over the tables of a store; every form of it walks an index, where there is one (`isIndexed`). */
import { ENTRY_KINDS, type EntryKind, type EntryQuery, type Term, VERDICTS, type Verdict } from "./entry.ts";
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
  /** What lanesStatement() found; null where the query does not go by them. */
  readonly lanes: readonly Lane[] | null;
}

/** Entries of one target (null: of the whole gate), one kind and one verdict stand together in an index, in their order. */
export interface Lane {
  readonly target: string | null;
  readonly kind: EntryKind;
  readonly verdict: Verdict | null;
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

/**
 * Rows {target, kind, verdict}: the lanes that have entries and that the query may find some in, each by a step in the index.
 * null where the caller need not ask: for a query without target, kind and verdict, or one that is driven by terms or a text.
 */
export function lanesStatement({ target, targets, kinds, verdict, text, ...query }: EntryQuery): Statement | null {
  if ((target ?? targets ?? kinds ?? verdict) === undefined) return null;
  if (text !== undefined || cluesOf(query).length > 0) return null;
  const asked = target === undefined ? targets && [...new Set(targets)] : [target];
  const each = [...new Set(kinds ?? ENTRY_KINDS)];
  if (each.length === 0 || asked?.length === 0) return NO_LANES;
  const verdicts = verdict === undefined ? VERDICTS : [verdict];
  const names = asked ?? [];
  const named = asked === undefined ? EVERY_TARGET : valuesOf(names);
  const ofTargets = lanesOf(`SELECT n.column1 AS target, `, `(${named}) n CROSS JOIN `, "= n.column1", each, verdicts);
  const ofGate = lanesOf("SELECT NULL, ", "", "IS NULL", each, verdicts);
  const parameters = [...each, ...verdicts];
  const isOfGate = asked === undefined;
  const noVerdict = verdict === undefined;
  const parts = [
    { sql: ofTargets("= v.column1"), parameters: [...names, ...parameters] },
    ...(noVerdict ? [{ sql: ofTargets(null), parameters: [...names, ...each] }] : []),
    ...(isOfGate ? [{ sql: ofGate("= v.column1"), parameters }] : []),
    ...(isOfGate && noVerdict ? [{ sql: ofGate(null), parameters: each }] : []),
  ];
  return union(parts);
}

const NO_LANES: Statement = { sql: "SELECT NULL AS target, NULL AS kind, NULL AS verdict WHERE FALSE", parameters: [] };

/** A kind without entries is passed over before its verdicts are looked for. */
function lanesOf(select: string, from: string, of: string, kinds: readonly string[], verdicts: readonly string[]) {
  const exists = (verdict: string) =>
    `EXISTS (SELECT 1 FROM entries e WHERE e.target ${of} AND e.kind = k.column1${verdict})`;
  return (verdict: "= v.column1" | null): string =>
    verdict === null
      ? `${select}k.column1 AS kind, NULL AS verdict FROM ${from}(${valuesOf(kinds)}) k WHERE ${exists(" AND e.verdict IS NULL")}`
      : `${select}k.column1 AS kind, v.column1 AS verdict FROM ${from}(${valuesOf(kinds)}) k CROSS JOIN (${valuesOf(verdicts)}) v WHERE ${exists("")} AND ${exists(` AND e.verdict ${verdict}`)}`;
}

function valuesOf(texts: readonly string[]): string {
  return `VALUES ${texts.map(() => "(?)").join(", ")}`;
}

/** Each by one step in the index. */
const EVERY_TARGET = `WITH RECURSIVE named (column1) AS (
  SELECT min(target) FROM entries WHERE target IS NOT NULL
  UNION ALL SELECT (SELECT min(e.target) FROM entries e WHERE e.target > named.column1) FROM named WHERE named.column1 IS NOT NULL
) SELECT column1 FROM named WHERE column1 IS NOT NULL`;

/** Rows {idx}, those of each statement in order: inOrder() joins them. */
export function findStatements(
  query: EntryQuery,
  bounds: Bounds,
  isIndexed: boolean,
  language: TermLanguage = SQLITE_TERMS,
): readonly Statement[] {
  const direction = query.order === "oldest" ? "ASC" : "DESC";
  const first = ({ sql, parameters }: Statement): Statement => ({
    sql: `${sql} ORDER BY idx ${direction} LIMIT ?`,
    parameters: [...parameters, limitOf(query)],
  });
  const alone = (arm: Statement): Statement => {
    const { sql, parameters } = first(arm);
    return { sql: `SELECT idx FROM (${sql}) found`, parameters };
  };
  return matching(query, bounds, { isIndexed, ...language }).map((arms) =>
    first(union(language.ordersArms ? arms.map(alone) : arms)),
  );
}

/** What each statement of findStatements() found, as one answer. */
export function inOrder(query: EntryQuery, found: readonly (readonly number[])[]): readonly number[] {
  if (found.length === 1) return found[0] ?? [];
  const sign = query.order === "oldest" ? 1 : -1;
  return found
    .flat()
    .sort((a, b) => sign * (a - b))
    .slice(0, limitOf(query));
}

function limitOf({ limit }: EntryQuery): number {
  return limit ?? DEFAULT_LIMIT;
}

/** One row {n} each, to be added up. */
export function countStatements(
  query: EntryQuery,
  bounds: Bounds,
  isIndexed: boolean,
  language: TermLanguage = SQLITE_TERMS,
): readonly Statement[] {
  if (bounds.lanes === null && query.text === undefined && cluesOf(query).length === 0)
    return [{ sql: "SELECT CAST(? AS bigint) AS n", parameters: [Math.max(0, bounds.end - bounds.start)] }];
  return matching(query, bounds, { isIndexed, ...language }).map((arms) => ({
    sql: `SELECT ${arms.map(({ sql }) => `(SELECT count(*) FROM (${sql}) found)`).join(" + ")} AS n`,
    parameters: arms.flatMap(({ parameters }) => parameters),
  }));
}

/**
 * Arms of one statement or of several, which find different entries. With terms, the first term drives (the index, then
 * the entries that the index has not reached); with a target, kinds or a verdict, one arm for each lane,
 * which the index gives in order, so that they are merged and not sorted; otherwise the entries themselves.
 */
function matching(query: EntryQuery, bounds: Bounds, search: Search): readonly (readonly Statement[])[] {
  const words = query.text === undefined ? null : textSearch(query.text, search);
  const [first, ...others] = cluesOf(query);
  if (first === undefined && words !== null) return [byWords(words).map((driver) => arm(driver, query, bounds))];
  if (first !== undefined) {
    const driven = byClue(first, search).map((driver) => {
      const more = [
        ...others.map((clue) => carries(clue, driver.number, search)),
        ...(words === null ? [] : [saysWords(words, driver.number)]),
      ];
      return arm({ ...driver, conditions: [...driver.conditions, ...more] }, query, bounds);
    });
    return [driven];
  }
  if (bounds.lanes === null) return [[arm(ENTRIES, query, bounds)]];
  const arms = bounds.lanes.map((lane) => armOf(lane, bounds));
  return Array.from({ length: Math.ceil(arms.length / MAXIMUM_ARMS) }, (_, at) =>
    arms.slice(at * MAXIMUM_ARMS, (at + 1) * MAXIMUM_ARMS),
  );
}

/** By index columns alone: each said once. */
function armOf(lane: Lane, bounds: Bounds): Statement {
  const named = Object.entries({ target: lane.target, kind: lane.kind, verdict: lane.verdict });
  const conditions = named.map(([column, value]) =>
    value === null ? { sql: `e.${column} IS NULL`, parameters: [] } : { sql: `e.${column} = ?`, parameters: [value] },
  );
  return arm({ ...ENTRIES, conditions }, {}, bounds);
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

/** The rows that an arm walks, in the order of the log. */
interface Driver {
  readonly table: string;
  /** The column that is an entry's number. */
  readonly number: string;
  readonly conditions: readonly Statement[];
}

const ENTRIES: Driver = { table: "entries e", number: "e.idx", conditions: [] };
/** What no index has reached is read where its values lie. */
const VALUES: Driver = { table: "disclosures d", number: "d.idx", conditions: [] };

/** How a store says that an entry has a term. */
export interface TermLanguage {
  /** Whether each arm has to be told to come in order: PostgreSQL would find all of them, and sort. */
  readonly ordersArms: boolean;
  /** The table of the index, {idx, ...}. */
  readonly terms: string;
  /** The table whose one row says how many entries the index has reached, {size}. */
  readonly progress: string;
  /** The condition on a row `d` of disclosures. */
  said(clue: Clue): Statement;
  /** The condition on a row of the index that goes by this name. */
  indexed(clue: Clue, name: string): Statement;
  readonly text: TextLanguage;
}

/** How a store says that the texts beside an entry have words, every one of them. */
export interface TextLanguage {
  /** The table of the index, called x, and its column that is an entry's number. */
  readonly table: string;
  readonly number: string;
  /** How many entries the index has reached. */
  readonly reached: string;
  /** The condition on a row `x` of the index. */
  found(words: readonly string[]): Statement;
  /** The condition on a row `d` of disclosures. */
  said(words: readonly string[]): Statement;
}

interface Search extends TermLanguage {
  readonly isIndexed: boolean;
}

/** A function that readers of SQLite bring along. */
export const SAYS_WORDS = "says_words";

const SQLITE_TERMS: TermLanguage = {
  ordersArms: false,
  terms: "search.terms",
  progress: "search.progress",
  said: (clue) => {
    const { sql, parameters } = is(clue, "j.value ->> 0", "j.value ->> 1");
    return { sql: `EXISTS (SELECT 1 FROM json_each(d.terms) j WHERE ${sql})`, parameters };
  },
  indexed: (clue, name) => is(clue, `${name}.kind`, `${name}.value`),
  text: {
    table: "search.texts x",
    number: "x.rowid",
    reached: "(SELECT texts FROM search.progress)",
    found: (words) => ({ sql: "x.texts MATCH ?", parameters: [words.map((word) => `"${word}"`).join(" ")] }),
    said: (words) => ({ sql: `${SAYS_WORDS}(d.json, ?)`, parameters: [words.join(" ")] }),
  },
};

/** The condition on a kind and a value, by the names that they have there. */
function is(clue: Clue, kind: string, value: string): Statement {
  if (!("prefix" in clue)) return { sql: `${kind} = ? AND ${value} = ?`, parameters: [clue.kind, clue.value] };
  const { prefix } = clue; // every digit sorts before g
  return { sql: `${kind} = 'commit' AND ${value} >= ? AND ${value} < ?`, parameters: [prefix, `${prefix}g`] };
}

/** What the index has reached is looked for there, the rest is read. */
function byClue(clue: Clue, { isIndexed, terms, progress, ...language }: Search): readonly Driver[] {
  const read: Driver = { ...VALUES, conditions: [language.said(clue)] };
  if (!isIndexed) return [read];
  const reached = `(SELECT size FROM ${progress})`;
  const indexed = language.indexed(clue, "t");
  const isBelow = { sql: `t.idx < ${reached}`, parameters: [] };
  const found: Driver =
    "prefix" in clue // several commits of one entry may begin alike
      ? {
          table: `(SELECT DISTINCT t.idx FROM ${terms} t WHERE ${indexed.sql}) t`,
          number: "t.idx",
          conditions: [{ sql: "TRUE", parameters: indexed.parameters }, isBelow],
        }
      : { table: `${terms} t`, number: "t.idx", conditions: [indexed, isBelow] };
  return [found, { ...read, conditions: [...read.conditions, { sql: `d.idx >= ${reached}`, parameters: [] }] }];
}

/** The condition that the entry of that number carries a clue. */
function carries(clue: Clue, number: string, { isIndexed, terms, progress, ...language }: Search): Statement {
  const said = language.said(clue);
  if (number === VALUES.number) return said;
  const read = `EXISTS (SELECT 1 FROM disclosures d WHERE d.idx = ${number} AND ${said.sql})`;
  if (!isIndexed) return { sql: read, parameters: said.parameters };
  const reached = `(SELECT size FROM ${progress})`;
  const { sql, parameters } = language.indexed(clue, "o");
  const found = `EXISTS (SELECT 1 FROM ${terms} o WHERE ${sql} AND o.idx = ${number})`;
  return {
    sql: `((${number} < ${reached} AND ${found}) OR (${number} >= ${reached} AND ${read}))`,
    parameters: [...parameters, ...said.parameters],
  };
}

interface TextSearch extends TextLanguage {
  readonly words: readonly string[];
  readonly isIndexed: boolean;
}

/** @throws SluiceError `usage` for a text without words */
function textSearch(text: string, { isIndexed, text: language }: Search): TextSearch {
  return { ...language, words: askedWords(text), isIndexed };
}

/** What the index has reached is looked for there, in order; the rest is read. */
function byWords({ words, isIndexed, table, number, reached, ...language }: TextSearch): readonly Driver[] {
  const said = language.said(words);
  const read: Driver = { ...VALUES, conditions: [said] };
  if (!isIndexed) return [read];
  const isBelow = { sql: `${number} < ${reached}`, parameters: [] };
  return [
    { table, number, conditions: [language.found(words), isBelow] },
    { ...read, conditions: [said, { sql: `d.idx >= ${reached}`, parameters: [] }] },
  ];
}

/** The condition that a text beside the entry of that number has the words. */
function saysWords({ words, isIndexed, reached, ...language }: TextSearch, number: string): Statement {
  const said = language.said(words);
  if (number === VALUES.number) return said;
  const read = `EXISTS (SELECT 1 FROM disclosures d WHERE d.idx = ${number} AND ${said.sql})`;
  if (!isIndexed) return { sql: read, parameters: said.parameters };
  const found = language.found(words);
  const indexed = `EXISTS (SELECT 1 FROM ${language.table} WHERE ${found.sql} AND ${language.number} = ${number})`;
  return {
    sql: `((${number} < ${reached} AND ${indexed}) OR (${number} >= ${reached} AND ${read}))`,
    parameters: [...found.parameters, ...said.parameters],
  };
}

/** Entries are looked up only where the query asks what stands in them, and only those that the driver leaves. */
function arm({ table, number, conditions }: Driver, query: EntryQuery, { start, end }: Bounds): Statement {
  const all: Statement[] = [...conditions, { sql: `${number} >= ? AND ${number} < ?`, parameters: [start, end] }];
  const ofEntry = [
    ...(query.target === undefined ? [] : [{ sql: "e.target = ?", parameters: [query.target] }]),
    ...(query.targets === undefined ? [] : [oneOf("e.target", query.targets)]),
    ...(query.kinds === undefined ? [] : [oneOf("e.kind", query.kinds)]),
    ...(query.verdict === undefined ? [] : [{ sql: "e.verdict = ?", parameters: [query.verdict] }]),
  ];
  const isJoined = ofEntry.length > 0 && number !== ENTRIES.number;
  if (isJoined) all.push({ sql: `e.idx = ${number}`, parameters: [] });
  all.push(...ofEntry);
  return {
    sql: `SELECT ${number} AS idx FROM ${table}${isJoined ? " CROSS JOIN entries e" : ""} WHERE ${all.map(({ sql }) => sql).join(" AND ")}`,
    parameters: all.flatMap(({ parameters }) => parameters),
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
