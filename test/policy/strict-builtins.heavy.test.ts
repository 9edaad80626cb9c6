/**
 * Random calls of each built-in that a module brings itself, on the host against OPA's evaluator with strict built-in
 * errors: an answer, no answer, or a failure on both sides.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, utf8 } from "../../src/lib/bytes.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import type { RegoSet } from "../../src/policy/rego-value.ts";
import { isObject, type Toolchain } from "../../src/policy/toolchain.ts";
import { EvaluationFault, instantiate, type PolicyInstance } from "../../src/policy/wasm-instance.ts";
import { ROOT, realToolchain } from "./support.ts";

const RUNS = 12;
const MEMORY_BYTES = 64 * 1024 * 1024;

/** Each with the operands that it takes, among which any value stands now and then. */
const LIST = fc.constantFrom(
  "[]",
  "[1, 2]",
  '["b", "a"]',
  "[[1], [2, 3]]",
  "[true, false]",
  "[{}]",
  '[{"a": 1}, {"b": 2}]',
);
const SET = fc.constantFrom("set()", "{1, 2}", '{"a", "b"}', "{{1}, {1, 2}}", '{"a/b"}');
const OBJECT = fc.constantFrom("{}", '{"a": 1}', '{"a": {"b": 2}}', '{"a": ["b"], "b": []}', '{"a": "b"}');
const NUMBER = fc.constantFrom("0", "1", "-3", "2.5", "10", "16", "7");
const TEXT = fc.constantFrom(
  ...[
    '""',
    '"a"',
    '"B"',
    '"a.b"',
    '" 7 "',
    '"7"',
    '"50x"',
    '"[1"',
    '{"a": 1}',
    '"(a"',
    '"YQ=="',
    '"%"',
    '"a/b"',
    '"é"',
  ],
  ...['"10.0.0.0/8"', '"10.1.2.3"', '"nowhere"', '"-1.5e3"', '"0x10"', '"*"', '"[1]"'],
);
const ANY = fc.oneof(LIST, SET, OBJECT, NUMBER, TEXT, fc.constantFrom("null", "true", "false"));

/** OPA's evaluator keeps bytes that are no text, where the host fails: never silently. */
const OTHERWISE = ["base64.decode", "base64url.decode"];

type Outcome = "answered" | "nothing" | "failed" | "aborted";

interface Call {
  readonly name: string;
  readonly operands: readonly string[];
}

/** The names and how many operands each takes, from the compiler's own list. */
function strictNames(): readonly string[] {
  const text = readFileSync(join(ROOT, "toolchain/cmd/rego/strictlist.go"), "utf8");
  const list = text.slice(text.indexOf("var strictBuiltins"), text.indexOf("\n}\n"));
  return [...list.matchAll(/^\t"([a-z0-9_.]+)":/gm)].map(([, name]) => name as string);
}

const OPERANDS: Readonly<Record<string, readonly fc.Arbitrary<string>[]>> = {
  ...Object.fromEntries(["abs", "bits.negate", "ceil", "floor", "round"].map((name) => [name, [NUMBER]])),
  ...Object.fromEntries(
    ["bits.and", "bits.lsh", "bits.or", "bits.rsh", "bits.xor", "div", "minus", "mul", "plus", "rem"].map((name) => [
      name,
      [NUMBER, NUMBER],
    ]),
  ),
  ...Object.fromEntries(["and", "or", "set_diff"].map((name) => [name, [SET, SET]])),
  ...Object.fromEntries(["intersection", "union"].map((name) => [name, [SET]])),
  ...Object.fromEntries(
    ["all", "any", "array.flatten", "array.reverse", "count", "max", "min", "product", "sort", "sum"].map((name) => [
      name,
      [fc.oneof(LIST, SET)],
    ]),
  ),
  ...Object.fromEntries(
    [
      ...["base64.decode", "base64.encode", "base64url.decode", "base64url.encode", "json.unmarshal", "lower"],
      ...["strings.reverse", "to_number", "trim_space", "upper"],
    ].map((name) => [name, [TEXT]]),
  ),
  ...Object.fromEntries(
    [
      ...["contains", "endswith", "indexof", "net.cidr_contains", "net.cidr_intersects", "net.cidr_overlap"],
      ...["re_match", "regex.match", "split", "startswith", "trim", "trim_left", "trim_prefix", "trim_right"],
      "trim_suffix",
    ].map((name) => [name, [TEXT, TEXT]]),
  ),
  "array.concat": [LIST, LIST],
  "array.slice": [LIST, NUMBER, NUMBER],
  concat: [TEXT, fc.oneof(LIST, SET)],
  format_int: [NUMBER, NUMBER],
  "glob.match": [TEXT, fc.constantFrom("[]", "null", '["."]', "[1]", '[".", "/"]'), TEXT],
  "graph.reachable": [OBJECT, fc.oneof(LIST, SET)],
  "json.filter": [OBJECT, fc.oneof(LIST, SET)],
  "json.marshal": [ANY],
  "json.remove": [OBJECT, fc.oneof(LIST, SET)],
  "numbers.range": [NUMBER, NUMBER],
  "object.filter": [OBJECT, fc.oneof(LIST, SET, OBJECT)],
  "object.get": [OBJECT, fc.oneof(TEXT, LIST), ANY],
  "object.keys": [OBJECT],
  "object.remove": [OBJECT, fc.oneof(LIST, SET, OBJECT)],
  "object.union": [OBJECT, OBJECT],
  "object.union_n": [LIST],
  "regex.find_all_string_submatch_n": [TEXT, TEXT, NUMBER],
  replace: [TEXT, TEXT, TEXT],
  "strings.replace_n": [fc.constantFrom('{"a": "b"}', "{}", '{"a": 1}'), TEXT],
  substring: [TEXT, NUMBER, NUMBER],
};

