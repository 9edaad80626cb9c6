/** What the log says has happened to a target: adopted, decided, released. The log is the gate's only memory. */
import type { Decision, TargetFacts } from "../decision/decision.ts";
import { type CommitId, commitId } from "../git/object.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry, Term } from "../log/entry.ts";
import { releaseOf } from "../release/record.ts";
import type { Release } from "../release/release.ts";
import { disclosedDecision } from "./record.ts";

export interface TargetHistory {
  /** The newest adoption: the first one, or what two operators adopted again. */
  readonly adoption: LoggedEntry;
  readonly adopted: CommitId;
  readonly baseline: ReadonlySet<string>;
  readonly latestRelease: LoggedRelease | null;
  /** Newest released commit that was not a rollback, or the adopted one: it never moves back. */
  readonly judge: CommitId;
  /** The newest released commit, or the adopted one where that is newer. */
  readonly released: CommitId;
  readonly lastLanded: LoggedDecision | null;
}

export interface LoggedRelease {
  readonly entry: LoggedEntry;
  readonly release: Release;
}

export interface LoggedDecision {
  readonly entry: LoggedEntry;
  readonly decision: Decision;
}

const PAGE = 100;

/** @throws SluiceError `target-not-adopted` */
export async function readHistory(log: DecisionLog, target: string): Promise<TargetHistory> {
  const adoption = await readAdoption(log, target);
  const adopted = commitId(adoption.leaf.subject["commit"] ?? "");
  const releases = await releasesSince(log, target);
  const forward = releases.find(({ release }) => release.rollbackOf === null);
  const since = (one: LoggedRelease | undefined): CommitId =>
    one === undefined || one.entry.index < adoption.index ? adopted : commitId(one.release.commit);
  return {
    adoption,
    adopted,
    baseline: baselineOf(adoption),
    latestRelease: releases[0] ?? null,
    judge: since(forward),
    released: since(releases[0]),
    lastLanded: await lastLanded(log, target, adoption),
  };
}

/** What everything since is compared with. A bypass of one operator is none yet. @throws SluiceError `target-not-adopted` */
export async function readAdoption(log: DecisionLog, target: string): Promise<LoggedEntry> {
  const newest = await log.latest(target, ["genesis", "bypass"]);
  if (newest?.leaf.kind === "genesis" || newest?.leaf.verdict === "allow") return newest;
  const [bypass] = await log.find({ target, kinds: ["bypass"], verdict: "allow", order: "newest", limit: 1 });
  const adoption = bypass ?? (newest === null ? null : await log.latest(target, ["genesis"]));
  if (adoption !== null) return adoption;
  throw new SluiceError(
    "target-not-adopted",
    `${target} has no first approved state yet; nothing can be compared with it.`,
    {
      fix: `sluice adopt ${target} --config gate.yaml --reason TEXT`,
    },
  );
}

/** @throws SluiceError `entry-redacted`: an empty baseline would deny what was accepted, without saying why */
function baselineOf(adoption: LoggedEntry): ReadonlySet<string> {
  if (adoption.disclosed["baseline"] === null) throw redacted(adoption, "the baseline");
  const keys = adoption.disclosed["baseline"]?.value;
  return new Set(Array.isArray(keys) ? keys.filter((key): key is string => typeof key === "string") : []);
}

/** Newest first, down to the first that is not a rollback. */
async function releasesSince(log: DecisionLog, target: string): Promise<readonly LoggedRelease[]> {
  const found: LoggedRelease[] = [];
  for await (const entry of newestFirst(log, target, "release", -1)) {
    const { release } = releaseOf(entry);
    found.push({ entry, release });
    if (release.rollbackOf === null) break;
  }
  return found;
}

async function lastLanded(log: DecisionLog, target: string, adoption: LoggedEntry): Promise<LoggedDecision | null> {
  const isLanded = [{ kind: "subject", value: "landed" }] as const;
  const found = await newestLanded(newestFirst(log, target, "decision", adoption.index, isLanded));
  if (found !== null) return found;
  const isNew = [{ kind: "subject", value: "adopted" }] as const;
  const adoptions = await log.find({ target, kinds: ["genesis", "bypass"], terms: isNew, order: "newest", limit: 1 });
  if (adoptions[0]?.index === adoption.index) return null;
  return newestLanded(newestFirst(log, target, "decision", adoption.index)); // of before decisions said what they are about
}

async function newestLanded(entries: AsyncGenerator<LoggedEntry>): Promise<LoggedDecision | null> {
  for await (const entry of entries) {
    if (entry.leaf.subject["commit"] === undefined) continue;
    const decision = disclosedDecision(entry.disclosed);
    if (decision === null) throw redacted(entry, "the newest landed decision");
    // A rollback judges an earlier state again; it is not a step of the branch.
    if (decision.carried?.how !== "rollback") return { entry, decision };
  }
  return null;
}

