/** Invariant 7: same evidence, same decision, byte for byte. (`sluice replay` is not there yet: decide() is asked again.) */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { decide } from "../../src/decision/decide.ts";
import type { Decision, Evidence } from "../../src/decision/decision.ts";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { canonicalJson, type JsonValue } from "../../src/lib/canonical.ts";
import { configMap, deployment, type Files, type Json, policy } from "../support/shop.ts";
import { makeWorld, onlyTarget, type World } from "../support/world.ts";

const CLOCK = policy(
  "clock",
  `warn contains {"message": sprintf("judged at %d", [time.now_ns()])} if input.resource.object.kind == "ConfigMap"`,
);
const SENDER = policy(
  "sender",
  `deny contains {"message": "m"} if http.send({"method": "get", "url": "http://127.0.0.1/"})`,
);
const MANY = policy(
  "many",
  `deny contains {"message": sprintf("%s %s", [key, value])} if some key, value in input.resource.object.metadata.labels`,
);
const base = await makeWorld({ after }, { files: { "policies/many.rego": MANY } });
const labels = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`label-${(n * 7) % 20}`, `value-${n}`]));

/** Changes that come to each of the four verdicts and touch every part of the evidence. */
const CHANGES: Readonly<Record<string, Files>> = {
  wait: { "clusters/prod/web.yaml": deployment("web", { replicas: 1 }), "NOTES.md": "x\n" },
  deny: {
    "clusters/prod/web.yaml": deployment("web", { labels, privileged: true }),
    "tools/x": "x\n",
    "clusters/prod/new.yaml": "a: [",
  },
  governed: { "policies/more.rego": policy("more", "deny := set()"), "clusters/prod/new.yaml": configMap("new") },
};

/** Durations are no part of a decision. */
function withoutTimings(report: object): string {
  const { timings: _, ...rest } = report as Json;
  return canonicalJson(rest as JsonValue);
}

/** In a preview every key is judged as of now: that instant is an input of policies, and so in its digest. */
function withoutNow(report: CheckReport): string {
  const targets = report.targets.map(({ digests: { input: _, ...digests }, ...target }) => ({ ...target, digests }));
  return withoutTimings({ ...report, targets });
}

for (const [name, files] of Object.entries(CHANGES)) {
  test(`a preview run twice says the same bytes: ${name}`, async (t) => {
    const world = base.copy(t);
    const head = world.propose({ files });
    const [first, second] = [await world.preview(head), await world.preview(head)];
    assert.equal(withoutNow(second.report), withoutNow(first.report));
    assert.ok(onlyTarget(first.report).reasons.length > 0);
  });
}

test("a gate asked twice says the same bytes, the digest of its policy input too, under two numbers", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: CHANGES["wait"] ?? {} });
  const [first, second] = [(await world.check(head)).report, (await world.check(head)).report];
  assert.equal(onlyTarget(second).digests.input, onlyTarget(first).digests.input);
  const numberless = (report: CheckReport) => ({ ...report, targets: [{ ...onlyTarget(report), decision: null }] });
  assert.equal(withoutTimings(numberless(second)), withoutTimings(numberless(first)));
  assert.notEqual(onlyTarget(second).decision?.id, onlyTarget(first).decision?.id);
});

test("the order of files and the cache change nothing", async (t) => {
  const [one, other] = [base.copy(t), base.copy(t)];
  const files = CHANGES["deny"] ?? {};
  const head = one.propose({ files, seconds: 1_793_600_000 });
  const same = other.propose({ files: Object.fromEntries(Object.entries(files).reverse()), seconds: 1_793_600_000 });
  assert.equal(same, head);
  const args = ["check", "--head", head, "--format", "json"];
  const uncached = await other.sluice<CheckReport>(args, { env: { CI: "true" } });
  assert.equal(withoutNow(uncached.report), withoutNow((await one.preview(head)).report));
});

test("a policy that would ask the network is no usable policy, and one that asks the clock is", async (t) => {
  const world = base.copy(t);
  const unusable = async (text: string) => {
    const { report } = await world.preview(world.propose({ files: { "policies/outside.rego": text } }));
    return onlyTarget(report).reasons.find((reason) => reason.code === "new-judge-unusable");
  };
  assert.match((await unusable(SENDER))?.message ?? "", /http\.send/);
  assert.equal(await unusable(CLOCK), undefined);
});

interface Shown {
  readonly entry: { readonly verdict: string; readonly reasons: readonly string[]; readonly id: string };
  readonly disclosed: Json & { readonly evidence: Json };
}

/** The decision as the log discloses it. */
async function loggedDecision(world: World, index: number): Promise<Decision> {
  const { disclosed } = (await world.log<Shown>(["show", `${index}`])).report;
  const { evidence, ...parts } = disclosed;
  return { ...evidence, ...parts } as unknown as Decision;
}

test("deciding again on the logged evidence gives the logged decision, byte for byte", async (t) => {
  const world = base.copy(t);
  const indices: number[] = [];
  for (const files of Object.values(CHANGES)) {
    const { report } = await world.check(world.propose({ files }));
    indices.push(onlyTarget(report).decision?.index ?? assert.fail());
  }
  const landed = (await world.land({ "clusters/prod/new.yaml": configMap("new") })).report.landed[0];
  indices.push(landed?.check.targets[0]?.decision?.index ?? assert.fail());
  const verdicts = [];
  for (const index of indices) {
    const logged = await loggedDecision(world, index);
    const { verdict, reasons, decidedAt, id, ...evidence } = logged;
    const again = decide(evidence satisfies Evidence, id, Date.parse(decidedAt));
    assert.equal(canonicalJson(again as unknown as JsonValue), canonicalJson(logged as unknown as JsonValue));
    assert.deepEqual([again.verdict, again.reasons], [verdict, reasons]);
    verdicts.push(verdict);
  }
  assert.deepEqual(verdicts, ["wait", "deny", "wait", "allow"]);
});

test("the logged decision changes when any part of its evidence does", async (t) => {
  const world = base.copy(t);
  const landed = (await world.land({ "clusters/prod/new.yaml": configMap("new") })).report.landed[0];
  const {
    verdict,
    reasons: _,
    decidedAt,
    id,
    ...evidence
  } = await loggedDecision(world, landed?.check.targets[0]?.decision?.index ?? assert.fail());
  assert.equal(verdict, "allow");
  const changes: readonly Partial<Evidence>[] = [
    { judge: null },
    { tree: null },
    { rulesEvaluated: evidence.rulesEvaluated - 1 },
    { rulesEvaluated: 0, rulesExpected: 0 },
    { verifications: [] },
    { requiredCommits: [] },
    { uncovered: ["tools/x"] },
    { approvals: { given: [], ignored: [] } },
  ];
  for (const change of changes) {
    assert.notEqual(
      decide({ ...evidence, ...change }, id, Date.parse(decidedAt)).verdict,
      "allow",
      JSON.stringify(change),
    );
  }
});
