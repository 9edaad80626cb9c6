/** Invariant 5: a change never brings its own judge. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { configMap, deployment, document, type Files, policy, WEAKENED } from "../support/shop.ts";
import { makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const PRIVILEGED: Files = { [WEB]: deployment("web", { privileged: true }) };
const PLAIN: Files = { [WEB]: deployment("web", { replicas: 3 }) };
const STRICT: Files = {
  "policies/no-tabs.rego": policy(
    "two-at-least",
    `deny contains {"message": "two at least"} if input.resource.object.spec.replicas == 3`,
  ),
};

/** Nobody has to approve but where the invariant says so. */
const base = await makeWorld({ after }, { target: { approvals: { count: 0 } } });
const WAIVER = document([
  {
    rule: "no-privileged",
    target: "prod",
    resource: "Deployment/apps/web",
    reason: "kernel",
    owner: "ada",
    until: soon(),
  },
]);

function soon(): string {
  return new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
}

/** Lands by direct push and answers verdict, codes and sequence of each step that was judged. */
async function landed(world: World, files: Files, proposal: Parameters<World["push"]>[0] = {}) {
  world.push({ files, ...proposal });
  return released(world);
}

async function released(world: World) {
  const { report } = await world.release();
  return report.landed.map(({ check, release }) => [
    check.verdict,
    reasonCodes(check).join(" "),
    release?.sequence ?? null,
  ]);
}

test("a change that edits the policy which denies it is denied by the old one, in a preview and at the gate", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { ...PRIVILEGED, ...WEAKENED } });
  world.approve("lin", head);
  for (const { code, report } of [await world.preview(head), await world.check(head)]) {
    assert.deepEqual([code, reasonCodes(report)], [1, ["policy-denied"]]);
    assert.equal(onlyTarget(report).findings[0]?.rule, "no-privileged");
    assert.equal(report.judge, world.tip());
  }
});

test("a change that deletes every policy is denied by the old ones, and what it leaves could not judge", async (t) => {
  const world = base.copy(t);
  const paths = world.repo.git(["ls-tree", "-r", "--name-only", "HEAD", "policies"]).split("\n");
  const head = world.propose({ files: { ...PRIVILEGED, ...Object.fromEntries(paths.map((path) => [path, null])) } });
  world.approve("lin", head);
  const { report } = await world.check(head);
  assert.deepEqual(reasonCodes(report), ["new-judge-unusable", "policy-denied"]);
});

test("a key that the change itself adds to the trust folder verifies nothing in it", async (t) => {
  const world = base.copy(t);
  const people = { ...(world.trust()["people"] as object), mallory: world.person("mallory") };
  const head = world.propose({
    by: "mallory",
    files: { ...PLAIN, "trust/people.yaml": document(world.trust({ people })) },
  });
  const { report } = await world.check(head);
  assert.equal(report.verdict, "deny");
  assert.ok(reasonCodes(report).includes("unknown-signer"));
});

test("a rule of the target that the change itself loosens still holds for it", async (t) => {
  const world = base.copy(t);
  const prod = { branch: "main", path: "clusters/prod", signatures: { require: "none" }, mode: "observe" };
  const files = { ...PLAIN, "sluice.yaml": document({ version: 1, targets: { prod } }) };
  const { code, report } = await world.check(world.propose({ files, signed: false }));
  assert.deepEqual([code, report.verdict, onlyTarget(report).mode], [1, "deny", "enforce"]);
  assert.ok(reasonCodes(report).includes("unsigned-commit"));
});

test("a path that the change itself puts on the ignore list is still not covered", async (t) => {
  const world = base.copy(t);
  const targets = { prod: { branch: "main", path: "clusters/prod" } };
  const files = { "tools/run.sh": "true\n", "sluice.yaml": document({ version: 1, ignore: ["tools/**"], targets }) };
  assert.ok(reasonCodes((await world.check(world.propose({ files }))).report).includes("path-not-covered"));
});

test("a waiver does not judge the change that brings it, and judges the next one", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { ...PRIVILEGED, "waivers.yaml": WAIVER } });
  world.approve("lin", head);
  assert.deepEqual(reasonCodes((await world.check(head)).report), ["policy-denied"]);

  const alone = world.propose({ files: { "waivers.yaml": WAIVER } });
  world.approve("lin", alone);
  world.moveMain(alone);
  assert.deepEqual(await released(world), [["allow", "", 1]]);
  const next = await world.check(world.propose({ files: PRIVILEGED }));
  assert.deepEqual([next.code, onlyTarget(next.report).waivers.length], [0, 1]);
});

test("a change to each kind of governance file needs another person, also where nothing else needs one", async (t) => {
  const world = base.copy(t);
  const targets = { prod: { branch: "main", path: "clusters/prod", approvals: { count: 0 } } };
  const kinds: readonly Files[] = [
    STRICT,
    { "trust/people.yaml": document(world.trust({ robots: {} })) },
    { "waivers.yaml": WAIVER },
    { "sluice.yaml": document({ version: 1, ignore: ["*.txt"], targets }) },
    { ".github/workflows/ci.yaml": "on: push\n" },
  ];
  for (const files of kinds) {
    const { code, report } = await world.check(world.propose({ files }));
    assert.deepEqual([code, reasonCodes(report)], [4, ["governance-approval-missing"]], Object.keys(files)[0]);
  }
});

