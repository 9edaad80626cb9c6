/** Whether a log still contains what somebody else has seen of it: this is what tells an older copy from the log itself. */
import { SluiceError } from "../lib/errors.ts";
import type { Checkpoint, DecisionLog } from "./decision-log.ts";
import { verifyConsistency } from "./merkle.ts";

/** `seen` bears a signature of the log's own key; `who` has seen it. @throws SluiceError `log-rolled-back`, `log-forked` */
export async function checkContains(log: DecisionLog, seen: Checkpoint, who: string): Promise<void> {
  const newest = await log.checkpoint();
  if (seen.size > newest.size)
    throw new SluiceError(
      "log-rolled-back",
      `${who} has seen ${seen.size} entries of this log, which has ${newest.size}.`,
    );
  const proof = await log.consistencyProof(seen.size, newest.size);
  if (!verifyConsistency(seen.size, newest.size, proof, seen.root, newest.root))
    throw new SluiceError("log-forked", `${who} has seen another log of ${seen.size} entries under this name and key.`);
}
