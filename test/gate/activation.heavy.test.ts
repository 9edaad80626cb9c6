/** What judges from now on is in the log: with which digest, after which other one, and on whose word. Each time once. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { readGateYaml } from "../../src/config/gate-yaml.ts";
import { openActivations } from "../../src/gate/activation.ts";
import { adoptAgain } from "../../src/gate/adopt.ts";
import { readHistory } from "../../src/gate/history.ts";
import { judgeLandings } from "../../src/gate/landing.ts";
import { redactOpenLog } from "../../src/gate/redacting.ts";
import { retain } from "../../src/gate/retention.ts";
import type { Gate } from "../../src/gate/wiring.ts";
import { decodeUtf8 } from "../../src/lib/bytes.ts";
import type { JsonObject } from "../../src/lib/canonical.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import type { DecisionLog } from "../../src/log/decision-log.ts";
import type { EntryKind, LoggedEntry } from "../../src/log/entry.ts";
import { deployment, document, type Json, policy } from "../support/shop.ts";
import { makeWorld, type World } from "../support/world.ts";
import { land, makeGateWorld, rollback, withGate } from "./gate-world.ts";

const KINDS: readonly EntryKind[] = ["configuration-change", "trust-change", "policy-activation"];
const RULE = { "policies/new/policy.rego": policy("new-rule", "deny := set()") };
const base = await makeGateWorld({ after });

const entries = (world: World) => withGate(world, ({ log }) => log.find({ target: "prod", order: "oldest" }));
const activations = async (world: World) => (await entries(world)).filter(({ leaf }) => KINDS.includes(leaf.kind));
const said = ({ disclosed }: LoggedEntry, name: string) => disclosed[name]?.value as JsonObject;
const kinds = (all: readonly LoggedEntry[]) => all.map(({ leaf }) => leaf.kind);
const person = (one: string) => `person:${one}`;
/** gate.yaml with other keys of its target, or at its top. */
const operate = (world: World, target: Json, top: Json = {}) =>
  world.configure("gate.yaml", ({ targets }) => ({
    targets: { prod: { ...(targets as { prod: Json }).prod, ...target } },
    ...top,
  }));
const look = (gate: Gate) => judgeLandings(gate, "prod");

/** A change to files that judge, which lin approves. */
async function landGovernance(world: World, files: Readonly<Record<string, string | null>>): Promise<string> {
  const head = world.push({ files });
  world.approve("lin", head);
  assert.deepEqual(await land(world), [["allow", "", null]]);
  return head;
}

test("adoption puts the first judge in force, on an operator's word, in one transaction with its entry", async () => {
  const all = await entries(base);
  assert.deepEqual(kinds(all), ["genesis", ...KINDS]);
  const [genesis, configuration, trust, policies] = all as readonly [
    LoggedEntry,
    LoggedEntry,
    LoggedEntry,
    LoggedEntry,
  ];
  for (const [at, one] of [configuration, trust, policies].entries()) {
    assert.equal(one.leaf.previous, all[at]?.leafHash);
    assert.deepEqual(one.leaf.digests, genesis.leaf.digests);
    assert.deepEqual(one.leaf.subject, { judge: genesis.leaf.subject["commit"], tree: genesis.leaf.subject["tree"] });
    assert.deepEqual([said(one, "cause"), said(one, "operators")], [{ kind: "genesis", decision: null }, ["ops"]]);
    assert.doesNotMatch(decodeUtf8(one.bytes) ?? "", /ops|ada|SHA256:/);
  }
  assert.deepEqual(said(policies, "former"), { digest: null, index: null });
  assert.deepEqual(said(policies, "rules")[3], { id: "no-privileged", mode: "enforce" });
  assert.deepEqual(said(trust, "owners")["added"], ["forge:github", ...["ada", "jo", "lin", "max"].map(person)]);
  assert.equal(said(configuration, "demands")["mode"], "enforce");
});

