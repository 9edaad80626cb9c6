/** Our host against two strangers: OPA's own evaluator (topdown) and the npm package over the same module. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import fc from "fast-check";
import { loadAll } from "js-yaml";
import { utf8 } from "../../src/lib/bytes.ts";
import { canonicalJson, type JsonObject, type JsonValue } from "../../src/lib/canonical.ts";
import { aggregateModule } from "../../src/policy/aggregate.ts";
import { goJsonText } from "../../src/policy/builtins/json-text.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import { AGGREGATE_FILE, RESULT_ENTRYPOINT } from "../../src/policy/entrypoints.ts";
import type { PolicyInput } from "../../src/policy/input.ts";
import type { PolicyFile, PolicySet } from "../../src/policy/policy-set.ts";
import { parseRegoValue } from "../../src/policy/rego-value.ts";
import { isObject, type Toolchain } from "../../src/policy/toolchain.ts";
import { instantiate } from "../../src/policy/wasm-instance.ts";
import { podOf } from "../../src/render/pod.ts";
import { build, CHANGE_DOCUMENT, document, policy, ROOT, realToolchain } from "./support.ts";

const MEMORY_BYTES = 64 * 1024 * 1024;

async function topdown(
  toolchain: Toolchain,
  files: readonly PolicyFile[],
  query: string,
  input: JsonValue,
): Promise<JsonValue> {
  const answer = await toolchain.request("eval", {
    files: files.map(({ path, text }) => ({ path, text })),
    query,
    input,
  });
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.equal(answer.result["defined"], true, query);
  return answer.result["value"] ?? null;
}

/** Sets come out in no order; nothing in these policies is a list whose order counts. */
function unordered(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(unordered).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unordered(one)]));
  return value;
}

async function hostOf(set: PolicySet): Promise<(input: PolicyInput) => JsonValue> {
  const instance = instantiate(new WebAssembly.Module(set.wasm), MEMORY_BYTES);
  instance.use(await loadBuiltins(instance.imports));
  const entrypoint = instance.entrypoints[RESULT_ENTRYPOINT] ?? assert.fail("no entrypoint");
  return (input) => {
    const parts = Object.entries(input).map(([key, value]) => [key, utf8(canonicalJson(value))] as const);
    instance.share(Object.fromEntries(parts.slice(0, 4)));
    return JSON.parse(instance.evaluate(entrypoint, Object.fromEntries(parts.slice(4))) ?? "null");
  };
}

function library(): readonly PolicyFile[] {
  const paths = globSync("*/*.rego", { cwd: join(ROOT, "policies") }).filter((path) => !path.endsWith("_test.rego"));
  return paths.sort().map((path) => ({ path, text: readFileSync(join(ROOT, "policies", path), "utf8") }));
}

/** Real objects from the examples, each with a few places changed to something of another type. */
function anyObject(): fc.Arbitrary<JsonObject> {
  const paths = globSync("*/examples/*/*.yaml", { cwd: join(ROOT, "policies") });
  const objects = paths.sort().flatMap((path) => loadAll(readFileSync(join(ROOT, "policies", path), "utf8")));
  const real = objects.filter((one): one is JsonObject => isObject(one) && typeof one["kind"] === "string");
  const surprise = fc.oneof(
    fc.constantFrom<JsonValue>(
      null,
      true,
      "true",
      "",
      0,
      -1,
      1.5,
      [],
      {},
      [{}],
      { name: "x" },
      "latest",
      "web@sha256:00",
    ),
    fc.string(),
  );
  const edits = fc.array(fc.record({ at: fc.nat(), value: surprise as fc.Arbitrary<JsonValue> }), { maxLength: 3 });
  return fc.tuple(fc.constantFrom(...real), edits).map(([object, changes]) => {
    const copy = JSON.parse(JSON.stringify(object)) as Record<string, JsonValue>;
    // A copy each time: a value set into itself would be a circle.
    for (const { at, value } of changes) setPlace(copy, at, structuredClone(value));
    return copy;
  });
}

function setPlace(object: Record<string, JsonValue>, at: number, value: JsonValue): void {
  const places: [Record<string, JsonValue>, string][] = [];
  const walk = (node: Record<string, JsonValue>) => {
    for (const [key, child] of Object.entries(node)) {
      places.push([node, key]);
      if (typeof child === "object" && child !== null) walk(child as Record<string, JsonValue>);
    }
  };
  walk(object["spec"] === undefined ? object : { spec: object["spec"] });
  const place = places[at % Math.max(1, places.length)];
  if (place !== undefined) place[0][place[1]] = value;
}

