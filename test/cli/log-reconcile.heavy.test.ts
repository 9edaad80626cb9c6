/** `sluice log reconcile` as an operator and an auditor run it, over what a real gate and agent did. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";

const ARGS = ["log", "reconcile", "--target", "prod", "--format", "json"];

interface Report {
  readonly agrees: boolean;
  readonly git: { readonly commits: number };
  readonly log: { readonly releases: number; readonly applied: number; readonly leftBehind: number };
  readonly differences: readonly { readonly kind: string; readonly commit: string | null }[];
}

test("what a gate landed, rolled back and an agent applied agrees; what passed it by does not", async (t) => {
  const world = await makeWorld(t);
  const reconcile = (...args: readonly string[]) => world.sluice<Report>([...ARGS, ...args]);
  for (const replicas of [3, 4]) {
    await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas }) });
    await world.agent();
    await world.signHead();
  }
  const left = world.push({ files: { "README.md": "not looked at yet\n" } });
  assert.equal((await world.rollback(1)).code, 0);
  await world.agent();
  await world.signHead();
  const whole = await reconcile("--config", "../gate.yaml");
  assert.deepEqual([whole.code, whole.report.differences, whole.report.git.commits], [0, [], 3], whole.stdout);
  const { releases, applied, leftBehind } = whole.report.log;
  assert.deepEqual([releases, applied, leftBehind], [3, 3, 1], `${left} waits behind the rollback`);

  const unseen = world.push({ files: { "README.md": "nobody looked\n" } });
  const past = await reconcile("--log", "../data/log.db");
  assert.deepEqual(
    [past.code, past.report.differences.map(({ kind, commit }) => [kind, commit])],
    [1, [["commit-without-decision", unseen]]],
  );
  world.moveMain(`${unseen}~3`); // the forge's history is rewritten
  const rewritten = await reconcile("--log", "../data/log.db");
  assert.deepEqual(
    [rewritten.code, rewritten.report.differences.map(({ kind }) => kind)],
    [1, ["decision-without-commit"]],
  );
});
