/** A release in the log: its entry commits to the exact signed release.json, before any channel has it (invariant 3). */

import { utf8 } from "../lib/bytes.ts";
import type { JsonObject } from "../lib/canonical.ts";
import { SluiceError } from "../lib/errors.ts";
import type { DecisionLog } from "../log/decision-log.ts";
import type { EntryDigests, EntryDraft, LoggedEntry } from "../log/entry.ts";
import { matchesCommitment } from "../log/leaf.ts";
import { parseNote } from "../log/note.ts";
import { manifestDigest } from "./manifest.ts";
import type { Release } from "./release.ts";

/** A release together with the signed bytes that say so. */
export interface SignedRelease {
  readonly release: Release;
  /** Exact bytes of release.json. */
  readonly note: Uint8Array;
  readonly manifestDigest: string;
}

/** `digests` are those of the decision that it rests on. Rollbacks are of kind `rollback` in their own entry (rollback.ts). */
export function releaseDraft(release: Release, note: Uint8Array, digests: EntryDigests): EntryDraft {
  return {
    kind: "release",
    target: release.target,
    purpose: "gate",
    verdict: "allow",
    reasons: [],
    subject: { commit: release.commit, tree: release.tree },
    digests,
    disclosed: {
      sequence: release.sequence,
      manifestDigest: manifestDigest(note),
      decision: release.decision as unknown as JsonObject,
      rollbackOf: release.rollbackOf,
      release: new TextDecoder().decode(note),
    },
    terms: [
      { kind: "release", value: String(release.sequence) },
      { kind: "commit", value: release.commit },
      { kind: "tree", value: release.tree },
    ],
  };
}

/** The newest release of the target as its entry holds it, or null. @throws SluiceError `release-record-lost` where the entry no longer says */
export async function lastRelease(log: DecisionLog, target: string): Promise<SignedRelease | null> {
  const entry = await log.latest(target, ["release"]);
  return entry === null ? null : releaseOf(entry);
}

/** The release that an entry of kind `release` records, bound to the leaf by its commitment. @throws SluiceError `release-record-lost` */
export function releaseOf({ index, leaf, disclosed }: LoggedEntry): SignedRelease {
  const disclosure = disclosed["release"] ?? null;
  const commitment = leaf.commitments["release"] ?? "";
  const text = disclosure?.value;
  const line = typeof text === "string" ? parseNote(text)?.text : undefined;
  if (
    disclosure === null ||
    line === undefined ||
    !matchesCommitment(disclosure, commitment) ||
    leaf.kind !== "release"
  ) {
    throw new SluiceError("release-record-lost", `Entry ${index} no longer says what was released.`);
  }
  const note = utf8(text as string);
  return { release: JSON.parse(line) as Release, note, manifestDigest: manifestDigest(note) };
}
