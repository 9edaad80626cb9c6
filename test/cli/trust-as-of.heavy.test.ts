import assert from "node:assert/strict";
import { after, test } from "node:test";
import { trustAsOfSchema } from "../../src/cli/reports/schemas/people.ts";
import { trustAsOf } from "../../src/cli/trust-as-of.ts";
import { formatTime } from "../../src/lib/time.ts";
import { land, makeGateWorld } from "../gate/gate-world.ts";
import { runHere } from "../support/in-process.ts";
import { deployment, document } from "../support/shop.ts";
import type { World } from "../support/world.ts";

const base = await makeGateWorld({ after });
const MINUTE_MS = 60_000;

async function asOf(world: World, instant: number, ...args: readonly string[]) {
  const words = [formatTime(instant), "--config", "../gate.yaml", "--format", "json", ...args];
  const clock = () => Date.now() + 24 * 60 * MINUTE_MS;
  const run = await runHere(trustAsOf, words, world.repo.path, clock, world.path("home"));
  return { ...run, report: run.stdout === "" ? null : trustAsOfSchema.parse(JSON.parse(run.stdout)) };
}

const idsOf = (report: Awaited<ReturnType<typeof asOf>>["report"]) => report?.owners.map(({ id }) => id);

/** Ten minutes from now max is taken out, ten later something lands that is judged without him. */
async function withoutMax(world: World): Promise<void> {
  const { max: _, ...people } = world.trust()["people"] as Record<string, unknown>;
  const head = world.propose({ files: { "trust/people.yaml": document(world.trust({ people })) } });
  world.approve("jo", head);
  world.moveMain(head);
  const [landed] = await land(world, () => Date.now() + 10 * MINUTE_MS);
  assert.equal(landed?.[0], "allow");
}

test("trust as-of shows who was there before and after a change of trust, and rests on what the log recorded", async (t) => {
  const world = base.copy(t);
  const start = Date.now();
  await withoutMax(world);
  const early = await asOf(world, start + MINUTE_MS);
  assert.deepEqual([early.code, early.stderr, early.report?.restsOn.entryKind], [0, "", "genesis"]);
  assert.deepEqual(idsOf(early.report), ["ada", "jo", "lin", "max", "github"]);
  assert.equal(early.report?.restsOn.recorded?.isEqual, true);
  const late = await asOf(world, Date.now() + 12 * MINUTE_MS);
  assert.deepEqual([idsOf(late.report), late.report?.restsOn.entryKind], [["ada", "jo", "lin", "github"], "release"]);
  assert.deepEqual([late.report?.restsOn.commit, late.report?.restsOn.recorded], [world.tip(), null]);
  world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 5 }) } });
  await land(world, () => Date.now() + 20 * MINUTE_MS);
  const judged = await asOf(world, Date.now() + 12 * MINUTE_MS);
  assert.deepEqual([judged.report?.restsOn.recorded?.isEqual, judged.code], [true, 0]);
  const words = await runHere(
    trustAsOf,
    [formatTime(Date.now()), "--config", "../gate.yaml", "--repo", "."],
    world.repo.path,
    () => Date.now() + MINUTE_MS,
    world.path("home"),
  );
  assert.match(words.stdout, /^prod: people, keys and roles as of .*\npeople\n {2}ada /);
  assert.match(
    words.stdout,
    /\nrests on {2}log 0, the adoption of .*, and the trust folder of [0-9a-f]{7}\n {10}log 0 recorded the same trust, sha256:[0-9a-f]{8}\n$/,
  );
});

test("trust as-of refuses a time before the adoption, one to come, and what is no time or target", async (t) => {
  const world = base.copy(t);
  const before = await asOf(world, Date.now() - 24 * 60 * MINUTE_MS);
  assert.deepEqual([before.code, before.stderr.split("  ")[0]], [3, "target-not-adopted"]);
  const later = await asOf(world, Date.now() + 48 * 60 * MINUTE_MS);
  assert.deepEqual([later.code, later.stderr.split("  ")[0]], [2, "usage"]);
  const other = await asOf(world, Date.now(), "--target", "staging");
  assert.equal(other.stderr.split("  ")[0], "target-unknown");
  const words = await runHere(trustAsOf, ["yesterday", "--config", "../gate.yaml"], world.repo.path);
  assert.deepEqual([words.code, words.stderr.split("  ")[0]], [2, "usage"]);
});
