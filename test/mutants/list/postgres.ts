import type { Mutant } from "../mutant.ts";

const CONNECTION = "src/log/stores/postgres/connection.ts";
const SEQUENCER = "src/log/stores/postgres/sequencer.ts";
const CONTRACT = "test/log/postgres.heavy.test.ts";
const FAULTS = "test/log/postgres-faults.heavy.test.ts";

export const POSTGRES: readonly Mutant[] = [
  {
    name: "answers although PostgreSQL does not sync what it commits",
    file: CONNECTION,
    find: 'const off = DURABILITY.filter((name) => setting[name] === "off");',
    replace: 'const off = DURABILITY.filter((name) => setting[name] === "never");',
    test: FAULTS,
    named: "is refused where a commit would not be durable, when it is opened and while it is open",
  },
  {
    name: "speaks to a server whose certificate is anybody's",
    file: CONNECTION,
    find: "const verified = { rejectUnauthorized: true,",
    replace: "const verified = { rejectUnauthorized: false,",
    test: "test/log/postgres-access.heavy.test.ts",
    named: "is written only to a server whose certificate is its own, by a user with the password",
  },
  {
    name: "takes a commit whose answer was lost for one that happened",
    file: SEQUENCER,
    find: "return found !== undefined && first !== undefined && equalBytes(found.hash, first.hash);",
    replace: "return found !== undefined || first !== undefined;",
    test: FAULTS,
    named: "loses and doubles nothing, at whichever message the connection is cut",
  },
  {
    name: "takes a commit whose answer was lost for one that did not happen",
    file: SEQUENCER,
    find: "return found !== undefined && first !== undefined && equalBytes(found.hash, first.hash);",
    replace: "return found === null && first !== undefined;",
    test: FAULTS,
    named: "loses and doubles nothing, at whichever message the connection is cut",
  },
  {
    name: "goes on from a head that another replica is replacing",
    file: SEQUENCER,
    find: "FROM head FOR UPDATE; SELECT target",
    replace: "FROM head; SELECT target",
    test: CONTRACT,
    named: "is one log to two writers that append at once",
  },
  {
    name: "goes on from an older copy in PostgreSQL",
    file: SEQUENCER,
    find: "    await this.#checkEarlier(client, head, row.anchored);\n",
    replace: "",
    test: CONTRACT,
    named: "refuses an older copy of itself, and one that went its own way",
  },
  {
    name: "believes the right edge that PostgreSQL holds beside the signed root",
    file: SEQUENCER,
    find: " && equalBytes(frontierRoot(found), head.root)) return found;",
    replace: ") return found;",
    test: FAULTS,
    named: "is not gone on from where the head is not what its note signs, or the last entry is missing",
  },
  {
    name: "passes over entries whose words are not in PostgreSQL's index yet",
    file: "src/log/stores/postgres/search-index.ts",
    find: "for (let from = Math.max(start, reached); from < end;",
    replace: "for (let from = end; from < end;",
    test: "test/log/postgres-query.heavy.test.ts",
    named: "finds what a look at every entry finds, with an index that has not reached the end",
  },
  {
    name: "puts a backup back before it has held it against what was published",
    file: "src/log/backup.ts",
    find: '  requireIntact(await verifyLog(file, options), "The backup must not be put back");\n',
    replace: "",
    test: "test/log/postgres-backup.heavy.test.ts",
    named: "is refused where it is older than what was published, damaged, or where a log is; nothing is put there",
  },
  {
    name: "backs up a log in PostgreSQL whose bytes do not verify",
    file: "src/log/backup.ts",
    find: '  if (verification.kind === "intact") return verification;',
    replace: "  if (verification.kind !== undefined) return verification as Intact;",
    test: "test/log/postgres-backup.heavy.test.ts",
    named: "of a log that was changed in its tables is not made",
  },
  {
    name: "leaves the terms of what is erased in PostgreSQL's index",
    file: "src/log/stores/postgres/erase.ts",
    find: '  await rows(client, "DELETE FROM search_terms WHERE idx = ANY($1::bigint[])", [indexes]);\n',
    replace: "",
    test: "test/log/postgres-redaction.heavy.test.ts",
    named: "takes the value, its salt and its terms out of every table, and the log stays whole",
  },
];
