/**
 * C2SP tlog-checkpoint v1.0.0, the text of a signed note: origin, decimal size, base64 root, each ending with \n.
 * Extension lines are refused: no log of Sluice writes them.
 */
import { decodeBase64, encodeBase64 } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import type { Checkpoint } from "./decision-log.ts";
import { HASH_BYTES } from "./merkle.ts";
import { type NoteSigner, type NoteVerifier, openNote, parseNote } from "./note.ts";
import { isNoteName } from "./note-key.ts";

function checkpointText(origin: string, size: number, root: Uint8Array): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

export function signCheckpoint(origin: string, size: number, root: Uint8Array, signer: NoteSigner): Checkpoint {
  return { origin, size, root, note: signer.sign(checkpointText(origin, size, root)) };
}

/** The checkpoint that a note carries, its signature not looked at; null unless it is in the strict form. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const text = parseNote(note)?.text;
  const [origin = "", size = "", encoded = "", end, ...more] = text?.split("\n") ?? [];
  if (end !== "" || more.length > 0 || !isNoteName(origin) || !/^(?:0|[1-9][0-9]{0,15})$/.test(size)) return null;
  const root = decodeBase64(encoded);
  if (root?.byteLength !== HASH_BYTES || !Number.isSafeInteger(Number(size))) return null;
  return { origin, size: Number(size), root, note };
}

/**
 * The checkpoint, signed by a key of that origin.
 * @throws `note-malformed`, `note-bad-signature`, `note-unknown-key`, `checkpoint-malformed`, `log-origin-mismatch`
 */
export function openCheckpoint(note: string, origin: string, keys: readonly NoteVerifier[]): Checkpoint {
  const opening = openNote(note, keys);
  if (opening.kind === "rejected")
    throw new SluiceError(opening.code, `The checkpoint is not accepted: ${opening.detail}.`);
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === null)
    throw new SluiceError("checkpoint-malformed", "The checkpoint is not origin, size and root in the strict form.");
  if (checkpoint.origin !== origin)
    throw new SluiceError(
      "log-origin-mismatch",
      `The checkpoint is of log ${checkpoint.origin}; ${origin} is expected.`,
    );
  return checkpoint;
}
