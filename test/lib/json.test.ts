import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { canonicalJson, type JsonValue } from "../../src/lib/canonical.ts";
import { exactNumber } from "../../src/lib/decimal.ts";
import { type JsonProblem, parseStrictJson } from "../../src/lib/json.ts";

const LIMITS = { bytes: 1_000_000, depth: 100 };

function refusal(text: string) {
  const reading = parseStrictJson(text, LIMITS);
  assert.equal(reading.kind, "refused", `accepted ${JSON.stringify(text.slice(0, 100))}`);
  if (reading.kind !== "refused") throw new Error("unreachable");
  return { problem: reading.problem, line: reading.line, column: reading.column };
}

const REFUSALS: readonly (readonly [string, string, JsonProblem, line: number, column: number])[] = [
  ["a key that stands twice", '{"a": 1,\n "a": 2}', "duplicate-key", 2, 2],
  ["a key that stands twice, once with an escape", '{"a": 1, "\\u0061": 2}', "duplicate-key", 1, 10],
  ["__proto__", '{"a": {"__proto__": 1}}', "key", 1, 8],
  ["constructor with an escape", '{"construct\\u006fr": 1}', "key", 1, 2],
  ["half of a surrogate pair", '["\\ud800"]', "malformed", 1, 2],
  ["a half pair between characters", '["a\ud800b"]', "malformed", 1, 2],
  ["an integer beyond 2^53", "[1,\n9007199254740993]", "number", 2, 1],
  ["a number too large for a double", "1e400", "number", 1, 1],
  ["a number too small for a double", "1e-400", "number", 1, 1],
  ["digits that do not come back", "0.1000000000000000055", "number", 1, 1],
  ["minus zero", "-0", "number", 1, 1],
  ["a leading zero", "01", "malformed", 1, 2],
  ["a plus sign", "+1", "malformed", 1, 1],
  ["hexadecimal", "0x1F", "malformed", 1, 2],
  ["NaN", "NaN", "malformed", 1, 1],
  ["text after the value", "{} x", "malformed", 1, 4],
  ["a second value", "{}\n{}", "malformed", 2, 1],
  ["a comma at the end of a list", "[1,]", "malformed", 1, 4],
  ["a comma at the end of an object", '{"a":1,}', "malformed", 1, 8],
  ["a comment", "[1] // x", "malformed", 1, 5],
  ["single quotes", "['a']", "malformed", 1, 2],
  ["a control character in a text", '"a\nb"', "malformed", 1, 3],
  ["an unknown escape", '"\\x41"', "malformed", 1, 2],
  ["an unclosed text", '["abc', "malformed", 1, 2],
  ["an unclosed list", "[1", "malformed", 1, 3],
  ["a byte order mark", "\ufeff{}", "malformed", 1, 1],
  ["nothing", "", "malformed", 1, 1],
  ["101 levels", "[".repeat(101) + "]".repeat(101), "too-deep", 1, 101],
  ["50,000 levels", "[".repeat(50_000), "too-deep", 1, 101],
  ["too many bytes", `"${"é".repeat(500_000)}"`, "too-large", 1, 1],
];

describe("strict JSON refuses with the place", () => {
  for (const [name, text, problem, line, column] of REFUSALS) {
    test(name, () => assert.deepEqual(refusal(text), { problem, line, column }));
  }

  test("and never quotes a value", () => {
    const reading = parseStrictJson('{"password": 9007199254740993123}', LIMITS);
    assert.ok(reading.kind === "refused" && !reading.message.includes("9007"));
  });
});

test("everything that JSON.stringify writes reads back as itself", () => {
  const value = fc.jsonValue({ noUnicodeString: false }).filter((v) => {
    const text = JSON.stringify(v);
    return (
      !/"(?:__proto__|constructor)"|\\ud[89a-f]|-0(?![.\d])/.test(text) && JSON.stringify(JSON.parse(text)) === text
    );
  });
  fc.assert(
    fc.property(value, (v) => {
      const reading = parseStrictJson(JSON.stringify(v), LIMITS);
      if (reading.kind === "refused") return assert.equal(reading.problem, "number");
      const canonical = canonicalJson(reading.value);
      assert.equal(canonicalJson(JSON.parse(canonical) as JsonValue), canonical);
      assert.deepEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(v)));
    }),
    { numRuns: 500 },
  );
});

test("a megabyte of text without escapes is one text", () => {
  const long = "x".repeat(900_000);
  assert.deepEqual(parseStrictJson(JSON.stringify({ long }), LIMITS), { kind: "value", value: { long } });
});

test("a number survives exactly when its digits come back", () => {
  for (const text of ["0", "1.10", "100", "1e3", "0.30000000000000004", "9007199254740991", "5e-324", "1e-7"]) {
    assert.equal(exactNumber(text), Number(text), text);
  }
  for (const text of [
    "9007199254740992",
    "1e16",
    "0.1000000000000000055",
    "1e309",
    "1e-400",
    "-0",
    "x",
    "9".repeat(500),
  ]) {
    assert.equal(exactNumber(text), null, text);
  }
});
