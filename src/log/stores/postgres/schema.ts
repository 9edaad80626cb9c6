/**
 * The tables, all in a schema of their own. `entries`, `hashes` and `head` are the log; `disclosures` holds what may be
 * erased; `tails` the newest leaf hash of each target; `search_terms` is derived and may be emptied (with its progress).
 * The head's one row is what replicas take turns by: whoever holds its lock sequences.
 */
export const SCHEMA_NAME = "sluice";

/**
 * Each brings the layout of the one before to its own number, counted from 1, in one transaction. Never changed once
 * released: a new layout is a new member.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE entries (
  idx bigint PRIMARY KEY CHECK (idx >= 0), time bigint NOT NULL, target text COLLATE "C", kind text COLLATE "C" NOT NULL,
  verdict text COLLATE "C", hash bytea NOT NULL, bytes bytea NOT NULL
);
CREATE INDEX entries_search ON entries (target, kind, idx) INCLUDE (verdict);
CREATE TABLE disclosures (idx bigint PRIMARY KEY, terms text NOT NULL, json text NOT NULL);
-- level L holds the hashes of complete subtrees of 256^L leaves: what the tiles of C2SP tlog-tiles hold; level 0 is entries.hash
CREATE TABLE hashes (level int NOT NULL CHECK (level > 0), n bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, n));
CREATE TABLE tails (target text COLLATE "C" PRIMARY KEY, hash text NOT NULL);
-- frontier: the hashes of the complete subtrees that make up the tree, left to right; time: of the newest entry
CREATE TABLE head (
  one int PRIMARY KEY CHECK (one = 1), size bigint NOT NULL, time bigint NOT NULL, frontier bytea NOT NULL, note text NOT NULL,
  anchored boolean NOT NULL
);
`,
  `
CREATE TABLE search_terms (term text COLLATE "C", idx bigint, PRIMARY KEY (term, idx));
CREATE TABLE search_progress (one int PRIMARY KEY CHECK (one = 1), size bigint NOT NULL);
INSERT INTO search_progress (one, size) VALUES (1, 0);
`,
  `
DROP INDEX entries_search;
CREATE INDEX entries_search ON entries (target, kind, verdict, idx);
-- compressing what lies out of line would be a third of PostgreSQL's own work for an entry
ALTER TABLE disclosures ALTER COLUMN json SET STORAGE EXTERNAL;
`,
  `
-- words stand among the terms, of entries [0, texts); by its number a redaction finds what an entry says
ALTER TABLE search_progress ADD COLUMN texts bigint NOT NULL DEFAULT 0;
CREATE INDEX search_terms_entry ON search_terms (idx);
`,
];

/** What may be read as it stands; whoever writes brings it to the newest first. */
export const OLDEST_READABLE_LAYOUT = 2;

/** Taken while tables are made, so that replicas that start together make them once: "slog" in ASCII. */
export const MIGRATION_LOCK = 0x736c6f67;
