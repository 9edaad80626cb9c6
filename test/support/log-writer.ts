/**
 * A process that appends to a log until it is killed or has done its count, and says on standard output what it asked
 * for and what was acknowledged. Arguments: folder that holds `src/`, database (a path, or a store), clients,
 * entries for each client.
 */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { SluiceError } from "../../src/lib/errors.ts";
import type * as Stores from "../../src/log/stores.ts";
import { draft, KEY, ORIGIN } from "./log.ts";

const [root = "", path = "", clients = "1", count = "1"] = process.argv.slice(2);
const { openLog } = (await import(pathToFileURL(join(root, "src/log/stores.ts")).href)) as typeof Stores;
const say = (line: string) => writeSync(1, `${line}\n`);

const clock = () => Date.now();
const store = path.startsWith("postgres:") ? path : `sqlite:${path}`;
const log = await openLog({ store, origin: ORIGIN, key: KEY.skey, clock, random: randomBytes });
say("open");
await Promise.all(Array.from({ length: Number(clients) }, (_, client) => appendMany(client)));
await log.close();

async function appendMany(client: number): Promise<void> {
  for (let at = 0; at < Number(count); at++) {
    say(`ask ${client}-${at}`);
    try {
      const { index, leafHash } = await log.append(draft());
      say(`ack ${index} ${leafHash}`);
    } catch (thrown) {
      say(`refused ${(thrown as SluiceError).code}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
