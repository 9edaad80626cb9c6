/**
 * From bytes of a channel, which nobody trusts, to a release that may be applied. Everything is checked against keys of
 * agent.yaml and the agent's own memory; the channel only ever supplies bytes. Each step throws a code of its own.
 */
import { decodeUtf8, encodeBase64, equalBytes } from "../lib/bytes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Instant } from "../lib/time.ts";
import { openCheckpoint } from "../log/checkpoint.ts";
import { cosignaturesOf } from "../log/cosignature.ts";
import type { Checkpoint } from "../log/decision-log.ts";
import { verifyProof } from "../log/proof.ts";
import type { VerifiedObject } from "../release/applier.ts";
import { provenDecision, readEntryFile } from "../release/decision-entry.ts";
import { MAXIMUM_RELEASE_BYTES } from "../release/guards.ts";
import { checkFresh, openHead } from "../release/head.ts";
import { manifestDigest, openRelease } from "../release/manifest.ts";
import { manifestsDigest } from "../release/manifests.ts";
import { objectName } from "../release/object-file.ts";
import { releaseFolder } from "../release/publish.ts";
import type { Channel, Head, Release } from "../release/release.ts";
import { openTree, type VerifiedTree } from "../release/verified-tree.ts";
import type { AgentState } from "./state.ts";
import type { TrustRoot } from "./trust-root.ts";

/** A head that is signed, for this target and log, and not older than any head taken before. It may be stale or held. */
export async function readHead(channel: Channel, root: TrustRoot, state: AgentState | null): Promise<Head> {
  const note = await channel.read("head.json");
  if (note === null) throw new SluiceError("head-missing", `${channel.name} has no head.json.`);
  const head = openHead(note, root.releaseKeys);
  if (head.target !== root.target || head.origin !== root.origin) {
    throw new SluiceError("head-other", `The head is of ${head.target} under ${head.origin}, not of ${root.target}.`);
  }
  if (state !== null && Date.parse(head.issuedAt) < Date.parse(state.headIssuedAt)) {
    throw new SluiceError("head-replayed", `The head of ${head.issuedAt} is older than one that was seen before.`);
  }
  return head;
}

/** The log as this head and this channel show it, shown to continue everything that the agent saw of it. */
export interface SeenLog {
  /** The checkpoint in the head. */
  readonly checkpoint: Checkpoint;
  /** The tree under the channel's newest checkpoint, which may be ahead of the head's. */
  readonly tree: VerifiedTree;
}

/** @throws SluiceError `checkpoint-missing`, `checkpoint-older`, `log-forked`, `tile-wrong`, and what openCheckpoint() throws */
export async function readLog(
  channel: Channel,
  root: TrustRoot,
  head: Head,
  state: AgentState | null,
): Promise<SeenLog> {
  const checkpoint = openCheckpoint(head.checkpoint, root.origin, root.logKeys);
  const note = await channel.read("checkpoint");
  if (note === null) throw new SluiceError("checkpoint-missing", `${channel.name} has no checkpoint.`);
  const newest = openCheckpoint(decodeUtf8(note) ?? "", root.origin, root.logKeys);
  checkNotSmaller(newest, checkpoint);
  const seen = state === null ? null : openCheckpoint(state.checkpoint, root.origin, root.logKeys);
  if (seen !== null) checkNotSmaller(checkpoint, seen);

  const tree = await openTree((path) => channel.read(path), newest);
  await checkContinues(tree, checkpoint);
  if (seen !== null) await checkContinues(tree, seen);
  return { checkpoint, tree };
}

function checkNotSmaller(newer: Checkpoint, older: Checkpoint): void {
  if (newer.size >= older.size) return;
  throw new SluiceError("checkpoint-older", `The log is shown with ${newer.size} entries after it had ${older.size}.`);
}

/** Every hash of the tree is bound to a signed checkpoint, so another root at this size is a proven fork. */
async function checkContinues(tree: VerifiedTree, earlier: Checkpoint): Promise<void> {
  if (earlier.size <= tree.size && equalBytes(await tree.rootAt(earlier.size), earlier.root)) return;
  throw new SluiceError("log-forked", `The log does not continue its own checkpoint of ${earlier.size} entries.`);
}

/** @throws SluiceError `head-stale`, `head-held` */
export function checkMayApply(head: Head, now: Instant): void {
  checkFresh(head, now);
  if (head.hold === null) return;
  const { by, reason, scope, since } = head.hold;
  throw new SluiceError("head-held", `${head.target} is held (${scope}) by ${by} since ${since}: ${reason}.`, {
    fix: `sluice resume ${scope} --reason TEXT`,
  });
}

/**
 * Enough witnesses saw the log that the head shows: whoever holds the log key cannot show this agent another one.
 * @throws SluiceError `witness-quorum`, `witness-wrong`
 */
export function checkWitnessed({ witnesses: { keys, quorum } }: TrustRoot, { checkpoint }: SeenLog): void {
  if (quorum === 0) return;
  const by = cosignaturesOf(checkpoint.note, keys);
  if (by === null) throw new SluiceError("witness-wrong", "A cosignature of the head's checkpoint is wrong.");
  if (by.length >= quorum) return;
  const named = by.length === 0 ? "" : `: ${by.map(({ name }) => name).join(", ")}`;
  throw new SluiceError("witness-quorum", `${by.length} of ${quorum} witnesses saw this log${named}.`, {
    retryable: true,
  });
}

