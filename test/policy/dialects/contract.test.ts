/** One suite over every dialect: what it finds, what it counts, and that nothing passes by absence. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { decodeBase64 } from "../../../src/lib/bytes.ts";
import { readAnswer } from "../../../src/policy/answer.ts";
import { DIALECTS, dialectName } from "../../../src/policy/dialects.ts";
import type { AnswerForm, Evaluated, PolicyFile, PolicySet } from "../../../src/policy/policy-set.ts";
import { build as buildSet, document, engine, realToolchain } from "../support.ts";
import { FIXTURES } from "./fixtures.ts";

const toolchain = realToolchain({ after });
const running = engine({ after }, { jobDeadlineMs: 60_000, totalDeadlineMs: 120_000 });
const build = (files: readonly PolicyFile[]) => buildSet({ after }, files, toolchain);

const BAD = document("x", { labels: { bad: "yes" } });
const GOOD = document("y", { labels: { good: "yes" } });

function shown({ findings, rulesExpected, rulesEvaluated, notEvaluated }: Evaluated) {
  return {
    findings: findings.map(({ rule, kind, message, resource }) => `${kind} ${rule} ${resource?.name}: ${message}`),
    counts: [rulesExpected, rulesEvaluated],
    notEvaluated: notEvaluated.map(({ what, code }) => `${code}: ${what}`),
  };
}

/** The same rules over a module whose aggregate is another one. */
async function withAggregate(set: PolicySet, aggregate: string): Promise<PolicySet> {
  const answer = await toolchain.request("compile", {
    files: [{ path: "aggregate.rego", text: `package sluice.aggregate\n${aggregate}` }],
    entrypoints: ["sluice/aggregate/result"],
  });
  assert.ok(answer.ok, JSON.stringify(answer));
  return { ...set, wasm: decodeBase64(String(answer.result["wasm"])) ?? new Uint8Array() };
}

it("has a fixture for every dialect", () => {
  assert.deepEqual(FIXTURES.map(({ name }) => name).sort(), DIALECTS.map(({ name }) => name).sort());
});

/** An answer of each form that finds nothing. */
const ANSWERS: Readonly<Record<AnswerForm, unknown>> = {
  findings: { deny: [], warn: [], ask: [] },
  violations: { of: 1, reviews: [[]] },
  denials: { of: 1, reviews: [[]] },
  responses: { of: 1, reviews: [{ response: { allowed: true } }] },
  results: { said: [], excepted: [] },
  "whole-results": { said: [], excepted: [] },
};
/** What is no answer of any form. */
const NO_ANSWERS: readonly unknown[] = [
  null,
  true,
  [],
  {},
  { deny: [], warn: [] },
  { of: 0, reviews: [] },
  { of: 2, reviews: [[]] },
  { of: 1, reviews: [null] },
  { of: 1, reviews: [[{ message: 1, msg: 1 }]] },
  { of: 1, reviews: [[{}]] },
  { of: 1, reviews: [{ response: {} }] },
  { of: 1, reviews: [{ response: { allowed: "true" } }] },
  { of: 1, reviews: [{ response: { allowed: true, patch: "W10=" } }] },
  { said: "x", excepted: [] },
  { said: [{ message: "x" }], excepted: [] },
  { said: [] },
];

it("reads an answer of each form, and takes nothing else for one", () => {
  for (const [form, answer] of Object.entries(ANSWERS) as [AnswerForm, unknown][]) {
    assert.deepEqual(readAnswer(0, form, answer), [], form);
    for (const other of NO_ANSWERS) {
      assert.ok("code" in readAnswer(0, form, other), `${form} ${JSON.stringify(other)}`);
    }
  }
});

for (const { name, rule, files, message, failing, undefinedRule } of FIXTURES) {
  describe(`the dialect ${name}`, () => {
    it("finds what its policy denies, names the rule, and counts every pair", async () => {
      const set = await build(files);
      assert.deepEqual(
        set.rules.map((one) => [one.id, dialectName(one)]),
        [[rule, name]],
      );
      assert.deepEqual(shown(await running.evaluate(set, [BAD, GOOD])), {
        findings: [`deny ${rule} x: ${message}`],
        counts: [2, 2],
        notEvaluated: [],
      });
    });

    it("takes an answer that lost the rule, or is empty, for an error and never for an allow", async () => {
      const set = await build(files);
      for (const aggregate of ["result := {}", "result := {} if input.version == 2"]) {
        const evaluated = shown(await running.evaluate(await withAggregate(set, aggregate), [GOOD]));
        assert.deepEqual(
          [evaluated.counts, evaluated.notEvaluated],
          [[1, 0], [`rules-missing: ${rule} on ConfigMap/apps/y`]],
        );
      }
    });

    it("takes a rule without a value for an error", async () => {
      const { counts, notEvaluated } = shown(await running.evaluate(await build(undefinedRule), [GOOD]));
      assert.deepEqual([counts, notEvaluated], [[1, 0], [`rules-missing: ${rule} on ConfigMap/apps/y`]]);
    });

    it("treats a built-in that fails as its engine does, and says so", async () => {
      const set = await build(failing);
      const large = document("large", { labels: { bad: "2000" } });
      const { findings, counts, notEvaluated } = shown(await running.evaluate(set, [BAD, large]));
      const denied = findings.filter((one) => one.startsWith("deny"));
      assert.deepEqual(denied, [`deny ${rule} large: large`]);
      const warned = findings.filter((one) => one.startsWith(`warn ${rule} x: `) && one.includes("builtin-error"));
      if (name === "native") {
        assert.deepEqual([counts, notEvaluated, warned], [[2, 1], [`builtin-error: ${rule} on ConfigMap/apps/x`], []]);
      } else {
        assert.deepEqual([counts, notEvaluated, warned.length], [[2, 2], [], 1]);
      }
    });

    it("gives the same digest and answers from a set of its own and beside the others", async () => {
      const all: readonly PolicyFile[] = FIXTURES.flatMap((one) => one.files);
      const evaluated = shown(await running.evaluate(await build(all), [BAD, GOOD]));
      assert.deepEqual([evaluated.counts, evaluated.notEvaluated], [[8, 8], []]);
      assert.ok(evaluated.findings.includes(`deny ${rule} x: ${message}`));
    });
  });
}
