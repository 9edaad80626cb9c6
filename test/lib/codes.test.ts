import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { CODES, type Code, codeEntry, isCode } from "../../src/lib/codes.ts";
import { asSluiceError, SluiceError, unreachable } from "../../src/lib/errors.ts";

const NAMES = Object.keys(CODES) as Code[];
const FOLDER = resolve(import.meta.dirname, "../../src/lib/codes");

describe("codes", () => {
  test("each says what it means, shows what produces it, and says what to do", () => {
    for (const name of NAMES) {
      const { means, example, fix } = codeEntry(name);
      assert.match(means, /^(?:[A-Z`]|[a-z-]+\.[a-z]+ ).*\.$/s, `${name}: means is a sentence`);
      assert.ok(example.trim().length >= 8, `${name}: example`);
      assert.ok(fix.trim().length >= 8, `${name}: fix`);
    }
  });

  test("each is a name in small letters that fits into a line", () => {
    for (const name of NAMES) {
      assert.match(name, /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
      assert.ok(name.length <= 32, name);
    }
  });

  test("no sentence blames, shouts or calls itself an error", () => {
    for (const name of NAMES)
      assert.doesNotMatch(codeEntry(name).means, /!|\b(?:Error:|please|sorry|oops|you must)/i, name);
  });

  test("no two folders list one code", async () => {
    const counts = new Map<string, number>();
    for (const file of readdirSync(FOLDER)) {
      const lists = Object.values((await import(resolve(FOLDER, file))) as Record<string, object>);
      for (const name of lists.flatMap((list) => Object.keys(list))) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    assert.deepEqual(
      [...counts].filter(([, count]) => count > 1),
      [],
    );
    assert.deepEqual([...counts.keys()].sort(), [...NAMES].sort());
  });

  test("what an object has by itself is no code", () => {
    for (const name of ["", "toString", "__proto__", "constructor", "Internal", "internal "])
      assert.equal(isCode(name), false);
    assert.equal(isCode("internal"), true);
  });
});

describe("errors", () => {
  test("an error carries its code, what to do and its cause, and is nothing that happened by chance", () => {
    const cause = new TypeError("inside");
    const error = new SluiceError("secret-missing", "log.key cannot be read.", { fix: "create it", cause });
    const { name, code, message, fix, position, retryable } = error;
    assert.deepEqual(
      { name, code, message, fix, position, retryable },
      {
        name: "SluiceError",
        code: "secret-missing",
        message: "log.key cannot be read.",
        fix: "create it",
        position: null,
        retryable: false,
      },
    );
    assert.equal(error.cause, cause);
    assert.equal(Object.hasOwn(new SluiceError("internal", ""), "cause"), false);
  });

  test("whatever else was thrown becomes internal, and its words are kept from people", () => {
    const own = new SluiceError("usage", "no");
    assert.equal(asSluiceError(own), own);
    for (const thrown of [new Error("password hunter2"), "hunter2", null, undefined, { code: "usage" }]) {
      const error = asSluiceError(thrown);
      assert.equal(error.code, "internal");
      assert.ok(!error.message.includes("hunter2"));
      assert.equal(error.cause, thrown);
    }
  });

  test("a case that nobody handled throws", () => {
    assert.throws(() => unreachable("other" as never), { code: "internal", message: 'unhandled case "other"' });
  });
});
