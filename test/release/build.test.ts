import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRelease } from "../../src/release/build.ts";
import { holdDraft } from "../../src/release/holds.ts";
import { lastRelease, releaseOf } from "../../src/release/record.ts";
import { COMMIT, decisionDraft, openWorld, resource, resources, TREE } from "./world.ts";

const BY = { by: "sam", reason: "db migration" };

test("releases a landed, allowed, logged state as the next sequence", async (t) => {
  const world = await openWorld(t);
  const first = (await world.release(resources(3))).release;
  const second = (await world.release(resources(3, "b"))).release;
  assert.deepEqual([first.sequence, second.sequence], [1, 2]);
  assert.deepEqual(
    [first.commit, first.tree, first.origin, first.rollbackOf],
    [COMMIT, TREE, "gate.example/log", null],
  );
  const entry = await world.log.read(first.decision.index);
  assert.deepEqual(first.decision, { id: entry.leaf.id, index: entry.index, leafHash: entry.leafHash });
  assert.deepEqual(
    first.objects.map((object) => object.file),
    [0, 1, 2].map((at) => `_%43onfig%4dap_shop_web-${at}`),
  );
  assert.deepEqual((await lastRelease(world.log, "prod"))?.release, second);
});

test("refuses to release an allowed proposal", async (t) => {
  const world = await openWorld(t);
  const given = resources(1);
  const proposal = { base: COMMIT, head: COMMIT, judge: COMMIT, tree: TREE };
  const decisionIndex = await world.decide(given, { subject: proposal });
  await assert.rejects(world.build(given, { decisionIndex }), { code: "release-not-landed" });
  const both = await world.decide(given, { subject: { ...proposal, commit: COMMIT } });
  await assert.rejects(world.build(given, { decisionIndex: both }), { code: "release-not-landed" });
});

const NOT_ALLOWED = [
  ["a denied state", { verdict: "deny" }],
  ["a waiting state", { verdict: "wait" }],
  ["a state that could not be judged", { verdict: "error" }],
  ["an entry without a verdict", { verdict: null }],
  ["a dry run", { purpose: "dry-run" }],
  ["an observed decision", { purpose: "observe" }],
  ["an emergency entry", { kind: "emergency" }],
] as const;

test("refuses to release what is not a gate's allow", async (t) => {
  const world = await openWorld(t);
  for (const [what, change] of NOT_ALLOWED) {
    const decisionIndex = await world.decide(resources(1), change);
    await assert.rejects(world.build(resources(1), { decisionIndex }), { code: "release-not-allowed" }, what);
  }
});

test("refuses objects other than the judged ones: changed, added, removed, renamed, of another target", async (t) => {
  const world = await openWorld(t);
  const judged = resources(2);
  const decisionIndex = await world.decide(judged);
  const renamed = judged.map((one) => ({ ...one, id: { ...one.id, name: `${one.id.name}x` } }));
  for (const given of [resources(2, "b"), resources(3), resources(1), [], renamed]) {
    await assert.rejects(world.build(given, { decisionIndex }), { code: "release-objects-differ" });
  }
  await assert.rejects(world.build(judged, { decisionIndex, target: "staging" }), { code: "release-objects-differ" });
});

test("refuses a decision whose digests were redacted or do not match their commitment", async (t) => {
  const world = await openWorld(t);
  const index = await world.decide(resources(1), { disclosed: { findings: [] } });
  await assert.rejects(world.build(resources(1), { decisionIndex: index }), { code: "release-evidence-withheld" });
  const good = await world.log.read(await world.decide(resources(1)));
  const other = await world.log.read(await world.decide(resources(2)));
  for (const disclosed of [{ digests: null }, { digests: other.disclosed["digests"] ?? null }]) {
    const log = { ...world.log, origin: world.log.origin, read: async () => ({ ...good, disclosed }) };
    const request = { log, decisionIndex: good.index, target: "prod", repository: "shop", resources: resources(2) };
    await assert.rejects(buildRelease({ ...request, rollbackOf: null, permit: null, now: 0 }), {
      code: "release-evidence-withheld",
    });
  }
});

