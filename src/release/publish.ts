/**
 * Writes a logged release, and the head that names it, to a channel:
 *
 *   1 releases/<sequence>/objects/<file>          5 tile/... of the newest checkpoint
 *   2 releases/<sequence>/entry.json              6 checkpoint
 *   3 releases/<sequence>/entry.tlog-proof        7 head.json: the point of no return
 *   4 releases/<sequence>/release.json
 *
 * An agent looks at nothing that no head names, so whatever a crash leaves is unseen, and running the same again completes
 * it: a file that is there with the same bytes is left alone, one with other bytes is `channel-conflict`.
 */
import { decodeUtf8, utf8 } from "../lib/bytes.ts";
import { sha256Hex } from "../lib/digest.ts";
import { SluiceError } from "../lib/errors.ts";
import { parseCheckpoint } from "../log/checkpoint.ts";
import type { Checkpoint, DecisionLog } from "../log/decision-log.ts";
import type { LoggedEntry } from "../log/entry.ts";
import { leafHash, verifyInclusion } from "../log/merkle.ts";
import { proveInclusion, readProof, writeProof } from "../log/proof.ts";
import { hashesAtLevel, newTiles, tilePath } from "../log/tile.ts";
import { writeEntryFile } from "./decision-entry.ts";
import type { ObjectStore } from "./object-store.ts";
import type { SignedRelease } from "./record.ts";
import type { Channel } from "./release.ts";

export interface ReleaseSource {
  readonly log: DecisionLog;
  readonly objects: ObjectStore;
}

/** Folder of a release in every channel, and in the layout that FORMS "Channel" draws. */
export function releaseFolder(sequence: number): string {
  return `releases/${sequence}`;
}

/** Steps 1 to 4. @throws SluiceError `channel-conflict`, `object-lost`, and what the channel and the log throw */
export async function publishRelease(channel: Channel, signed: SignedRelease, source: ReleaseSource): Promise<void> {
  const folder = releaseFolder(signed.release.sequence);
  for (const { file, sha256 } of signed.release.objects) {
    const bytes = await source.objects.get(sha256); //                                                             1
    if (sha256Hex(bytes) !== sha256) throw new SluiceError("object-lost", `The gate no longer has object ${sha256}.`);
    await channel.write(`${folder}/objects/${file}`, bytes);
  }
  const entry = await source.log.read(signed.release.decision.index);
  await channel.write(`${folder}/entry.json`, writeEntryFile(entry)); //                                           2
  await publishProof(channel, `${folder}/entry.tlog-proof`, entry, source.log); //                                 3
  await channel.write(`${folder}/release.json`, signed.note); //                                                   4
}

/** The log grows between two runs, so a proof that is there and holds is kept; any other is a conflict. */
async function publishProof(channel: Channel, path: string, entry: LoggedEntry, log: DecisionLog): Promise<void> {
  const present = await channel.read(path);
  const proof = present === null ? null : readProof(decodeUtf8(present) ?? "");
  if (proof !== null && proof.index === entry.index && proof.checkpoint.origin === log.origin) {
    const { size, root } = proof.checkpoint;
    if (verifyInclusion(leafHash(entry.bytes), proof.index, size, proof.hashes, root)) return;
  }
  await channel.write(path, utf8(writeProof(await proveInclusion(log, entry.index))));
}

/** Steps 5 to 7, every minute and after every release; `head` was signed for exactly this checkpoint. */
export async function publishHead(
  channel: Channel,
  head: Uint8Array,
  checkpoint: Checkpoint,
  log: DecisionLog,
): Promise<void> {
  await publishTiles(channel, checkpoint.size, log); //                                                            5
  await channel.write("checkpoint", utf8(checkpoint.note)); //                                                     6
  await channel.write("head.json", head); //                                                                       7
}

/** Only hash tiles, and only those that the channel's checkpoint does not cover yet: it is written after its tiles. */
async function publishTiles(channel: Channel, size: number, log: DecisionLog): Promise<void> {
  const present = await channel.read("checkpoint");
  const covered = present === null ? 0 : (parseCheckpoint(decodeUtf8(present) ?? "")?.size ?? 0);
  for (let level = 0; hashesAtLevel(level, size) > 0; level++) {
    for (const tile of newTiles(level, covered > size ? 0 : covered, size)) {
      const path = tilePath(tile);
      const bytes = await log.resource(path);
      if (bytes === null) throw new SluiceError("internal", `the log has no ${path}`);
      await channel.write(path, bytes);
    }
  }
}
