/**
 * Decides once more what was decided, by other policies: what would be said today if they had been in force then. It is
 * replay.ts with one thing exchanged, so whatever else comes out otherwise (the code, gate.yaml, a repository that is no
 * longer whole) says nothing about the policies: such a decision is not replayed, with the reason, and never "the same".
 */
import type { Decision, Verdict } from "../decision/decision.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../lib/canonical.ts";
import { asSluiceError } from "../lib/errors.ts";
import { VERSION } from "../lib/version.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryQuery, LoggedEntry } from "../log/entry.ts";
import { compareFindings, type Finding } from "../policy/finding.ts";
import type { PolicySet } from "../policy/policy-set.ts";
import { disclose } from "./record.ts";
import { type Redecided, type Replayer, redecide } from "./replay.ts";

/** Entries held at once, with all their values. */
const PAGE = 20;

export interface Simulated {
  readonly entry: Pick<LoggedEntry, "index" | "leaf">;
  readonly target: string;
  readonly outcome: "same" | "changed" | "not-replayed";
  /** null for an answer to a query, which has none. */
  readonly was: Verdict | null;
  /** null where it was not replayed. */
  readonly wouldBe: Verdict | null;
  readonly reasons: { readonly was: readonly string[]; readonly wouldBe: readonly string[] };
  /** Sorted as findings are. */
  readonly appears: readonly Finding[];
  readonly disappears: readonly Finding[];
  /** Why it was not replayed; null where it was. */
  readonly why: { readonly code: string; readonly message: string } | null;
}

type SimulatedPeriod = Pick<EntryQuery, "target" | "from" | "to">;

/** How many there are, so that progress can be shown. */
export function countDecisions(log: DecisionLog, period: SimulatedPeriod): Promise<number> {
  return log.count({ ...period, kinds: ["decision"] });
}

/** Oldest first, one at a time. @throws SluiceError `log-corrupt`: what a changed log says is no ground for anything */
export async function* simulate(
  replayer: Replayer,
  policies: PolicySet,
  period: SimulatedPeriod,
): AsyncGenerator<Simulated> {
  const asking: Replayer = { ...replayer, services: { ...replayer.services, policies } };
  for (let after: number | undefined; ; ) {
    const query = { ...period, kinds: ["decision"], order: "oldest", limit: PAGE } as const;
    const page = await replayer.log.find({ ...query, ...(after === undefined ? {} : { after }) });
    for (const entry of page) yield await simulateOne(asking, entry);
    after = page.at(-1)?.index;
    if (page.length < PAGE) return;
  }
}

async function simulateOne(replayer: Replayer, entry: LoggedEntry): Promise<Simulated> {
  try {
    return compared(entry, await redecide(replayer, entry));
  } catch (thrown) {
    const { code, message } = asSluiceError(thrown);
    if (code === "log-corrupt") throw thrown;
    return notReplayed(entry, code, message);
  }
}

function compared(entry: LoggedEntry, { target, recorded, again }: Redecided): Simulated {
  if (recorded === null || again === null)
    return notReplayed(entry, "entry-redacted", "Part of the recorded decision was erased.");
  if (again.failure !== null) return notReplayed(entry, again.failure.code, again.failure.message);
  const other = otherThanPolicies(recorded, again);
  if (other.length > 0) return notReplayed(entry, "replay-differs", differs(other, entry));
  const appears = without(again.findings, recorded.findings);
  const disappears = without(recorded.findings, again.findings);
  const reasons = { was: codesOf(recorded), wouldBe: codesOf(again) };
  const isSame =
    recorded.verdict === again.verdict &&
    appears.length + disappears.length === 0 &&
    reasons.was.join() === reasons.wouldBe.join();
  const outcome = isSame ? "same" : "changed";
  return {
    entry,
    target,
    outcome,
    was: recorded.verdict,
    wouldBe: again.verdict,
    reasons,
    appears,
    disappears,
    why: null,
  };
}

function notReplayed(entry: LoggedEntry, code: string, message: string): Simulated {
  const { target, verdict, reasons: was } = entry.leaf;
  return {
    entry,
    target: target ?? "",
    outcome: "not-replayed",
    was: verdict,
    wouldBe: null,
    reasons: { was, wouldBe: [] },
    appears: [],
    disappears: [],
    why: { code, message },
  };
}

function differs(parts: readonly string[], { leaf }: LoggedEntry): string {
  const then = leaf.digests.code;
  const code = then === VERSION ? "" : `; code ${then} then, ${VERSION} now`;
  return `Beside the policies this is not as it was: ${parts.join(", ")}${code}.`;
}

/** Of the part `evidence`: what policies make of it. The input's digest is not among them: they are asked about the same. */
const OF_POLICIES = ["rulesExpected", "rulesEvaluated", "unruled", "notEvaluated", "verdict", "failure"] as const;

/** Names of the parts that policies have no hand in and that are not alike. */
function otherThanPolicies(recorded: Decision, again: Decision): readonly string[] {
  const [then, now] = [unpolitical(recorded), unpolitical(again)];
  return [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((name) => textOf(then[name]) !== textOf(now[name]))
    .sort();
}

function unpolitical(decision: Decision): JsonObject {
  const { findings: _, reasons: __, waivers: ___, external: ____, digests, evidence, ...parts } = disclose(decision);
  const { policies: _____, ...otherDigests } = digests as JsonObject;
  const left = Object.entries(evidence as JsonObject).filter(([name]) => !OF_POLICIES.includes(name as never));
  return { ...parts, digests: otherDigests, evidence: Object.fromEntries(left) };
}

function textOf(part: JsonValue | undefined): string | null {
  return part === undefined ? null : canonicalJson(part);
}

function codesOf({ reasons }: Decision): readonly string[] {
  return [...new Set(reasons.map(({ code }) => code))].sort();
}

/** Those of `some` that `others` has not, each as often as it is there. */
function without(some: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  const [left, right] = [[...some].sort(compareFindings), [...others].sort(compareFindings)];
  let at = 0;
  return left.filter((finding) => {
    for (let other = right[at]; other !== undefined && compareFindings(other, finding) < 0; other = right[at]) at++;
    const match = right[at];
    if (match === undefined || compareFindings(match, finding) !== 0) return true;
    at++;
    return false;
  });
}
