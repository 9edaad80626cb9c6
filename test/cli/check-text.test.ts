import assert from "node:assert/strict";
import { test } from "node:test";
import { checkText } from "../../src/cli/reports/check-text.ts";
import type { Evidence } from "../../src/decision/decision.ts";
import { checkReport } from "../../src/gate/json/check.ts";
import { typed } from "../../src/lib/shell-word.ts";
import { decided, finding, given } from "../decision/evidence.ts";

const CONTEXT = { width: 80, paint: (_: string, text: string) => text, branch: () => "main", seconds: 1 };

function textOf(change: Partial<Evidence>, release?: (target: string) => string): readonly string[] {
  const one = { decision: decided(change), record: null, resources: [], documents: [], mask: (text: string) => text };
  const context = release === undefined ? CONTEXT : { ...CONTEXT, release };
  return checkText(checkReport([one], { total: 1 }), context).split("\n");
}

const ignored = [
  {
    person: "lin",
    code: "approval-other-repository",
    message: "lin approved for another one.",
    envelope: "0".repeat(64),
  },
];
const rule = { count: 1, roles: [], accept: ["signed"], bind: "tree" } as const;

test("an approval that does not count is told to whoever waits for one, whichever rule asks for it", () => {
  const governance = { paths: ["sluice.yaml"], rule, given: [], unusable: null };
  const waiting = textOf({ governance, approvals: { given: [], ignored } });
  assert.ok(
    waiting.includes("           lin approved for another one. (approval-other-repository)"),
    waiting.join("\n"),
  );
  const approved = textOf({ approvals: { given: [given("jo")], ignored } });
  assert.ok(!approved.join("\n").includes("approval-other-repository"));
});

test("an approval that nobody asked for is shown without a number that it would exceed", () => {
  assert.ok(
    textOf({ approvals: { given: [given("lin", "platform")], ignored: [] } }).includes("approved   1   lin (platform)"),
  );
});

test("a preview that denies says that a gate lets pass what it found at adoption", () => {
  const told = "           and does not count what it found when the target was adopted";
  assert.ok(textOf({ authority: "preview", findings: [finding()] }).includes(told));
  assert.ok(!textOf({ authority: "preview", findings: [] }).includes(told));
  assert.ok(!textOf({ findings: [finding()] }).includes(told));
});

test("what follows an approval says what releases the target there", () => {
  const at = (release?: (target: string) => string) => textOf({}, release).find((line) => line.startsWith("next"));
  assert.equal(
    at((target) => `${target} is next`),
    "next       merge it; prod is next",
  );
  assert.equal(at(), "next       merge it; then prod is released");
});

test("a word is typed as it is, or in quotes where a shell would read it otherwise", () => {
  assert.deepEqual(["../gate/gate.yaml", "a b", "it's", "$(x)", ""].map(typed), [
    "../gate/gate.yaml",
    "'a b'",
    "'it'\\''s'",
    "'$(x)'",
    "''",
  ]);
});
