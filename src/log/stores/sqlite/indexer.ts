/** A thread that brings the search index up to date while the writer is never idle. Any message is a request to catch up. */
import { parentPort, workerData } from "node:worker_threads";
import { openForReading } from "./database.ts";
import { SearchIndex } from "./search-index.ts";

/** Many at once: rows that lie together in the index are then written together. */
const STEP_ENTRIES = 20_000;

if (parentPort !== null) {
  const path = String(workerData);
  const log = openForReading(path);
  const index = new SearchIndex(path, log);
  parentPort.on("message", () => {
    while (index.follow(STEP_ENTRIES));
  });
}
