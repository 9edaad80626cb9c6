/** Built-ins that OPA compiles into the module: what fails there is an error of the native rule that calls it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { JsonValue } from "../../src/lib/canonical.ts";
import { build, document, engine, policy, realToolchain, rejected } from "./support.ts";

const toolchain = realToolchain({ after });
const running = engine({ after });

/** The value of an annotation, and what a rule makes of it: [built-in, body of a rule over `v`, value]. */
const FAILING: readonly (readonly [string, string, JsonValue])[] = [
  ["to_number", "to_number(v) > 10", "50x"],
  ["div", "100 / v > 10", 0],
  ["rem", "100 % v > 10", 0],
  ["plus", "v + 1 > 10", "9"],
  ["minus", "v - 1 > 10", []],
  ["json.unmarshal", "json.unmarshal(v).bad", "{"],
  ["json.unmarshal", "json.unmarshal(v) == 0", "0x10"],
  ["base64.decode", 'base64.decode(v) == "x"', "%"],
  ["base64.decode", 'base64.decode(v) == "a"', "YQ"],
  ["base64url.decode", 'base64url.decode(v) == "a"', "YQ==x"],
  ["indexof", 'indexof("a", v) == 0', ""],
  ["regex.match", 'regex.match(v, "x")', "("],
  ["glob.match", 'glob.match(v, [], "x")', 7],
  ["net.cidr_contains", 'net.cidr_contains("10.0.0.0/8", v)', "nowhere"],
  ["numbers.range", "count(numbers.range(1, v)) > 10", 1.5],
  ["lower", 'lower(v) == "x"', null],
  ["startswith", 'startswith(v, "x")', 1],
  ["startswith", 'not startswith(v, "x")', 1],
  ["count", "count(v) > 10", 3],
  ["split", 'some part in split(v, ","); part == "x"', 1],
  ["split", 'every part in split(v, ",") { part == "x" }', 1],
  ["max", "max(v) > 10", "x"],
  ["upper", '"X" in {upper(one) | some one in v}', ["a", 1]],
  ["upper", 'helper(v) == "X"', {}],
  ["trim", 'value == "x" with input.subject.time as trim(v, " ")', 1],
];

const HELPERS = "v := input.resource.object.data.value\n\nvalue := input.subject.time\n\nhelper(x) := upper(x)\n";
/** Where the value is right, absent, or of a kind that the rule asks for first. */
const FINE: readonly (readonly [string, JsonValue])[] = [
  ['startswith(v, "y")', "x"],
  ["to_number(v) > 10", "7"],
  ["to_number(input.resource.object.data.absent) > 10", "50x"],
  ["is_number(v); v + 1 > 10", "50x"],
  ["max(v) > 10", []],
  ["min(v) > 10", []],
  ["object.union_n(v).bad", []],
  ["json.is_valid(v)", "[1,]"],
  ["base64.is_valid(v)", "YQ"],
  ['not replace("a", v, "-") == "-a-"', ""],
  ['not concat(",", {"b", v}) == "a,b"', "a"],
  ['contains(lower(sprintf("%v", [v])), "y")', 7],
  ["lower(v) == v with lower as same", 7.5],
];

function ruleOf(index: number, body: string) {
  return policy(`r${index}`, `${HELPERS}\nsame(_) := "y"\n\ndeny contains {"message": "bad"} if { ${body} }`);
}

function valued(index: number, value: JsonValue) {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `x${index}` }, data: { value } };
  return document(`x${index}`, { object });
}

test("a built-in of the module that fails is an error that names it, and hides no other rule", async (t) => {
  for (const [index, [name, body, value]] of FAILING.entries()) {
    const other = policy("z-other", 'deny contains {"message": "seen"}');
    const set = await build(t, [ruleOf(index, body), other], toolchain);
    const { findings, notEvaluated } = await running.evaluate(set, [valued(index, value)]);
    assert.deepEqual(
      [findings.map(({ message }) => message), notEvaluated.map(({ what, code }) => `${code} ${what}`)],
      [["seen"], [`builtin-error r${index} on ConfigMap/apps/x${index}`]],
      body,
    );
    assert.ok(notEvaluated[0]?.message.startsWith(`${name}: `), notEvaluated[0]?.message);
  }
});

test("what has an answer, and what has none without a failure, is no error", async (t) => {
  const set = await build(
    t,
    FINE.map(([body], index) => ruleOf(index, body)),
    toolchain,
  );
  for (const [index, [body, value]] of FINE.entries()) {
    const { notEvaluated, findings } = await running.evaluate(set, [valued(index, value)]);
    const mine = notEvaluated.filter(({ what }) => what.startsWith(`r${index} `));
    assert.deepEqual([mine, findings.filter(({ rule }) => rule === `r${index}`)], [[], []], body);
  }
});

test("a policy has neither the functions of strict built-ins nor the call by which they fail", async (t) => {
  const called = 'deny contains {"message": "x"} if rego.parse_module("count", lower(input.subject.time))';
  await rejected(build(t, [policy("a", called)], toolchain), "builtin-not-supported");
  const own = { path: "own.rego", text: "package sluice.strict\n\ncall_lower(_) := 1\n" };
  const error = await rejected(build(t, [policy("a", "deny := []"), own], toolchain), "policy-metadata");
  assert.equal(error.position?.file, "own.rego");
  const replaced = 'f(x) := x\n\ndeny contains {"message": "x"} if f(input.subject.time) with f as to_number';
  const refused = await rejected(build(t, [policy("a", replaced)], toolchain), "policy-does-not-compile");
  assert.deepEqual([refused.position?.file, refused.position?.line], ["a/policy.rego", 11]);
});
