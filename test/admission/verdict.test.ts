import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { admissionVerdict } from "../../src/admission/verdict.ts";
import type { Decision, Reason, Verdict } from "../../src/decision/decision.ts";
import type { Finding } from "../../src/policy/finding.ts";
import type { TargetMode } from "../../src/policy/input.ts";
import { evidence } from "../decision/evidence.ts";

const DENIED: Reason = {
  code: "policy-denied",
  message: "no-privileged: Pod/apps/web is privileged",
  fix: "Remove it.",
};

function decision(
  verdict: Verdict,
  mode: TargetMode,
  reasons: readonly Reason[],
  findings: readonly Finding[] = [],
): Decision {
  const { target, ...rest } = evidence();
  return { ...rest, target: { ...target, mode }, findings, id: "01JD7K", verdict, reasons, decidedAt: rest.receivedAt };
}

const RECORD = { id: "01JD7K", index: 12 };

describe("what an API server is told", () => {
  it("is the reason with its remedy, and where it is logged", () => {
    const said = admissionVerdict(decision("deny", "enforce", [DENIED]), RECORD);
    assert.deepEqual([said.allowed, said.code], [false, "policy-denied"]);
    assert.equal(said.message, "no-privileged: Pod/apps/web is privileged. Remove it. (decision 01JD7K, log 12)");
  });

  for (const mode of ["observe", "warn"] as const) {
    it(`lets through in mode ${mode} what would be denied, and says so`, () => {
      for (const verdict of ["deny", "wait"] as const) {
        const said = admissionVerdict(decision(verdict, mode, [DENIED]), RECORD);
        assert.deepEqual([said.allowed, said.code, said.message], [true, null, null]);
        assert.deepEqual(said.warnings, [`would be denied (${mode}): ${DENIED.message}`]);
      }
    });
  }

  it("lets nothing through that could not be evaluated, in no mode", () => {
    for (const mode of ["observe", "warn", "enforce"] as const) {
      const failed: Reason = { code: "rules-missing", message: "0 of 1 rules were evaluated.", fix: null };
      const said = admissionVerdict(decision("error", mode, [failed]), RECORD);
      assert.deepEqual([said.allowed, said.code], [false, "rules-missing"], mode);
    }
  });

  it("lets nothing through in mode enforce that waits for somebody", () => {
    assert.equal(admissionVerdict(decision("wait", "enforce", [DENIED]), RECORD).allowed, false);
  });

  it("warns of what a rule only warns of, but not of what is waived or was there at adoption", () => {
    const one: Finding = {
      rule: "few-replicas",
      policy: "rules.few_replicas",
      kind: "warn",
      level: "low",
      message: "one replica is no replica",
      fix: null,
      resource: null,
      at: "",
      position: null,
      waivedBy: null,
      baseline: false,
      waivable: true,
      role: null,
    };
    const findings = [
      one,
      { ...one, waivedBy: "0123456789abcdef" },
      { ...one, baseline: true },
      { ...one, kind: "ask" as const },
    ];
    const said = admissionVerdict(decision("allow", "enforce", [], findings), RECORD);
    assert.deepEqual([said.allowed, said.warnings], [true, ["few-replicas: one replica is no replica"]]);
  });

  it("names five reasons and counts the others", () => {
    const reasons = Array.from({ length: 7 }, (_, at) => ({ code: "policy-denied", message: `r${at}`, fix: null }));
    const said = admissionVerdict(decision("deny", "enforce", reasons), RECORD);
    assert.equal(said.message, "r0; r1; r2; r3; r4; and 2 more (decision 01JD7K, log 12)");
  });
});
