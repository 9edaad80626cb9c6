/** One replica of the bench: opens the log that it is named, waits for its order, answers what it measured. */
import { openLogOf } from "../test/support/log.ts";
import { closedLoop } from "./log.ts";

export interface ReplicaOrder {
  readonly clients: number;
  readonly seconds: number;
}

const log = await openLogOf(process.argv[2] ?? "");
process.once("message", async ({ clients, seconds }: ReplicaOrder) => {
  process.send?.(await closedLoop(log, clients, seconds));
  await log.close();
});
process.send?.("open");
