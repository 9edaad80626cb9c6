import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { decodeBase64 } from "../../src/lib/bytes.ts";
import type { PolicyInput } from "../../src/policy/input.ts";
import { selects } from "../../src/policy/match.ts";
import type { Evaluated, PolicyFile, PolicySet } from "../../src/policy/policy-set.ts";
import { build, CHANGE_DOCUMENT, denyLabel, document, engine, policy, realToolchain } from "./support.ts";

const only = (evaluated: Evaluated) => evaluated.notEvaluated.map(({ what, code }) => `${code}: ${what}`);

/** The same rules over a module whose aggregate is another one. */
async function patched(t: TestContext, files: readonly PolicyFile[], aggregate: string): Promise<PolicySet> {
  const set = await build(t, files);
  const entrypoints = ["sluice/aggregate/result"];
  const answer = await realToolchain(t).request("compile", {
    files: [
      ...files.map(({ path, text }) => ({ path, text })),
      { path: "aggregate.rego", text: `package sluice.aggregate\n${aggregate}` },
    ],
    entrypoints,
  });
  assert.ok(answer.ok, JSON.stringify(answer));
  const wasm = decodeBase64(String(answer.result["wasm"]));
  assert.ok(wasm !== null);
  return { ...set, wasm };
}

test("says what rules say, with what METADATA says of them, sorted", async (t) => {
  const both = policy(
    "z-both",
    [
      `warn contains {"message": sprintf("%q is here", [input.resource.id.name])}`,
      `ask contains {"message": "who?", "fix": "Ask.", "at": "/a~1b"} if input.resource.id.name == "one"`,
    ].join("\n"),
    ["role: platform", "waivable: false"],
  );
  const set = await build(t, [denyLabel("a-label"), both]);
  const documents = [document("two"), document("one", { labels: { bad: "yes" } }), CHANGE_DOCUMENT];
  const evaluated = await engine(t).evaluate(set, documents);
  const common = { level: "high", position: null, waivedBy: null, baseline: false };
  const one = documents[1]?.resource?.id ?? null;
  const two = documents[0]?.resource?.id ?? null;
  const label = {
    rule: "a-label",
    policy: "rules.a_label",
    kind: "deny",
    message: "the label says so",
    fix: "Do something else.",
    resource: one,
    at: "/metadata/labels/bad",
    waivable: true,
    role: null,
  };
  const ask = {
    rule: "z-both",
    policy: "rules.z_both",
    kind: "ask",
    message: "who?",
    fix: "Ask.",
    resource: one,
    at: "/a~1b",
    waivable: false,
    role: "platform",
  };
  const warn = { ...ask, kind: "warn", message: '"one" is here', fix: "Do something else.", at: "" };
  assert.deepEqual(evaluated, {
    findings: [
      { ...common, ...label },
      { ...common, ...warn },
      { ...common, ...ask },
      { ...common, ...warn, message: '"two" is here', resource: two },
    ],
    rulesExpected: 4,
    rulesEvaluated: 4,
    unruled: [],
    notEvaluated: [],
  });
});

test("counts the pairs that METADATA selects, and lists the objects that no rule selects", async (t) => {
  const set = await build(t, [
    denyLabel("a", ["match: {kinds: [Secret]}"]),
    denyLabel("b", ["match: {namespaces: [team-*]}"]),
  ]);
  const documents = [
    document("x", { kind: "Secret", namespace: "team-a" }),
    document("y", { namespace: "team-" }),
    document("z"),
    CHANGE_DOCUMENT,
  ];
  const evaluated = await engine(t).evaluate(set, documents);
  assert.deepEqual(
    [evaluated.rulesExpected, evaluated.rulesEvaluated, evaluated.unruled],
    [3, 3, ["ConfigMap/apps/z"]],
  );
});

