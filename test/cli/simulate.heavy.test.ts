import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { type SimulationReport, simulatedSchema, simulationSchema } from "../../src/cli/reports/schemas/simulate.ts";
import { configMap, type Files, POLICIES, policy } from "../support/shop.ts";
import { type Answer, makeWorld, type World } from "../support/world.ts";

const NO_RED = policy(
  "no-red",
  `deny contains {"message": "red", "at": "/data"} if input.resource.object.data.colour == "red"`,
);
const WITH_NO_RED: Files = { ...POLICIES, "policies/no-red/policy.rego": NO_RED };

const shared = history();

/** Something denied, then something that waits, is allowed, landed by squash and released, and a landing that is denied. */
async function history(): Promise<World> {
  const world = await makeWorld({ after });
  const bad = { metadata: { name: "bad", namespace: "apps", labels: { bad: "yes" } } };
  const labelled = JSON.stringify({ ...(JSON.parse(configMap("bad")) as object), ...bad });
  assert.equal((await world.check(world.propose({ files: { "clusters/prod/bad.yaml": labelled } }))).code, 1);
  const head = world.propose({ files: { "clusters/prod/colours.yaml": configMap("colours", { colour: "red" }) } });
  assert.equal((await world.check(head)).code, 4);
  world.approve("lin", head);
  assert.equal((await world.check(head)).code, 0);
  world.squash(head);
  assert.equal((await world.release()).code, 0);
  const blue = configMap("colours", { colour: "blue" });
  world.push({ files: { "clusters/prod/colours.yaml": blue }, signed: false });
  assert.equal((await world.release()).code, 1);
  put(world, WITH_NO_RED);
  return world;
}

/** The policies to try, in a folder that no repository knows. */
function put(world: World, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(world.path(`next/${path}`)), { recursive: true });
    world.write(`next/${path}`, text ?? "");
  }
}

function simulate(world: World, args: readonly string[] = []): Promise<Answer<SimulationReport>> {
  const json = args.includes("--format") ? [] : ["--format", "json"];
  return world.sluice(["simulate", "--policies", "../next", "--config", "../gate.yaml", ...json, ...args]);
}

const turns = ({ decisions }: SimulationReport): readonly string[] =>
  decisions.map(({ subject, verdict: { was, wouldBe } }) => `${subject} ${was} ${wouldBe}`);

test("simulate says decision by decision and rule by rule what a new rule would change, and logs nothing", async (t) => {
  const world = (await shared).copy(t);
  const size = await world.verifiedSize();
  const { code, report, stderr } = await simulate(world, ["--since", "30d"]);
  assert.equal(code, 1, stderr);
  simulationSchema.parse(report);
  assert.deepEqual(report.counts, { decisions: 5, same: 2, changed: 3, notReplayed: 0 });
  assert.deepEqual(turns(report), ["proposed wait deny", "proposed allow deny", "landed allow deny"]);
  assert.deepEqual(report.verdicts, [
    { was: "allow", wouldBe: "deny", count: 2 },
    { was: "wait", wouldBe: "deny", count: 1 },
  ]);
  assert.deepEqual(report.rules, [{ rule: "no-red", appears: 3, disappears: 0, decisions: 3 }]);
  assert.deepEqual(
    report.decisions[1]?.appears.map(({ rule, kind, resource, message }) => [rule, kind, resource, message]),
    [["no-red", "deny", "ConfigMap/apps/colours", "red"]],
  );
  assert.deepEqual(report.decisions[1]?.disappears, []);
  assert.equal(report.authority, "preview");
  assert.equal(await world.verifiedSize(), size, "nothing is logged");
});

test("simulate shows a rule that is gone by the findings that disappear", async (t) => {
  const world = (await shared).copy(t);
  put(world, {
    "policies/bad-label/policy.rego": policy("bad-label", "deny := set()"),
    "policies/no-red/policy.rego": "package x\n",
  });
  const { code, stdout } = await simulate(world, ["--format", "text"]);
  assert.equal(code, 1);
  assert.match(stdout, /^SIMULATED \(preview\) {2}\.\.\/next, 4 rules, sha256:[0-9a-f]{12}, on what was decided from /);
  assert.match(
    stdout,
    /\nchanged {7}log \d+ {2}prod {2}proposed [0-9a-f]{7} {2}deny -> wait\n {14}- deny bad-label {2}ConfigMap\/apps\/bad {2}the label says so\n {14}reasons {2}approval-missing, policy-denied -> approval-missing\n/,
  );
  assert.match(stdout, /\nrule +appears +disappears +decisions\nbad-label +0 +1 +1\n/);
  assert.match(stdout, /\n5 decisions: 1 would change \(deny -> wait 1\), 4 the same, 0 not replayed\n$/);
});

