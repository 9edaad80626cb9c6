import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { type ReplayReport, replaySchema } from "../../src/cli/reports/schemas/replay.ts";
import { makeWorld, type World } from "../support/world.ts";

const shared = makeWorld({ after });

async function replay(world: World, args: readonly string[]) {
  return world.sluice<ReplayReport>(["replay", ...args, "--config", "../gate.yaml", "--format", "json"]);
}

/** Waiting for an approval, then allowed, landed by squash and released, then something denied on the branch. */
async function history(world: World): Promise<void> {
  const head = world.propose({ files: { "clusters/prod/colours.yaml": colours("red") } });
  assert.equal((await world.check(head)).code, 4);
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  world.squash(head);
  assert.equal((await world.release()).code, 0);
  world.approve("jo", head); // too late to count for what is decided
  world.push({ files: { "clusters/prod/colours.yaml": colours("blue") }, signed: false });
  assert.equal((await world.release()).code, 1);
}

function colours(colour: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: colours, namespace: apps}\ndata: {colour: ${colour}}\n`;
}

test("replay decides every decision again, byte for byte, whatever came after and however the caches are", async (t) => {
  const world = (await shared).copy(t);
  await history(world);
  const size = await world.verifiedSize();
  const all = await replay(world, ["--target", "prod"]);
  assert.equal(all.code, 0, JSON.stringify(all.report, null, 2) + all.stderr);
  assert.deepEqual(replaySchema.parse(all.report).counts, { same: 4, different: 0, withheld: 0 });
  assert.deepEqual(
    all.report.decisions.map(({ verdict }) => [verdict.recorded, verdict.again]),
    [
      ["deny", "deny"],
      ["allow", "allow"],
      ["allow", "allow"],
      ["wait", "wait"],
    ],
  );
  assert.deepEqual(
    all.report.decisions[0]?.parts.map(({ name }) => name),
    ["approvals", "digests", "evidence", "findings", "objects", "reasons", "target", "verifications", "waivers"],
  );
  assert.equal(await world.verifiedSize(), size, "nothing is logged");
  const index = all.report.decisions[1]?.index ?? 0;
  const text = await world.sluice(["replay", `${index}`, "--config", "../gate.yaml"]);
  assert.match(
    text.stdout,
    /^same {7}prod {2}log \d+ {2}decision \w{10} {2}allow again, 9 of 9 parts byte for byte\n$/,
  );
});

test("replay says which part is not as it was when what gate.yaml demands has changed, and exits 1", async (t) => {
  const world = (await shared).copy(t);
  await history(world);
  world.configure("gate.yaml", ({ targets }) => {
    const { prod } = targets as { prod: object };
    return { targets: { prod: { ...prod, minimum: { approvals: 2 } } } };
  });
  const one = await replay(world, ["--target", "prod", "--last", "2"]);
  assert.equal(one.code, 1);
  const landed = one.report.decisions[1];
  assert.deepEqual([landed?.outcome, landed?.verdict], ["different", { recorded: "allow", again: "wait" }]);
  const different = landed?.parts.filter(({ outcome }) => outcome === "different").map(({ name }) => name);
  assert.deepEqual(different, ["approvals", "evidence", "reasons", "target"]);
});

test("replay withholds what was erased, refuses what was changed, and what is no decision", async (t) => {
  const world = (await shared).copy(t);
  await history(world);
  const { report } = await replay(world, ["--target", "prod"]);
  const [changed, erased] = report.decisions.map(({ index }) => index);
  const db = new DatabaseSync(world.path("data/log.db"));
  const row = (index = 0) => String(db.prepare("SELECT json FROM disclosures WHERE idx = ?").get(index)?.["json"]);
  const put = (index = 0, json = "") => db.prepare("UPDATE disclosures SET json = ? WHERE idx = ?").run(json, index);
  put(changed, row(changed).replaceAll("unsigned", "signedup"));
  const parts = JSON.parse(row(erased)) as Record<string, unknown>;
  put(erased, JSON.stringify({ ...parts, findings: null }));
  db.close();
  const withheld = await replay(world, [`${erased}`]);
  assert.deepEqual([withheld.code, withheld.report.decisions[0]?.outcome], [0, "withheld"], withheld.stderr);
  assert.equal(withheld.report.decisions[0]?.verdict.again, null);
  const forged = await replay(world, [`${changed}`]);
  assert.deepEqual([forged.code, forged.error], [3, "log-corrupt"]);
  const genesis = await replay(world, ["0"]);
  assert.deepEqual([genesis.code, genesis.error], [2, "replay-not-a-decision"]);
  assert.match(genesis.stderr, /Entry 0 is of kind genesis; only decisions are replayed\./);
  for (const wrong of [[], ["0", "--target", "prod"], ["x"], ["--target", "prod", "--last", "0"], ["999999"]])
    assert.notEqual((await replay(world, wrong)).code, 0, wrong.join(" "));
});
