/** One agent at a time on one state folder: a lock that the system lets go of when its holder ends, however it ends. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SluiceError } from "../lib/errors.ts";

/** Returns the way to let go. @throws SluiceError `agent-busy` */
export function lockState(folder: string): () => void {
  const lock = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new SluiceError("agent-busy", `Another agent runs with the state folder ${folder}.`, {
      retryable: true,
      cause,
    });
  }
  return () => lock.close();
}
