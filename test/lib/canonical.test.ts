import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, type JsonValue } from "../../src/lib/canonical.ts";
import { SluiceError } from "../../src/lib/errors.ts";

/** RFC 8785 said once more, in the plainest way. */
function plainly(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(plainly).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${plainly(one)}`).join(",")}}`;
}

test("writes every JSON value as RFC 8785 says, keys in UTF-16 order", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary", maxDepth: 3 }), (value) => {
      const text = canonicalJson(value as JsonValue);
      assert.equal(text, plainly(value as JsonValue));
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.equal(
    canonicalJson({ "\u{1f600}": 1, "\ufb33": 2, 10: 3, 9: 4, "": 5 }),
    '{"":5,"10":3,"9":4,"\u{1f600}":1,"\ufb33":2}',
  );
  assert.equal(canonicalJson(['\u0000\u001f"\\/\u007f\u2028']), '["\\u0000\\u001f\\"\\\\/\u007f\u2028"]');
});

test("refuses what has no canonical form", () => {
  for (const value of ["\ud800", Number.NaN, Number.POSITIVE_INFINITY, undefined]) {
    assert.throws(
      () => canonicalJson([value] as unknown as JsonValue),
      (error) => error instanceof SluiceError && error.code === "internal",
    );
  }
});