test("module and host agree on every (rule, document) pair", async (t) => {
  const files = [
    denyLabel("all"),
    denyLabel("kinds", ["match: {kinds: [Secret, ConfigMap]}"]),
    denyLabel("exact", ["match: {namespaces: [a, b-c]}"]),
    denyLabel("prefix", ["match: {namespaces: [b*, c-*]}"]),
    denyLabel("both", ['match: {kinds: [Secret], namespaces: ["*", a]}']),
    policy("change", `deny contains {"message": "x"} if input.change.paths[_] == "x"`, ["scope: change"]),
  ];
  const set = await build(t, files);
  const running = engine(t);
  const anyDocument = fc.oneof(
    fc.constant(CHANGE_DOCUMENT),
    fc
      .record({
        kind: fc.constantFrom("Secret", "ConfigMap", "secret", "Pod"),
        namespace: fc.constantFrom("", "a", "b", "b-c", "c", "c-", "c-d", "A"),
      })
      .map((parts) => document("n", parts)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyDocument, { maxLength: 20 }), async (documents) => {
      const evaluated = await running.evaluate(set, documents);
      const expected = documents.reduce((sum, one) => sum + set.rules.filter((rule) => selects(rule, one)).length, 0);
      assert.deepEqual(
        [evaluated.rulesExpected, evaluated.rulesEvaluated, evaluated.notEvaluated],
        [expected, expected, []],
      );
    }),
    { numRuns: 50 },
  );
});

test("evaluates nothing over nothing, and says so by its counts", async (t) => {
  const evaluated = await engine(t).evaluate(await build(t, [denyLabel("a")]), []);
  assert.deepEqual(evaluated, { findings: [], rulesExpected: 0, rulesEvaluated: 0, unruled: [], notEvaluated: [] });
});

const BAD = document("bad", { labels: { trouble: "yes" } });
const TROUBLE = `input.resource.object.metadata.labels.trouble == "yes"`;
/** Rego constants that grow eightfold each: `t0` has 8 KB, `t3` 4 MB, `t6` 2 GB. */
const GROWING = Array.from(
  { length: 6 },
  (_, n) => `t${n + 1} := concat("", [t${n}, t${n}, t${n}, t${n}, t${n}, t${n}, t${n}, t${n}])`,
).join("\n");
const TEXTS = `t0 := sprintf("%8192d", [input.version])\n${GROWING}\n`;
const DOCUMENTS = [document("a", { labels: { bad: "1" } }), BAD, document("c", { labels: { bad: "1" } })];

/** A rule that goes wrong on one document only. [what, body, code] */
const WRONG: readonly (readonly [string, string, string])[] = [
  [
    "loops for ever",
    `deny contains {"message": "x"} if { ${TROUBLE}; some x in numbers.range(1, 30000); some y in numbers.range(1, 30000); x * y == -1 }`,
    "policy-deadline",
  ],
  ["eats memory", `${TEXTS}deny contains {"message": "x"} if { ${TROUBLE}; count(t6) == -1 }`, "policy-memory"],
  [
    "grows a text without end",
    `${TEXTS}deny contains {"message": "x"} if { ${TROUBLE}; count(sprintf("%s%s%s", [t2, t2, t2])) == -1 }`,
    "builtin-error",
  ],
  [
    "calls a built-in with what it does not take",
    `deny contains {"message": "x"} if { ${TROUBLE}; time.parse_rfc3339_ns(input.resource.id.name) > 0 }`,
    "builtin-error",
  ],
  [
    "contradicts itself",
    `v := 1 if input.version == 1\nv := 2 if ${TROUBLE}\ndeny contains {"message": "x"} if v == 3`,
    "finding-malformed",
  ],
  ["says a text", `deny contains "x" if ${TROUBLE}`, "finding-malformed"],
  ["says a list", `deny contains ["x"] if ${TROUBLE}`, "finding-malformed"],
  ["says an unknown key", `deny contains {"message": "x", "msg": "y"} if ${TROUBLE}`, "finding-malformed"],
  ["says no message", `deny contains {"at": ""} if ${TROUBLE}`, "finding-malformed"],
  ["says an empty message", `deny contains {"message": " "} if ${TROUBLE}`, "finding-malformed"],
  ["says a message that is a number", `deny contains {"message": 1} if ${TROUBLE}`, "finding-malformed"],
  ["says a message of 5 KB", `deny contains {"message": sprintf("%05000d", [1])} if ${TROUBLE}`, "finding-malformed"],
  [
    "points with what is no pointer",
    `deny contains {"message": "x", "at": "spec/x"} if ${TROUBLE}`,
    "finding-malformed",
  ],
  ["says a fix that is a list", `deny contains {"message": "x", "fix": ["y"]} if ${TROUBLE}`, "finding-malformed"],
  ["says an object where a set belongs", `deny := {"message": "x"} if ${TROUBLE}\nelse := []`, "finding-malformed"],
  ["says true", `deny := true if ${TROUBLE}\nelse := []`, "finding-malformed"],
  [
    "says 1,001 things",
    `deny contains {"message": sprintf("%d", [x])} if { ${TROUBLE}; some x in numbers.range(1, 1001) }`,
    "finding-malformed",
  ],
  ["has no value", `deny := [] if not ${TROUBLE}`, "rules-missing"],
];