function randomCalls(): readonly Call[] {
  return strictNames().flatMap((name) => {
    const operands = OPERANDS[name] ?? assert.fail(`${name} has no operands here`);
    const wilder = operands.map((one) => fc.oneof({ weight: 4, arbitrary: one }, { weight: 1, arbitrary: ANY }));
    const all = fc.sample(fc.tuple(...wilder), { numRuns: RUNS, seed: 7 });
    const written = new Map(all.map((one) => [JSON.stringify(one), one]));
    return [...written.values()].map((one) => ({ name, operands: one }));
  });
}

/** A function for each name, so that no type is known when it is compiled. */
function functionsOf(names: readonly string[]): string {
  const one = (name: string, index: number): string => {
    const list = (OPERANDS[name] ?? []).map((_, at) => `a${at}`).join(", ");
    return `f${index}(${list}) = r { r := ${name}(${list}) }`;
  };
  return `package p\n\n${names.map(one).join("\n\n")}\n`;
}

/** The answer of object.get has no type, so the compiler cannot know what is wrong. */
function untyped(operand: string): string {
  return `object.get({}, "", ${operand})`;
}

async function expectedOf(toolchain: Toolchain, calls: readonly Call[]): Promise<readonly Outcome[]> {
  const names = strictNames();
  const written = ({ name, operands }: Call) => `f${names.indexOf(name)}(${operands.map(untyped).join(", ")})`;
  const rules = calls.map((call, at) => `answer["${at}"] = x { x := json.marshal(${written(call)}) }`);
  const regoVersion = "v0";
  const files = [
    { path: "p.rego", text: `${functionsOf(names)}\n${rules.join("\n")}\nanswer["none"] = ""\n`, regoVersion },
  ];
  const answered = await toolchain.request("eval", { files, query: "data.p.answer" });
  assert.ok(answered.ok && isObject(answered.result["value"]), JSON.stringify(answered).slice(0, 2000));
  const values = answered.result["value"];
  const expected: Outcome[] = [];
  for (const [at, call] of calls.entries()) {
    const value = values[String(at)];
    expected.push(typeof value === "string" ? "answered" : await silenceOf(toolchain, call));
  }
  return expected;
}

/** Whether OPA's own call failed, or has no value by intent. */
async function silenceOf(toolchain: Toolchain, { name, operands }: Call): Promise<Outcome> {
  const files = [{ path: "p.rego", text: functionsOf([name]), regoVersion: "v0" }];
  const query = `data.p.f0(${operands.map(untyped).join(", ")})`;
  const answer = await toolchain.request("eval", { files, query, strictBuiltinErrors: true });
  if (answer.ok) return answer.result["defined"] === false ? "nothing" : assert.fail(query);
  assert.ok(answer.errors[0]?.code === "eval-error", `${query} ${JSON.stringify(answer.errors)}`);
  return "failed";
}

async function openHost(toolchain: Toolchain): Promise<(call: Call) => Outcome> {
  const names = strictNames();
  const rule = (name: string, index: number): string =>
    `r${index} = x { x := f${index}(${(OPERANDS[name] ?? []).map((_, at) => `input.a${at}`).join(", ")}) }`;
  const text = `${functionsOf(names)}\n${names.map(rule).join("\n")}\n`;
  const files = [{ path: "p.rego", text, regoVersion: "v0", lenient: true, strictBuiltinErrors: true }];
  const compiled = await toolchain.request("compile", { files, entrypoints: names.map((_, index) => `p/r${index}`) });
  assert.ok(compiled.ok, JSON.stringify(compiled));
  const wasm = decodeBase64(String(compiled.result["wasm"])) ?? assert.fail();
  const module = new WebAssembly.Module(new Uint8Array(wasm));
  const functions = await loadBuiltins(instantiate(module, MEMORY_BYTES).imports);
  let instance: PolicyInstance | null = null;
  return ({ name, operands }) => {
    instance ??= instantiate(module, MEMORY_BYTES);
    instance.use(functions);
    const input = `{${operands.map((one, at) => `"a${at}": ${one}`).join(", ")}}`;
    const entrypoint = instance.entrypoints[`p/r${names.indexOf(name)}`] ?? assert.fail(name);
    try {
      const answer = instance.query(entrypoint, { data: utf8("{}"), input: utf8(input) });
      return (answer as RegoSet).items.length === 0 ? "nothing" : "answered";
    } catch (thrown) {
      instance = null;
      assert.ok(thrown instanceof EvaluationFault, String(thrown));
      if (thrown.code !== "builtin-error") return "aborted";
      assert.ok(thrown.message.startsWith(`${name}: `), thrown.message);
      return "failed";
    }
  };
}

test("a built-in of the module fails where OPA's evaluator fails, and nowhere else", async (t) => {
  const toolchain = realToolchain(t, { maxRequests: 100_000 });
  const calls = randomCalls();
  const expected = await expectedOf(toolchain, calls);
  const host = await openHost(toolchain);
  const wrong = calls.flatMap((call, at) => {
    const ours = host(call);
    if (ours === "failed" && OTHERWISE.includes(call.name)) return [];
    return ours === expected[at]
      ? []
      : [`${call.name}(${call.operands.join(", ")}): OPA ${expected[at]}, ours ${ours}`];
  });
  assert.equal(wrong.join("\n"), "");
});
