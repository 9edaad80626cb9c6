/** Which commit judged a target at a time: as the judge moves, by each release but a rollback's, from the adopted commit on. */
import { type CommitId, commitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import { formatTime, type Instant, parseTime } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import { releaseOf } from "../release/record.ts";

const PAGE = 100;

export interface InForce {
  readonly entry: LoggedEntry;
  readonly commit: CommitId;
}

/** @throws SluiceError `target-not-adopted` */
export async function inForce(log: DecisionLog, target: string, at: Instant): Promise<InForce> {
  let after: number | undefined;
  for (;;) {
    const query = { target, kinds: ["genesis", "bypass", "release"], order: "newest", limit: PAGE } as const;
    const page = await log.find({ ...query, ...(after === undefined ? {} : { after }) });
    for (const entry of page) {
      if ((parseTime(entry.leaf.time) ?? Number.POSITIVE_INFINITY) > at) continue;
      const { kind, verdict, subject } = entry.leaf;
      if (kind === "bypass" && verdict !== "allow") continue; // one operator's word alone
      if (kind !== "release") return { entry, commit: commitId(subject["commit"] ?? "") };
      const { release } = releaseOf(entry);
      if (release.rollbackOf === null) return { entry, commit: commitId(release.commit) };
    }
    after = page.at(-1)?.index;
    if (after === undefined || page.length < PAGE) break;
  }
  throw new SluiceError("target-not-adopted", `At ${formatTime(at)} ${target} had no first approved state yet.`, {
    fix: `sluice log list --config gate.yaml --target ${target} shows since when`,
  });
}
