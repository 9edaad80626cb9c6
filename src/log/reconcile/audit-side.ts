/** The cluster's side: every line of the exported audit logs beside the releases that were in force. */
import type { JsonValue } from "../../lib/canonical.ts";
import { printableUpTo } from "../../lib/printable.ts";
import type { DecisionLog } from "../decision-log.ts";
import { auditLines } from "./audit-events.ts";
import { type Difference, difference, isIn, type Period, withheld } from "./compare.ts";
import { said, type TargetFacts } from "./facts.ts";
import { isByAgent, type ReleasedObject, type ReleaseInForce, releasedObject } from "./outside.ts";

/** So many are listed; all are counted. */
const MAXIMUM_LISTED = 10_000;
const SHOWN_CHARACTERS = 200;

export interface AuditComparison {
  readonly lines: number;
  /** Requests that were answered, and lines of an earlier stage of a request. */
  readonly answered: number;
  /** Writes of objects in the period, whatever the object. */
  readonly writes: number;
  /** Of these, of objects of the release in force: by the agent, and by others. */
  readonly byAgent: number;
  readonly outside: number;
  readonly broken: number;
  /** Differences that were counted and not listed. */
  readonly unlisted: number;
  readonly differences: readonly Difference[];
}

/** @throws SluiceError `audit-log-unreadable`, `audit-log-too-long` */
export function compareAuditLogs(
  files: readonly string[],
  releases: readonly ReleaseInForce[],
  agentUsers: ReadonlySet<string>,
  period: Period,
): AuditComparison {
  const counts = { lines: 0, answered: 0, writes: 0, byAgent: 0, outside: 0, broken: 0, unlisted: 0 };
  const differences: Difference[] = [];
  const differs = (one: Difference) => {
    if (differences.length < MAXIMUM_LISTED) differences.push(one);
    else counts.unlisted += 1;
  };
  for (const file of files) {
    for (const read of auditLines(file)) {
      const { line } = read;
      counts.lines += 1;
      if (read.kind === "broken") {
        counts.broken += 1;
        differs(difference("audit-line-broken", `Line ${line} of ${file} cannot be read: ${read.detail}.`, { line }));
        continue;
      }
      if (read.kind === "write" || read.stage === "ResponseComplete" || read.stage === "Panic") counts.answered += 1;
      if (read.kind !== "write" || !isIn(read.at, period)) continue;
      counts.writes += 1;
      const found = releasedObject(read.object, read.at, releases);
      if (found === null) continue;
      if (isByAgent(read.users, agentUsers)) {
        counts.byAgent += 1;
        continue;
      }
      counts.outside += 1;
      const { sequence, object } = found;
      const what = `${read.verb} of ${nameOf(object)} by ${shown(read.users.join(" as "))}`;
      const when = new Date(read.at).toISOString();
      differs(
        difference("write-outside-release", `Line ${line} of ${file}: ${what} at ${when}, outside a release.`, {
          line,
          sequence,
        }),
      );
    }
  }
  return { ...counts, differences };
}

/** The releases with what they hold, as the decisions behind them committed to; a withheld list is a difference. */
export async function releasesInForce(
  log: DecisionLog,
  { releases }: TargetFacts,
  { from, to }: Period,
): Promise<{ readonly releases: readonly ReleaseInForce[]; readonly differences: readonly Difference[] }> {
  const inForce: ReleaseInForce[] = [];
  const differences: Difference[] = [];
  for (const [at, release] of releases.entries()) {
    const until = releases[at + 1]?.at ?? Number.POSITIVE_INFINITY;
    if ((to !== null && release.at >= to) || (from !== null && until <= from)) continue;
    const objects = release.decision === null ? null : objectsOf(said(await log.read(release.decision), "objects"));
    if (objects === null) differences.push(withheld(release.index, "which objects were released"));
    inForce.push({ sequence: release.sequence ?? 0, since: release.at, objects: objects ?? [] });
  }
  return { releases: inForce, differences };
}

function objectsOf(value: JsonValue | undefined): readonly ReleasedObject[] | null {
  if (!Array.isArray(value)) return null;
  const evidence = value as readonly { readonly id: ReleasedObject; readonly action: string }[];
  return evidence.filter(({ action }) => action !== "delete").map(({ id }) => id);
}

function nameOf({ kind, namespace, name }: ReleasedObject): string {
  return shown(namespace === "" ? `${kind}/${name}` : `${kind}/${namespace}/${name}`);
}

function shown(text: string): string {
  return printableUpTo(text, SHOWN_CHARACTERS);
}
