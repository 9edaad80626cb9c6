/** Invariant 8: one judge: nothing after the door knows which door it was. (The service and the webhook are not there yet.) */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { CheckReport } from "../../src/gate/json/check.ts";
import { configMap, deployment, document, type Files, policy } from "../support/shop.ts";
import { makeWorld, onlyTarget, reasonCodes } from "../support/world.ts";

const WEB = "clusters/prod/web.yaml";
const base = await makeWorld({ after });

/** What may differ between doors: who answers, where it is recorded, which clock a receipt gives, how long it took. */
function judgement(report: CheckReport) {
  const { authority: _, timings: __, verifications, targets, ...rest } = report;
  return {
    ...rest,
    verifications: verifications.map(({ timeBasis: _, ...one }) => one),
    targets: targets.map(
      ({ decision: _, approvals: { given, ...approvals }, digests: { input: __, ...digests }, ...one }) => {
        // When an approval was counted and a commit received stands in policy input, so its digest differs with the clock.
        return { ...one, digests, approvals: { ...approvals, given: given.map(({ at: _, ...approval }) => approval) } };
      },
    ),
  };
}

const CHANGES: Readonly<Record<string, Files>> = {
  "waits for an approval": { [WEB]: deployment("web", { replicas: 3 }) },
  "is denied by a rule, with a warning": { [WEB]: deployment("web", { replicas: 1, privileged: true }) },
  "has an uncovered path, an ignored one and a broken file": { "tools/x": "x\n", "NOTES.md": "x\n", [WEB]: "a: [" },
  "edits a policy": {
    "policies/more.rego": policy("more", "deny := set()"),
    "clusters/prod/more.yaml": configMap("more"),
  },
};

for (const [what, files] of Object.entries(CHANGES)) {
  test(`preview and gate say the same of a change that ${what}`, async (t) => {
    const world = base.copy(t);
    const head = world.propose({ files });
    const [preview, gate] = [await world.preview(head), await world.check(head)];
    assert.deepEqual([preview.report.authority, gate.report.authority], ["preview", "gate"]);
    assert.deepEqual(judgement(preview.report), judgement(gate.report));
    assert.equal(preview.code, gate.code);
  });
}

test("preview and gate say the same of an unsigned commit and of a stranger's", async (t) => {
  const world = base.copy(t);
  for (const proposal of [{ signed: false }, { by: "mallory" }, { author: "lin <lin@example.com>" }] as const) {
    const head = world.propose({ ...proposal, files: { [WEB]: deployment("web", { replicas: 3 }) } });
    const [preview, gate] = [await world.preview(head), await world.check(head)];
    assert.deepEqual(judgement(preview.report), judgement(gate.report));
    assert.equal(gate.code, 1);
  }
});

test("an approved change is allowed by both doors and, once it has landed, by the third", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 3 }) } });
  world.approve("lin", head);
  const [preview, gate] = [await world.preview(head), await world.check(head)];
  assert.deepEqual(judgement(preview.report), judgement(gate.report));
  world.moveMain(head);
  const landed = (await world.release()).report.landed[0]?.check;
  assert.deepEqual([preview.report.verdict, gate.report.verdict, landed?.verdict], ["allow", "allow", "allow"]);
  const { findings, rulesExpected, digests } = onlyTarget(landed ?? assert.fail());
  const proposed = onlyTarget(gate.report);
  assert.deepEqual(
    [findings, rulesExpected, digests.manifests],
    [proposed.findings, proposed.rulesExpected, proposed.digests.manifests],
  );
});

test("the mode of a target changes the exit code and nothing of the verdict", async (t) => {
  const reports = [];
  for (const mode of ["enforce", "observe"]) {
    const prod = { branch: "main", path: "clusters/prod", mode, approvals: { count: 1, roles: ["platform"] } };
    const world = base.copy(t);
    world.push({ files: { "sluice.yaml": document({ version: 1, targets: { prod } }) } });
    const { code, report } = await world.preview(
      world.propose({ files: CHANGES["is denied by a rule, with a warning"] ?? {} }),
    );
    reports.push({
      code,
      verdict: report.verdict,
      reasons: reasonCodes(report),
      findings: onlyTarget(report).findings,
    });
  }
  const [enforced, observed] = reports;
  assert.deepEqual([enforced?.code, observed?.code], [1, 0]);
  assert.deepEqual({ ...observed, code: 1 }, enforced);
});

test("text and JSON are two renderings of one answer", async (t) => {
  const world = base.copy(t);
  const head = world.propose({ files: { [WEB]: deployment("web", { replicas: 1, privileged: true }) } });
  const text = await world.sluice([
    "check",
    "--head",
    head,
    "--format",
    "text",
    "--format",
    "json",
    "--output",
    "../out.json",
  ]);
  const report = JSON.parse(world.read("out.json")) as CheckReport;
  assert.deepEqual([text.code, report.exitCode], [1, 1]);
  assert.match(text.stdout, /^DENIED \(preview\) {2}prod /);
  for (const { position, message } of onlyTarget(report).findings) {
    assert.ok(text.stdout.includes(`${position?.file}:${position?.line}:${position?.column}`), text.stdout);
    assert.ok(text.stdout.includes(message));
  }
});
