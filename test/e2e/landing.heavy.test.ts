/** From a proposal to a release, on every road by which a change lands and every one by which it must not. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configMap, deployment, document, type Files } from "../support/shop.ts";
import { type Answer, type Landings, makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const web = (replicas: number): Files => ({ [WEB]: deployment("web", { replicas }) });
const base = await makeWorld({ after });
/** Nobody has to approve. */
const free = await makeWorld({ after }, { target: { approvals: { count: 0 } } });

/** What was said of each landed commit: verdict, codes, sequence of its release. */
function steps({ report }: Answer<Landings>) {
  return report.landed.map(({ check, release }) => [
    check.verdict,
    reasonCodes(check).join(" "),
    release?.sequence ?? null,
  ]);
}

/** A proposal that lin approved and the gate allowed. */
async function allowed(world: World, files: Files): Promise<string> {
  const head = world.propose({ files });
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  return head;
}

async function pushAndRelease(world: World, proposal: Parameters<World["push"]>[0]): Promise<Answer<Landings>> {
  world.push(proposal);
  return world.release();
}

test("an allowed proposal releases nothing until it has landed", async (t) => {
  const world = base.copy(t);
  await allowed(world, web(3));
  const { code, report } = await world.release();
  assert.deepEqual([code, report.landed, report.current], [0, [], null]);
  assert.deepEqual(world.files("channel/releases"), []);
});

test("a squash by the forge carries the verdict and the approvals of the proposal", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  assert.equal((await world.approveByCommand("lin", head)).code, 0);
  assert.equal((await world.check(head)).code, 0);
  const landed = world.squash(head);
  const answer = await world.release();
  assert.deepEqual([answer.code, steps(answer)], [0, [["allow", "", 1]]]);
  const [step] = answer.report.landed;
  const { carried, approvals } = onlyTarget(step?.check ?? assert.fail());
  assert.deepEqual(
    [carried?.how, approvals.given.map((one) => one.person), step?.release?.commit],
    ["squash", ["lin"], landed],
  );
  assert.deepEqual((await world.release()).report.landed, [], "a second time there is nothing new");
});

test("the merge button carries it too, and every commit that it brings was verified", async (t) => {
  const world = base.copy(t);
  world.propose({ files: web(3), branch: "two" });
  const head = world.commit({ files: web(4), branch: "two" });
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  world.merge(head);
  const answer = await world.release();
  assert.deepEqual(steps(answer), [["allow", "", 1]]);
  const { check } = answer.report.landed[0] ?? assert.fail();
  assert.deepEqual([check.verifications.length, onlyTarget(check).carried?.how], [3, "merge"]);
});

test("a merge that brings other commits than the allowed ones is not carried, be the tree the same", async (t) => {
  const world = free.copy(t);
  const head = world.propose({ files: web(3) });
  assert.equal((await world.check(head)).code, 0);
  const twin = world.propose({ files: web(3), by: "max" });
  assert.equal(world.treeOf(twin), world.treeOf(head));
  world.merge(twin);
  const answer = await world.release();
  assert.deepEqual([answer.code, steps(answer)], [1, [["deny", "merge-not-judged", null]]]);
});

test("a signed commit that is pushed directly is judged and released with its approval", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: web(3) });
  world.approve("lin", head);
  world.moveMain(head);
  const answer = await world.release();
  assert.deepEqual(steps(answer), [["allow", "", 1]]);
  assert.equal(onlyTarget(answer.report.landed[0]?.check ?? assert.fail()).carried, null);
});

test("a signed commit that is pushed without approval waits, and is released once it has one", async (t) => {
  const world = base.copy(t);
  const head = world.push({ files: web(3) });
  const waiting = await world.release();
  assert.deepEqual([waiting.code, steps(waiting)], [4, [["wait", "approval-missing", null]]]);
  world.approve("lin", head);
  assert.deepEqual(steps(await world.release()), [["allow", "", 1]]);
});

test("when the base has moved, neither verdict nor approval of before is carried", async (t) => {
  const world = base.copy(t);
  const head = await allowed(world, web(3));
  assert.deepEqual(steps(await world.land({ "clusters/prod/new.yaml": configMap("new") })), [["allow", "", 1]]);
  const again = await world.check(head);
  const { reasons, approvals } = onlyTarget(again.report);
  assert.deepEqual([again.code, reasons.map((one) => one.code)], [4, ["approval-missing"]]);
  assert.equal(approvals.given.length, 0);
  world.squash(head);
  const unjudged = await world.release();
  assert.deepEqual([unjudged.code, steps(unjudged)], [1, [["deny", "approval-missing merge-not-judged", null]]]);
});

