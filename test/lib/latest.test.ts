import assert from "node:assert/strict";
import { test } from "node:test";
import { openLatest } from "../../src/lib/latest.ts";

test("what nobody has asked for longest gives way to what is new", () => {
  const latest = openLatest<string, number>(2);
  latest.set("a", 1);
  latest.set("b", 2);
  assert.equal(latest.get("a"), 1);
  latest.set("c", 3);
  assert.deepEqual([latest.get("a"), latest.get("b"), latest.get("c")], [1, undefined, 3]);
  latest.set("a", 4);
  latest.set("d", 5);
  assert.deepEqual([latest.get("a"), latest.get("c"), latest.get("d")], [4, undefined, 5]);
});
