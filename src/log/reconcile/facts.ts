/** What a log says about a target, as a reconciliation needs it: only values that their entries commit to. */
import type { JsonValue } from "../../lib/canonical.ts";
import { type Instant, parseTime } from "../../lib/time.ts";
import type { DecisionLog } from "../decision-log.ts";
import type { EntryKind, LoggedEntry } from "../entry.ts";
import { matchesCommitment } from "../leaf.ts";

const PAGE_ENTRIES = 500;

/** A decision of the gate on a landed commit. */
export interface LandedDecision {
  readonly index: number;
  readonly at: Instant;
  readonly commit: string;
}

export interface LoggedRelease {
  readonly index: number;
  readonly at: Instant;
  /** null where it was withheld. */
  readonly sequence: number | null;
  /** Index of the decision that it rests on; null where it was withheld. */
  readonly decision: number | null;
}

export interface TargetFacts {
  /** Commit of the first approved state; null where the target was never adopted. */
  readonly adopted: string | null;
  /** Oldest first, all of them. */
  readonly decisions: readonly LandedDecision[];
  readonly releases: readonly LoggedRelease[];
  /** Sequences that an agent reported as applied. */
  readonly applied: ReadonlyMap<number, number>;
  /** Entries of kind `applied` whose sequence was withheld. */
  readonly appliedWithheld: readonly number[];
  /** Tips that a rollback left behind, by the index of its entry; only where the rollback was released. */
  readonly abandoned: ReadonlyMap<string, number>;
  readonly rollbacks: readonly Act[];
  /** States that two operators made the judge again: the second word of each. */
  readonly adoptedAgain: readonly (Act & { readonly commit: string })[];
  /** Releases that two operators stood for: the second word of each. */
  readonly emergencies: readonly Act[];
}

interface Act {
  readonly index: number;
  readonly at: Instant;
}

const KINDS: readonly EntryKind[] = ["genesis", "decision", "release", "applied", "rollback", "bypass", "emergency"];

export async function readFacts(log: DecisionLog, target: string): Promise<TargetFacts> {
  let adopted: string | null = null;
  const decisions: LandedDecision[] = [];
  const releases: LoggedRelease[] = [];
  const applied = new Map<number, number>();
  const appliedWithheld: number[] = [];
  const abandoned = new Map<string, number>();
  const rollbacks: Act[] = [];
  const adoptedAgain: (Act & { commit: string })[] = [];
  const emergencies: Act[] = [];
  let waiting: { tip: string; index: number } | null = null;
  for await (const entry of entriesOf(log, target, KINDS)) {
    const { index, leaf } = entry;
    const at = parseTime(leaf.time) ?? Number.NaN;
    const { commit = null, abandoned: tip = null } = leaf.subject;
    if (leaf.kind === "genesis") adopted ??= commit;
    if (leaf.kind === "decision" && leaf.purpose === "gate" && commit !== null) decisions.push({ index, at, commit });
    if (leaf.kind === "applied") {
      const sequence = sequenceOf(entry);
      if (sequence === null) appliedWithheld.push(index);
      else applied.set(sequence, index);
    }
    if (leaf.kind === "rollback") {
      rollbacks.push({ index, at });
      waiting = tip === null ? null : { tip, index };
    }
    const isDone = leaf.verdict === "allow"; // a first word has done nothing yet
    if (leaf.kind === "bypass" && isDone && commit !== null) adoptedAgain.push({ index, at, commit });
    if (leaf.kind === "emergency" && isDone) emergencies.push({ index, at });
    if (leaf.kind !== "release") continue;
    releases.push({ index, at, sequence: sequenceOf(entry), decision: decisionOf(entry) });
    if (waiting !== null && said(entry, "rollbackOf") !== null) abandoned.set(waiting.tip, waiting.index);
    waiting = null;
  }
  return { adopted, decisions, releases, applied, appliedWithheld, abandoned, rollbacks, adoptedAgain, emergencies };
}

/** The value that an entry committed to; undefined where it is withheld, or is not that value. */
export function said({ leaf, disclosed }: LoggedEntry, name: string): JsonValue | undefined {
  const disclosure = Object.hasOwn(disclosed, name) ? disclosed[name] : undefined;
  const commitment = Object.hasOwn(leaf.commitments, name) ? leaf.commitments[name] : undefined;
  if (!disclosure || commitment === undefined || !matchesCommitment(disclosure, commitment)) return undefined;
  return disclosure.value;
}

function sequenceOf(entry: LoggedEntry): number | null {
  const sequence = said(entry, "sequence");
  return typeof sequence === "number" ? sequence : null;
}

function decisionOf(entry: LoggedEntry): number | null {
  const decision = said(entry, "decision");
  if (decision === null || typeof decision !== "object" || Array.isArray(decision)) return null;
  const { index } = decision as Readonly<Record<string, JsonValue>>;
  return typeof index === "number" ? index : null;
}

/** Oldest first, page by page. */
async function* entriesOf(log: DecisionLog, target: string, kinds: readonly EntryKind[]): AsyncGenerator<LoggedEntry> {
  for (let after = -1; ; ) {
    const page = await log.find({ target, kinds, order: "oldest", after, limit: PAGE_ENTRIES });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ENTRIES) return;
    after = last.index;
  }
}