/**
 * For rules that loop: little time for each job, so that it is soon over, and so much memory that no machine is fast
 * enough to use it up by then. Where a rule that does not loop met a deadline too, the machine was busy elsewhere, and
 * all is evaluated again with more time. `totals` jobs have together what they may take.
 */
async function evaluatedInTime(t: TestContext, set: PolicySet, documents: readonly PolicyInput[], totals: number) {
  for (let jobDeadlineMs = 500; ; jobDeadlineMs *= 4) {
    const limits = { jobDeadlineMs, totalDeadlineMs: totals * jobDeadlineMs, memoryBytes: 1024 * 1024 * 1024 };
    const running = engine(t, limits);
    const evaluated = await running.evaluate(set, documents);
    const isLate = evaluated.notEvaluated.some(({ what, code }) => code === "policy-deadline" && !/loop/.test(what));
    if (!isLate || jobDeadlineMs > 10_000) return { running, evaluated };
  }
}

for (const [what, body, code] of WRONG) {
  test(`a rule that ${what} is not evaluated for that document, and hides nothing else`, async (t) => {
    const id = code === "policy-deadline" ? "m-loop" : "m-wrong";
    const set = await build(t, [denyLabel("a-first"), policy(id, body), denyLabel("z-last")]);
    const plain = engine(t);
    const { running, evaluated } =
      id === "m-loop"
        ? await evaluatedInTime(t, set, DOCUMENTS, 60)
        : { running: plain, evaluated: await plain.evaluate(set, DOCUMENTS) };
    assert.deepEqual(only(evaluated), [`${code}: ${id} on ConfigMap/apps/bad`], JSON.stringify(evaluated.notEvaluated));
    assert.deepEqual([evaluated.rulesExpected, evaluated.rulesEvaluated], [9, 8]);
    assert.deepEqual(
      evaluated.findings.map(({ rule, resource }) => [rule, resource?.name]),
      [
        ["a-first", "a"],
        ["a-first", "c"],
        ["z-last", "a"],
        ["z-last", "c"],
      ],
    );
    const again = await running.evaluate(set, [DOCUMENTS[0] ?? BAD]);
    assert.deepEqual([again.rulesEvaluated, again.findings.length, again.notEvaluated.length], [3, 2, 0]);
  });
}

test("a rule that loops on every document takes only the time it is given, and the others still answer", async (t) => {
  const loop = policy(
    "loop",
    `deny contains {"message": "x"} if { some x in numbers.range(1, 30000); some y in numbers.range(1, 30000); x * y == input.version - 5 }`,
  );
  const set = await build(t, [denyLabel("a"), loop]);
  const documents = Array.from({ length: 40 }, (_, index) => document(`n${index}`, { labels: { bad: "1" } }));
  const { evaluated } = await evaluatedInTime(t, set, documents, 8);
  assert.deepEqual([evaluated.rulesExpected, evaluated.rulesEvaluated, evaluated.findings.length], [80, 40, 40]);
  assert.equal(evaluated.notEvaluated.length, 40);
  assert.ok(
    evaluated.notEvaluated.every(({ what, code }) => code === "policy-deadline" && what.startsWith("loop on ")),
  );
});

