/**
 * What a key or a person had a hand in: the decisions that rest on a signature or an approval of theirs, and the releases
 * that were made of them. Somebody asks when a key was stolen, so nothing may be left out: bounds are told, never silent.
 */
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryQuery, LoggedEntry, Term } from "../log/entry.ts";
import { comparableFingerprint } from "../signature/verify.ts";

const FINGERPRINT = /^(?:SHA256:[A-Za-z0-9+/]{43}|[0-9A-Fa-f]{40})$/;
const PAGE = 500;

/** A fingerprint as `trust list` prints it, or the id of a person, robot or forge. */
function handOf(who: string): Term {
  return FINGERPRINT.test(who) ? { kind: "key", value: comparableFingerprint(who) } : { kind: "person", value: who };
}

/** Decisions and releases, newest first. `within` is what else they must be: a target, a time. */
export async function findAffected(
  log: DecisionLog,
  who: string,
  within: Pick<EntryQuery, "target" | "from" | "to"> = {},
): Promise<readonly LoggedEntry[]> {
  const decisions = await all(log, { ...within, kinds: ["decision"], terms: [handOf(who)] });
  const landed = decisions.filter(({ leaf }) => leaf.verdict === "allow" && leaf.subject["commit"] !== undefined);
  const releases = new Map<number, LoggedEntry>();
  for (const { leaf } of landed) {
    const terms: readonly Term[] = [{ kind: "commit", value: leaf.subject["commit"] ?? "" }];
    const { target } = leaf;
    const found = await all(log, { ...(target === null ? {} : { target }), kinds: ["release"], terms });
    for (const release of found) releases.set(release.index, release);
  }
  return [...decisions, ...releases.values()].sort((a, b) => b.index - a.index);
}

async function all(log: DecisionLog, query: EntryQuery): Promise<readonly LoggedEntry[]> {
  const found: LoggedEntry[] = [];
  for (;;) {
    const after = found.at(-1)?.index;
    const page = await log.find({ ...query, order: "newest", limit: PAGE, ...(after === undefined ? {} : { after }) });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}
