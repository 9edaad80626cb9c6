/** Invariant 6: current trust decides; the receipt time is only the instant at which it is evaluated. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { deployment, document, type Files, type Json } from "../support/shop.ts";
import { makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const PLAIN: Files = { [WEB]: deployment("web", { replicas: 3 }) };
const base = await makeWorld({ after }, { target: { approvals: { count: 0 } } });

/** Lands a trust folder that differs by these people, approved by lin. */
async function landTrust(world: World, people: Json): Promise<void> {
  const all = { ...(world.trust()["people"] as Json), ...people };
  const kept = Object.fromEntries(Object.entries(all).filter(([, person]) => person !== null));
  const head = world.propose({ by: "jo", files: { "trust/people.yaml": document(world.trust({ people: kept })) } });
  world.approve("lin", head);
  world.moveMain(head);
  const { report, code } = await world.release();
  assert.equal(code, 0, JSON.stringify(report));
}

function keyTerms(world: World, terms: Json): Json {
  return world.person("ada", { keys: [{ ssh: world.publicKey("ada"), ...terms }] });
}

const DAY_MS = 86_400_000;
const day = (offset: number): string => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);

/** The gate's and a preview's word about a commit: verdict and reasons are the same. */
async function judged(world: World, head: string) {
  world.fetch();
  const [gate, preview] = [await world.check(head), await world.preview(head)];
  assert.deepEqual(reasonCodes(preview.report), reasonCodes(gate.report));
  const { kind, reason, signer } = gate.report.verifications.at(-1) ?? assert.fail("no verification");
  return {
    verdict: gate.report.verdict,
    codes: reasonCodes(gate.report),
    kind,
    reason,
    person: signer?.person ?? null,
  };
}

test("a person who was removed verifies nothing new", async (t) => {
  const world = base.copy(t);
  const early = world.propose({ files: PLAIN, branch: "early" });
  assert.equal((await world.check(early)).code, 0);
  await landTrust(world, { ada: null });
  const late = world.propose({ files: PLAIN, branch: "late" });
  for (const head of [early, late]) {
    assert.deepEqual(await judged(world, head), {
      verdict: "deny",
      codes: ["unknown-signer"],
      kind: "rejected",
      reason: "unknown-signer",
      person: null,
    });
  }
});

test("a person who left verifies nothing new, and old signatures still show the name", async (t) => {
  const world = base.copy(t);
  await landTrust(world, { ada: world.person("ada", { left: day(-1) }) });
  const { codes, reason, person } = await judged(world, world.propose({ files: PLAIN }));
  assert.deepEqual([codes, reason, person], [["signer-left"], "signer-left", "ada"]);
});

test("a removed person's approval counts no longer", async (t) => {
  const world = await makeWorld(t);
  const head = world.propose({ files: PLAIN });
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  const people = { ...(world.trust()["people"] as Json), max: world.person("max", { roles: ["platform"] }) };
  const trust = world.trust({ people: Object.fromEntries(Object.entries(people).filter(([name]) => name !== "lin")) });
  const change = world.propose({ by: "jo", files: { "trust/people.yaml": document(trust) } });
  world.approve("lin", change);
  world.moveMain(change);
  assert.equal((await world.release()).code, 0);
  const { code, report } = await world.check(head);
  assert.deepEqual([code, reasonCodes(report), onlyTarget(report).approvals.given], [4, ["approval-missing"], []]);
});

test("a key that gate.yaml takes away counts at once for commits, also for those seen before", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: PLAIN });
  assert.equal((await world.check(head)).code, 0);
  world.configure("gate.yaml", () => ({ revoked: [world.fingerprint("ada")] }));
  const { code, report } = await world.check(head);
  assert.deepEqual([code, reasonCodes(report)], [1, ["key-revoked"]]);
});

test("a key that gate.yaml takes away after the proposal was allowed lends the landing nothing", async (t) => {
  const world = await makeWorld(t);
  const head = world.propose({ files: PLAIN });
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  world.squash(head);
  world.configure("gate.yaml", () => ({ revoked: [world.fingerprint("lin")] }));
  const { code, report } = await world.release();
  const [landed] = report.landed;
  assert.deepEqual([code, landed?.release, landed?.check.targets[0]?.carried], [1, null, null]);
  assert.deepEqual(reasonCodes(landed?.check ?? assert.fail()), ["approval-missing", "merge-not-judged"]);
});

test("a wrong fingerprint among those taken away stops the gate's verdicts instead of taking away nothing", async (t) => {
  const world = base.copy(t);
  world.configure("gate.yaml", () => ({ revoked: ["0xDEADBEEF"] }));
  const { code, report } = await world.check(world.propose({ files: PLAIN }));
  assert.deepEqual(
    [code, reasonCodes(report), onlyTarget(report).decision === null],
    [3, ["revoked-key-invalid"], false],
  );
});

test("a commit back-dated into the life of an expired key is refused", async (t) => {
  const world = base.copy(t);
  await landTrust(world, { ada: keyTerms(world, { from: day(-300), until: day(-100) }) });
  const seconds = Math.floor((Date.now() - 200 * DAY_MS) / 1000);
  const { codes, reason } = await judged(world, world.propose({ files: PLAIN, seconds }));
  assert.deepEqual([codes, reason], [["time-not-proven"], "time-not-proven"]);
});

test("a key that is not valid yet verifies nothing, whatever the commit's date says", async (t) => {
  const world = base.copy(t);
  await landTrust(world, { ada: keyTerms(world, { from: day(100) }) });
  const seconds = Math.floor((Date.now() + 200 * DAY_MS) / 1000);
  assert.deepEqual((await judged(world, world.propose({ files: PLAIN, seconds }))).codes, ["key-not-yet-valid"]);
});

test("a branch cut before a revocation is judged by the revocation", async (t) => {
  const world = base.copy(t);
  const early = world.propose({ files: PLAIN, branch: "early" });
  assert.equal((await world.check(early)).code, 0);
  await landTrust(world, { ada: keyTerms(world, { revoked: { at: day(-1), reason: "compromised" } }) });
  assert.deepEqual((await judged(world, early)).codes, ["key-revoked"]);
});

test("a compromised key verifies nothing, however long before the revocation a commit was seen", async (t) => {
  const world = base.copy(t);
  const early = world.propose({ files: PLAIN, branch: "early" });
  assert.equal((await world.check(early)).code, 0);
  await landTrust(world, { ada: keyTerms(world, { revoked: { at: day(20), reason: "compromised" } }) });
  assert.deepEqual((await judged(world, early)).codes, ["key-revoked"]);
});

test("a key that was only replaced keeps what the gate had seen before, and nothing that it sees later", async (t) => {
  const world = base.copy(t);
  const early = world.propose({ files: PLAIN, branch: "early" });
  assert.equal((await world.check(early)).code, 0, "the receipt is logged");
  const replaced = new Date().toISOString();
  await landTrust(world, { ada: keyTerms(world, { revoked: { at: replaced, reason: "superseded" } }) });
  const seen = await world.check(early);
  assert.deepEqual([seen.code, seen.report.verifications.at(-1)?.timeBasis], [0, "receipt"]);
  const backdated = Math.floor((Date.now() - 30 * DAY_MS) / 1000);
  const late = await world.check(world.propose({ files: PLAIN, branch: "late", seconds: backdated }));
  assert.deepEqual([late.code, reasonCodes(late.report)], [1, ["key-revoked"]]);
  const preview = await world.preview(early);
  assert.deepEqual(
    [preview.code, preview.report.verifications.at(-1)?.timeBasis],
    [1, "now"],
    "a preview has seen nothing before",
  );
});
