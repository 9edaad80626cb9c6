/**
 * Decides once more what was decided (invariant 7): with the clock, the log and the approvals of then, the objects of the
 * gate's own copy of the repository, no cache, and the present code and gate.yaml. Every part of the decision that was
 * recorded is compared byte for byte; a part that was erased since is `withheld`. Nothing is logged.
 */
import type { Decision } from "../decision/decision.ts";
import type { GitRepository } from "../git/repository.ts";
import { canonicalJson, type JsonValue } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseTime } from "../lib/time.ts";
import { VERSION } from "../lib/version.ts";
import { asOf } from "../log/as-of.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import { recordedSources } from "../policy/external.ts";
import { loggedLandings, offeredBy } from "./carrying.ts";
import { admit } from "./gate.ts";
import { readHistory } from "./history.ts";
import { loggedApprovals } from "./logged-approvals.ts";
import { loggedReceipts } from "./receipts.ts";
import { disclose, disclosedDecision } from "./record.ts";
import type { Services } from "./services.ts";
import type { Subject } from "./subject.ts";

export interface Replayer {
  readonly log: DecisionLog;
  /** Nothing of it is remembered from before, nor kept. */
  readonly services: Services;
  /** The gate's own copy, as it lies there. */
  repository(target: string): Promise<GitRepository>;
  /** What gate.yaml says of the target now. */
  target(name: string): Pick<Subject, "repositoryName" | "branch" | "minimum" | "revokedKeys">;
}

export type Likeness = "same" | "different" | "withheld";

export interface Replayed {
  readonly index: number;
  readonly decision: string;
  readonly target: string;
  readonly outcome: Likeness;
  readonly verdict: { readonly recorded: string; readonly again: string | null };
  readonly parts: readonly { readonly name: string; readonly outcome: Likeness }[];
  /** Of Sluice, then and now. */
  readonly versions: { readonly recorded: string | null; readonly now: string };
}

/** @throws SluiceError `replay-not-a-decision`, `not-supported` for a rollback, `log-corrupt`, and what git throws */
export async function replay(replayer: Replayer, index: number): Promise<Replayed> {
  const entry = await replayer.log.read(index);
  const { leaf, target, verdict, recorded, again } = await redecide(replayer, entry);
  const parts = comparedParts(entry, again);
  return {
    index,
    decision: recorded?.id ?? leaf.id,
    target,
    outcome: worst(parts.map(({ outcome }) => outcome)),
    verdict: { recorded: verdict, again: again?.verdict ?? null },
    parts,
    versions: { recorded: leaf.digests.code, now: VERSION },
  };
}

export interface Redecided {
  readonly leaf: LoggedEntry["leaf"];
  readonly target: string;
  readonly verdict: string;
  /** Both null where a part of the decision was erased. */
  readonly recorded: Decision | null;
  readonly again: Decision | null;
}

/** @throws as replay() */
export async function redecide(replayer: Replayer, entry: LoggedEntry): Promise<Redecided> {
  const { index, leaf } = entry;
  const { target, verdict } = leaf;
  if (leaf.kind !== "decision" || target === null || verdict === null)
    throw new SluiceError(
      "replay-not-a-decision",
      `Entry ${index} is of kind ${leaf.kind}; only decisions are replayed.`,
    );
  const recorded = isWhole(entry) ? disclosedDecision(entry.disclosed) : null;
  const again = recorded === null ? null : await decideAgain(replayer, entry, target, recorded);
  return { leaf, target, verdict, recorded, again };
}

function isWhole({ leaf, disclosed }: LoggedEntry): boolean {
  return Object.keys(leaf.commitments).every((name) => (disclosed[name] ?? null) !== null);
}

async function decideAgain(
  replayer: Replayer,
  entry: LoggedEntry,
  target: string,
  recorded: Decision,
): Promise<Decision> {
  const past = asOf(replayer.log, entry.index) as DecisionLog;
  const clock = (): number => parseTime(recorded.decidedAt) ?? 0;
  const services: Services = {
    ...replayer.services,
    clock,
    receipts: loggedReceipts(past, clock),
    landings: loggedLandings(past),
    approvals: loggedApprovals(past, clock),
    external: recordedSources(recorded.external ?? [], replayer.services.external),
  };
  const { decision } = await admit(await subjectOfThen(replayer, past, target, recorded), services);
  return { ...decision, id: recorded.id };
}

async function subjectOfThen(
  replayer: Replayer,
  past: DecisionLog,
  target: string,
  { subject: kind, base, head, approvals, carried, emergency }: Decision,
): Promise<Subject> {
  if (kind !== "proposed" && kind !== "landed")
    throw new SluiceError("not-supported", `A decision about a ${kind} state is not replayed yet.`);
  if (carried?.how === "rollback")
    throw new SluiceError("not-supported", "A rollback judges released objects again; it is not replayed yet.");
  if (base === null) throw new SluiceError("not-supported", "A decision without a base is not replayed yet.");
  const history = await readHistory(past, target);
  const { released } = history;
  const known = new Set([...approvals.given, ...approvals.ignored].map(({ envelope }) => envelope));
  const subject: Subject = {
    ...replayer.target(target),
    kind,
    authority: "gate",
    target,
    repository: withApprovals(await replayer.repository(target), known),
    base,
    head,
    judge: history.judge,
    released,
    excluded: [history.adopted, history.judge, released].filter((one) => kind === "proposed" || one !== head),
    baseline: history.baseline,
    carried: null,
    ...(emergency === undefined ? {} : { emergency }),
  };
  return kind === "landed" ? { ...subject, carried: await offeredBy(past, subject) } : subject;
}

/** Approvals that came later are not there. */
function withApprovals(repository: GitRepository, known: ReadonlySet<string | null>): GitRepository {
  const refs: GitRepository["refs"] = async (prefix, limit) =>
    (await repository.refs(prefix, limit)).filter(({ name }) => known.has(name.slice(prefix.length)));
  return new Proxy(repository, {
    get(inner, name) {
      const value: unknown = name === "refs" ? refs : Reflect.get(inner, name, inner);
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
}

function comparedParts(entry: LoggedEntry, again: Decision | null): Replayed["parts"] {
  const anew = again === null ? null : disclose(again);
  return Object.keys(entry.leaf.commitments)
    .sort()
    .map((name) => ({ name, outcome: likeness(entry.disclosed[name]?.value, anew?.[name]) }));
}

/** Nothing can be decided without what was erased, so that then each part that is left is only what was recorded. */
function likeness(recorded: JsonValue | undefined, anew: JsonValue | undefined): Likeness {
  if (recorded === undefined || anew === undefined) return "withheld";
  return canonicalJson(recorded) === canonicalJson(anew) ? "same" : "different";
}

function worst(outcomes: readonly Likeness[]): Likeness {
  if (outcomes.includes("different")) return "different";
  return outcomes.includes("withheld") || outcomes.length === 0 ? "withheld" : "same";
}
