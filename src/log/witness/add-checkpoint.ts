/**
 * C2SP tlog-witness v1.0.0, what a witness is asked and what it answers:
 *
 *     POST <prefix>/add-checkpoint
 *
 *     old <size>\n
 *     <base64 hash>\n              at most 63, the consistency proof from `old` to the checkpoint
 *     \n
 *     <checkpoint>                 a signed note
 *
 *     200  cosignature lines       404  a log that it does not know
 *     400  not in this form        409  `old` is not what it saw last; the body is its size, text/x.tlog.size
 *     403  not signed by the log   422  the proof is wrong, or two roots at one size
 */
import { decodeBase64, encodeBase64 } from "../../lib/bytes.ts";
import type { Clock } from "../../lib/time.ts";
import { parseCheckpoint } from "../checkpoint.ts";
import type { Cosigner } from "../cosignature.ts";
import type { Checkpoint } from "../decision-log.ts";
import { emptyRoot, HASH_BYTES, verifyConsistency } from "../merkle.ts";
import { type NoteVerifier, openNote } from "../note.ts";

export const MAXIMUM_REQUEST_BYTES = 64 * 1024;
const MAXIMUM_HASHES = 63;
const SIZE_TYPE = "text/x.tlog.size";
const TEXT_TYPE = "text/plain; charset=utf-8";

/** What a witness saw last of one log. */
export interface Seen {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The checkpoint as it was cosigned, with the cosignature. */
  readonly note: string;
}

/** Where a witness remembers, one checkpoint a log. */
export interface WitnessStore {
  seen(origin: string): Seen | null;
  /** Durable when it returns; false, and nothing is stored, unless what was seen last has exactly `oldSize` (0 for nothing). */
  replace(origin: string, oldSize: number, next: Seen): boolean;
}

export interface WitnessedLog {
  readonly origin: string;
  readonly keys: readonly NoteVerifier[];
}

export interface Witness {
  readonly cosigner: Cosigner;
  readonly logs: readonly WitnessedLog[];
  readonly store: WitnessStore;
  readonly clock: Clock;
}

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly type: string;
  readonly body: string;
}

export interface AddCheckpoint {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The checkpoint's note; its signature is not verified by reading it. */
  readonly checkpoint: Checkpoint;
}

export function writeAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...proof.map(encodeBase64), "", checkpoint.note].join("\n");
}

/** null for whatever is not exactly in the form above. */
export function readAddCheckpoint(body: string): AddCheckpoint | null {
  const split = body.indexOf("\n\n");
  if (split < 0) return null;
  const [first = "", ...lines] = body.slice(0, split).split("\n");
  const oldSize = Number(/^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1] ?? Number.NaN);
  const proof = lines.map(decodeBase64);
  const checkpoint = parseCheckpoint(body.slice(split + 2));
  if (!Number.isSafeInteger(oldSize) || checkpoint === null) return null;
  if (proof.length > MAXIMUM_HASHES || proof.some((hash) => hash?.byteLength !== HASH_BYTES)) return null;
  return { oldSize, proof: proof as Uint8Array[], checkpoint };
}

/** Cosigns only what was remembered first: whoever holds the answer knows that the witness will never see less. */
export function addCheckpoint(witness: Witness, body: string): WitnessAnswer {
  const asked = readAddCheckpoint(body);
  if (asked === null) return refusal(400, "this is not a request of tlog-witness");
  const { oldSize, proof, checkpoint } = asked;
  const log = witness.logs.find(({ origin }) => origin === checkpoint.origin);
  if (log === undefined) return refusal(404, "this log is not known here");
  const opening = openNote(checkpoint.note, log.keys);
  if (opening.kind === "rejected") return refusal(403, "the log did not sign this");
  if (oldSize > checkpoint.size) return refusal(400, "the old size is larger than the new one");
  const seen = witness.store.seen(checkpoint.origin);
  if (oldSize !== (seen?.size ?? 0)) return conflict(seen);
  if (!verifyConsistency(oldSize, checkpoint.size, proof, seen?.root ?? emptyRoot(), checkpoint.root))
    return refusal(422, "the log does not continue what was seen of it");
  const line = witness.cosigner.cosign(opening.text, witness.clock());
  const next: Seen = { size: checkpoint.size, root: checkpoint.root, note: `${checkpoint.note}${line}` };
  if (!witness.store.replace(checkpoint.origin, oldSize, next)) return conflict(witness.store.seen(checkpoint.origin));
  return { status: 200, type: TEXT_TYPE, body: line };
}

function conflict(seen: Seen | null): WitnessAnswer {
  return { status: 409, type: SIZE_TYPE, body: `${seen?.size ?? 0}\n` };
}

function refusal(status: 400 | 403 | 404 | 422, sentence: string): WitnessAnswer {
  return { status, type: TEXT_TYPE, body: `${sentence}\n` };
}