test("refuses a plain Secret whatever was decided, and passes SOPS ciphertext as bytes", async (t) => {
  const world = await openWorld(t);
  const sops = { mac: "ENC[AES256_GCM,data:bWFj,iv:YQ==,tag:Yg==,type:str]" };
  const cipher = "ENC[AES256_GCM,data:Zm9v,iv:YQ==,tag:Yg==,type:str]";
  for (const secret of [
    resource("Secret", "db", { stringData: { password: "hunter22" } }),
    resource("Secret", "db", { data: { password: "aHVudGVy" } }),
    resource("Secret", "db"),
    resource("Secret", "db", { sops, data: { a: cipher, b: "aHVudGVy" } }),
    resource("Secret", "db", { data: { a: cipher } }),
    resource("Secret", "db", { sops, data: { a: "ENC[X,data:hunter22]" } }),
    resource("Secret", "db", {
      sops,
      data: { a: cipher },
      metadata: {
        name: "db",
        namespace: "apps",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"aHVudGVyMjI="}}' },
      },
    }),
    resource("SecretList", "db", { items: [] }),
  ]) {
    await assert.rejects(world.build([secret, ...resources(1)]), { code: "release-plain-secret" });
  }
  const passed = await world.build([resource("Secret", "db", { sops, data: { a: cipher } }), ...resources(1)]);
  assert.equal(passed.objects.length, 2);
});

for (const scope of ["prod", "all", "repository:shop"]) {
  test(`releases nothing while ${scope} is held, and releases after it is resumed`, async (t) => {
    const world = await openWorld(t);
    await world.log.append(holdDraft("hold", { scope, ...BY }, null));
    await assert.rejects(world.build(resources(1)), { code: "release-held" });
    await world.log.append(holdDraft("resume", { scope, ...BY }, null));
    assert.equal((await world.build(resources(1))).sequence, 1);
  });
}

test("refuses a decision that is older than the one the last release rests on", async (t) => {
  const world = await openWorld(t);
  const older = await world.decide(resources(1));
  await world.release(resources(1, "b"));
  await assert.rejects(world.build(resources(1), { decisionIndex: older }), { code: "release-superseded" });
});

test("refuses an empty release without a permit for it", async (t) => {
  const world = await openWorld(t);
  await assert.rejects(world.build([]), { code: "release-empty" });
  await world.release(resources(1));
  await assert.rejects(world.build([], { permit: { prune: 100, empty: false } }), { code: "release-empty" });
  assert.equal((await world.build([], { permit: { prune: 0, empty: true } })).objects.length, 0);
});

test("refuses to prune more than 30 % without a permit, and more than the permit says", async (t) => {
  const world = await openWorld(t);
  await world.release(resources(10));
  assert.equal((await world.build(resources(7))).objects.length, 7);
  await assert.rejects(world.build(resources(6)), { code: "release-mass-prune" });
  await assert.rejects(world.build(resources(5), { permit: { prune: 40, empty: false } }), {
    code: "release-mass-prune",
  });
  assert.equal((await world.build(resources(6), { permit: { prune: 40, empty: false } })).objects.length, 6);
  const replaced = resources(6).concat(Array.from({ length: 9 }, (_, at) => resource("ConfigMap", `new-${at}`)));
  await assert.rejects(world.build(replaced), { code: "release-mass-prune" });
});

test("refuses more objects than a signed release can list", async (t) => {
  const world = await openWorld(t);
  const many = Array.from({ length: 5_000 }, (_, at) =>
    resource("ConfigMap", `${"a-name-that-is-long-".repeat(6)}${at}`),
  );
  await assert.rejects(world.build(many), { code: "release-too-large" });
  assert.equal((await world.build(many.slice(0, 3_000))).objects.length, 3_000);
});

test("refuses to go on from a release entry that no longer says what was released", async (t) => {
  const world = await openWorld(t);
  const change = { kind: "release", disclosed: { sequence: 1 }, subject: { commit: COMMIT, tree: TREE } } as const;
  await world.log.append(decisionDraft(resources(1), change));
  await assert.rejects(world.build(resources(1)), { code: "release-record-lost" });
});

test("a release entry with the text of another release says nothing", async (t) => {
  const world = await openWorld(t);
  await world.release(resources(1));
  await world.release(resources(2));
  const [second, first] = await world.log.find({ target: "prod", kinds: ["release"], order: "newest" });
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(releaseOf(second).release.sequence, 2);
  const disclosed = { ...second.disclosed, release: first.disclosed["release"] ?? null };
  assert.throws(() => releaseOf({ ...second, disclosed }), { code: "release-record-lost" });
});
