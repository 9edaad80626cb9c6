import assert from "node:assert/strict";
import { test } from "node:test";
import { once } from "../../src/lib/once.ts";

test("computes at the first call and answers the same ever after, also nothing", () => {
  let calls = 0;
  const compute = once(() => {
    calls += 1;
    return undefined;
  });
  assert.equal(calls, 0);
  assert.deepEqual([compute(), compute(), calls], [undefined, undefined, 1]);
});

test("a computation that throws is tried again", () => {
  let calls = 0;
  const compute = once(() => {
    calls += 1;
    if (calls === 1) throw new Error("not yet");
    return calls;
  });
  assert.throws(compute, /not yet/);
  assert.deepEqual([compute(), compute()], [2, 2]);
});