/** What is withheld is not passed over for something older. */
export function redacted({ index }: LoggedEntry, what: string): SluiceError {
  return new SluiceError("entry-redacted", `Entry ${index}, ${what}, no longer says what is needed: it was redacted.`, {
    fix: `sluice log show ${index} --config gate.yaml`,
  });
}

async function* newestFirst(
  log: DecisionLog,
  target: string,
  kind: "release" | "decision",
  after: number,
  terms: readonly Term[] = [],
): AsyncGenerator<LoggedEntry> {
  let before: number | undefined;
  for (;;) {
    const page = await log.find({
      target,
      kinds: [kind],
      terms,
      order: "newest",
      limit: PAGE,
      ...(before === undefined ? {} : { after: before }),
    });
    for (const entry of page) {
      if (entry.index <= after) return;
      yield entry;
    }
    before = page.at(-1)?.index;
    if (before === undefined || page.length < PAGE) return;
  }
}

/** The newest decision about exactly this commit: proposed, by its head, or landed; a rollback is none. */
export async function findDecision(
  log: DecisionLog,
  target: string,
  kind: "proposed" | "landed",
  commit: CommitId,
): Promise<LoggedDecision | null> {
  const terms = [{ kind: "commit", value: commit }] as const;
  for (const entry of await log.find({ target, kinds: ["decision"], terms, order: "newest", limit: PAGE })) {
    if (entry.leaf.subject[kind === "landed" ? "commit" : "head"] !== commit || entry.leaf.purpose !== "gate") continue;
    const decision = disclosedDecision(entry.disclosed);
    if (decision !== null && decision.carried?.how !== "rollback") return { entry, decision };
  }
  return null;
}

/** The targets for which exactly this commit was decided when it landed, whatever the verdict, newest first. */
export async function landedFor(log: DecisionLog, commit: CommitId): Promise<readonly TargetFacts[]> {
  const terms = [{ kind: "commit", value: commit }] as const;
  const entries = await log.find({ kinds: ["decision"], terms, order: "newest", limit: PAGE });
  return entries
    .filter(({ leaf }) => leaf.subject["commit"] === commit && leaf.purpose === "gate")
    .flatMap(({ disclosed }) => disclosedDecision(disclosed)?.target ?? []);
}

/** An allow of a landed state that nothing was released on, nor on a later decision: of a crash in between, or a hold. */
export function isUnreleased({ latestRelease }: TargetHistory, { entry, decision }: LoggedDecision): boolean {
  return decision.verdict === "allow" && (latestRelease?.release.decision.index ?? -1) < entry.index;
}

/** An allowed, logged proposal with exactly this tree and base, newest first. */
export async function findProposal(
  log: DecisionLog,
  target: string,
  tree: string,
  base: string,
): Promise<LoggedDecision | null> {
  const found = await findProposals(log, target, tree);
  return found.find(({ entry }) => entry.leaf.subject["base"] === base) ?? null;
}

/** Allowed, logged proposals with exactly this tree, newest first. */
export async function findProposals(
  log: DecisionLog,
  target: string,
  tree: string,
): Promise<readonly LoggedDecision[]> {
  const entries = await log.find({
    target,
    kinds: ["decision"],
    verdict: "allow",
    terms: [{ kind: "tree", value: tree }],
    order: "newest",
    limit: PAGE,
  });
  return entries.flatMap((entry) => {
    const { head, tree: of } = entry.leaf.subject;
    if (head === undefined || of !== tree || entry.leaf.purpose !== "gate") return [];
    const decision = disclosedDecision(entry.disclosed);
    return decision === null ? [] : [{ entry, decision }];
  });
}

/**
 * The oldest allow of exactly this landed commit in which it carried a proposal, alone or as one of those that a forge
 * rebased: later ones name it in their range only.
 */
export async function findCarriedLanding(
  log: DecisionLog,
  target: string,
  commit: CommitId,
): Promise<LoggedDecision | null> {
  const terms = [{ kind: "commit", value: commit }] as const;
  const asked = { target, kinds: ["decision"], verdict: "allow", terms, order: "oldest", limit: PAGE } as const;
  for (const entry of await log.find(asked)) {
    if (entry.leaf.subject["commit"] === undefined || entry.leaf.purpose !== "gate") continue;
    const decision = disclosedDecision(entry.disclosed);
    const how = decision?.carried?.how;
    const isOwn = entry.leaf.subject["commit"] === commit && (how === "squash" || how === "merge");
    if (decision !== null && (isOwn || (how === "rebase" && isForges(decision, commit)))) return { entry, decision };
  }
  return null;
}

/** A forge's commit verifies only where it carries something. */
function isForges({ verifications }: Decision, commit: CommitId): boolean {
  return verifications.some((one) => one.commit === commit && one.kind === "verified" && one.signer.class === "forge");
}
