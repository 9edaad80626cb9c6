/** Invariant 1: nothing passes by absence. Each kind of silence is a refusal with a code of its own. */
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { configMap, deployment, document, type Files, NO_POLICIES, policy } from "../support/shop.ts";
import { type Answer, makeWorld, onlyTarget, reasonCodes, type World } from "../support/world.ts";

const base = await makeWorld({ after }, { target: { approvals: { count: 0 } } });
const CHANGE: Files = { "clusters/prod/web.yaml": deployment("web", { replicas: 3 }) };

function refuses(answer: Answer<CheckReport>, codes: readonly string[], verdict: string, exitCode: number): void {
  assert.equal(answer.code, exitCode, answer.stderr);
  assert.equal(answer.report.verdict, verdict);
  assert.deepEqual(reasonCodes(answer.report), codes);
  for (const { message, fix } of onlyTarget(answer.report).reasons)
    assert.ok(message !== "" && fix !== null && fix !== "");
}

/** What a preview says about a harmless change when the landed state, which judges it, has these files. */
function judgedBy(world: World, files: Files, change: Files = CHANGE): Promise<Answer<CheckReport>> {
  world.push({ files });
  return world.preview(world.propose({ files: change }));
}

const absent = (files: Files): Files => Object.fromEntries(Object.keys(files).map((path) => [path, null]));

test("a judge without a policy is an error", async (t) => {
  refuses(await judgedBy(base.copy(t), NO_POLICIES), ["no-policies"], "error", 3);
});

test("a judge without a trust folder is an error", async (t) => {
  refuses(await judgedBy(base.copy(t), { "trust/people.yaml": null }), ["trust-missing"], "error", 3);
});

test("a judge without sluice.yaml is an error before anything is judged", async (t) => {
  const answer = await judgedBy(base.copy(t), { "sluice.yaml": null });
  assert.deepEqual([answer.code, answer.error, answer.stdout], [3, "configuration-absent", ""]);
});

test("a change that no rule selects is denied", async (t) => {
  const world = base.copy(t);
  const only = policy("cron-jobs", "deny := set()", ["match: {kinds: [CronJob]}"]);
  const answer = await judgedBy(world, { ...NO_POLICIES, "policies/cron.rego": only });
  refuses(answer, ["no-rule-evaluated"], "deny", 1);
  assert.deepEqual([onlyTarget(answer.report).rulesExpected, onlyTarget(answer.report).rulesEvaluated], [0, 0]);
});

test("a single object that no rule selects is listed, and denied where the target says so", async (t) => {
  const world = base.copy(t);
  const only = policy("deployments", "deny := set()", ["match: {kinds: [Deployment]}"]);
  const answer = await judgedBy(world, { ...NO_POLICIES, "policies/only.rego": only });
  assert.equal(answer.code, 0, answer.stderr);
  assert.deepEqual(onlyTarget(answer.report).unruled, ["ConfigMap/apps/colours"]);
  const targets = { prod: { branch: "main", path: "clusters/prod", unruled: "deny" } };
  refuses(await judgedBy(world, { "sluice.yaml": document({ version: 1, targets }) }), ["object-unruled"], "deny", 1);
});

test("a path that neither a target nor ignore covers is denied", async (t) => {
  const world = base.copy(t);
  const answer = await world.preview(
    world.propose({ files: { ...CHANGE, "tools/run.sh": "true\n", "NOTES.md": "x\n" } }),
  );
  refuses(answer, ["path-not-covered"], "deny", 1);
  assert.deepEqual(answer.report.ignored, ["NOTES.md"]);
});

test("a file that no renderer reads is denied, not passed over", async (t) => {
  const world = base.copy(t);
  const answer = await world.preview(world.propose({ files: { "clusters/prod/deploy.sh": "true\n" } }));
  refuses(answer, ["path-not-rendered"], "deny", 1);
});

test("a file that cannot be parsed is denied at its line", async (t) => {
  const world = base.copy(t);
  const answer = await world.preview(world.propose({ files: { "clusters/prod/web.yaml": "kind: [\n" } }));
  refuses(answer, ["yaml-malformed"], "deny", 1);
  assert.match(onlyTarget(answer.report).reasons[0]?.message ?? "", /^clusters\/prod\/web\.yaml:\d+:\d+ /);
});

test("an unknown key is refused in every configuration file", async (t) => {
  const world = base.copy(t);
  const targets = { prod: { branch: "main", path: "clusters/prod", signatuers: {} } };
  const judged = await judgedBy(world, { "sluice.yaml": document({ version: 1, targets }) });
  assert.deepEqual([judged.code, judged.error], [3, "configuration-invalid"]);
  assert.match(judged.stderr, /signatuers.*signatures/s);

  world.configure("gate.yaml", () => ({ revokd: [] }));
  const gate = await world.check("HEAD");
  assert.deepEqual([gate.code, gate.error], [2, "gate-configuration-invalid"]);
  world.configure("agent.yaml", () => ({ relaseKeys: [] }));
  const agent = await world.agent();
  assert.deepEqual([agent.code, agent.error], [2, "agent-configuration-invalid"]);
});