test("a landed policy says the set that it replaces, who signed it and who approved, directly behind its release", async (t) => {
  const world = base.copy(t);
  const head = await landGovernance(world, RULE);
  const all = await entries(world);
  const [release, activated] = all.slice(-2) as [LoggedEntry, LoggedEntry];
  assert.deepEqual([release.leaf.kind, activated.leaf.kind], ["release", "policy-activation"]);
  assert.equal(activated.leaf.previous, release.leafHash);
  assert.equal(activated.leaf.subject["judge"], head);
  const former = all[3] as LoggedEntry;
  assert.deepEqual(said(activated, "former"), { digest: former.leaf.digests.policies, index: former.index });
  assert.notEqual(activated.leaf.digests.policies, former.leaf.digests.policies);
  const decision = all.at(-3) as LoggedEntry;
  assert.deepEqual(said(activated, "cause"), { kind: "release", decision: decision.index });
  assert.deepEqual(said(activated, "signers"), [{ person: "ada", class: "person", key: world.fingerprint("ada") }]);
  assert.deepEqual(said(activated, "approvers"), [
    { person: "lin", roles: ["platform"], key: world.fingerprint("lin") },
  ]);
  world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 5 }) } });
  await land(world);
  const last = (await entries(world)).at(-1) as LoggedEntry;
  assert.deepEqual([last.leaf.kind, last.leaf.digests.policies], ["release", activated.leaf.digests.policies]);
});

test("a squash says who signed the proposal that it carries", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: RULE });
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  world.squash(head);
  assert.deepEqual(await land(world), [["allow", "", "squash"]]);
  const activated = (await activations(world)).at(-1) as LoggedEntry;
  const signers = said(activated, "signers") as unknown as readonly { person: string; class: string }[];
  assert.deepEqual(
    signers.map((one) => `${one.class}:${one.person}`),
    ["forge:github", "person:ada"],
  );
});

test("a change of trust names who came, went, left and has other roles, with their keys, as commitments", async (t) => {
  const world = base.copy(t);
  const { people, ...rest } = world.trust() as { people: Record<string, Json> };
  const { jo: _, ...others } = people;
  const left = {
    ...others,
    max: { ...others["max"], left: "2026-10-01" },
    ada: world.person("ada", { roles: ["new"] }),
  };
  const kim = { email: ["kim@example.com"], keys: [world.publicKey("mallory")] };
  await landGovernance(world, { "trust/people.yaml": document({ people: { ...left, kim }, ...rest }) });
  const changed = (await activations(world)).slice(3);
  assert.deepEqual(kinds(changed), ["trust-change"]);
  const [entry] = changed as [LoggedEntry];
  assert.deepEqual(said(entry, "owners"), {
    added: [person("kim")],
    removed: [person("jo")],
    left: [person("max")],
    roles: [{ owner: person("ada"), was: [], is: ["new"] }],
    changed: [],
  });
  assert.deepEqual(said(entry, "keys"), {
    added: [{ owner: person("kim"), key: world.fingerprint("mallory") }],
    removed: [{ owner: person("jo"), key: world.fingerprint("jo") }],
    revoked: [],
  });
  assert.doesNotMatch(decodeUtf8(entry.bytes) ?? "", /kim|jo|max|SHA256:/);
  const terms = [{ kind: "person", value: "kim" }] as const;
  assert.equal((await withGate(world, ({ log }) => log.find({ terms })))[0]?.index, entry.index);
});

test("what changes no judge says nothing: objects, a rollback, a restart, a change that nobody approved", async (t) => {
  const world = base.copy(t);
  const web = (replicas: number) => ({ files: { "clusters/prod/web.yaml": deployment("web", { replicas }) } });
  world.push(web(3));
  assert.deepEqual(await land(world), [["allow", "", null]]);
  await landGovernance(world, RULE);
  assert.equal((await activations(world)).length, 4);
  assert.equal(await rollback(world, 1), "allow");
  await world.resume();
  world.push({ files: { "policies/new/policy.rego": null } });
  assert.deepEqual(await land(world), [["wait", "governance-approval-missing", null]]);
  await land(world);
  assert.equal((await activations(world)).length, 4);
});