export interface VerifiedRelease {
  readonly release: Release;
  readonly manifestDigest: string;
  readonly objects: readonly VerifiedObject[];
}

/** The release that the head names, whole: signature, sequence, decision in the log, every object. */
export async function readRelease(
  channel: Channel,
  root: TrustRoot,
  head: Head,
  log: SeenLog,
  state: AgentState | null,
): Promise<VerifiedRelease> {
  checkSequence(root, head, state);
  const folder = releaseFolder(head.latestSequence);
  const note = await required(channel, `${folder}/release.json`);
  if (manifestDigest(note) !== head.manifestDigest) {
    throw new SluiceError("release-differs", `Release ${head.latestSequence} is not the one that the head names.`);
  }
  const release = openRelease(note, root.releaseKeys);
  if (release.target !== root.target || release.origin !== root.origin || release.sequence !== head.latestSequence) {
    throw new SluiceError("release-differs", `${folder}/release.json is of another target, log or sequence.`);
  }
  await checkDecision(channel, root, release, log, state);
  return { release, manifestDigest: manifestDigest(note), objects: await readObjects(channel, release) };
}

/** @throws SluiceError `release-replayed`, `release-below-minimum` */
function checkSequence(root: TrustRoot, head: Head, state: AgentState | null): void {
  const { latestSequence: sequence } = head;
  const accepted = state?.accepted ?? null;
  if (accepted !== null && sequence < accepted.sequence) {
    throw new SluiceError("release-replayed", `Release ${sequence} is offered after release ${accepted.sequence}.`);
  }
  if (accepted !== null && sequence === accepted.sequence && head.manifestDigest !== accepted.manifestDigest) {
    throw new SluiceError("release-replayed", `Release ${sequence} is offered a second time with other content.`);
  }
  if (sequence < root.minimumSequence) {
    throw new SluiceError(
      "release-below-minimum",
      `Release ${sequence} is below the minimum of ${root.minimumSequence}.`,
    );
  }
}

/** The decision is in the log, allows exactly these objects as landed, and is not one that was used before. */
async function checkDecision(
  channel: Channel,
  root: TrustRoot,
  release: Release,
  log: SeenLog,
  state: AgentState | null,
): Promise<void> {
  const folder = releaseFolder(release.sequence);
  const evidence = readEntryFile(await required(channel, `${folder}/entry.json`));
  const proofText = decodeUtf8(await required(channel, `${folder}/entry.tlog-proof`)) ?? "";
  const proof = verifyProof(proofText, evidence.bytes, root.origin, root.logKeys);
  await checkContinues(log.tree, proof.checkpoint);
  const decision = provenDecision(evidence);
  const { index, leafHash: leaf } = release.decision;
  if (index >= log.checkpoint.size)
    throw new SluiceError("release-entry-differs", `Entry ${index} is not in the log that the head shows.`);
  const inTree = encodeBase64(await log.tree.leaf(decision.index));
  if (index !== decision.index || leaf !== decision.leafHash || inTree !== decision.leafHash) {
    throw new SluiceError(
      "release-entry-differs",
      `Release ${release.sequence} rests on another entry than it brings.`,
    );
  }
  if (decision.target !== root.target || decision.commit !== release.commit || decision.tree !== release.tree) {
    throw new SluiceError(
      "release-entry-differs",
      `Entry ${decision.index} is not about this target, commit and tree.`,
    );
  }
  if (decision.manifests !== manifestsDigest(release.objects)) {
    throw new SluiceError("release-objects-differ", `Entry ${decision.index} allows other objects than these.`);
  }
  const accepted = state?.accepted ?? null;
  if (accepted !== null && release.sequence > accepted.sequence && decision.index <= accepted.decisionIndex) {
    throw new SluiceError("release-replayed", `Release ${release.sequence} rests on a decision that was used before.`);
  }
}

async function readObjects(channel: Channel, release: Release): Promise<readonly VerifiedObject[]> {
  const objects: VerifiedObject[] = [];
  let total = 0;
  for (const { file, sha256 } of release.objects) {
    const bytes = await required(channel, `${releaseFolder(release.sequence)}/objects/${file}`);
    total += bytes.byteLength;
    if (sha256Hex(bytes) !== sha256) {
      throw new SluiceError(
        "object-differs",
        `Object ${objectName(file)} of release ${release.sequence} is not what was released.`,
      );
    }
    if (total > MAXIMUM_RELEASE_BYTES)
      throw new SluiceError("release-too-large", "The release is larger than 256 MiB.");
    objects.push({ file, sha256, bytes });
  }
  return objects;
}

async function required(channel: Channel, path: string): Promise<Uint8Array> {
  const bytes = await channel.read(path);
  if (bytes !== null) return bytes;
  throw new SluiceError("release-incomplete", `${path} is missing in ${channel.name}.`);
}