/** Which of the two bounds is reached first is a matter of the machine's speed; each stops the policy. */
async function refusesToWait(t: TestContext, files: Files): Promise<void> {
  const answer = await judgedBy(base.copy(t), files);
  const [code = ""] = reasonCodes(answer.report);
  assert.match(code, /^policy-(?:deadline|memory)$/);
  refuses(answer, [code], "error", 3);
}

test("a policy that never ends is stopped and is an error", async (t) => {
  const loop = policy(
    "loop",
    `deny contains {"message": "m"} if count([1 | some a in numbers.range(1, 40000); some b in numbers.range(1, 40000); a * b == -1]) > 0`,
  );
  await refusesToWait(t, { "policies/loop.rego": loop });
});

test("a policy that eats memory is stopped and is an error", async (t) => {
  const texts = Array.from({ length: 6 }, (_, n) => `t${n + 1} := concat("", [${Array(8).fill(`t${n}`).join(", ")}])`);
  const body = [
    `t0 := sprintf("%8192d", [input.version])`,
    ...texts,
    `deny contains {"message": "m"} if count(t6) == -1`,
  ];
  await refusesToWait(t, { "policies/eater.rego": policy("eater", body.join("\n")) });
});

test("a policy that answers garbage is an error", async (t) => {
  const garbage = policy("garbage", `deny contains "no" if input.resource`);
  refuses(await judgedBy(base.copy(t), { "policies/garbage.rego": garbage }), ["finding-malformed"], "error", 3);
});

test("a policy whose deny is undefined is an error, not an allow", async (t) => {
  const undefinedDeny = policy("undefined-deny", `deny := set() if input.resource.id.kind == "Job"`);
  const answer = await judgedBy(base.copy(t), { "policies/undefined.rego": undefinedDeny });
  refuses(answer, ["rules-missing"], "error", 3);
});

test("a rule that only observes records its finding and its failure, and leaves the verdict", async (t) => {
  const observing = ["mode: observe"];
  const answer = await judgedBy(base.copy(t), {
    "policies/seen.rego": policy("seen", `deny contains {"message": "seen"} if input.resource`, observing),
    "policies/broken.rego": policy("broken", `deny contains "garbage" if input.resource`, observing),
  });
  assert.equal(answer.code, 0, answer.stderr);
  const { verdict, reasons, findings, rulesExpected, rulesEvaluated } = onlyTarget(answer.report);
  assert.deepEqual([verdict, reasons], ["allow", []]);
  assert.equal(rulesEvaluated, rulesExpected);
  assert.deepEqual([...new Set(findings.map(({ rule, kind }) => `${rule} ${kind}`))].sort(), [
    "broken warn",
    "seen warn",
  ]);
});

test("a target that only observes changes the exit code, never the verdict, and never that of an error", async (t) => {
  const world = base.copy(t);
  const targets = { prod: { branch: "main", path: "clusters/prod", mode: "observe" } };
  world.push({ files: { "sluice.yaml": document({ version: 1, targets }) } });
  const denied = await world.preview(
    world.propose({ files: { "clusters/prod/web.yaml": deployment("web", { privileged: true }) } }),
  );
  assert.deepEqual([denied.code, denied.report.verdict, reasonCodes(denied.report)], [0, "deny", ["policy-denied"]]);
  const unusable = await judgedBy(world, NO_POLICIES);
  assert.deepEqual([unusable.code, unusable.report.verdict], [3, "error"]);
});

test("a change that would empty the target is denied before it lands, and again where it has landed", async (t) => {
  const world = base.copy(t);
  const paths = ["web", "api", "colours"].map((name) => `clusters/prod/${name}.yaml`);
  const head = world.propose({ files: absent(Object.fromEntries(paths.map((path) => [path, ""]))) });
  for (const answer of [await world.preview(head), await world.check(head)]) {
    refuses(answer, ["release-empty"], "deny", 1);
    assert.match(onlyTarget(answer.report).reasons[0]?.fix ?? "", /permit: \{empty: true/);
  }
  world.moveMain(head);
  const { code, report } = await world.release();
  assert.deepEqual([code, report.landed.map(({ check }) => reasonCodes(check))], [1, [["release-empty"]]]);
  assert.deepEqual(world.files("channel/releases"), []);
});

test("a target that nobody adopted has no judge, and a target that nobody configured is unknown", async (t) => {
  const world = await makeWorld(t, { adopt: false });
  const head = world.propose({ files: { "clusters/prod/new.yaml": configMap("new") } });
  const unadopted = await world.check(head);
  assert.deepEqual([unadopted.code, unadopted.error], [3, "target-not-adopted"]);
  assert.match(unadopted.stderr, /fix .*sluice adopt prod/);
  const unknown = await world.check(head, ["--target", "production"]);
  assert.deepEqual([unknown.code, unknown.error], [2, "target-unknown"]);
});
