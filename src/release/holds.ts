/** The Andon cord: which scopes are held, as a pure fold over the log's `hold` and `resume` entries. */

import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDraft, LoggedEntry } from "../log/entry.ts";

/** `all`, `repository:NAME`, or the name of a target. */
export type HoldScope = string;

export interface Hold {
  readonly scope: HoldScope;
  readonly reason: string;
  /** The named person. */
  readonly by: string;
  /** RFC 3339: the entry's time. */
  readonly since: string;
  /** Index of the `hold` entry. */
  readonly index: number;
}

export interface HoldRequest {
  readonly scope: HoldScope;
  readonly reason: string;
  readonly by: string;
}

const SCOPE = /^(?:repository:)?[a-z0-9][a-z0-9-]{0,62}$/;
const PAGE_ENTRIES = 500;
const WITHHELD = "(withheld)";

/** The scope as typed by a person, checked. @throws SluiceError `hold-scope` */
export function holdScope(text: string): HoldScope {
  if (SCOPE.test(text)) return text;
  throw new SluiceError("hold-scope", `${JSON.stringify(text.slice(0, 100))} is not a scope.`, {
    fix: "name a target, repository:NAME, or all",
  });
}

/** Entry that opens or closes a hold. A hold without a named person and a reason is refused. @throws `hold-scope`, `hold-unnamed` */
export function holdDraft(kind: "hold" | "resume", request: HoldRequest, code: string | null): EntryDraft {
  const scope = holdScope(request.scope);
  if (request.by.trim() === "" || request.reason.trim() === "") {
    throw new SluiceError("hold-unnamed", `A ${kind} needs a person's name and a reason.`, {
      fix: `sluice ${kind} ${scope} --reason TEXT`,
    });
  }
  return {
    kind,
    target: scope === "all" || scope.startsWith("repository:") ? null : scope,
    purpose: "gate",
    verdict: null,
    reasons: [],
    subject: {},
    digests: { policies: null, trust: null, configuration: null, waivers: null, code },
    disclosed: { scope, reason: request.reason, by: request.by },
    terms: [{ kind: "person", value: request.by }],
  };
}

/**
 * The holds in force after these entries, oldest first; other kinds are passed over. A hold whose scope was redacted
 * holds everything it may have meant, and a resume whose scope was redacted closes nothing: doubt never releases.
 */
export function holdsFrom(entries: readonly LoggedEntry[]): readonly Hold[] {
  const open = new Map<HoldScope, Hold>();
  for (const entry of [...entries].sort((a, b) => a.index - b.index)) {
    if (entry.leaf.kind === "hold") {
      const scope = said(entry, "scope") ?? entry.leaf.target ?? "all";
      const reason = said(entry, "reason") ?? WITHHELD;
      const by = said(entry, "by") ?? WITHHELD;
      if (!open.has(scope)) open.set(scope, { scope, reason, by, since: entry.leaf.time, index: entry.index });
    } else if (entry.leaf.kind === "resume") {
      open.delete(said(entry, "scope") ?? "");
    }
  }
  return [...open.values()].sort((a, b) => a.index - b.index);
}

/** The oldest hold that stands over this target of this repository, or null. */
export function isHeld(holds: readonly Hold[], target: string, repository: string): Hold | null {
  const scopes = ["all", `repository:${repository}`, target];
  return holds.find((hold) => scopes.includes(hold.scope)) ?? null;
}

/** @throws SluiceError `release-held` where a hold stands over the target */
export async function refuseHeld(log: DecisionLog, target: string, repository: string): Promise<void> {
  const hold = isHeld(await readHolds(log), target, repository);
  if (hold === null) return;
  throw new SluiceError("release-held", `${target} is held by ${hold.by} since ${hold.since}: ${hold.reason}.`, {
    fix: `sluice resume ${hold.scope} --reason TEXT`,
  });
}

/** All holds in force, read from the log. */
export async function readHolds(log: DecisionLog): Promise<readonly Hold[]> {
  return holdsFrom(await readEntries(log, ["hold", "resume"]));
}

/** Every entry of these kinds, oldest first, page by page. */
export async function readEntries(
  log: DecisionLog,
  kinds: readonly EntryDraft["kind"][],
  target?: string,
): Promise<readonly LoggedEntry[]> {
  const entries: LoggedEntry[] = [];
  for (;;) {
    const last = entries.at(-1);
    const page = await log.find({
      kinds,
      order: "oldest",
      limit: PAGE_ENTRIES,
      ...(target === undefined ? {} : { target }),
      ...(last === undefined ? {} : { after: last.index }),
    });
    entries.push(...page);
    if (page.length < PAGE_ENTRIES) return entries;
  }
}

function said(entry: LoggedEntry, name: string): string | null {
  const value = entry.disclosed[name]?.value;
  return typeof value === "string" ? value : null;
}