test("an approval that is bound to the change survives a moved base", async (t) => {
  const approvals = { count: 1, roles: ["platform"], bind: "change" };
  const world = await makeWorld(t, { target: { approvals } });
  const head = world.propose({ files: web(3) });
  await world.approveByCommand("lin", head);
  assert.equal((await world.check(head)).code, 0);
  const other = world.propose({ files: { "clusters/prod/new.yaml": configMap("new") } });
  await world.approveByCommand("lin", other);
  world.moveMain(other);
  assert.deepEqual(steps(await world.release()), [["allow", "", 1]]);
  assert.equal((await world.check(head)).code, 0);
  world.squash(head);
  assert.deepEqual(steps(await world.release()), [["allow", "", 2]]);
});

test("a squash whose content was edited is not judged by anybody; an approval of what landed is the remedy", async (t) => {
  const world = base.copy(t);
  const head = await allowed(world, web(3));
  const edited = world.propose({ files: web(9) });
  const landed = world.squash(head, { tree: world.treeOf(edited) });
  const denied = await world.release();
  assert.deepEqual([denied.code, steps(denied)], [1, [["deny", "approval-missing merge-not-judged", null]]]);
  const reason = onlyTarget(denied.report.landed[0]?.check ?? assert.fail()).reasons.at(-1);
  assert.match(reason?.fix ?? "", /sluice approve [0-9a-f]{7} --target prod/);
  world.approve("lin", landed);
  const answer = await world.release();
  assert.deepEqual([answer.code, steps(answer)], [0, [["allow", "", 1]]]);
  assert.equal((await world.agent()).code, 0);
  assert.match(world.read("www/apps_%44eployment_apps_web"), /"replicas":9/);
});

test("a squash that a stranger signed, or nobody, carries nothing", async (t) => {
  for (const by of ["mallory", null] as const) {
    const world = base.copy(t);
    world.squash(await allowed(world, web(3)), { by });
    const answer = await world.release();
    assert.deepEqual([answer.code, steps(answer)[0]?.[2]], [1, null]);
    assert.match(String(steps(answer)[0]?.[1]), by === null ? /unsigned-commit/ : /unknown-signer/);
  }
});

test("a rewritten branch is not-fast-forward until something descends from the release again", async (t) => {
  const world = free.copy(t);
  const start = world.tip();
  assert.deepEqual(steps(await pushAndRelease(world, { files: web(3) })), [["allow", "", 1]]);
  const first = world.tip();
  const rewritten = world.propose({ from: start, files: web(4) });
  world.moveMain(rewritten);
  const denied = await world.release();
  assert.deepEqual([denied.code, steps(denied)], [1, [["deny", "not-fast-forward", null]]]);
  world.moveMain(world.propose({ from: first, files: web(5) }));
  const answer = await world.release();
  assert.deepEqual([answer.code, steps(answer).at(-1)], [0, ["allow", "", 2]]);
});

test("two landings are two decisions, oldest first, each released", async (t) => {
  const world = free.copy(t);
  world.push({ files: web(3) });
  world.push({ files: web(4) });
  assert.deepEqual(steps(await world.release()), [
    ["allow", "", 1],
    ["allow", "", 2],
  ]);
});

test("a rollback is a new release; the abandoned tip stays unreleased until somebody resumes", async (t) => {
  const world = free.copy(t);
  await pushAndRelease(world, { files: web(3) });
  await pushAndRelease(world, { files: web(4) });
  const back = await world.rollback(1);
  assert.deepEqual([back.code, steps(back)], [0, [["allow", "", 3]]]);
  assert.equal(back.report.landed[0]?.release?.rollbackOf, 1);
  assert.equal((await world.agent()).code, 0);
  assert.match(world.read("www/apps_%44eployment_apps_web"), /"replicas":3/);
  assert.deepEqual((await world.release()).report.landed, []);
  assert.equal((await world.resume()).code, 0);
  assert.deepEqual(steps(await world.release()), [["allow", "", 4]]);
  assert.equal((await world.agent()).code, 0);
  assert.match(world.read("www/apps_%44eployment_apps_web"), /"replicas":4/);
});

test("after a rollback a newer commit is released without anybody resuming", async (t) => {
  const world = free.copy(t);
  await pushAndRelease(world, { files: web(3) });
  await pushAndRelease(world, { files: web(4) });
  await world.rollback(1);
  assert.deepEqual(steps(await pushAndRelease(world, { files: web(5) })), [["allow", "", 4]]);
});

test("a rollback needs a sequence that exists", async (t) => {
  const world = free.copy(t);
  const { code, error, stderr } = await world.rollback(900);
  assert.deepEqual([code, error], [2, "release-unknown"]);
  assert.match(stderr, /fix .*sluice log list/);
});

test("under a hold what landed is judged and logged but not released, until it is resumed", async (t) => {
  const world = free.copy(t);
  assert.equal((await world.hold()).code, 0);
  const before = await world.verifiedSize();
  const held = await pushAndRelease(world, { files: web(3) });
  assert.deepEqual([held.code, held.error], [4, "release-held"]);
  assert.match(held.stderr, /fix .*sluice resume/);
  assert.ok((await world.verifiedSize()) > before, "the decision is recorded");
  assert.equal((await world.resume()).code, 0);
  assert.deepEqual(steps(await world.release()), [["allow", "", 1]]);
});

