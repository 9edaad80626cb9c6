/**
 * The terms of entries [0, size) in a table of their own, so that queries find them, and among them the words beside entries
 * [0, texts). It follows the log at its own pace, written by whichever replica has time; what it has not reached yet is read
 * from the log itself.
 */
import { sha256Hex } from "../../../lib/digest.ts";
import type { Term } from "../../entry.ts";
import type { Bounds, Clue, TermLanguage } from "../../query.ts";
import { disclosedWords, saysAll } from "../../words.ts";
import { type Asked, type PostgresPool, rows, storageFailure } from "./connection.ts";

/** A row of an index has to fit into a third of a page; a longer term is found by its hash. */
const LONGEST_TERM_CHARACTERS = 400;

/** JSON text: in the list of an entry's terms it occurs exactly where the entry has the term, as quotes are escaped. */
function termText({ kind, value }: Term): string {
  return JSON.stringify([kind, value]);
}

function termKey(text: string): string {
  return text.length <= LONGEST_TERM_CHARACTERS ? text : `sha256:${sha256Hex(text)}`;
}

/** The beginning of the text of every commit that begins so. */
function prefixText(prefix: string): string {
  return `["commit","${prefix}`;
}

/** What a search by text found out by itself before it asks. */
interface WaitingTexts {
  /** How many entries the index has reached. */
  readonly reached: number;
  /** Numbers of the entries behind it that say the words. */
  readonly said: readonly number[];
}

const NONE_WAITING: WaitingTexts = { reached: 0, said: [] };

/** `waiting` is of a query with a text: waitingTexts(). */
export function postgresTerms({ reached, said }: WaitingTexts = NONE_WAITING): TermLanguage {
  return {
    ordersArms: true,
    terms: "search_terms",
    progress: "search_progress",
    said: (clue: Clue) => ({
      sql: "strpos(d.terms, ?) > 0",
      parameters: ["prefix" in clue ? prefixText(clue.prefix) : termText(clue)],
    }),
    indexed: (clue: Clue, name: string) => {
      if (!("prefix" in clue)) return { sql: `${name}.term = ?`, parameters: [termKey(termText(clue))] };
      const text = prefixText(clue.prefix); // every digit sorts before g
      return { sql: `${name}.term >= ? AND ${name}.term < ?`, parameters: [text, `${text}g`] };
    },
    text: {
      table: "search_terms x",
      number: "x.idx",
      reached: `${reached}`,
      found: ([first = "", ...others]) => ({
        sql: [
          "x.term = ?",
          ...others.map(() => "EXISTS (SELECT 1 FROM search_terms w WHERE w.term = ? AND w.idx = x.idx)"),
        ].join(" AND "),
        parameters: [first, ...others].map(wordKey),
      }),
      said: () => ({ sql: "d.idx = ANY(?::bigint[])", parameters: [`{${said.join(",")}}`] }),
    },
  };
}

const WAITING_STEP_ENTRIES = 1000;

/** PostgreSQL does not know what a word is: what the index has not reached is read here. */
export async function waitingTexts(
  asked: Asked,
  words: readonly string[],
  { start, end }: Pick<Bounds, "start" | "end">,
): Promise<WaitingTexts> {
  const [progress] = await rows<{ texts: string | null }>(
    asked,
    "SELECT to_jsonb(p) ->> 'texts' AS texts FROM search_progress p", // null before layout 4
  );
  const reached = Number(progress?.texts ?? 0);
  const said: number[] = [];
  for (let from = Math.max(start, reached); from < end; from += WAITING_STEP_ENTRIES) {
    const step = await rows<{ idx: string; json: string }>(
      asked,
      "SELECT idx, json FROM disclosures WHERE idx >= $1 AND idx < $2 ORDER BY idx",
      [from, Math.min(from + WAITING_STEP_ENTRIES, end)],
    );
    for (const { idx, json } of step) if (saysAll(json, words)) said.push(Number(idx));
  }
  return { reached, said };
}

/** One step of at most `limit` entries; true when more wait. False where another replica is at it. */
export function followTerms(pool: PostgresPool, limit: number): Promise<boolean> {
  return follow(pool, limit, {
    waiting:
      "SELECT idx, terms AS text FROM disclosures WHERE idx >= (SELECT size FROM search_progress) ORDER BY idx LIMIT $1",
    keys: keysIn,
    reach: "UPDATE search_progress SET size = $1",
  });
}

/** The same for the words beside entries, as far as the terms have come. */
export function followTexts(pool: PostgresPool, limit: number): Promise<boolean> {
  return follow(pool, limit, {
    waiting:
      "SELECT idx, json AS text FROM disclosures WHERE idx >= (SELECT texts FROM search_progress) AND idx < (SELECT size FROM search_progress) ORDER BY idx LIMIT $1",
    keys: wordKeysIn,
    reach: "UPDATE search_progress SET texts = $1",
  });
}

interface Followed {
  readonly waiting: string;
  keys(text: string): readonly string[];
  readonly reach: string;
}

async function follow(pool: PostgresPool, limit: number, { waiting, keys, reach }: Followed): Promise<boolean> {
  const client = await pool.connect().catch((cause) => {
    throw storageFailure(cause);
  });
  try {
    await rows(client, "BEGIN ISOLATION LEVEL READ COMMITTED");
    const [turn] = await rows(client, "SELECT 1 FROM search_progress FOR UPDATE SKIP LOCKED");
    const found = turn === undefined ? [] : await rows<{ idx: string; text: string }>(client, waiting, [limit]);
    const last = found.at(-1);
    if (last !== undefined) {
      await insertKeys(
        client,
        found.flatMap(({ idx, text }) => keys(text).map((key) => [key, idx] as const)),
      );
      await rows(client, reach, [Number(last.idx) + 1]);
    }
    await rows(client, "COMMIT");
    client.release();
    return found.length === limit;
  } catch (cause) {
    client.release(true);
    throw cause;
  }
}

export async function insertKeys(
  asked: Asked,
  pairs: readonly (readonly [key: string, idx: string | number])[],
): Promise<void> {
  await rows(
    asked,
    "INSERT INTO search_terms (term, idx) SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING",
    [pairs.map(([key]) => key), pairs.map(([, idx]) => idx)],
  );
}

/** Of the terms of an entry as its row holds them. */
export function keysIn(terms: string): readonly string[] {
  return (JSON.parse(terms) as readonly unknown[]).map((pair) => termKey(JSON.stringify(pair)));
}

/** Of the values beside an entry as its row holds them. */
export function wordKeysIn(json: string): readonly string[] {
  return [...disclosedWords(json)].map(wordKey);
}

/** No term begins so: each is a list in JSON, or a digest. */
function wordKey(word: string): string {
  return `word:${word}`;
}
