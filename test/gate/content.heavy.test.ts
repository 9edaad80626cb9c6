/** A proposal is denied for what its release would be refused for, before anybody merges it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configMap, document, type Files } from "../support/shop.ts";
import { onlyTarget, reasonCodes, type World } from "../support/world.ts";
import { land, makeGateWorld, propose } from "./gate-world.ts";

const [WEB, API, COLOURS] = ["web", "api", "colours"].map((name) => `clusters/prod/${name}.yaml`) as [
  string,
  string,
  string,
];
const EMPTY: Files = { [WEB]: null, [API]: null, [COLOURS]: null };
const MOST: Files = { [API]: null, [COLOURS]: null };
const SECRET: Files = {
  "clusters/prod/login.yaml": document({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace: "apps" },
    stringData: { password: "hunter22-hunter22" },
  }),
};
const UNTIL = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);

const base = await makeGateWorld({ after });

function permitting(permit: object): Promise<World> {
  const target = { approvals: { count: 0 }, permit: { ...permit, until: UNTIL } };
  return makeGateWorld({ after }, { target });
}

for (const [code, files] of [
  ["release-empty", EMPTY],
  ["release-mass-prune", MOST],
  ["release-plain-secret", SECRET],
] as const) {
  test(`a proposal, its preview and its landing are denied ${code}`, async (t) => {
    const world = base.copy(t);
    const head = world.propose({ files });
    const proposed = await propose(world, head);
    assert.deepEqual([proposed.verdict, proposed.reasons.map((one) => one.code)], ["deny", [code]]);
    const preview = await world.preview(head);
    assert.deepEqual([preview.code, reasonCodes(preview.report)], [1, [code]]);
    assert.deepEqual(onlyTarget(preview.report).reasons, proposed.reasons);
    assert.match(proposed.reasons[0]?.fix ?? "", code === "release-plain-secret" ? /SOPS/ : /permit: \{.*prod/);
    world.moveMain(head);
    assert.deepEqual(await land(world), [["deny", code, null]]);
    assert.deepEqual(world.files("channel/releases"), []);
  });
}

test("a permit that landed before lets exactly that much go", async () => {
  const half = await permitting({ prune: 70 });
  assert.equal((await propose(half, half.propose({ files: MOST }))).verdict, "allow");
  const { reasons } = await propose(half, half.propose({ files: EMPTY }));
  assert.deepEqual(
    reasons.map((one) => one.code),
    ["release-empty"],
  );
  const all = await permitting({ empty: true });
  const head = all.propose({ files: EMPTY });
  assert.equal((await propose(all, head)).verdict, "allow");
  all.moveMain(head);
  assert.equal((await land(all))[0]?.[0], "allow");
});

test("what is compared with is the last release, not the tip: two halves do not add up to all", async (t) => {
  const world = base.copy(t);
  world.push({ files: { "clusters/prod/one.yaml": configMap("one"), "clusters/prod/two.yaml": configMap("two") } });
  assert.deepEqual(await land(world), [["allow", "", null]]);
  world.push({ files: { [API]: null, "policies/broken.rego": "not rego" } });
  assert.equal((await land(world))[0]?.[0], "deny");
  const { reasons } = await propose(world, world.propose({ files: { [COLOURS]: null, "policies/broken.rego": null } }));
  assert.deepEqual(
    reasons.map((one) => one.code),
    ["release-mass-prune"],
  );
});

test("a file that cannot be rendered is no pruned object, and hides no Secret", async (t) => {
  const world = base.copy(t);
  const broken = { [API]: "kind: [\n", [COLOURS]: "kind: [\n" };
  const { reasons } = await propose(world, world.propose({ files: { ...broken, ...SECRET } }));
  assert.deepEqual([...new Set(reasons.map((one) => one.code))], ["release-plain-secret", "yaml-malformed"]);
});
