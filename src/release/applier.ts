/** What puts a verified release in place. It is only ever called with objects that were verified one by one. */
import type { ReleaseObject } from "./release.ts";

export interface VerifiedObject extends ReleaseObject {
  readonly bytes: Uint8Array;
}

/** What is applied, as kept with the objects themselves: the marker by which an agent sees that its own memory was lost. */
export interface AppliedRecord {
  readonly v: 1;
  readonly target: string;
  readonly sequence: number;
  readonly manifestDigest: string;
  /** `minimumSequence` of agent.yaml when it was applied. */
  readonly minimumSequence: number;
  /** Sorted by file. */
  readonly objects: readonly ReleaseObject[];
}

/** One of our objects that is not as it was applied. */
export interface Drift {
  readonly file: string;
  readonly how: "missing" | "changed" | "replaced" | "added";
}

export interface Inspection {
  /** null where nothing of ours was ever applied. */
  readonly record: AppliedRecord | null;
  readonly drift: readonly Drift[];
}

/**
 * MUST switch from one release to the next in one step that a crash cannot halve, MUST be completed by calling apply()
 * again after any crash, MUST remove only what an earlier apply() put there, and MUST NOT write through a link or over
 * anything that is not its own (`apply-blocked`).
 */
export interface Applier {
  readonly name: string;
  inspect(): Promise<Inspection>;
  apply(record: AppliedRecord, objects: readonly VerifiedObject[]): Promise<void>;
}
