/** What the gate still decides from: values that are needed to go on from the current release of each target. */
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import { readHolds } from "../release/holds.ts";
import { unreviewed } from "./review.ts";

const PAGE_ENTRIES = 100;

/** Names of values by entry; null for all of an entry's. */
export type NeededValues = ReadonlyMap<number, ReadonlySet<string> | null>;

/**
 * Per target: the baseline, the releases down to the newest that is no rollback with their decisions, the newest landed
 * decision that is none, what another person is still to review, and what gate.yaml demands. Of the whole gate: the holds
 * in force.
 */
export async function neededValues(log: DecisionLog): Promise<NeededValues> {
  const needed = new Map<number, ReadonlySet<string> | null>();
  for await (const { index, leaf } of newestFirst(log, { kinds: ["genesis", "bypass"] })) {
    needed.set(index, new Set(["baseline"]));
    if (leaf.target !== null && leaf.kind === "genesis") await needOf(log, leaf.target, needed);
  }
  for (const { index } of await readHolds(log)) needed.set(index, null);
  return needed;
}

async function needOf(
  log: DecisionLog,
  target: string,
  needed: Map<number, ReadonlySet<string> | null>,
): Promise<void> {
  for await (const entry of newestFirst(log, { target, kinds: ["release"] })) {
    needed.set(entry.index, null);
    const decision = entry.disclosed["decision"]?.value as { readonly index?: unknown } | null | undefined;
    if (typeof decision?.index === "number") needed.set(decision.index, null);
    if (entry.disclosed["rollbackOf"]?.value === null) break;
  }
  for await (const entry of newestFirst(log, { target, kinds: ["decision"] })) {
    if (entry.leaf.subject["commit"] === undefined) continue;
    needed.set(entry.index, null);
    const evidence = entry.disclosed["evidence"]?.value as { readonly carried?: { readonly how?: unknown } | null };
    if (evidence?.carried?.how !== "rollback") break;
  }
  for (const { index } of await unreviewed(log, target)) needed.set(index, null);
  const configured = await log.latest(target, ["configuration-change"]);
  if (configured !== null) needed.set(configured.index, new Set(["gate"])); // else it would be said anew
}

async function* newestFirst(
  log: DecisionLog,
  query: Pick<Parameters<DecisionLog["find"]>[0], "target" | "kinds">,
): AsyncGenerator<LoggedEntry> {
  for (let after: number | undefined; ; ) {
    const page = await log.find({ ...query, limit: PAGE_ENTRIES, ...(after === undefined ? {} : { after }) });
    yield* page;
    after = page.at(-1)?.index;
    if (after === undefined || page.length < PAGE_ENTRIES) return;
  }
}
