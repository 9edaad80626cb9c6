/** The same calls of built-in functions to our host and to OPA's own evaluator. */
import assert from "node:assert/strict";
import { goJsonText } from "../../src/policy/builtins/json-text.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import { parseRegoValue, regoText } from "../../src/policy/rego-value.ts";
import { isObject } from "../../src/policy/toolchain.ts";
import { realToolchain, type Scope } from "./support.ts";

/** Operands as JSON. */
export type Call = readonly [name: string, ...operands: readonly string[]];

/** Go's order of an object's problems is by chance, so they are compared as a set. */
const AS_SETS: ReadonlySet<string> = new Set(["json.match_schema"]);

/** Each has the same answer, or none on both sides. */
export async function compareAnswers(t: Scope, calls: readonly Call[]): Promise<void> {
  const rules = calls.map(
    ([name, ...operands], at) =>
      `answer["${at}"] := json.marshal(${name}(${operands.map((_, index) => `input[${at}][${index}]`).join(", ")}))`,
  );
  const input = JSON.parse(`[${calls.map(([, ...operands]) => `[${operands.join(",")}]`).join(",")}]`);
  const files = [{ path: "a.rego", text: `package a\nanswer["none"] := ""\n${rules.join("\n")}` }];
  const answered = await realToolchain(t).request("eval", { files, query: "data.a.answer", input });
  assert.ok(answered.ok && isObject(answered.result["value"]), JSON.stringify(answered).slice(0, 2000));
  const theirs = answered.result["value"];
  const functions = await loadBuiltins(calls.map(([name]) => name));
  const nowNs = BigInt(Date.now()) * 1_000_000n; // as OPA's evaluator: certificates of a test are younger than the test
  const wrong: string[] = [];
  for (const [at, [name, ...operands]] of calls.entries()) {
    const ours = answerOf(() => functions.get(name)?.(operands.map(parseRegoValue), { nowNs, draw: null }));
    const wanted = theirs[String(at)] ?? null;
    if (unordered(name, ours) !== unordered(name, wanted as string | null))
      wrong.push(`${name}(${operands.join(", ").slice(0, 300)}): OPA ${wanted}, ours ${ours}`);
  }
  assert.deepEqual(wrong, []);
  assert.ok(Object.keys(theirs).length > calls.length / 3, "most calls have an answer");
}

function answerOf(run: () => ReturnType<typeof parseRegoValue> | undefined): string | null {
  try {
    const answer = run();
    return answer === undefined ? null : goJsonText(parseRegoValue(regoText(answer)));
  } catch {
    return null;
  }
}

function unordered(name: string, text: string | null): string | null {
  if (text === null || !AS_SETS.has(name)) return text;
  const [valid, problems] = JSON.parse(text) as [boolean, unknown[]];
  return JSON.stringify([valid, problems.map((one) => JSON.stringify(one)).sort()]);
}
