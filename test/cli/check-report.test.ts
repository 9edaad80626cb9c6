import assert from "node:assert/strict";
import { test } from "node:test";
import type { Evidence } from "../../src/decision/decision.ts";
import type { Admitted } from "../../src/gate/gate.ts";
import { checkReport } from "../../src/gate/json/check.ts";
import { checkSchema } from "../../src/gate/json/schemas/check.ts";
import { BASE, commit, decided, finding, HEAD, PARENT, rejected, TARGET, verified } from "../decision/evidence.ts";

function admitted(name: string, change: Partial<Evidence> = {}, mask = (text: string): string => text): Admitted {
  const decision = decided({ ...change, target: { ...TARGET, ...change.target, name } });
  return { decision, record: null, resources: [], documents: [], mask };
}

function report(...all: readonly Admitted[]) {
  const made = checkReport(all, { total: 1 });
  checkSchema.parse(JSON.parse(JSON.stringify(made)));
  return made;
}

test("targets of one branch share base, judge and tree, and are sorted by name", () => {
  const { base, judge, tree, targets } = report(admitted("prod"), admitted("dev"));
  assert.deepEqual([base, judge, tree], [BASE, BASE, "d".repeat(40)]);
  assert.deepEqual(
    targets.map((one) => one.target),
    ["dev", "prod"],
  );
});

test("what targets do not share is null above them and stands with each", () => {
  const { base, judge, tree, targets } = report(
    admitted("dev", { base: PARENT, judge: null, tree: null }),
    admitted("prod"),
  );
  assert.deepEqual([base, judge, tree], [null, null, null]);
  assert.deepEqual(
    targets.map((one) => [one.base, one.judge, one.tree]),
    [
      [PARENT, null, null],
      [BASE, BASE, "d".repeat(40)],
    ],
  );
});

test("every commit of any target's range is shown once, rejected where one target rejects it", () => {
  const strict = { verifications: [rejected(HEAD, "touch-required")], requiredCommits: [HEAD] };
  for (const pair of [
    [admitted("dev"), admitted("prod", strict)],
    [admitted("dev", strict), admitted("prod")],
  ]) {
    const { verifications, verdict } = report(...pair);
    assert.deepEqual(
      verifications.map((one) => [one.commit, one.kind, one.reason]),
      [
        [PARENT, "verified", null],
        [HEAD, "rejected", "touch-required"],
      ],
    );
    assert.equal(verdict, "deny");
  }
});

test("the worst verdict decides for all, and a target that only observes does not stop the process", () => {
  const observed = { target: { ...TARGET, mode: "observe" as const }, uncovered: ["x"] };
  const quiet = report(admitted("dev", observed), admitted("prod"));
  assert.deepEqual([quiet.verdict, quiet.exitCode], ["deny", 0]);
  const loud = report(admitted("dev", observed), admitted("prod", { uncovered: ["x"] }));
  assert.deepEqual([loud.verdict, loud.exitCode], ["deny", 1]);
  const broken = report(admitted("dev", { ...observed, judge: null }), admitted("prod"));
  assert.deepEqual([broken.verdict, broken.exitCode], ["error", 3]);
});

test("ignored paths of all targets are shown once, sorted", () => {
  const { ignored } = report(admitted("dev", { ignored: ["b.md", "a.md"] }), admitted("prod", { ignored: ["a.md"] }));
  assert.deepEqual(ignored, ["a.md", "b.md"]);
});

test("findings are sorted by place, those without one first", () => {
  const at = (file: string, line: number, message: string) =>
    finding({ message, position: { file, line, column: 1, exact: true } });
  const findings = [
    at("b.yaml", 1, "e"),
    at("a.yaml", 10, "d"),
    at("a.yaml", 9, "c"),
    at("a.yaml", 9, "b"),
    finding({ message: "a" }),
  ];
  assert.deepEqual(
    report(admitted("prod", { findings })).targets[0]?.findings.map((one) => one.message),
    ["a", "b", "c", "d", "e"],
  );
});

test("what may be secret is masked in findings, reasons and what is said of the new judge", () => {
  const mask = (text: string): string => text.replaceAll("hunter2", "***");
  const rule = { count: 0, roles: [], accept: ["signed"], bind: "tree" } as const;
  const governance = { paths: ["sluice.yaml"], rule, given: [], unusable: "hunter2 is no key" };
  const findings = [finding({ message: "hunter2 stands here", fix: "remove hunter2" })];
  const text = JSON.stringify(report(admitted("prod", { governance, findings }, mask)));
  assert.ok(text.includes("*** is no key") && text.includes("*** stands here") && text.includes("remove ***"));
  assert.equal(text.includes("hunter2"), false);
});

test("roles and what is accepted are sorted, whatever the files say", () => {
  const approvals = { count: 1, roles: ["z", "a"], accept: ["signed", "forge"], bind: "tree" } as const;
  const { required } = report(admitted("prod", { target: { ...TARGET, approvals } })).targets[0]?.approvals ?? {};
  assert.deepEqual(
    [required?.roles, required?.accept],
    [
      ["a", "z"],
      ["forge", "signed"],
    ],
  );
});

test("a commit outside of the longest range is shown after it", () => {
  const other = commit("e");
  const change = { verifications: [verified(other), verified()], requiredCommits: [other, HEAD] };
  const { verifications } = report(admitted("dev", change), admitted("prod"));
  assert.deepEqual(new Set(verifications.map((one) => one.commit)), new Set([PARENT, HEAD, other]));
});