test("simulate finds nothing to change with the policies that decided, and streams a line a decision", async (t) => {
  const world = (await shared).copy(t);
  put(world, { "policies/no-red/policy.rego": "package x\n" });
  const { code, stdout, stderr } = await simulate(world, ["--target", "prod", "--format", "ndjson"]);
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => simulatedSchema.parse(JSON.parse(line)));
  assert.deepEqual(
    lines.map(({ outcome, verdict: { was, wouldBe } }) => [outcome, was, wouldBe]),
    [
      ["same", "deny", "deny"],
      ["same", "wait", "wait"],
      ["same", "allow", "allow"],
      ["same", "allow", "allow"],
      ["same", "deny", "deny"],
    ],
  );
});

test("simulate names and counts what cannot be replayed, and never calls it the same", async (t) => {
  const world = (await shared).copy(t);
  put(world, { "policies/no-red/policy.rego": "package x\n" });
  const [first] = (await simulate(world, ["--format", "ndjson"])).stdout.split("\n");
  const { index } = simulatedSchema.parse(JSON.parse(first ?? ""));
  const db = new DatabaseSync(world.path("data/log.db"));
  const row = String(db.prepare("SELECT json FROM disclosures WHERE idx = ?").get(index)?.["json"]);
  const set = (json: string) => db.prepare("UPDATE disclosures SET json = ? WHERE idx = ?").run(json, index);
  set(JSON.stringify({ ...(JSON.parse(row) as Record<string, unknown>), findings: null }));
  const erased = await simulate(world);
  assert.equal(erased.code, 3, erased.stderr);
  assert.deepEqual(simulationSchema.parse(erased.report).counts, { decisions: 5, same: 4, changed: 0, notReplayed: 1 });
  assert.deepEqual(
    erased.report.unreplayed.map(({ code, count }) => [code, count]),
    [["entry-redacted", 1]],
  );
  set(row.replaceAll("bad-label", "bad-lapel"));
  const forged = await simulate(world);
  assert.deepEqual([forged.code, forged.error], [3, "log-corrupt"]);
  db.close();
});

test("simulate does not take what gate.yaml has changed for the work of the policies", async (t) => {
  const world = (await shared).copy(t);
  world.configure("gate.yaml", ({ targets }) => {
    const { prod } = targets as { prod: object };
    return { targets: { prod: { ...prod, minimum: { approvals: 2 } } } };
  });
  const { code, report } = await simulate(world);
  assert.equal(code, 3);
  assert.deepEqual(report.counts, { decisions: 5, same: 0, changed: 0, notReplayed: 5 });
  assert.match(report.unreplayed[0]?.message ?? "", /^Beside the policies this is not as it was: .*\btarget\b/);
  assert.deepEqual(
    report.unreplayed.map(({ code, count }) => [code, count]),
    [["replay-differs", 5]],
  );
  const text = await simulate(world, ["--format", "text"]);
  assert.match(
    text.stdout,
    /\nnot replayed {2}log \d+ {2}prod {2}proposed [0-9a-f]{7} {2}was deny\n {14}replay-differs {2}/,
  );
  assert.match(text.stdout, /0 the same, 5 not replayed \(replay-differs 5\)\n$/);
});

test("simulate asks nobody: policies that read what was not recorded are given it, or not replayed", async (t) => {
  const world = (await shared).copy(t);
  const rule = NO_RED.replace('data.colour == "red"', "data.colour in data.external.banned");
  put(world, { "policies/no-red/policy.rego": rule });
  const without = await simulate(world);
  assert.equal(without.code, 3, without.stderr);
  assert.deepEqual(
    without.report.unreplayed.map(({ code, count }) => [code, count]),
    [["external-not-recorded", 5]],
  );
  world.write("banned.json", '["red"]');
  const { code, report, stderr } = await simulate(world, ["--data", "banned=../banned.json"]);
  assert.equal(code, 1, stderr);
  assert.deepEqual(turns(report), ["proposed wait deny", "proposed allow deny", "landed allow deny"]);
});

test("simulate refuses an empty period, a period of no length, and policies that do not compile", async (t) => {
  const world = (await shared).copy(t);
  const before = await simulate(world, ["--since", "2026-01-01", "--until", "2026-01-02"]);
  assert.deepEqual([before.code, before.error], [2, "simulate-nothing"]);
  for (const wrong of [
    ["--since", "soon"],
    ["--since", "1d", "--until", "2d"],
    ["--format", "ndjson", "--format", "json"],
  ])
    assert.equal((await simulate(world, wrong)).error, "usage", wrong.join(" "));
  assert.equal((await world.sluice(["simulate", "--config", "../gate.yaml"])).error, "usage");
  put(world, { "policies/no-red/policy.rego": "package x\n\ndeny contains {" });
  const broken = await simulate(world);
  assert.deepEqual([broken.code, broken.error], [3, "policy-does-not-compile"]);
});
