/** EntryQuery as SQL over the tables of stores/sqlite/schema.ts; every form of it walks an index. */
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
export function findStatement(query: EntryQuery, bounds: Bounds): Statement {
  const { sql, parameters } = matching(query, bounds);
  const direction = query.order === "oldest" ? "ASC" : "DESC";
  return { sql: `${sql} ORDER BY idx ${direction} LIMIT ?`, parameters: [...parameters, query.limit ?? DEFAULT_LIMIT] };
}

/** One row {n}. */
export function countStatement(query: EntryQuery, bounds: Bounds): Statement {
  const { sql, parameters } = matching(query, bounds);
  return { sql: `SELECT count(*) AS n FROM (${sql})`, parameters };
}

/**
 * With terms, the first term drives (index terms, then what waits for it in `unindexed`); with a target, one arm for
 * each kind, so that SQLite merges arms that the index already gives in order; otherwise the entries themselves.
 */
function matching(query: EntryQuery, bounds: Bounds): Statement {
  const [driver, ...others] = query.terms ?? [];
  if (driver !== undefined) return union(byTerm(driver).map((from) => arm(from, query, bounds, others)));
  if (query.target === undefined) return arm(ENTRIES, query, bounds, []);
  const kinds = [...new Set(query.kinds ?? ENTRY_KINDS)];
  if (kinds.length === 0) return arm(ENTRIES, { ...query, kinds }, bounds, []);
  return union(kinds.map((kind) => arm(ENTRIES, { ...query, kinds: [kind] }, bounds, [])));
}

const ENTRIES: Statement = { sql: "FROM entries e WHERE TRUE", parameters: [] };
const WAITING = "SELECT 1 FROM unindexed u, json_each(u.terms) j WHERE";
const SAME_TERM = "j.value ->> 0 = ? AND j.value ->> 1 = ?";

function byTerm({ kind, value }: Term): readonly Statement[] {
  const parameters = [kind, value];
  return [
    { sql: "FROM terms t JOIN entries e ON e.idx = t.idx WHERE t.kind = ? AND t.value = ?", parameters },
    {
      sql: `FROM unindexed w JOIN entries e ON e.idx = w.idx WHERE EXISTS (${WAITING} u.idx = w.idx AND ${SAME_TERM})`,
      parameters,
    },
  ];
}

function arm(from: Statement, query: EntryQuery, { start, end }: Bounds, terms: readonly Term[]): Statement {
  const conditions: Statement[] = [{ sql: "e.idx >= ? AND e.idx < ?", parameters: [start, end] }];
  if (query.target !== undefined) conditions.push({ sql: "e.target = ?", parameters: [query.target] });
  if (query.kinds?.length === 1) conditions.push({ sql: "e.kind = ?", parameters: query.kinds });
  else if (query.kinds !== undefined)
    conditions.push({ sql: `e.kind IN (${query.kinds.map(() => "?")})`, parameters: query.kinds });
  if (query.verdict !== undefined) conditions.push({ sql: "e.verdict = ?", parameters: [query.verdict] });
  for (const { kind, value } of terms)
    conditions.push({
      sql: `(EXISTS (SELECT 1 FROM terms WHERE kind = ? AND value = ? AND idx = e.idx) OR EXISTS (${WAITING} u.idx = e.idx AND ${SAME_TERM}))`,
      parameters: [kind, value, kind, value],
    });
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
