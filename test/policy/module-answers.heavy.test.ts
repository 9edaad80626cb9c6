/**
 * Every built-in that OPA compiles into a module, at its edges: a native policy gets the answer of OPA's evaluator, or an
 * error. Where the module itself says something else it asks the host (toolchain/cmd/rego/strictlist.go).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64, utf8 } from "../../src/lib/bytes.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import { sprintf } from "../../src/policy/go-format.ts";
import { isArray, type RegoSet, type RegoValue } from "../../src/policy/rego-value.ts";
import { isObject, type Toolchain } from "../../src/policy/toolchain.ts";
import { EvaluationFault, instantiate, type PolicyInstance } from "../../src/policy/wasm-instance.ts";
import { EDGES, OTHERWISE } from "./module-edges.ts";
import { realToolchain } from "./support.ts";

const MEMORY_BYTES = 64 * 1024 * 1024;
/** Of one built-in; more are thinned out evenly. */
const MOST_CALLS = 400;

type Operands = readonly string[];

function callsOf(pools: readonly Operands[]): readonly Operands[] {
  const start: readonly Operands[] = [[]];
  const all = pools.reduce((calls, pool) => calls.flatMap((call) => pool.map((one) => [...call, one])), start);
  const step = Math.max(1, all.length / MOST_CALLS);
  return Array.from({ length: Math.floor(all.length / step) }, (_, at) => all[Math.floor(at * step)] ?? assert.fail());
}

/** So that no type is known when it is compiled. */
function functionOf(name: string, count: number): string {
  const list = Array.from({ length: count }, (_, at) => `a${at}`).join(", ");
  return `package p\n\nf(${list}) = r { r := ${name}(${list}) }\n`;
}

/** As OPA prints each answer; null where there is none. The answer of object.get has no type. */
async function theirs(toolchain: Toolchain, name: string, calls: readonly Operands[]): Promise<readonly Answer[]> {
  const untyped = (operand: string) => `object.get({}, "", ${operand})`;
  const rules = calls.map(
    (call, at) => `answer["${at}"] = x { x := sprintf("%v", [[f(${call.map(untyped).join(", ")})]]) }`,
  );
  const text = `${functionOf(name, calls[0]?.length ?? 0)}\nanswer["none"] = ""\n${rules.join("\n")}\n`;
  const files = [{ path: "p.rego", text, regoVersion: "v0" }];
  const answered = await toolchain.request("eval", { files, query: "data.p.answer" });
  assert.ok(answered.ok && isObject(answered.result["value"]), JSON.stringify(answered).slice(0, 2000));
  const values = answered.result["value"];
  return calls.map((_, at) => (values[String(at)] as string | undefined) ?? null);
}

type Answer = string | null;

async function ours(toolchain: Toolchain, name: string, count: number): Promise<(call: Operands) => Answer | Failed> {
  const given = Array.from({ length: count }, (_, at) => `input.a${at}`).join(", ");
  const text = `${functionOf(name, count)}\nr = x { x := f(${given}) }\n`;
  const files = [{ path: "p.rego", text, regoVersion: "v0", lenient: true, strictBuiltinErrors: true }];
  const compiled = await toolchain.request("compile", { files, entrypoints: ["p/r"] });
  assert.ok(compiled.ok, JSON.stringify(compiled));
  const wasm = decodeBase64(String(compiled.result["wasm"])) ?? assert.fail();
  const module = new WebAssembly.Module(new Uint8Array(wasm));
  const functions = await loadBuiltins(instantiate(module, MEMORY_BYTES).imports);
  let instance: PolicyInstance | null = null;
  return (call) => {
    instance ??= instantiate(module, MEMORY_BYTES);
    instance.use(functions);
    const input = `{${call.map((one, at) => `"a${at}": ${one}`).join(", ")}}`;
    try {
      return printed((instance.query(0, { data: utf8("{}"), input: utf8(input) }) as RegoSet).items);
    } catch (thrown) {
      instance = null;
      assert.ok(thrown instanceof EvaluationFault, String(thrown));
      return new Failed(thrown.message);
    }
  };
}

/** An error, which nobody can overlook. */
class Failed {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

function printed([found]: readonly RegoValue[]): Answer {
  if (found === undefined) return null;
  assert.ok(found !== null && typeof found === "object" && !isArray(found) && found.type === "object");
  return sprintf("%v", [[found.entries[0]?.[1] ?? null]]);
}

/** Modules count with decimal numbers, OPA's evaluator with binary ones, and each writes them in its own way. */
function counted(answer: Answer): Answer {
  const round = (text: string) => String(Number(Number(text).toPrecision(14)) + 0);
  const parts = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;
  return answer === null ? null : answer.replaceAll(parts, (part) => (part.startsWith('"') ? part : round(part)));
}

/** What the host or the module fails for although OPA answers: never silently. */
const FAILS: Readonly<Record<string, string>> = {
  "base64.decode": "what is decoded is not UTF-8",
  "base64url.decode": "what is decoded is not UTF-8",
  "json.filter": "the module stops at an empty path",
  "json.remove": "the module stops at an empty path",
  replace: "bytes of one character are taken apart",
  to_number: "a number in Go's own notation",
  ...Object.fromEntries(["and", "or", "xor", "lsh", "rsh", "negate"].map((one) => [`bits.${one}`, "no small integer"])),
  ...{ format_int: "no small integer", "numbers.range": "no small integer" },
};

test("a native policy gets the answer of OPA's evaluator from every built-in of a module, or an error", async (t) => {
  const toolchain = realToolchain(t, { maxRequests: 1000 });
  const wrong: string[] = [];
  for (const [name, pools] of Object.entries(EDGES)) {
    const calls = callsOf(pools);
    const expected = await theirs(toolchain, name, calls);
    const host = await ours(toolchain, name, pools.length);
    for (const [at, call] of calls.entries()) {
      const [answer, wanted] = [host(call), expected[at] ?? null];
      const written = `${name}(${call.join(", ")}): OPA ${wanted}`;
      if (answer instanceof Failed) {
        if (wanted !== null && FAILS[name] === undefined) wrong.push(`${written}, ours failed: ${answer.message}`);
      } else if (counted(answer) !== counted(wanted)) wrong.push(`${written}, ours ${answer}`);
    }
  }
  assert.equal(wrong.join("\n").slice(0, 8000), "");
});

test("the list of what modules answer otherwise is true", async (t) => {
  const toolchain = realToolchain(t);
  for (const [name, ...call] of OTHERWISE) {
    const [wanted] = await theirs(toolchain, name, [call]);
    const host = await ours(toolchain, name, call.length);
    assert.notDeepEqual(host(call), wanted, `${name}(${call.join(", ")})`);
  }
});