test("what a hold keeps back is in force when it is released, with everybody who signed since", async (t) => {
  const world = base.copy(t);
  await world.hold();
  const head = world.push({ files: RULE });
  world.approve("lin", head);
  await assert.rejects(land(world), { code: "release-held" });
  assert.equal((await activations(world)).length, 3);
  await world.resume();
  const next = world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) }, by: "max" });
  world.approve("lin", next);
  await land(world);
  const [activated, ...more] = (await activations(world)).slice(3) as [LoggedEntry];
  const signers = said(activated, "signers") as unknown as readonly { person: string }[];
  assert.deepEqual([signers.map((one) => one.person).sort(), more], [["ada", "max"], []]);
});

/** The first so many that look at the newest policies all see what was there before any of them records something. */
function afterAllLooked(log: DecisionLog, count: number): DecisionLog {
  const all = Promise.withResolvers<void>();
  let looked = 0;
  return {
    ...log,
    latest: async (target, kinds) => {
      const found = await log.latest(target, kinds);
      if (!kinds.includes("policy-activation")) return found;
      looked += 1;
      if (looked === count) all.resolve();
      await all.promise;
      return found;
    },
  };
}

test("several looks at once, by one gate or by two on one log, record what gate.yaml changed once", async (t) => {
  const world = base.copy(t);
  operate(world, { minimum: { approvals: 1 } }, { revoked: [world.fingerprint("max")] });
  await withGate(world, async (gate) => {
    const { services, target, repository } = gate;
    const history = await readHistory(gate.log, "prod");
    const log = afterAllLooked(gate.log, 3);
    const means = { log, services, target, repository, configuration: () => gate.configuration };
    const gates = [1, 2, 3].map(() => openActivations(means));
    await Promise.all([...gates, ...gates].map((one) => one.record("prod", history)));
  });
  await withGate(world, look);
  const [configuration, trust, ...more] = (await activations(world)).slice(3) as [LoggedEntry, LoggedEntry];
  assert.deepEqual(
    [configuration.leaf.kind, trust.leaf.kind, more.length],
    ["configuration-change", "trust-change", 0],
  );
  assert.deepEqual(said(configuration, "cause"), { kind: "gate", decision: null });
  const first = (await entries(world))[1] as LoggedEntry;
  const { digest, gate } = said(configuration, "former");
  assert.deepEqual([digest, gate], [first.leaf.digests.configuration, said(first, "gate")]);
  assert.equal(configuration.leaf.digests.configuration, first.leaf.digests.configuration, "sluice.yaml is the same");
  assert.equal((said(configuration, "demands")["approvals"] as JsonObject)["count"], 1);
  assert.deepEqual(said(trust, "keys")["revoked"], [{ owner: person("max"), key: world.fingerprint("max") }]);
});

test("what cannot be read has not come into force, and is looked at again", async (t) => {
  const world = base.copy(t);
  operate(world, { minimum: { approvals: 1 } });
  await withGate(world, async (gate) => {
    const { log, services, target } = gate;
    const history = await readHistory(log, "prod");
    let isThere = false;
    const gone = new SluiceError("fetch-failed", "The repository is not there.");
    const repository = (name: string) => (isThere ? gate.repository(name) : Promise.reject(gone));
    const one = openActivations({ log, services, target, repository, configuration: () => gate.configuration });
    for (const count of [3, 4, 4]) {
      await one.record("prod", history);
      assert.equal(await log.count({ kinds: KINDS }), count);
      isThere = true;
    }
  });
});

