/** Whose change a rollback brings back, across everything that carried it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployment } from "../support/shop.ts";
import { makeWorld } from "../support/world.ts";

interface Why {
  readonly carried: { readonly how: string };
  readonly verifications: readonly { readonly signer: { readonly person: string } | null }[];
}

test("a rollback to a forge's squash is told as the change of the person who signed its proposal", async (t) => {
  const world = await makeWorld(t);
  for (const replicas of [3, 4]) {
    const { code, stderr } = await world.land({ "clusters/prod/web.yaml": deployment("web", { replicas }) });
    assert.equal(code, 0, stderr);
  }
  assert.equal((await world.rollback(1)).code, 0);
  const why = await world.log(["why", "Deployment/apps/web", "--target", "prod"]);
  const { carried, verifications } = why.report as unknown as Why;
  assert.deepEqual([carried.how, verifications.map(({ signer }) => signer?.person)], ["rollback", ["ada"]]);
  const told = await world.sluice([
    "log",
    "why",
    "Deployment/apps/web",
    "--target",
    "prod",
    "--config",
    "../gate.yaml",
  ]);
  assert.match(told.stdout, /because lin approved ada's change/);
  assert.match(told.stdout, /^carried {4}rollback of the state allowed in log \d+$/m);
});