test("a hold of the repository or of everything holds the target, and resuming the target does not end it", async (t) => {
  const world = free.copy(t);
  assert.equal((await world.hold("repository:shop")).code, 0);
  assert.equal((await world.hold("all")).code, 0);
  world.push({ files: web(3) });
  for (const [scope, code, error] of [
    ["prod", 2, "nothing-held"],
    ["all", 0, null],
  ] as const) {
    const resumed = await world.resume(scope);
    assert.deepEqual([resumed.code, resumed.error], [code, error]);
    assert.equal((await world.release()).error, "release-held", scope);
  }
  assert.equal((await world.resume("repository:shop")).code, 0);
  assert.deepEqual(steps(await world.release()), [["allow", "", 1]]);
});

test("a hold of a scope that nothing bears is refused", async (t) => {
  const { code, error } = await free.copy(t).hold("prodd");
  assert.deepEqual([code, error], [2, "target-unknown"]);
});

const prod = (permit: object): Files => {
  const target = { branch: "main", path: "clusters/prod", approvals: { count: 0 }, permit };
  return { "sluice.yaml": document({ version: 1, targets: { prod: target } }) };
};
const UNTIL = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
const PRUNED: Files = { "clusters/prod/api.yaml": null, "clusters/prod/colours.yaml": null };

async function landPermit(world: World, permit: object): Promise<void> {
  const head = world.propose({ files: prod({ ...permit, until: UNTIL }) });
  world.approve("lin", head);
  world.moveMain(head);
  assert.equal((await world.release()).code, 0);
}

test("a release that removes most objects is refused, also with a permit in the same change", async (t) => {
  const world = free.copy(t);
  assert.deepEqual(steps(await pushAndRelease(world, { files: web(3) })), [["allow", "", 1]]);
  const head = world.propose({ files: { ...PRUNED, ...prod({ prune: 90, until: UNTIL }) } });
  world.approve("lin", head);
  world.moveMain(head);
  const refused = await world.release();
  assert.deepEqual([refused.code, steps(refused)], [1, [["deny", "release-mass-prune", null]]]);
  const [reason] = refused.report.landed[0]?.check.targets[0]?.reasons ?? [];
  assert.match(`${reason?.message} ${reason?.fix}`, /2 of 3 objects.*permit/);
  assert.deepEqual(steps(await world.release()), [["deny", "release-mass-prune", null]], "nor does asking again");
});

test("a permit that landed before lets exactly that much go", async (t) => {
  const world = free.copy(t);
  await landPermit(world, { prune: 70 });
  assert.deepEqual(steps(await pushAndRelease(world, { files: PRUNED })), [["allow", "", 2]]);
  const emptied = await pushAndRelease(world, { files: { [WEB]: null } });
  assert.deepEqual([emptied.code, steps(emptied)], [1, [["deny", "release-empty", null]]]);
});

test("emptying a target needs a permit that says so, and the agent then removes what it applied", async (t) => {
  const world = free.copy(t);
  await landPermit(world, { prune: 100, empty: true });
  assert.equal((await world.agent()).code, 0);
  assert.ok(world.files("www").includes("www/apps_%44eployment_apps_web"));
  assert.deepEqual(steps(await pushAndRelease(world, { files: { ...PRUNED, [WEB]: null } })), [["allow", "", 2]]);
  assert.equal((await world.agent()).code, 0);
  assert.deepEqual(
    world.files("www").filter((path) => !path.includes(".sluice")),
    [],
  );
});

test("a denied commit stays in every later range until enough people approve what stands there now", async (t) => {
  const world = base.copy(t);
  assert.deepEqual(steps(await pushAndRelease(world, { files: web(3), signed: false })), [
    ["deny", "approval-missing unsigned-commit", null],
  ]);
  const next = world.push({ files: web(4) });
  world.approve("lin", next);
  const still = await world.release();
  assert.deepEqual([still.code, steps(still)], [1, [["deny", "unsigned-commit", null]]]);
  world.approve("jo", next);
  assert.deepEqual(steps(await world.release()), [["allow", "", 1]]);
});

test("what agents report becomes part of the log and of the answer to why", async (t) => {
  const world = base.copy(t);
  assert.equal((await world.land(web(3))).code, 0);
  assert.equal((await world.agent()).code, 0);
  assert.equal((await world.signHead()).code, 0);
  const { report } = await world.log<{ count: number }>(["list", "--kind", "applied"]);
  assert.equal(report.count, 1);
  const why = await world.sluice(["log", "why", "Deployment/apps/web", "--target", "prod", "--config", "../gate.yaml"]);
  assert.equal(why.code, 0, why.stderr);
  for (const word of ["prod-1", "lin", "ada", "#1"]) assert.ok(why.stdout.includes(word), `${word} in ${why.stdout}`);
});
