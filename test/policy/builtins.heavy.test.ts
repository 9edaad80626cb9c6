/** What a policy cannot do with the functions of its host, and that the table of functions is the truth. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BuiltinError, type CallContext, LimitError } from "../../src/policy/builtins/call.ts";
import { isOffered, loadBuiltins, REFUSED } from "../../src/policy/builtins.ts";
import type { PolicyInput } from "../../src/policy/input.ts";
import { parseRegoValue, type RegoValue } from "../../src/policy/rego-value.ts";
import type { Toolchain } from "../../src/policy/toolchain.ts";
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

test("every built-in function of OPA is offered, native to its modules, compiled away, or refused with a reason", async (t) => {
  const toolchain = realToolchain(t);
  const hello = await toolchain.request("hello", {});
  assert.ok(hello.ok);
  const names = hello.result["builtins"] as readonly string[];
  const loaded = await loadBuiltins(names);
  assert.deepEqual(
    names.filter((name) => isOffered(name) && !loaded.has(name)),
    [],
  );
  assert.deepEqual(
    Object.keys(REFUSED).filter((name) => !names.includes(name)),
    [],
    "refused, and none of OPA's",
  );
  const others = names.filter((name) => !isOffered(name) && !(name in REFUSED) && !COMPILED_AWAY.includes(name));
  const native = await nativeAmong(toolchain, others);
  assert.deepEqual(
    others.filter((name) => !native.has(name)),
    [],
  );
  assert.ok(native.size >= 90 && names.length >= 200, `${native.size} of ${names.length}`);
});

/** Nothing of these is left when a module runs; the last two are of OPA's test runner. */
const COMPILED_AWAY = [
  ...["eq", "assign", "print", "rego.metadata.chain", "rego.metadata.rule", "trace"],
  ...["internal.print", "internal.test_case"],
];

/** A module that calls them all says which of them its host must bring. */
async function nativeAmong(toolchain: Toolchain, names: readonly string[]): Promise<ReadonlySet<string>> {
  const module = (operands: (name: string) => string) =>
    `package p\n${names.map((name, at) => `x${at} { ${name}(${operands(name)}) }`).join("\n")}\n`;
  const regoVersion = "v0"; // v1 has none of the old ones
  const bare = await toolchain.request("check", { files: [{ path: "p.rego", text: module(() => "") }], regoVersion });
  const wanted = new Map<string, number>();
  for (const { message } of bare.ok ? [] : bare.errors) {
    const [, name, operands] = /^(\S+): arity mismatch[\s\S]*want: \(([\s\S]*)\)$/.exec(message) ?? [];
    if (name !== undefined) wanted.set(name, countOf(operands ?? ""));
  }
  const operands = (name: string) =>
    Array(wanted.get(name) ?? 0)
      .fill("input.x")
      .join(", ");
  const entrypoints = names.map((_, at) => `p/x${at}`);
  const compiled = await toolchain.request("compile", {
    files: [{ path: "p.rego", text: module(operands) }],
    entrypoints,
    regoVersion,
  });
  assert.ok(compiled.ok, JSON.stringify(compiled));
  const brought = new Set(compiled.result["builtins"] as readonly string[]);
  return new Set(names.filter((name) => !brought.has(name)));
}

/** Operands of a signature as OPA prints it: `a: string, b: object[any: any]`. */
function countOf(signature: string): number {
  let depth = 0;
  let commas = 0;
  for (const character of signature) {
    if ("<[(".includes(character)) depth++;
    if (">])".includes(character)) depth--;
    if (character === "," && depth === 0) commas++;
  }
  return signature.trim() === "" ? 0 : commas + 1;
}

for (const name of Object.keys(REFUSED)) {
  test(`policies may not call ${name}: ${REFUSED[name]}`, () => assert.equal(isOffered(name), false));
}

test("what is asked of the outside is answered without it, or fails", async () => {
  assert.deepEqual(await call("opa.runtime", []), { type: "object", entries: [] });
  assert.deepEqual(await call("net.lookup_ip_addr", ['"::"']), { type: "set", items: ["::"] });
  await assert.rejects(call("net.lookup_ip_addr", ['"a.example"']), BuiltinError);
});

test("the clock of a policy is the recorded instant, and its chance the same for the same input", async (t) => {
  const drawn = `msg := sprintf("%d %v %d %s", [time.now_ns(), rand.intn("a", 1000000) == rand.intn("a", 1000000), rand.intn("b", 1000000), uuid.rfc4122("x")])`;
  const set = await build(t, [policy("drawn", `deny contains {"message": msg} if {\n\t${drawn}\n}`)]);
  assert.equal(set.readsOnlyOwnParts, false, "what it said is not remembered by object");
  const said = async (documents: readonly PolicyInput[]) =>
    (await engine(t).evaluate(set, documents)).findings.map(({ message }) => message);
  const [first = "", other = ""] = await said([document("a"), document("b")]);
  assert.match(first, /^1795255200000000000 true \d+ [0-9a-f-]{36}$/);
  assert.notEqual(first, other, "each document has a chance of its own");
  assert.deepEqual(await said([document("a"), document("b")]), [first, other]);
});

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
