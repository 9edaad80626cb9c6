/** statement.json: the head block of the rows and the statement of completeness, all of it counted from the entries. */
import { encodeBase64 } from "../../lib/bytes.ts";
import type { Checkpoint } from "../decision-log.ts";
import { Changes, COLUMNS_WITHOUT_SOURCE } from "./changes.ts";
import { AUDIT_FILES, type AuditQuery, type AuditRow } from "./layout.ts";

const RECOUNT = [
  "Verify the signatures of checkpoint and checkpoint.start with the key, which you have from elsewhere than from this bundle.",
  "Hash every entry of tile/entries: SHA-256(0x00 || entry) is its hash in tile/0; the hashes of tile/0 give both roots.",
  "Entries are numbered from 0 and their time never decreases: entry start - 1 is before `from`, entry end is not before `to` or is the one that logged this reading.",
  "rows.ndjson has one line for each number from start to end - 1, none left out; count its lines and its kinds.",
  "A value is the recorded one if base64(SHA-256(salt || canonical JSON of the value)) is its commitment in the leaf.",
  "policies/DIGEST.json holds sources: with the SHA-256 of each text, in hex, in its place, its SHA-256 is the digest.",
  "changes.csv has one row for each line of kind decision and purpose gate whose subject has a commit.",
];

/** What the statement says beside what it counts. */
interface Stated {
  /** The entry that logged the reading; null where none did. */
  readonly read: AuditRow | null;
  readonly query: AuditQuery;
  /** What that entry discloses, or what is claimed. */
  readonly by: string;
  readonly head: Checkpoint;
  readonly start: Checkpoint;
  /** Digests of the policies whose sources are in the bundle. */
  readonly held: ReadonlySet<string>;
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Gathers what the statement says while the rows go by, in the order of the log. */
export class Tally {
  readonly changes = new Changes();
  readonly #kinds = new Map<string, number>();
  /** Commits whose policies judged, by the digest of the policies. */
  readonly #policies = new Map<string, Set<string>>();
  #entries = 0;
  #given = 0;
  #withheld = 0;

  add(row: AuditRow): void {
    const { kind, digests, subject } = row.leaf;
    this.#entries += 1;
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
    for (const one of Object.values(row.disclosed)) one === null ? this.#withheld++ : this.#given++;
    if (digests.policies !== null) {
      const judges = this.#policies.get(digests.policies) ?? new Set();
      if (typeof subject["judge"] === "string") judges.add(subject["judge"]);
      this.#policies.set(digests.policies, judges);
    }
    this.changes.add(row);
  }

  /** Digests of policies that judged in the period, with the commits that they were read at. */
  get policies(): readonly (readonly [digest: string, judges: readonly string[]])[] {
    return sorted(this.#policies).map(([digest, judges]) => [digest, [...judges].sort()] as const);
  }

  text({ read, query, by, head, start, held }: Stated): string {
    const statement = {
      apiVersion: "sluice/v1",
      kind: "AuditStatement",
      version: 2,
      origin: head.origin,
      query: { from: query.from, to: query.to },
      read: {
        by,
        logged: read !== null,
        at: read?.leaf.time ?? null,
        index: read?.index ?? null,
        leafHash: read?.leafHash ?? null,
        sluice: read?.leaf.digests.code ?? null,
      },
      indexes: { start: query.start, end: query.end },
      entries: this.#entries,
      kinds: Object.fromEntries(sorted(this.#kinds)),
      changes: this.changes.count,
      values: { given: this.#given, withheld: this.#withheld },
      tree: { size: head.size, root: encodeBase64(head.root), startRoot: encodeBase64(start.root) },
      policies: this.policies.map(([digest, judges]) => ({ digest, held: held.has(digest), judges })),
      notHeld: "Of policies that are not held the repository has the sources at the commits named as judges.",
      columnsWithoutSource: { file: AUDIT_FILES.changes, columns: COLUMNS_WITHOUT_SOURCE },
      recount: RECOUNT,
    };
    return `${JSON.stringify(statement, null, 2)}\n`;
  }
}
