/** What a policy cannot do with the functions of its host, and that the table of functions is the truth. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BuiltinError, type CallContext, LimitError } from "../../src/policy/builtins/call.ts";
import { isOffered, loadBuiltins } from "../../src/policy/builtins.ts";
import { parseRegoValue, type RegoValue } from "../../src/policy/rego-value.ts";
import { build, document, engine, policy, realToolchain, rejected } from "./support.ts";

const NOTHING_KNOWN: CallContext = { nowNs: null, draw: null };

async function call(
  name: string,
  operands: readonly string[],
  context = NOTHING_KNOWN,
): Promise<RegoValue | undefined> {
  const called = (await loadBuiltins([name])).get(name) ?? assert.fail(`${name} is not there`);
  return called(operands.map(parseRegoValue), context);
}

const text = (value: string): string => JSON.stringify(value);

test("every function that is offered exists, and is one of OPA's", async (t) => {
  const hello = await realToolchain(t).request("hello", {});
  assert.ok(hello.ok);
  const names = hello.result["builtins"] as readonly string[];
  const offered = names.filter(isOffered);
  const loaded = await loadBuiltins(names);
  assert.deepEqual(
    offered.filter((name) => !loaded.has(name)),
    [],
  );
  assert.ok(offered.length >= 79, String(offered.length));
});

for (const name of ["http.send", "net.lookup_ip_addr", "opa.runtime", "time.now_ns", "rand.intn", "uuid.rfc4122"]) {
  test(`policies may not call ${name}: its answer is in no evidence`, () => assert.equal(isOffered(name), false));
}

test("names the line that calls what is not offered", async (t) => {
  const files = [policy("net", 'deny contains {"message": net.lookup_ip_addr("localhost")[_]}')];
  const error = await rejected(build(t, files), "builtin-not-supported");
  assert.equal(error.position?.file, "net/policy.rego");
});

test("without a recorded clock and without recorded chance, functions that need them fail", async () => {
  await assert.rejects(call("time.now_ns", []), BuiltinError);
  await assert.rejects(call("rand.intn", ['"x"', "3"]), BuiltinError);
  await assert.rejects(call("uuid.rfc4122", ['"x"']), BuiltinError);
  await assert.rejects(call("io.jwt.decode_verify", ['"a.b.c"', '{"secret": "x"}']), BuiltinError);
  const known: CallContext = { nowNs: 5n, draw: (_, bound) => bound - 1 };
  assert.deepEqual(await call("time.now_ns", [], known), { type: "number", text: "5" });
  assert.deepEqual(await call("rand.intn", ['"x"', "3"], known), { type: "number", text: "2" });
  assert.equal(await call("uuid.rfc4122", ['"x"'], known), await call("uuid.rfc4122", ['"x"'], known));
});

test("a pattern that blows up where engines backtrack is answered", async () => {
  const hostile = "a".repeat(20_000);
  assert.deepEqual(await call("regex.split", [text("(a+)+$"), text(`${hostile}!`)]), [`${hostile}!`]);
  assert.equal(await call("regex.replace", [text(`${hostile}!`), text("(a|a)*$"), text("x")]), `${hostile}!x`);
});

test("answers have bounds", async () => {
  const long = text("a".repeat(1000));
  const grows: readonly (readonly [string, readonly string[]])[] = [
    ["numbers.range_step", ["0", "1000000000000", "1"]],
    ["net.cidr_expand", ['"10.0.0.0/8"']],
    ["net.cidr_expand", ['"2001:db8::/32"']],
    ["regex.replace", [text("b".repeat(2000)), '"b"', long]],
    ["sprintf", [text("%9999d".repeat(200)), `[${Array(200).fill("1").join(", ")}]`]],
  ];
  for (const [name, operands] of grows) await assert.rejects(call(name, operands), LimitError, name);
  await assert.rejects(call("units.parse", ['"1e99999"']), BuiltinError, "OPA has this bound itself");
});

test("a graph whose paths double at every step ends with an error", async () => {
  const nodes = Array.from({ length: 40 }, (_, at) => `"${at}": ["${at + 1}", "${at + 1}"]`);
  await assert.rejects(call("graph.reachable_paths", [`{${nodes.join(", ")}, "40": []}`, '["0"]']), LimitError);
});

test("a set reaches the function as a set, and a big integer as itself", async (t) => {
  const body = `deny contains {"message": sprintf("%v %v %v", [{"b", "a"}, 123456789012345678901234567890, set()])}`;
  const set = await build(t, [policy("exact", body)]);
  const { findings } = await engine(t).evaluate(set, [document("x")]);
  assert.deepEqual(
    findings.map(({ message }) => message),
    ['{"a", "b"} 123456789012345678901234567890 set()'],
  );
});

test("a call that fails is an error of the rule that makes it, and of no other", async (t) => {
  const bad = policy("bad", 'deny contains {"message": "x"} if time.parse_rfc3339_ns(input.resource.id.name) > 0');
  const good = policy("good", 'deny contains {"message": hex.encode(input.resource.id.name)}');
  const { findings, notEvaluated } = await engine(t).evaluate(await build(t, [bad, good]), [document("x")]);
  assert.deepEqual(
    findings.map(({ message }) => message),
    ["78"],
  );
  assert.deepEqual(
    notEvaluated.map(({ code }) => code),
    ["builtin-error"],
  );
});
