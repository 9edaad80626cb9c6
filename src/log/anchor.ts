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
  verifier: NoteVerifier,
): void {
  const note = readAnchor(path, anchored);
  if (note === "") return;
  const anchor = openCheckpoint(note, head.origin, [verifier]);
  if (anchor.size > head.size)
    throw new SluiceError(
      "log-rolled-back",
      `The log has ${head.size} entries; its anchor remembers ${anchor.size}. An older copy was put in its place.`,
    );
  if (!equalBytes(storedRoot(hashes, anchor.size), anchor.root))
    throw new SluiceError("log-forked", `The log contradicts its anchor at size ${anchor.size}: two histories exist.`);
}

function readAnchor(path: string, anchored: boolean): string {
  if (existsSync(path)) return readFileSync(path, "utf8");
  if (anchored || !existsSync(dirname(path)))
    throw new SluiceError("log-anchor-missing", `The anchor file ${path} is gone; the log may be an older copy.`, {
      fix: `Mount the volume or put the file back. To accept the log as it is: touch ${path}`,
    });
  return "";
}
