/** A thread that brings the search index up to date while the writer is never idle. Any message is a request to catch up. */
import { readlinkSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import { basename } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { openForReading } from "./database.ts";
import { SearchIndex } from "./search-index.ts";

/** Many at once: rows that lie together in the index are then written together. */
const STEP_ENTRIES = 20_000;

/** Of this thread alone: where decisions need every core, the index follows with what they leave, a tenth of one or more. */
function giveWay(): void {
  try {
    const thread = Number(basename(readlinkSync("/proc/thread-self"))); // proc(5): PID/task/TID
    setPriority(thread, Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
  } catch {
    // only Linux has priorities of threads; elsewhere the index takes its turns like everybody
  }
}

if (parentPort !== null) {
  giveWay();
  const path = String(workerData);
  const log = openForReading(path);
  const index = new SearchIndex(path, log);
  parentPort.on("message", () => {
    while (index.follow(STEP_ENTRIES));
  });
}