function inputOf(object: JsonObject): PolicyInput {
  const kind = String(object["kind"]);
  // An object whose pod cannot be read never gets here from a tree; the rules have to bear it all the same.
  return { ...document("x", { kind, object }), pod: attempt(() => podOf(object)) };
}

test("the policy library says on our host what OPA's evaluator says", async (t) => {
  const files = library();
  const set = await build(t, files);
  const evaluate = await hostOf(set);
  const toolchain = realToolchain(t);
  const all = [...files, { path: AGGREGATE_FILE, text: aggregateModule(set.rules) }];
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        { weight: 9, arbitrary: anyObject().map(inputOf) },
        { weight: 1, arbitrary: fc.constant(CHANGE_DOCUMENT) },
      ),
      async (input) => {
        const expected = await topdown(toolchain, all, "data.sluice.aggregate.result", input as unknown as JsonObject);
        assert.deepEqual(unordered(evaluate(input)), unordered(expected));
      },
    ),
    { numRuns: 40 },
  );
});

test("rules without host functions say on our host what the npm package says", async (t) => {
  const walker = policy(
    "walk",
    `warn contains {"message": concat("", ["x", plain(value)]), "at": concat("/", array.concat([""], [p | some q in path; p := sprintf_free(q)]))} if { some path, value; walk(input.resource.object, [path, value]); not is_object(value); count(plain(value)) < 100 }
plain(x) := x if is_string(x)
plain(x) := format_int(floor(x), 10) if is_number(x)
plain(x) := type_name(x) if { not is_string(x); not is_number(x) }
sprintf_free(x) := x if is_string(x)
sprintf_free(x) := format_int(x, 10) if is_number(x)`,
  );
  const counter = policy(
    "count",
    `deny contains {"message": concat(" ", [format_int(count(input.resource.object), 10), upper(input.resource.id.kind), type_name(input.resource.object.spec)])}`,
  );
  const set = await build(t, [walker, counter]);
  const evaluate = await hostOf(set);
  const npm = await loadPolicy(Buffer.from(set.wasm), { initial: 64, maximum: 1024 });
  const index =
    (npm as unknown as { entrypoints: Record<string, number> }).entrypoints[RESULT_ENTRYPOINT] ??
    assert.fail("no entrypoint");
  fc.assert(
    fc.property(anyObject().map(inputOf), (input) => {
      const [answer] = npm.evaluate(input, index) as { result: JsonValue }[];
      assert.deepEqual(unordered(evaluate(input)), unordered(answer?.result ?? null));
    }),
    { numRuns: 100 },
  );
});

test("a host of OPA's, for which no call of ours has a value, gets what the module itself answers", async (t) => {
  const body = `deny contains {"message": concat(",", ["a", json.marshal([1]), base64.decode("YQ==")])} if json.is_valid("[]")`;
  const set = await build(t, [policy("own", body)]);
  const failing = { "rego.parse_module": () => undefined };
  const npm = await loadPolicy(Buffer.from(set.wasm), { initial: 64, maximum: 1024 }, failing);
  const index = (npm as unknown as { entrypoints: Record<string, number> }).entrypoints[RESULT_ENTRYPOINT];
  const [answer] = npm.evaluate(document("x"), index ?? assert.fail()) as { result: JsonValue }[];
  assert.match(JSON.stringify(answer), /"message":"a,\[1\],a"/);
});

const TERMS = [
  "null",
  "true",
  '""',
  '"web"',
  '"a\\"b\\\\c\\n\\t\\u0000\\u00e9\\u2028\\ufeff😀"',
  "0",
  "-7",
  "42",
  "9223372036854775807",
  "9223372036854775808",
  "-99999999999999999999",
  "1.5",
  "-0.001",
  "0.00001",
  "100000000.5",
  "1e3",
  "1e30",
  "123456789012345678901.5",
  "[]",
  '[1, "a", [null]]',
  "{}",
  '{"b": 1, "a": {2, 10, "x", 1}}',
  "set()",
  '{{"a"}, {1: 2}, [3], "é", "z", -1, true}',
];
const VERBS = [
  "%v",
  "%s",
  "%q",
  "%d",
  "%x",
  "%X",
  "%f",
  "%.2f",
  "%8.3f",
  "%e",
  "%g",
  "%t",
  "%5v",
  "%-5v|",
  "%05d",
  "%+d",
  "%3s",
  "%-8s|",
  "%.2s",
  "%.1q",
  "%%",
  "%z",
  "%",
  "%!",
  "plain é",
];

