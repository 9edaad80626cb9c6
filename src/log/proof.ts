/**
 * C2SP tlog-proof, a file that shows offline that an entry is in a log:
 *
 *     c2sp.org/tlog-proof@v1
 *     index <n>
 *     <base64 hash>                 one per line, the leaf's sibling first
 *
 *     <checkpoint>                  a signed note
 *
 * A line `extra <base64>` may follow the first one; it is not authenticated and Sluice neither writes nor uses it.
 */
import { decodeBase64, encodeBase64 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { openCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import type { Checkpoint, DecisionLog } from "./decision-log.ts";
import { HASH_BYTES, leafHash, verifyInclusion } from "./merkle.ts";
import type { NoteVerifier } from "./note.ts";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
/** A tree of 2^53 leaves has paths of at most 53 hashes. */
const MAXIMUM_HASHES = 63;

export interface InclusionProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The checkpoint's note; its signature is not verified by reading the file. */
  readonly checkpoint: Checkpoint;
}

/** The proof of entry `index` under the newest checkpoint. @throws `entry-unknown` */
export async function proveInclusion(log: DecisionLog, index: number): Promise<InclusionProof> {
  const checkpoint = await log.checkpoint();
  return { index, hashes: await log.inclusionProof(index, checkpoint.size), checkpoint };
}

export function writeProof({ index, hashes, checkpoint }: InclusionProof): string {
  return [FIRST_LINE, `index ${index}`, ...hashes.map(encodeBase64), "", checkpoint.note].join("\n");
}

/** null unless it is a proof in the strict form, with a checkpoint that covers the index. */
export function readProof(text: string): InclusionProof | null {
  const split = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(split, 0)).split("\n");
  if (lines.shift() !== FIRST_LINE) return null;
  if (lines[0]?.startsWith("extra ") && decodeBase64(lines.shift()?.slice("extra ".length) ?? "") === null) return null;
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? "")?.[1];
  const hashes = lines.map(decodeBase64);
  const checkpoint = parseCheckpoint(text.slice(split + 2));
  if (index === undefined || checkpoint === null || Number(index) >= checkpoint.size) return null;
  if (hashes.length > MAXIMUM_HASHES || hashes.some((hash) => hash?.byteLength !== HASH_BYTES)) return null;
  return { index: Number(index), hashes: hashes as Uint8Array[], checkpoint };
}

/**
 * Shows that `entry` (exact leaf bytes) is in the log `origin` under a checkpoint signed by one of `keys`.
 * @throws `proof-malformed`, `proof-wrong`, and what openCheckpoint() throws
 */
export function verifyProof(
  text: string,
  entry: Uint8Array,
  origin: string,
  keys: readonly NoteVerifier[],
): InclusionProof {
  const proof = readProof(text);
  if (proof === null) throw new SluiceError("proof-malformed", `The proof is not in the form ${FIRST_LINE}.`);
  const { size, root } = openCheckpoint(proof.checkpoint.note, origin, keys);
  if (!verifyInclusion(leafHash(entry), proof.index, size, proof.hashes, root))
    throw new SluiceError("proof-wrong", `The proof does not show the entry at index ${proof.index} of ${origin}.`);
  return proof;
}
