/** What a verification of a log says, and the checks that every form of a log has in common. */
import { asSluiceError } from "../lib/errors.ts";
import { openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./decision-log.ts";
import type { countQuickly } from "./disclosed-text.ts";
import type { Leaf } from "./entry.ts";
import type { NoteVerifier } from "./note.ts";
import { examineDisclosures } from "./stored.ts";

export interface VerifyOptions {
  /** Verifier keys of the log; the checkpoint must bear the signature of one. */
  readonly keys: readonly string[];
  /** When given, the log must be this one. */
  readonly origin?: string;
  /** Signed checkpoints seen earlier (an anchor's, an agent's); the log must contain them all. */
  readonly known?: readonly string[];
  progress?(done: number, total: number): void;
}

export type LogVerification =
  | {
      readonly kind: "intact";
      readonly checkpoint: Checkpoint;
      /** Values beside the entries, where the source has them: how many match their commitment, how many were redacted. */
      readonly disclosures: { readonly matching: number; readonly redacted: number } | null;
      /** Entries of the redactions that say so; of a bundle, which may end before them, none. */
      readonly redactions: readonly number[];
    }
  | {
      readonly kind: "broken";
      /** `log-corrupt` of a database that cannot be read any more: nothing is said of what it held. */
      readonly code: "log-tampered" | "log-rolled-back" | "log-forked" | "log-corrupt";
      /** The first entry that is not what was recorded; null where no single entry can be named. */
      readonly index: number | null;
      readonly differs:
        | "entry"
        | "hash"
        | "chain"
        | "time"
        | "disclosure"
        | "columns"
        | "bundle"
        | "checkpoint"
        | "tree";
      /** One plain sentence. */
      readonly detail: string;
    };

type BrokenLog = LogVerification & { readonly kind: "broken" };

export class Broken extends Error {
  readonly result: BrokenLog;

  constructor(
    differs: BrokenLog["differs"],
    index: number | null,
    detail: string,
    code: BrokenLog["code"] = "log-tampered",
  ) {
    super(detail);
    this.result = { kind: "broken", code, index, differs, detail };
  }
}

/** How many values were looked at. */
export interface DisclosureCount {
  matching: number;
  redacted: number;
}

/** Names of the values that are withheld. */
export function checkDisclosures(
  count: DisclosureCount,
  leaf: Pick<Leaf, "commitments">,
  index: number,
  json: Uint8Array | null,
  quickly?: typeof countQuickly,
): readonly string[] {
  const { matching, withheld, fault } = examineDisclosures(leaf, index, json, quickly);
  if (fault !== null) throw new Broken("disclosure", index, fault);
  count.matching += matching;
  count.redacted += withheld.length;
  return withheld;
}

/** Checkpoints seen earlier, each signed; none of them may be ahead of the log. */
export function openKnown(
  notes: readonly string[] | undefined,
  head: Checkpoint,
  keys: readonly NoteVerifier[],
): readonly Checkpoint[] {
  const known = (notes ?? []).map((note) => openCheckpoint(note, head.origin, keys));
  const ahead = known.find(({ size }) => size > head.size);
  if (ahead === undefined) return known;
  const detail = `It has ${head.size} entries; ${ahead.size} were already published.`;
  throw new Broken("tree", null, detail, "log-rolled-back");
}

export function openHead(note: string, origin: string | undefined, keys: readonly NoteVerifier[]): Checkpoint {
  try {
    return openCheckpoint(note, origin ?? parseCheckpoint(note)?.origin ?? "", keys);
  } catch (thrown) {
    throw new Broken("checkpoint", null, asSluiceError(thrown).message);
  }
}
