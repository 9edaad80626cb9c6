/** EntryQuery as SQL over the tables of stores/sqlite/schema.ts; every form of it walks an index, where there is one (`isIndexed`). */
import { ENTRY_KINDS, type EntryKind, type EntryQuery, type Term } from "./entry.ts";

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

/** SQLite takes 500 at most. */
const MAXIMUM_ARMS = 400;

/** Whether the caller has to say which targets there are. */
export function needsTargets({ target, kinds, verdict, ...query }: EntryQuery): boolean {
  return target === undefined && (kinds ?? verdict) !== undefined && cluesOf(query).length === 0;
}

/** Every target, each by one step in the index. */
export const TARGETS_SQL = `WITH RECURSIVE named (target) AS (
  SELECT min(target) FROM entries WHERE target IS NOT NULL
  UNION ALL SELECT (SELECT min(e.target) FROM entries e WHERE e.target > named.target) FROM named WHERE named.target IS NOT NULL
) SELECT target FROM named WHERE target IS NOT NULL UNION ALL SELECT NULL`;

/** Rows {idx}, in order. */
export function findStatement(query: EntryQuery, bounds: Bounds, isIndexed: boolean): Statement {
  const { sql, parameters } = matching(query, bounds, isIndexed);
  const direction = query.order === "oldest" ? "ASC" : "DESC";
  return { sql: `${sql} ORDER BY idx ${direction} LIMIT ?`, parameters: [...parameters, query.limit ?? DEFAULT_LIMIT] };
}

/** One row {n}. */
export function countStatement(query: EntryQuery, bounds: Bounds, isIndexed: boolean): Statement {
  const { sql, parameters } = matching(query, bounds, isIndexed);
  return { sql: `SELECT count(*) AS n FROM (${sql})`, parameters };
}

/**
 * With terms, the first term drives (the index, then the entries that the index has not reached); with a target, kinds or a
 * verdict, one arm for each target and kind, whose index also holds the verdict, so that SQLite merges arms that the index already gives in order; otherwise the entries
 * themselves.
 */
function matching(query: EntryQuery, bounds: Bounds, isIndexed: boolean): Statement {
  const [driver, ...others] = cluesOf(query);
  if (driver !== undefined) {
    const rest = others.map((clue) => carries(clue, isIndexed));
    return union(byClue(driver, isIndexed).map((from) => arm(from, query, bounds, rest)));
  }
  const targets = query.target === undefined ? bounds.targets : [query.target];
  const kinds = [...new Set(query.kinds ?? ENTRY_KINDS)];
  const arms = targets.flatMap((target) => kinds.map((kind) => ({ target, kind })));
  if (arms.length === 0 || arms.length > MAXIMUM_ARMS) return arm(ENTRIES, query, bounds, []);
  return union(arms.map((one) => armOf(one, query, bounds)));
}

/** By index columns alone: target and kind said once, in this order. */
function armOf(
  { target, kind }: { readonly target: string | null; readonly kind: EntryKind },
  { target: _, kinds: __, ...query }: EntryQuery,
  bounds: Bounds,
): Statement {
  const of: Statement =
    target === null
      ? { sql: "e.target IS NULL AND e.kind = ?", parameters: [kind] }
      : { sql: "e.target = ? AND e.kind = ?", parameters: [target, kind] };
  return arm(ENTRIES, query, bounds, [of]);
}

/** What a query looks for in the terms of entries. */
type Clue = Term | CommitPrefix;

interface CommitPrefix {
  readonly prefix: string;
}

/** Those that find least come first. */
function cluesOf({ terms = [], commitPrefix }: EntryQuery): readonly Clue[] {
  return [...(commitPrefix === undefined ? [] : [{ prefix: commitPrefix }]), ...terms];
}

const ENTRIES: Statement = { sql: "FROM entries e WHERE TRUE", parameters: [] };
const REACHED = "(SELECT size FROM search.progress)";

/** The condition on a kind and a value, by the names that they have there. */
function is(clue: Clue, kind: string, value: string): Statement {
  if (!("prefix" in clue)) return { sql: `${kind} = ? AND ${value} = ?`, parameters: [clue.kind, clue.value] };
  const { prefix } = clue; // every digit sorts before g
  return { sql: `${kind} = 'commit' AND ${value} >= ? AND ${value} < ?`, parameters: [prefix, `${prefix}g`] };
}

/** Of a row `d` of disclosures. */
function says(clue: Clue): Statement {
  const { sql, parameters } = is(clue, "j.value ->> 0", "j.value ->> 1");
  return { sql: `EXISTS (SELECT 1 FROM json_each(d.terms) j WHERE ${sql})`, parameters };
}

function byClue(clue: Clue, isIndexed: boolean): readonly Statement[] {
  const said = says(clue);
  const read = `FROM disclosures d JOIN entries e ON e.idx = d.idx WHERE ${said.sql}`;
  if (!isIndexed) return [{ sql: read, parameters: said.parameters }];
  const { sql, parameters } = is(clue, "kind", "value");
  const distinct = "prefix" in clue ? "DISTINCT " : ""; // several commits of one entry may begin alike
  const found = `(SELECT ${distinct}idx FROM search.terms WHERE ${sql} AND idx < ${REACHED})`;
  return [
    { sql: `FROM ${found} t JOIN entries e ON e.idx = t.idx WHERE TRUE`, parameters },
    { sql: `${read} AND d.idx >= ${REACHED} AND e.idx >= ${REACHED}`, parameters: said.parameters }, // so that it begins there
  ];
}

/** The condition that entry `e` carries a clue. */
function carries(clue: Clue, isIndexed: boolean): Statement {
  const said = says(clue);
  const read = `EXISTS (SELECT 1 FROM disclosures d WHERE d.idx = e.idx AND ${said.sql})`;
  if (!isIndexed) return { sql: read, parameters: said.parameters };
  const { sql, parameters } = is(clue, "kind", "value");
  const found = `EXISTS (SELECT 1 FROM search.terms WHERE ${sql} AND idx = e.idx)`;
  return {
    sql: `((e.idx < ${REACHED} AND ${found}) OR (e.idx >= ${REACHED} AND ${read}))`,
    parameters: [...parameters, ...said.parameters],
  };
}

function arm(from: Statement, query: EntryQuery, { start, end }: Bounds, more: readonly Statement[]): Statement {
  const conditions: Statement[] = [...more, { sql: "e.idx >= ? AND e.idx < ?", parameters: [start, end] }];
  if (query.target !== undefined) conditions.push({ sql: "e.target = ?", parameters: [query.target] });
  if (query.kinds !== undefined)
    conditions.push({ sql: `e.kind IN (${query.kinds.map(() => "?")})`, parameters: query.kinds });
  if (query.verdict !== undefined) conditions.push({ sql: "e.verdict = ?", parameters: [query.verdict] });
  return {
    sql: [`SELECT e.idx AS idx ${from.sql}`, ...conditions.map(({ sql }) => sql)].join(" AND "),
    parameters: [...from.parameters, ...conditions.flatMap(({ parameters }) => parameters)],
  };
}

function union(arms: readonly Statement[]): Statement {
  return {
    sql: arms.map(({ sql }) => sql).join(" UNION ALL "),
    parameters: arms.flatMap(({ parameters }) => parameters),
  };
}