test("another gate.yaml in a running gate is said before anything is judged by it, and taken back likewise", async (t) => {
  const world = base.copy(t);
  await withGate(world, async (gate) => {
    const before = gate.configuration;
    await look(gate);
    operate(world, {}, { revoked: [world.fingerprint("max")] });
    await gate.reconfigure(readGateYaml(world.path("gate.yaml")));
    world.push({ files: { "clusters/prod/web.yaml": deployment("web", { replicas: 4 }) } });
    await gate.repositories.refresh("shop");
    const [landed] = await look(gate);
    const [newest] = await gate.log.find({ kinds: ["trust-change"], limit: 1 });
    assert.equal(landed?.admitted.decision.digests.trust, newest?.leaf.digests.trust);
    assert.ok((newest?.index ?? 0) < (landed?.admitted.record?.index ?? -1));
    await gate.reconfigure(before);
    await look(gate);
  });
  const changed = (await activations(world)).slice(3);
  assert.deepEqual(kinds(changed), ["trust-change", "trust-change"]);
  const key = { owner: person("max"), key: world.fingerprint("max") };
  assert.deepEqual(
    changed.map((one) => said(one, "keys")),
    [
      { added: [], removed: [], revoked: [key] },
      { added: [key], removed: [], revoked: [] },
    ],
  );
});

test("a log of before there were such entries gets its first ones, once, and verifies", async (t) => {
  const world = await makeWorld(t, { adopt: false, target: { approvals: { count: 0 } } });
  const { leaf, disclosed } = (await entries(base))[0] as LoggedEntry;
  await withGate(world, async (gate) => {
    const { id: commit, tree } = await (await gate.repository("prod")).commit(world.tip());
    const values = Object.fromEntries(Object.entries(disclosed).map(([name, one]) => [name, one?.value ?? null]));
    const terms = [{ kind: "subject", value: "adopted" }] as const;
    await gate.log.append({ ...leaf, subject: { commit, tree }, disclosed: { ...values, after: commit }, terms });
  });
  for (const _ of [1, 2]) await withGate(world, look);
  const all = await entries(world);
  assert.deepEqual(kinds(all), ["genesis", ...KINDS]);
  for (const one of all.slice(1)) assert.deepEqual(said(one, "cause"), { kind: "gate", decision: null });
  await landGovernance(world, RULE);
  assert.equal((await activations(world)).length, 4);
  await world.verifiedSize();
});

test("adopting again names both operators; adopting what judges already puts nothing in force", async (t) => {
  const world = base.copy(t);
  const again = (by: string) =>
    withGate(world, (gate) => adoptAgain(gate, { target: "prod", at: null, reason: "the judge is broken", by }));
  await assert.rejects(again("sam"), { code: "second-operator-needed" });
  await again("jo");
  assert.equal((await activations(world)).length, 3);
  world.push({ files: RULE });
  await assert.rejects(again("sam"), { code: "second-operator-needed" });
  await again("jo");
  const [bypass, activated] = (await entries(world)).slice(-2) as [LoggedEntry, LoggedEntry];
  assert.deepEqual([bypass.leaf.kind, activated.leaf.kind], ["bypass", "policy-activation"]);
  assert.deepEqual([said(activated, "operators"), said(activated, "signers")], [["sam", "jo"], []]);
});

test("what was erased of gate.yaml's part is said anew once, and retention leaves it", async (t) => {
  const world = base.copy(t);
  const day = 24 * 60 * 60_000;
  await withGate(world, async ({ log }) => {
    await retain(log, { values: "1d", always: "0d" } as never, { clock: () => Date.now() + 9 * day, room: () => null });
    assert.equal((await log.read(1)).disclosed["operators"], null);
    assert.notEqual(said(await log.read(1), "gate"), undefined);
  });
  await withGate(world, look);
  assert.equal((await activations(world)).length, 3);
  await withGate(world, ({ log }) => {
    const wish = { query: { kinds: ["configuration-change"] }, entry: null, values: ["gate"], subject: null } as const;
    return redactOpenLog(log, { wish, request: { by: "ops", reason: "asked to" }, evenNeeded: true, dryRun: false });
  });
  for (const _ of [1, 2]) await withGate(world, look);
  assert.deepEqual(kinds((await activations(world)).slice(3)), ["configuration-change"]);
});
