/** Runs one of OPA's own cases on our host and compares, as OPA's end-to-end test of its WebAssembly SDK does. */
import { utf8 } from "../../src/lib/bytes.ts";
import { goJsonText } from "../../src/policy/builtins/json-text.ts";
import { loadBuiltins } from "../../src/policy/builtins.ts";
import { compareRegoValues, isArray, parseRegoValue, type RegoValue, regoText } from "../../src/policy/rego-value.ts";
import { EvaluationFault, instantiate } from "../../src/policy/wasm-instance.ts";

/** As toolchain/conformance writes it. */
export interface ConformanceCase {
  readonly category: string;
  readonly note: string;
  readonly data: string;
  readonly input: string;
  readonly wantDefined: boolean | null;
  /** JSON text; "" = only whether there is a result. */
  readonly wantResult: string;
  readonly wantError: string | null;
  readonly strictError: boolean;
  readonly sortValues: boolean;
  readonly env: Readonly<Record<string, string>> | null;
  readonly failure: string;
}

const MEMORY_BYTES = 256 * 1024 * 1024;

/** @returns null when the case passes, else what is wrong. */
export async function judgeCase(one: ConformanceCase, wasm: Uint8Array): Promise<string | null> {
  if (one.failure !== "") return `does not compile: ${one.failure}`;
  const answer = await answerOf(one, wasm);
  if (one.wantDefined !== null) return "value" in answer ? sameDefined(answer.value, one.wantDefined) : answer.fault;
  if (one.wantResult !== "") return "value" in answer ? sameResult(answer.value, one) : answer.fault;
  if (one.strictError) return "value" in answer ? sameDefined(answer.value, false) : answer.fault;
  return "value" in answer
    ? `expected ${one.wantError}, got ${regoText(answer.value)}`
    : wantedFault(one, answer.fault);
}

async function answerOf(one: ConformanceCase, wasm: Uint8Array): Promise<{ value: RegoValue } | { fault: string }> {
  try {
    const instance = instantiate(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), MEMORY_BYTES, {
      onFailure: "undefined",
      context: { nowNs: BigInt(Date.now()) * 1_000_000n, draw: drawing() },
    });
    instance.use(new Map([...(await loadBuiltins(instance.imports)), ["test.sleep", () => null]]));
    const input = one.input === "" ? null : utf8(one.input);
    return { value: instance.query(0, { data: utf8(one.data === "" ? "{}" : one.data), input }) };
  } catch (thrown) {
    if (!(thrown instanceof EvaluationFault)) throw thrown;
    return { fault: `${thrown.code}: ${thrown.message}` };
  }
}

/** Random, but the same for the same name. */
function drawing(): (name: string, bound: number) => number {
  const drawn = new Map<string, number>();
  return (name, bound) => {
    const value = drawn.get(name) ?? Math.floor(Math.random() * bound);
    drawn.set(name, value);
    return value;
  };
}

function wantedFault({ wantError }: ConformanceCase, fault: string): string | null {
  if (wantError === "eval_conflict_error" && /var assignment conflict|object insert conflict/.test(fault)) return null;
  return `expected ${wantError}, got ${fault}`;
}

function sameDefined(answer: RegoValue, wanted: boolean): string | null {
  return bindings(answer).length > 0 === wanted ? null : `expected defined = ${wanted}, got ${regoText(answer)}`;
}

function sameResult(answer: RegoValue, one: ConformanceCase): string | null {
  const got: RegoValue = { type: "set", items: bindings(answer).map((each) => asJson(each, one.sortValues)) };
  const wanted = parseRegoValue(one.wantResult);
  const expected: RegoValue = { type: "set", items: isArray(wanted) ? wanted : [] };
  return compareRegoValues(got, expected) === 0 ? null : `expected ${regoText(expected)}, got ${regoText(got)}`;
}

function bindings(answer: RegoValue): readonly RegoValue[] {
  if (isArray(answer)) return answer;
  if (answer !== null && typeof answer === "object" && "type" in answer && answer.type === "set") return answer.items;
  throw new TypeError("the module answers no set of results");
}

/** Sets become sorted arrays and keys become texts, as in the answers that OPA gives over HTTP. */
function asJson(value: RegoValue, sorted: boolean, depth = 0): RegoValue {
  if (value === null || typeof value !== "object") return value;
  if (isArray(value) || value.type === "set") {
    const ordered = isArray(value) ? value : [...value.items].sort(compareRegoValues);
    const items = ordered.map((item) => asJson(item, sorted, depth + 1));
    return sorted && depth === 1 ? items.sort(compareRegoValues) : items;
  }
  if (value.type === "number") return value;
  return {
    type: "object",
    entries: value.entries.map(([key, one]) => [
      typeof key === "string" ? key : goJsonText(key),
      asJson(one, sorted, depth + 1),
    ]),
  };
}
