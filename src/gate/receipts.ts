/** The instant at which the gate first saw a commit: the only time at which its key is judged (invariant 6). */
import type { CommitId } from "../git/object.ts";
import { openLatest } from "../lib/latest.ts";
import { type Clock, type Instant, parseTime } from "../lib/time.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import { entryDigests, terms } from "./record.ts";
import type { ReceiptBook, ReceivedAt } from "./services.ts";

/** Of the commits that were asked for last. */
const KEPT_SIGHTS = 10_000;
const OLDEST_RECEIPT_MS = 30 * 24 * 60 * 60 * 1000;

/** In a preview nothing was received before: every key is judged as of now. */
export function receivedNow(clock: Clock): ReceiptBook {
  return {
    receive: async (_target, commits) => new Map(commits.map((commit) => [commit, { instant: clock(), basis: "now" }])),
  };
}

/** Logs the first sight of each commit, all new ones of a call in one entry. What was seen once was, so it is kept. */
export function loggedReceipts(log: DecisionLog, clock: Clock): ReceiptBook {
  const sights = openLatest<CommitId, Instant>(KEPT_SIGHTS);
  return {
    receive: async (target, commits) => {
      const known = new Map<CommitId, Instant>();
      for (const commit of commits) {
        const seen = sights.get(commit) ?? (await firstSeen(log, commit));
        if (seen === null) continue;
        sights.set(commit, seen);
        known.set(commit, seen);
      }
      const fresh = commits.filter((commit) => !known.has(commit));
      const now = fresh.length === 0 ? clock() : await logReceipt(log, target, fresh);
      for (const commit of fresh) sights.set(commit, now);
      return new Map(commits.map((commit) => [commit, receivedAt(known.get(commit) ?? now, clock())]));
    },
  };
}

async function firstSeen(log: DecisionLog, commit: CommitId): Promise<Instant | null> {
  const found = await log.find({
    kinds: ["receipt"],
    terms: [{ kind: "commit", value: commit }],
    order: "oldest",
    limit: 1,
  });
  return found[0] === undefined ? null : parseTime(found[0].leaf.time);
}

async function logReceipt(log: DecisionLog, target: string, commits: readonly CommitId[]): Promise<Instant> {
  const receipt = await log.append({
    kind: "receipt",
    target,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: { head: commits.at(-1) ?? null },
    digests: entryDigests({}),
    disclosed: { commits: [...commits] },
    terms: terms("commit", commits),
  });
  return parseTime(receipt.time) ?? 0;
}

function receivedAt(seen: Instant, now: Instant): ReceivedAt {
  return now - seen > OLDEST_RECEIPT_MS ? { instant: now, basis: "now" } : { instant: seen, basis: "receipt" };
}
