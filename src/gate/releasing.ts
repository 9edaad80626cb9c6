/**
 * Step 13: from a logged allow of a landed state to a release that agents can verify.
 *
 *   1 build the release, or refuse it  4 publish objects, entry, proof and release.json to every channel
 *   2 keep the object bytes, sign it   5 sign a fresh head and publish it: now agents see the release
 *   3 log it, with what judges from now on: the point of no return
 *
 * What is refused in 1, a plain Secret for example, is written nowhere. What a crash leaves after 3 is completed by the
 * next release or head: signedHead() publishes what a channel lacks.
 */

import { currentPermit } from "../config/sluice-yaml.ts";
import { commitId } from "../git/object.ts";
import { utf8 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import type { EntryDraft, Receipt } from "../log/entry.ts";
import { buildRelease } from "../release/build.ts";
import type { Permit } from "../release/guards.ts";
import { makeHead, signHead } from "../release/head.ts";
import { isHeld, readHolds } from "../release/holds.ts";
import { manifestDigest, signRelease } from "../release/manifest.ts";
import { publishHead, publishRelease } from "../release/publish.ts";
import { lastRelease, releaseDraft } from "../release/record.ts";
import { refilled } from "../release/refill.ts";
import type { Head, Release } from "../release/release.ts";
import { releasedBy } from "./activation.ts";
import { appendFollowing } from "./following.ts";
import type { Admitted } from "./gate.ts";
import { readHistory } from "./history.ts";
import { readSluiceConfiguration, targetYaml } from "./judge.ts";
import { entryDigests } from "./record.ts";
import type { Gate } from "./wiring.ts";

export interface Released {
  readonly release: Release;
  readonly manifestDigest: string;
  /** Index of the `release` entry. */
  readonly index: number;
  readonly head: Head;
}

/** @throws SluiceError `release-not-allowed`, `release-not-landed`, `release-held`, `release-mass-prune`, and the like: see buildRelease() */
export async function releaseDecision(
  gate: Gate,
  target: string,
  admitted: Admitted,
  rollbackOf: number | null,
): Promise<Released> {
  const { decision, record, resources } = admitted;
  if (record === null) throw new SluiceError("release-not-allowed", "A preview releases nothing.");
  const now = gate.services.clock();
  const request = {
    log: gate.log,
    decisionIndex: record.index,
    target,
    repository: gate.target(target).repository,
    resources,
    rollbackOf,
    permit: await currentPermitOf(gate, target, now),
    now,
  };
  const { receipts, made } = await appendFollowing(gate.log, target, async () => {
    const release = await buildRelease(request); //                                                                  1
    for (const resource of resources) await gate.objects.put(utf8(resource.canonical)); //                           2
    const note = signRelease(release, gate.releaseSigner);
    const entry = releaseDraft(release, note, entryDigests(decision.digests));
    return { drafts: [entry, ...(await newJudge(gate, admitted, record.index, release))], made: { release, note } };
  }); //                                                                                                             3
  const head = await signedHead(gate, target); //                                                                 4, 5
  const { release, note } = made;
  return { release, manifestDigest: manifestDigest(note), index: (receipts[0] as Receipt).index, head };
}

/** What the release puts in force beside its objects: files that judge are in it, and a rollback moves no judge. */
async function newJudge(
  gate: Gate,
  { decision }: Admitted,
  index: number,
  { target, commit, rollbackOf }: Release,
): Promise<readonly EntryDraft[]> {
  if (decision.governance === null || rollbackOf !== null) return [];
  return gate.activations.drafts(target, commitId(commit), await releasedBy(gate.log, decision, index));
}

/** Publishes the newest release where a channel lacks it, then a fresh head for it; every minute, and after each change. */
export function signedHead(gate: Gate, target: string): Promise<Head> {
  return gate.turns.take(target, () => publishCurrent(gate, target));
}

/** The log is read in the target's turn, so that of two heads the later one never knows less. */
async function publishCurrent(gate: Gate, target: string): Promise<Head> {
  const latest = await lastRelease(gate.log, target);
  const hold = isHeld(await readHolds(gate.log), target, gate.target(target).repository);
  const { checkpoint } = await gate.witnesses.newest();
  const current = latest === null ? null : { sequence: latest.release.sequence, manifestDigest: latest.manifestDigest };
  const head = makeHead({ target, latest: current, hold, checkpoint }, gate.services.clock());
  const signed = signHead(head, gate.releaseSigner);
  const channels = await gate.channels(target);
  for (const channel of channels) {
    if (latest !== null) {
      const objects = refilled(gate.objects, channels, latest.release);
      await publishRelease(channel, latest, { log: gate.log, objects });
    }
    await publishHead(channel, signed, checkpoint, gate.log);
  }
  return head;
}

/** Read at the judge, so that a permit has landed before it is used. */
async function currentPermitOf(gate: Gate, target: string, now: Instant): Promise<Permit | null> {
  const { judge } = await readHistory(gate.log, target);
  const configuration = await readSluiceConfiguration(await gate.repository(target), judge);
  return currentPermit(targetYaml({ configuration }, target), now);
}