test("the author of a governance change cannot be the other person; somebody else can", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ by: "lin", files: STRICT });
  world.approve("lin", head);
  const own = await world.check(head);
  assert.deepEqual(
    [own.code, onlyTarget(own.report).approvals.ignored.map((one) => one.code)],
    [4, ["approval-by-author"]],
  );
  world.approve("jo", head);
  assert.equal((await world.check(head)).code, 0);
});

test("change: in the trust folder names who may change governance files", async (t) => {
  const world = await makeWorld(t, {
    target: { approvals: { count: 0 } },
    trust: { change: { count: 1, roles: ["security"] } },
  });
  const head = world.propose({ files: STRICT });
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 4);
  world.approve("jo", head);
  assert.equal((await world.check(head)).code, 0);
});

test("a branch cut before a stricter policy landed is judged by the stricter one", async (t) => {
  const world = base.copy(t);
  const before = world.propose({ files: PLAIN, branch: "early" });
  assert.equal((await world.check(before)).code, 0, "allowed by the old policy");
  const stricter = world.propose({ files: STRICT });
  world.approve("lin", stricter);
  world.moveMain(stricter);
  assert.deepEqual(await released(world), [["allow", "", 1]]);
  const after = await world.check(before);
  assert.deepEqual([after.code, reasonCodes(after.report), after.report.judge], [1, ["policy-denied"], stricter]);
  world.fetch();
  assert.equal((await world.preview(before)).code, 1, "a preview too");
});

test("in two steps, the first of which was not allowed, the second is still judged by the old policy", async (t) => {
  const world = base.copy(t);
  assert.deepEqual(await landed(world, WEAKENED), [["wait", "governance-approval-missing", null]]);
  const judged = await landed(world, PRIVILEGED);
  assert.equal(judged[0]?.[0], "deny");
  assert.ok(String(judged[0]?.[1]).includes("policy-denied"));
});

test("a harmless second step does not carry in what was refused about the first one", async (t) => {
  const world = base.copy(t);
  const refused = { ...WEAKENED, "tools/run.sh": "true\n" };
  assert.deepEqual(await landed(world, refused), [["deny", "governance-approval-missing path-not-covered", null]]);
  assert.deepEqual(await landed(world, PLAIN), [["deny", "governance-approval-missing path-not-covered", null]]);
  const proposal = await world.check(world.propose({ files: { [WEB]: deployment("web", { replicas: 5 }) } }));
  assert.deepEqual(reasonCodes(proposal.report), ["governance-approval-missing", "path-not-covered"]);
});

test("the judge moves with a landed and released governance change, and only then", async (t) => {
  const world = base.copy(t);
  const adopted = world.tip();
  const head = world.propose({ files: STRICT });
  world.approve("lin", head);
  assert.equal((await world.check(head)).report.judge, adopted);
  world.moveMain(head);
  assert.equal((await world.check(world.propose({ files: PLAIN }))).report.judge, adopted, "landed, not released yet");
  assert.deepEqual(await released(world), [["allow", "", 1]]);
  assert.equal((await world.check(world.propose({ files: PLAIN, branch: "later" }))).report.judge, head);
});

test("a rollback does not move the judge back", async (t) => {
  const world = base.copy(t);
  assert.deepEqual(await landed(world, { "clusters/prod/new.yaml": configMap("new") }), [["allow", "", 1]]);
  const head = world.propose({ files: STRICT });
  world.approve("lin", head);
  world.moveMain(head);
  assert.deepEqual(await released(world), [["allow", "", 2]]);
  const back = await world.rollback(1);
  assert.deepEqual([back.code, back.report.landed[0]?.check.judge], [0, head]);
  const next = await world.check(world.propose({ files: PLAIN }));
  assert.deepEqual([next.code, reasonCodes(next.report), next.report.judge], [1, ["policy-denied"], head]);
});

test("there is no trust on first use: nothing is judged before an operator adopts, and nobody adopts twice", async (t) => {
  const world = await makeWorld(t, { adopt: false });
  const head = world.propose({ files: PLAIN });
  assert.equal((await world.check(head)).error, "target-not-adopted");
  assert.equal((await world.release()).error, "target-not-adopted");
  assert.equal((await world.adopt()).code, 0);
  const again = await world.adopt();
  assert.deepEqual([again.code, again.error], [1, "target-adopted"]);
});

test("what the operator demands holds beside what the repository says: the stricter side wins", async (t) => {
  const world = base.copy(t);
  const prod = {
    branch: "main",
    path: "clusters/prod",
    mode: "observe",
    signatures: { require: "none" },
    approvals: { count: 0 },
  };
  const head = world.propose({ files: { "sluice.yaml": document({ version: 1, targets: { prod } }) } });
  world.approve("lin", head);
  world.moveMain(head);
  assert.deepEqual(await released(world), [["allow", "", 1]]);
  const unsigned = world.propose({ files: PLAIN, signed: false });
  assert.equal((await world.check(unsigned)).code, 0);
  world.configure("gate.yaml", (now) => {
    const { prod: target } = now["targets"] as { prod: object };
    return { targets: { prod: { ...target, minimum: { mode: "enforce", signatures: "every-commit", approvals: 2 } } } };
  });
  const { code, report } = await world.check(unsigned);
  assert.deepEqual(
    [code, onlyTarget(report).mode, reasonCodes(report)],
    [1, "enforce", ["approval-missing", "unsigned-commit"]],
  );
});
