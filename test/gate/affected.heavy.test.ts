/** Which decisions and releases rest on a key: what somebody asks when it was stolen. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deployment } from "../support/shop.ts";
import type { Signer } from "../support/world.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

const world = await makeGateWorld({ after }, { target: { approvals: { count: 1, roles: ["platform"] } } });
const web = (replicas: number) => ({ "clusters/prod/web.yaml": deployment("web", { replicas }) });

/** Released, signed by one and approved by lin. */
async function landSignedBy(by: Signer, replicas: number): Promise<void> {
  const head = world.propose({ files: web(replicas), by });
  world.approve("lin", head);
  world.moveMain(head);
  assert.deepEqual(await land(world), [["allow", "", null]]);
}

interface Listed {
  readonly count: number;
  readonly entries: readonly { readonly index: number; readonly kind: string; readonly verdict: string | null }[];
}

async function affectedBy(who: string, ...args: readonly string[]): Promise<readonly string[]> {
  const { code, report } = await world.log<Listed>(["list", "--affected-by", who, ...args]);
  assert.equal(code, 0);
  assert.equal(report.count, report.entries.length);
  const indexes = report.entries.map(({ index }) => index);
  assert.deepEqual(
    indexes,
    indexes.toSorted((a, b) => b - a),
  );
  return report.entries.map(({ kind, verdict }) => `${kind} ${verdict}`).sort();
}

test("what rests on a key or a person is listed whole: what they signed, what they approved, and what was released of it", async () => {
  await landSignedBy("ada", 3);
  await landSignedBy("jo", 4);
  const refused = world.propose({ files: web(5), by: "max" });
  await propose(world, refused);
  const one = ["decision allow", "release allow"];
  assert.deepEqual(await affectedBy(world.fingerprint("ada")), one);
  assert.deepEqual(await affectedBy("jo"), one);
  assert.deepEqual(await affectedBy(world.fingerprint("lin")), [...one, ...one].sort(), "she approved both");
  assert.deepEqual(await affectedBy("lin"), [...one, ...one].sort());
  assert.deepEqual(await affectedBy(world.fingerprint("max")), ["decision wait"], "nothing was released of it");
  assert.deepEqual(await affectedBy(world.fingerprint("mallory")), []);
  assert.deepEqual(await affectedBy("ada", "--from", "2099-01-01"), []);
  const text = await world.sluice(["log", "list", "--affected-by", "ada", "--config", "../gate.yaml"]);
  assert.ok(text.stdout.endsWith("1 decisions and 1 releases rest on ada\n"), text.stdout);
  for (const more of [["--limit", "1"], ["--count"], ["--kind", "release"], ["--person", "jo"]]) {
    const refusal = await world.sluice(["log", "list", "--affected-by", "ada", "--config", "../gate.yaml", ...more]);
    assert.deepEqual([refusal.code, refusal.error], [2, "usage"], more.join(" "));
  }
});
