/** EntryQuery as SQL over the tables of stores/sqlite/schema.ts; every form of it walks an index, where there is one (`isIndexed`). */
import { ENTRY_KINDS, type EntryQuery, type Term } from "./entry.ts";

const DEFAULT_LIMIT = 1000;

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

/** Entry numbers [start, end) that a query can concern: its times and `after`, turned into numbers by the caller. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

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
 * With terms, the first term drives (the index, then the entries that the index has not reached); with a target, one arm
 * for each kind, so that SQLite merges arms that the index already gives in order; otherwise the entries themselves.
 */
function matching(query: EntryQuery, bounds: Bounds, isIndexed: boolean): Statement {
  const [driver, ...others] = query.terms ?? [];
  if (driver !== undefined) {
    const rest = others.map((term) => carries(term, isIndexed));
    return union(byTerm(driver, isIndexed).map((from) => arm(from, query, bounds, rest)));
  }
  if (query.target === undefined) return arm(ENTRIES, query, bounds, []);
  const kinds = [...new Set(query.kinds ?? ENTRY_KINDS)];
  if (kinds.length === 0) return arm(ENTRIES, { ...query, kinds }, bounds, []);
  return union(kinds.map((kind) => arm(ENTRIES, { ...query, kinds: [kind] }, bounds, [])));
}

const ENTRIES: Statement = { sql: "FROM entries e WHERE TRUE", parameters: [] };
const REACHED = "(SELECT size FROM search.progress)";
/** Of a row `d` of disclosures. */
const SAYS = "EXISTS (SELECT 1 FROM json_each(d.terms) j WHERE j.value ->> 0 = ? AND j.value ->> 1 = ?)";

function byTerm({ kind, value }: Term, isIndexed: boolean): readonly Statement[] {
  const parameters = [kind, value];
  const read = `FROM disclosures d JOIN entries e ON e.idx = d.idx WHERE ${SAYS}`;
  if (!isIndexed) return [{ sql: read, parameters }];
  const found = `FROM search.terms t JOIN entries e ON e.idx = t.idx WHERE t.kind = ? AND t.value = ? AND t.idx < ${REACHED}`;
  return [
    { sql: found, parameters },
    { sql: `${read} AND d.idx >= ${REACHED}`, parameters },
  ];
}

/** The condition that entry `e` carries a term. */
function carries({ kind, value }: Term, isIndexed: boolean): Statement {
  const read = `EXISTS (SELECT 1 FROM disclosures d WHERE d.idx = e.idx AND ${SAYS})`;
  if (!isIndexed) return { sql: read, parameters: [kind, value] };
  const found = "EXISTS (SELECT 1 FROM search.terms WHERE kind = ? AND value = ? AND idx = e.idx)";
  return {
    sql: `((e.idx < ${REACHED} AND ${found}) OR (e.idx >= ${REACHED} AND ${read}))`,
    parameters: [kind, value, kind, value],
  };
}

function arm(from: Statement, query: EntryQuery, { start, end }: Bounds, more: readonly Statement[]): Statement {
  const conditions: Statement[] = [{ sql: "e.idx >= ? AND e.idx < ?", parameters: [start, end] }];
  if (query.target !== undefined) conditions.push({ sql: "e.target = ?", parameters: [query.target] });
  if (query.kinds?.length === 1) conditions.push({ sql: "e.kind = ?", parameters: query.kinds });
  else if (query.kinds !== undefined)
    conditions.push({ sql: `e.kind IN (${query.kinds.map(() => "?")})`, parameters: query.kinds });
  if (query.verdict !== undefined) conditions.push({ sql: "e.verdict = ?", parameters: [query.verdict] });
  conditions.push(...more);
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
