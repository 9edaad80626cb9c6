/**
 * The tables. `entries`, `hashes` and `head` are the log; `disclosures` holds what may be erased; `terms` and
 * `unindexed` are only an index and can be derived again. Time never decreases with idx, so it needs no index.
 */
export const SCHEMA_VERSION = 1;
/** "slog" in ASCII: tells our databases from others. */
export const APPLICATION_ID = 0x736c6f67;

export const SCHEMA = `
CREATE TABLE entries (
  idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, target TEXT, kind TEXT NOT NULL, verdict TEXT, bytes BLOB NOT NULL
) STRICT;
CREATE INDEX entries_search ON entries (target, kind, idx, verdict, time);
CREATE TABLE disclosures (idx INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
-- level L holds the hashes of complete subtrees of 256^L leaves: what the tiles of C2SP tlog-tiles hold
CREATE TABLE hashes (level INTEGER NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, n)) STRICT, WITHOUT ROWID;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, note TEXT NOT NULL, anchored INTEGER NOT NULL) STRICT;
CREATE TABLE terms (kind TEXT NOT NULL, value TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (kind, value, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE unindexed (idx INTEGER PRIMARY KEY, terms TEXT NOT NULL) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;
