/** The independent referee (test/referee, Go), and what a log shows it. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeBase64 } from "../../src/lib/bytes.ts";
import type { Checkpoint, DecisionLog } from "../../src/log/decision-log.ts";
import { exportFolder } from "../../src/log/export.ts";
import { fill } from "./log.ts";
import { type Scope, tempFolder } from "./temp.ts";

const SOURCE = fileURLToPath(new URL("../referee", import.meta.url));
export const REFEREE_SIZES = [1, 2, 255, 256, 257, 511, 512, 1000];
export const GO_MISSING = spawnSync("go", ["version"]).status === 0 ? false : "go is not installed";

/** Exports the log at its present size, with proofs of many entries and from every earlier size. */
async function exhibit(log: DecisionLog, folder: string, earlier: readonly Checkpoint[]): Promise<Checkpoint> {
  const newest = await exportFolder(log, folder);
  const indexes = [0, 1, 127, 254, 255, 256, 400, 510, 511, 512, 767, 768, 998, newest.size - 1];
  const inclusion = [];
  for (const index of new Set(indexes.filter((each) => each < newest.size)))
    inclusion.push({ index, hashes: (await log.inclusionProof(index, newest.size)).map(encodeBase64) });
  const consistency = [];
  for (const { size } of earlier) consistency.push((await log.consistencyProof(size, newest.size)).map(encodeBase64));
  const proofs = { old: earlier.map(({ note }) => note), inclusion, consistency };
  writeFileSync(join(folder, "proofs.json"), JSON.stringify(proofs));
  return newest;
}

export function buildReferee(context: Scope): string {
  const program = join(tempFolder(context), "referee");
  execFileSync("go", ["build", "-o", program, "."], { cwd: SOURCE, stdio: ["ignore", "inherit", "inherit"] });
  return program;
}

/** A folder for each size that the log is brought to. */
export async function exhibitAt(log: DecisionLog, sizes: readonly number[], scope: Scope): Promise<readonly string[]> {
  const folders: string[] = [];
  const earlier: Checkpoint[] = [];
  for (const size of sizes) {
    await fill(log, size - (await log.checkpoint()).size);
    const folder = tempFolder(scope);
    earlier.push(await exhibit(log, folder, earlier));
    folders.push(folder);
  }
  return folders;
}
