/**
 * The anchor: the newest checkpoint, kept on another volume. It is what tells a restored backup from the log itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { equalBytes } from "../lib/bytes.ts";
import { SluiceError } from "../lib/errors.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./decision-log.ts";
import type { NoteVerifier } from "./note.ts";
import { type HashSource, storedRoot } from "./tree.ts";

/**
 * Refuses to go on from a head that is older than the anchor or contradicts it. A missing file is accepted only before
 * the first checkpoint was anchored; an empty one says that a person accepts the log as it is.
 * @throws `log-anchor-missing`, `log-rolled-back`, `log-forked`, and what openCheckpoint() throws
 */
export function checkAnchor(
  path: string,
  head: Checkpoint,
  anchored: boolean,
  hashes: HashSource,
  keys: readonly NoteVerifier[],
): void {
  const anchor = readAnchor(path, head.origin, anchored, keys);
  if (anchor !== null) checkContinues(anchor, head, (size) => storedRoot(hashes, size), "its anchor");
}

/** `rootAt` answers the root of the stored tree at a size up to the head's. @throws `log-rolled-back`, `log-forked` */
export function checkContinues(
  earlier: Checkpoint,
  head: Checkpoint,
  rootAt: (size: number) => Uint8Array,
  whose: string,
): void {
  if (earlier.size > head.size)
    throw new SluiceError(
      "log-rolled-back",
      `The log has ${head.size} entries; ${whose} remembers ${earlier.size}. An older copy was put in its place.`,
    );
  if (!equalBytes(rootAt(earlier.size), earlier.root))
    throw new SluiceError("log-forked", `The log contradicts ${whose} at size ${earlier.size}: two histories exist.`);
}

/** What the anchor remembers; null where it remembers nothing yet. @throws `log-anchor-missing`, and what openCheckpoint() throws */
export function readAnchor(
  path: string,
  origin: string,
  anchored: boolean,
  keys: readonly NoteVerifier[],
): Checkpoint | null {
  const note = anchorText(path, anchored);
  return note === "" ? null : openCheckpoint(note, origin, keys);
}

function anchorText(path: string, anchored: boolean): string {
  if (existsSync(path)) return readFileSync(path, "utf8");
  if (anchored || !existsSync(dirname(path)))
    throw new SluiceError("log-anchor-missing", `The anchor file ${path} is gone; the log may be an older copy.`, {
      fix: `Mount the volume or put the file back. To accept the log as it is: touch ${path}`,
    });
  return "";
}