test("a policy has the memory that it is given, and no more", async (t) => {
  const set = await build(t, [policy("large", `${TEXTS}deny contains {"message": "x"} if count(t4) == -1`)]);
  const ample = await engine(t, { memoryBytes: 512 * 1024 * 1024 }).evaluate(set, [document("a")]);
  assert.deepEqual([ample.rulesEvaluated, ample.notEvaluated], [1, []]);
  const tight = await engine(t, { memoryBytes: 16 * 1024 * 1024 }).evaluate(set, [document("a")]);
  assert.deepEqual([tight.rulesEvaluated, only(tight)], [0, ["policy-memory: large on ConfigMap/apps/a"]]);
});

test("an aggregate with an empty body is an error for every pair, never an allow", async (t) => {
  const files = [denyLabel("a"), denyLabel("b")];
  for (const aggregate of ["result := {}", "result := null", "result := []", "result := {} if input.version == 2"]) {
    const evaluated = await engine(t).evaluate(await patched(t, files, aggregate), [document("x")]);
    assert.deepEqual([evaluated.rulesExpected, evaluated.rulesEvaluated], [2, 0], aggregate);
    assert.deepEqual(only(evaluated), ["rules-missing: a on ConfigMap/apps/x", "rules-missing: b on ConfigMap/apps/x"]);
  }
});

test("a module that lost one rule, answers for another document, or knows a stranger is not believed", async (t) => {
  const files = [denyLabel("a"), denyLabel("b", ["match: {kinds: [Secret]}"])];
  const empty = `{"deny": [], "warn": [], "ask": []}`;
  const cases: [string, string[]][] = [
    [`result := {"b": ${empty}}`, ["rules-missing: a on ConfigMap/apps/x", "rules-missing: b on ConfigMap/apps/x"]],
    [`result := {"a": ${empty}, "c": ${empty}}`, ["rules-missing: ConfigMap/apps/x"]],
    [`result := {"a": {"deny": [], "warn": []}}`, ["finding-malformed: a on ConfigMap/apps/x"]],
    [`result := {"a": {"deny": [], "warn": [], "ask": [], "more": []}}`, ["finding-malformed: a on ConfigMap/apps/x"]],
  ];
  for (const [aggregate, expected] of cases) {
    const evaluated = await engine(t).evaluate(await patched(t, files, aggregate), [document("x")]);
    assert.deepEqual(only(evaluated), expected);
  }
});

test("a module without the entrypoint, and one that is no module, answer nothing", async (t) => {
  const set = await build(t, [denyLabel("a")]);
  const answer = await realToolchain(t).request("compile", {
    files: [{ path: "a.rego", text: "package a\nx := 1" }],
    entrypoints: ["a/x"],
  });
  assert.ok(answer.ok);
  const other = decodeBase64(String(answer.result["wasm"])) ?? new Uint8Array();
  for (const wasm of [other, new Uint8Array([0, 97, 115, 109]), new Uint8Array()]) {
    const evaluated = await engine(t).evaluate({ ...set, wasm }, [document("x")]);
    assert.deepEqual(
      [evaluated.rulesExpected, evaluated.rulesEvaluated, only(evaluated)],
      [1, 0, ["rules-missing: a on ConfigMap/apps/x"]],
    );
  }
});

test("a document too deep for the module, or with a lone surrogate, is not evaluated; the next one is", async (t) => {
  const set = await build(t, [denyLabel("a"), denyLabel("b")]);
  const deep = JSON.parse(`${'{"x":'.repeat(20_000)}1${"}".repeat(20_000)}`);
  const documents = [
    document("deep", { object: deep }),
    document("torn", { labels: { x: "\ud800" } }),
    document("good", { labels: { bad: "1" } }),
  ];
  const evaluated = await engine(t).evaluate(set, documents);
  assert.deepEqual(only(evaluated), [
    "policy-aborted: a on ConfigMap/apps/deep",
    "policy-aborted: a on ConfigMap/apps/torn",
    "policy-aborted: b on ConfigMap/apps/deep",
    "policy-aborted: b on ConfigMap/apps/torn",
  ]);
  assert.equal(evaluated.findings.length, 2);
});

