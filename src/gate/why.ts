/** Why a resource is live: joins live object, release, decision, approvals, signers and commits, all from the log. */
import type { Decision } from "../decision/decision.ts";
import { decodeBase64 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import { verifyInclusion } from "../log/merkle.ts";
import { lastRelease } from "../release/record.ts";
import type { Release } from "../release/release.ts";
import { resourceName } from "../render/resource.ts";
import { redacted } from "./history.ts";
import { disclosedDecision } from "./record.ts";

export interface Why {
  readonly resource: string;
  readonly target: string;
  readonly release: Release;
  readonly manifestDigest: string;
  /** The decision on the landed state that last changed the resource. */
  readonly decision: Decision;
  readonly entry: LoggedEntry;
  /** What the decision carried in the end: the proposal of a forge's landing, the landing of a rollback; null for neither. */
  readonly proposal: { readonly decision: Decision; readonly entry: LoggedEntry } | null;
  /** Whether the entry's inclusion in the newest checkpoint was computed and holds. */
  readonly proven: boolean;
  readonly applied: { readonly agent: string; readonly at: string } | null;
}

/** @throws SluiceError `resource-not-live`, `log-corrupt` */
export async function explainResource(log: DecisionLog, target: string, resource: string): Promise<Why> {
  const current = await lastRelease(log, target);
  if (current === null)
    throw notLive(
      `${target} has no release yet`,
      `see what was decided: sluice log list --target ${target} --config gate.yaml`,
    );
  const released = await decisionAt(log, current.release.decision.index);
  const isThere = released.decision.objects.some((one) => one.action !== "delete" && resourceName(one.id) === resource);
  if (!isThere)
    throw notLive(
      `${resource} is not part of ${target} #${current.release.sequence}`,
      `name it as Kind/namespace/name; ${resource} was looked for`,
    );
  const found = (await lastChange(log, target, resource, current.release.decision.index)) ?? released;
  const { decision, entry } = found;
  return {
    resource,
    target,
    release: current.release,
    manifestDigest: current.manifestDigest,
    decision,
    entry,
    proposal: decision.carried === null ? null : await carriedInTheEnd(log, found),
    proven: await isProven(log, entry),
    applied: await appliedBy(log, target, current.release.sequence),
  };
}

interface Found {
  readonly decision: Decision;
  readonly entry: LoggedEntry;
}

async function decisionAt(log: DecisionLog, index: number): Promise<Found> {
  const entry = await log.read(index);
  const decision = disclosedDecision(entry.disclosed);
  if (decision !== null) return { decision, entry };
  throw redacted(entry, "a decision");
}

/** A rollback carries a landing, which may carry a proposal in its turn. What is carried is always the earlier entry. */
async function carriedInTheEnd(log: DecisionLog, { decision, entry }: Found): Promise<Found> {
  if (decision.carried === null) return { decision, entry };
  if (decision.carried.index < entry.index) return carriedInTheEnd(log, await decisionAt(log, decision.carried.index));
  throw new SluiceError("log-corrupt", `Entry ${entry.index} carries an entry that came after it.`);
}

/** The newest allowed landing that created or updated it. */
async function lastChange(log: DecisionLog, target: string, resource: string, upTo: number): Promise<Found | null> {
  const terms = [{ kind: "resource", value: resource }] as const;
  for (const entry of await log.find({
    target,
    kinds: ["decision"],
    verdict: "allow",
    terms,
    order: "newest",
    limit: 100,
  })) {
    if (entry.index > upTo || entry.leaf.subject["commit"] === undefined) continue;
    const decision = disclosedDecision(entry.disclosed);
    if (decision === null) throw redacted(entry, "the decision that last changed it");
    return { decision, entry };
  }
  return null;
}

async function isProven(log: DecisionLog, entry: LoggedEntry): Promise<boolean> {
  const { size, root } = await log.checkpoint();
  const leafHash = decodeBase64(entry.leafHash);
  return (
    leafHash !== null && verifyInclusion(leafHash, entry.index, size, await log.inclusionProof(entry.index, size), root)
  );
}

async function appliedBy(log: DecisionLog, target: string, sequence: number): Promise<Why["applied"]> {
  const terms = [{ kind: "release", value: String(sequence) }] as const;
  const [entry] = await log.find({ target, kinds: ["applied"], terms, order: "newest", limit: 1 });
  const [agent, at] = [entry?.disclosed["agent"]?.value, entry?.disclosed["at"]?.value];
  return typeof agent === "string" && typeof at === "string" ? { agent, at } : null;
}

function notLive(message: string, fix: string): SluiceError {
  return new SluiceError("resource-not-live", `${message}.`, { fix });
}