test("sprintf prints what Go prints, or refuses", async (t) => {
  const cases = fc.sample(
    fc.record({
      verbs: fc.array(fc.constantFrom(...VERBS), { maxLength: 3 }),
      terms: fc.array(fc.constantFrom(...TERMS), { maxLength: 3 }),
    }),
    { numRuns: 1500, seed: 7 },
  );
  const single = VERBS.flatMap((verb) => TERMS.map((term) => ({ verbs: [verb], terms: [term] })));
  const calls = [...single, ...cases].map(({ verbs, terms }) => [
    JSON.stringify(verbs.join(" ")),
    `[${terms.join(", ")}]`,
  ]);
  const expected = await topdown(
    realToolchain(t),
    [],
    `[${calls.map((call) => `sprintf(${call.join(", ")})`).join(", ")}]`,
    null,
  );
  assert.ok(Array.isArray(expected) && expected.length === calls.length);
  const sprintf = await caller("sprintf");
  let refused = 0;
  for (const [index, call] of calls.entries()) {
    const printed = sprintf(call);
    if (printed === null) refused++;
    else assert.equal(JSON.parse(printed), expected[index], `sprintf(${call.join(", ")})`);
  }
  assert.ok(refused < calls.length / 4, `${refused} of ${calls.length} refused`);
});

/** Calls our function with operands written as Rego, and answers JSON text as json.marshal would; null when it fails. */
async function caller(name: string): Promise<(operands: readonly string[]) => string | null> {
  const called = (await loadBuiltins([name])).get(name) ?? assert.fail(`${name} is not offered`);
  return (operands) =>
    attempt(() => {
      const answer = called(operands.map(parseRegoValue), { nowNs: null, draw: null });
      return answer === undefined ? null : goJsonText(answer);
    });
}

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}

const TEXTS = [
  "",
  "a",
  "abc",
  "bc",
  "aaa",
  "aa",
  "é",
  "1.2.3",
  "v1.2.3",
  "1.2.3-alpha.1",
  "1.2.3-alpha.10",
  "1.2.3-alpha",
  "1.2.3-1",
  "1.2.3+build",
  "1.2",
  "01.2.3",
  "1.2.3-01",
  "1.2.3-",
  "9223372036854775808.0.0",
];
const TIMES = [
  "2026-11-21T10:00:00Z",
  "2026-11-21T10:00:00.123456789Z",
  "2026-11-21T10:00:00.5+02:00",
  "1969-12-31T23:59:59-00:30",
  "2026-02-30T00:00:00Z",
  "2026-11-21",
  "1600-01-01T00:00:00Z",
  "2300-01-01T00:00:00Z",
  "2026-11-21t10:00:00z",
  "x",
];

/** [function, how many operands, their values] */
const FUNCTIONS: readonly (readonly [string, number, readonly string[]])[] = [
  ["strings.any_prefix_match", 2, ['"abc"', '""', '["abc", "x"]', '{"a", "b"}', "[]", "set()", '["z"]']],
  ["strings.any_suffix_match", 2, ['"abc"', '""', '["abc", "x"]', '{"a", "bc"}', "[]", "set()", '["z"]']],
  ["strings.count", 2, TEXTS.map((text) => JSON.stringify(text))],
  ["semver.is_valid", 1, TEXTS.map((text) => JSON.stringify(text))],
  ["semver.compare", 2, TEXTS.map((text) => JSON.stringify(text))],
  ["time.parse_rfc3339_ns", 1, TIMES.map((text) => JSON.stringify(text))],
];

for (const [name, operands, values] of FUNCTIONS) {
  test(`${name} answers what OPA answers, and fails where it fails`, async (t) => {
    const calls = operands === 1 ? values.map((value) => [value]) : values.flatMap((a) => values.map((b) => [a, b]));
    const expected = await eachCall(t, name, calls);
    const ours = await caller(name);
    for (const [index, call] of calls.entries()) {
      assert.equal(ours(call), expected[index], `${name}(${call.join(", ")})`);
    }
  });
}

/** A failed call leaves its key out; numbers are compared as text, because nanoseconds do not fit a JavaScript number. */
async function eachCall(
  t: TestContext,
  name: string,
  calls: readonly (readonly string[])[],
): Promise<readonly (string | null)[]> {
  const rules = calls.map((call, index) => `answer["${index}"] := json.marshal(${name}(${call.join(", ")}))`);
  const files = [{ path: "a.rego", text: `package a\nanswer["none"] := ""\n${rules.join("\n")}` }];
  const answer = await topdown(realToolchain(t), files, "data.a.answer", null);
  assert.ok(isObject(answer));
  return calls.map((_, index) => (answer[String(index)] as string | undefined) ?? null);
}