test("rules in observe and warn only warn, and their failure is recorded as a warning", async (t) => {
  const observe = policy("observed", `deny contains {"message": "seen"} if input.resource.id.name == "x"`, [
    "mode: observe",
  ]);
  const failing = policy(
    "trying",
    `deny contains {"message": "x"} if time.parse_rfc3339_ns(input.resource.id.name) > 0`,
    ["mode: warn"],
  );
  const evaluated = await engine(t).evaluate(await build(t, [denyLabel("a"), observe, failing]), [document("x")]);
  assert.deepEqual([evaluated.rulesExpected, evaluated.rulesEvaluated, evaluated.notEvaluated], [2, 2, []]);
  assert.deepEqual(
    evaluated.findings.map(({ rule, kind }) => [rule, kind]),
    [
      ["observed", "warn"],
      ["trying", "warn"],
    ],
  );
  assert.match(evaluated.findings[1]?.message ?? "", /not evaluated \(builtin-error\)/);
});

test("1,000 aborts in a row leave the engine answering", async (t) => {
  const abort = policy(
    "abort",
    `v := 1 if input.version == 1\nv := 2 if ${TROUBLE}\ndeny contains {"message": "x"} if v == 3`,
  );
  const set = await build(t, [abort]);
  const documents = [...Array.from({ length: 1000 }, () => BAD), document("good")];
  const evaluated = await engine(t).evaluate(set, documents);
  assert.deepEqual([evaluated.rulesExpected, evaluated.rulesEvaluated, evaluated.notEvaluated.length], [1001, 1, 1000]);
});

test("answers calls that overlap, each with its own set", async (t) => {
  const [a, b] = [await build(t, [denyLabel("a")]), await build(t, [denyLabel("b")])];
  const running = engine(t);
  const documents = [document("x", { labels: { bad: "1" } })];
  const answers = await Promise.all([a, b, a, b].map((set) => running.evaluate(set, documents)));
  assert.deepEqual(
    answers.map(({ findings }) => findings.map(({ rule }) => rule)),
    [["a"], ["b"], ["a"], ["b"]],
  );
});

test("who comes when too many wait is turned away, and whoever waits is answered", async (t) => {
  const set = await build(t, [denyLabel("a")]);
  const running = engine(t, { workers: 1, waiting: 2 });
  const answers = await Promise.all(Array.from({ length: 5 }, () => running.evaluate(set, [document("x")])));
  assert.deepEqual(
    answers.map(({ notEvaluated }) => notEvaluated[0]?.code ?? "answered"),
    ["answered", "answered", "answered", "policy-overloaded", "policy-overloaded"],
  );
  assert.equal((await running.evaluate(set, [document("x")])).rulesEvaluated, 1);
});

test("one evaluation after the other takes one thread, prepared or not; two at once take two", async (t) => {
  let threads = 0;
  const count = () => {
    threads++;
  };
  process.on("worker", count);
  t.after(() => process.off("worker", count));
  const set = await build(t, [denyLabel("a")]);
  const running = engine(t, { workers: 2 });
  running.prepare(set);
  for (let round = 0; round < 3; round++) await running.evaluate(set, [document("x")]);
  assert.equal(threads, 1);
  const both = await Promise.all([running.evaluate(set, [document("x")]), running.evaluate(set, [document("y")])]);
  assert.deepEqual([threads, both.map(({ rulesEvaluated }) => rulesEvaluated)], [2, [1, 1]]);
});

test("nothing of one document is left for the next", async (t) => {
  const set = await build(t, [
    policy(
      "names",
      `warn contains {"message": message} if message := concat(",", [k | some k, _ in input.resource.object.metadata.labels])`,
    ),
  ]);
  const documents = Array.from({ length: 3000 }, (_, index) =>
    document(`n${index}`, { labels: { [`k${index}`]: "x".repeat(9000) } }),
  );
  const evaluated = await engine(t).evaluate(set, documents);
  assert.deepEqual(
    new Set(evaluated.findings.map(({ message, resource }) => message === `k${resource?.name.slice(1)}`)),
    new Set([true]),
  );
  assert.equal(evaluated.findings.length, 3000);
});

test("an engine that is closed evaluates nothing", async (t) => {
  const set = await build(t, [denyLabel("a")]);
  const running = engine(t);
  await running.close();
  assert.deepEqual(only(await running.evaluate(set, [document("x")])), ["policy-aborted: a on ConfigMap/apps/x"]);
});
