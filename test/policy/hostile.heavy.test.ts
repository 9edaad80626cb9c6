/** Policies that try to take the judge with them: each costs itself, and the same engine goes on answering. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openPolicyEngine } from "../../src/policy/engine.ts";
import type { PolicyFile } from "../../src/policy/policy-set.ts";
import { build, denyLabel, document, policy, realToolchain } from "./support.ts";

const MEBIBYTE = 1024 * 1024;
/** The limits of a gate, with deadlines for a busy machine. */
const LIMITS = {
  jobDeadlineMs: 30_000,
  totalDeadlineMs: 300_000,
  memoryBytes: 256 * MEBIBYTE,
  workers: 2,
  waiting: 50,
};

const scope = { after };
const toolchain = realToolchain(scope);
const engine = openPolicyEngine(LIMITS);
after(() => engine.close());
const GOOD = await build(scope, [denyLabel("good")], toolchain);

async function stillAnswers(): Promise<void> {
  const evaluated = await engine.evaluate(GOOD, [document("x", { labels: { bad: "1" } })]);
  assert.deepEqual([evaluated.rulesEvaluated, evaluated.findings.length], [1, 1]);
}

const DOUBLED = [
  't0 := concat("", ["0123456789abcdef" | some _ in numbers.range(1, 65536)])',
  ...Array.from({ length: 10 }, (_, step) => `t${step + 1} := concat("", [t${step}, t${step}])`),
].join("\n");
const DEEP = "[".repeat(100_000);

/** A loop takes memory as it runs: which of the two bounds it reaches first is a matter of the machine's speed. */
const STOPPED = ["policy-deadline", "policy-memory"];

/** What the rule tries, and the codes one of which it costs; none = it is answered. */
const SCENES: readonly (readonly [string, PolicyFile, readonly string[]])[] = [
  ["a text of 1 GiB", policy("a", `${DOUBLED}\ndeny contains {"message": "x"} if count(t10) == -1`), ["policy-memory"]],
  [
    "a range of a thousand million",
    policy("a", `deny contains {"message": "x"} if count(numbers.range(1, 1000000000)) == -1`),
    STOPPED,
  ],
  [
    "a product of three ranges",
    policy(
      "a",
      `r := numbers.range(1, 10000)\ndeny contains {"message": "x"} if { some x in r; some y in r; some z in r; x * y * z == -1 }`,
    ),
    STOPPED,
  ],
  [
    "a pattern that backtracking engines never finish, inside the module",
    policy(
      "a",
      `deny contains {"message": "x"} if regex.match("^(a+)+$", concat("", [concat("", ["a" | some _ in numbers.range(1, 20000)]), "!"]))`,
    ),
    [],
  ],
  [
    "the same pattern, by the host",
    policy(
      "a",
      `t := concat("", ["a" | some _ in numbers.range(1, 20000)])\ndeny contains {"message": "x"} if regex.replace(sprintf("%s!", [t]), "(a|a)*$", "") == "x"`,
    ),
    [],
  ],
  [
    "JSON that is nested 100,000 deep",
    policy("a", `deny contains {"message": "x"} if json.unmarshal(input.resource.object.metadata.labels.deep)`),
    ["builtin-error"],
  ],
  [
    "YAML that is nested 100,000 deep, by the host",
    policy("a", `deny contains {"message": "x"} if yaml.unmarshal(input.resource.object.metadata.labels.deep)`),
    ["builtin-error"],
  ],
  [
    "a schema that names itself without end",
    policy("a", `deny contains {"message": "x"} if json.match_schema({}, {"$ref": "#"})[0]`),
    ["builtin-error"],
  ],
  [
    "a template that is nested without end",
    policy(
      "a",
      `t := concat("", ["{{if .a}}" | some _ in numbers.range(1, 50000)])\ndeny contains {"message": "x"} if strings.render_template(t, {"a": true}) == ""`,
    ),
    ["builtin-error"],
  ],
];

for (const [what, file, codes] of SCENES) {
  test(`${what} costs its own evaluation at most`, async (t) => {
    const set = await build(t, [file], toolchain);
    const evaluated = await engine.evaluate(set, [document("x", { labels: { deep: DEEP } })]);
    const said = evaluated.notEvaluated.map(({ code }) => code);
    assert.ok(codes.length === 0 ? said.length === 0 : codes.includes(said.join()), said.join());
    await stillAnswers();
  });
}

test("100,000 aborts in a row leave the engine answering", async (t) => {
  const abort = policy(
    "abort",
    `v := 1 if input.version == 1\nv := 2 if input.resource.object\ndeny contains {"message": "x"} if v == 3`,
  );
  const set = await build(t, [abort], toolchain);
  const documents = Array.from({ length: 5000 }, () => document("x"));
  for (let round = 0; round < 20; round++) {
    const evaluated = await engine.evaluate(set, documents);
    assert.deepEqual([evaluated.rulesEvaluated, evaluated.notEvaluated.length], [0, 5000]);
  }
  await stillAnswers();
});

test("a loop in one evaluation keeps no other one waiting", async (t) => {
  const patient = openPolicyEngine(LIMITS);
  t.after(() => patient.close());
  const set = await build(t, [SCENES[2]?.[1] as PolicyFile], toolchain);
  const answered: string[] = [];
  const looping = patient.evaluate(set, [document("x")]).finally(() => answered.push("the loop"));
  const other = patient.evaluate(GOOD, [document("x")]).finally(() => answered.push("the other"));
  assert.equal((await other).rulesEvaluated, 1);
  const stopped = (await looping).notEvaluated[0]?.code ?? "";
  assert.ok(STOPPED.includes(stopped), stopped);
  assert.deepEqual(answered, ["the other", "the loop"]);
});

test("memory that a policy took comes back", async (t) => {
  const set = await build(t, [SCENES[0]?.[1] as PolicyFile], toolchain);
  await stillAnswers();
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 10; round++) await engine.evaluate(set, [document("x")]);
  await stillAnswers();
  const after = process.memoryUsage.rss();
  assert.ok(after - before < 3 * LIMITS.memoryBytes, `${before} bytes became ${after}: ten times 256 MiB were taken`);
});
