/** The whole process of `sluice check`, as somebody types it: 50 signed commits over 200 objects with the policy library. */
import { rmSync } from "node:fs";
import type { CheckReport } from "../src/gate/json/check.ts";
import { onlyTarget, type World } from "../test/support/world.ts";
import { type BenchOptions, type Row, timed } from "./measure.ts";
import { benchWorld, beyond, nodeStart, OBJECTS, objectFile, PLAIN } from "./world.ts";

const COMMITS = 50;
const WARM_RUNS = 10;
const COLD_RUNS = 3;

export async function benchCheck({ quick, scope, progress }: BenchOptions): Promise<readonly Row[]> {
  progress(`check: ${OBJECTS} objects and ${COMMITS} signed commits`);
  const world = await benchWorld(scope);
  signCommits(world);
  const rules = await ruled(world);
  progress("check: without caches");
  const cold = await timed(quick ? 1 : COLD_RUNS, 1, async () => {
    rmSync(world.path("home/cache"), { recursive: true, force: true });
    await ruled(world);
  });
  progress("check: with caches");
  const warm = await timed(quick ? 2 : WARM_RUNS, 1, () => ruled(world));
  const start = await nodeStart();
  const what = (how: string) => `${COMMITS} commits, ${OBJECTS} objects, ${rules} answers of rules, ${how}`;
  return [
    { area: "check", what: what("no caches"), measured: cold, beside: [beyond(start, cold)] },
    { area: "check", what: what("with caches"), measured: warm, beside: [beyond(start, warm)] },
  ];
}

function signCommits(world: World): void {
  world.repo.git(["checkout", "--quiet", "-b", "many", "origin/main"]);
  for (let at = 0; at < COMMITS; at++)
    world.repo.commit({ files: objectFile(at, 4), author: "ada <ada@example.com>", signWith: world.key("ada") });
}

/** How many rules answered; fails unless they allow it all. */
async function ruled(world: World): Promise<number> {
  const args = ["check", "--base", "origin/main", "--head", "many", "--format", "json"];
  const { code, report, stderr } = await world.sluice<CheckReport>(args, { env: PLAIN });
  const { reasons, rulesEvaluated } = onlyTarget(report);
  if (code !== 0) throw new Error(`check exits ${code}: ${stderr}${JSON.stringify(reasons.slice(0, 3))}`);
  if (report.verifications.length !== COMMITS) throw new Error(`check saw ${report.verifications.length} commits`);
  return rulesEvaluated;
}
