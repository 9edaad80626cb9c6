/**
 * The tables. `entries`, `hashes` and `head` are the log; `disclosures` holds what may be erased, its `terms` as JSON
 * [[kind, value], ...]. Time never decreases with idx, so it needs no index. The index of entries ends, as every
 * index does, with the table's own key: what it finds of one target, kind and verdict comes in the order of the log.
 */
/**
 * 1 kept terms in the log's own tables, 2 the hashes of leaves apart from them, 3 an index in which verdicts stood behind the order. Counts up with
 * every change of the tables; what leaves mean is leaf version 1.
 */
export const SCHEMA_VERSION = 4;
/** What may be read as it stands; whoever writes brings it to the newest first. */
export const OLDEST_SCHEMA_VERSION = 3;
/** "slog" in ASCII: tells our databases from others. */
export const APPLICATION_ID = 0x736c6f67;

const INDEX = "CREATE INDEX entries_search ON entries (target, kind, verdict);";

/** From version 3, in a transaction. */
export const MIGRATION = `
DROP INDEX entries_search;
${INDEX}
PRAGMA user_version = ${SCHEMA_VERSION};
`;

export const SCHEMA = `
CREATE TABLE entries (
  idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, target TEXT, kind TEXT NOT NULL, verdict TEXT, hash BLOB NOT NULL, bytes BLOB NOT NULL
) STRICT;
${INDEX}
CREATE TABLE disclosures (idx INTEGER PRIMARY KEY, terms TEXT NOT NULL, json TEXT NOT NULL) STRICT;
-- level L holds the hashes of complete subtrees of 256^L leaves: what the tiles of C2SP tlog-tiles hold; level 0 is entries.hash
CREATE TABLE hashes (level INTEGER NOT NULL CHECK (level > 0), n INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, n)) STRICT, WITHOUT ROWID;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, note TEXT NOT NULL, anchored INTEGER NOT NULL) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** "sidx" in ASCII. */
export const SEARCH_APPLICATION_ID = 0x73696478;

/** 4 looks for texts too, 5 keeps groups. */
export const SEARCH_SCHEMA_VERSION = 5;

/**
 * The search index, a file of its own: derived from `disclosures`, so it needs no sync and may be deleted. It holds
 * the terms of entries [0, size); `hash` is the leaf hash of entry size - 1, and tells the index of another log. `texts` holds
 * which words stand beside entries [0, progress.texts), and not where: an entry's rowid is its number. `groups` holds what
 * tile-groups.ts keeps of each complete tile of these.
 */
export const SEARCH_SCHEMA = `
CREATE TABLE terms (kind TEXT NOT NULL, value TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (kind, value, idx)) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Pc'");
CREATE TABLE groups (tile INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, hash BLOB, texts INTEGER NOT NULL) STRICT;
INSERT INTO progress (one, size, hash, texts) VALUES (1, 0, NULL, 0);
PRAGMA application_id = ${SEARCH_APPLICATION_ID};
PRAGMA user_version = ${SEARCH_SCHEMA_VERSION};
`;

/** "swit" in ASCII. */
export const WITNESS_APPLICATION_ID = 0x73776974;

export const WITNESS_SCHEMA_VERSION = 3;

/** What a witness saw last of each log. */
export const WITNESS_SCHEMA = `
CREATE TABLE seen (origin TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0), root BLOB NOT NULL, note TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${WITNESS_APPLICATION_ID};
PRAGMA user_version = ${WITNESS_SCHEMA_VERSION};
`;
