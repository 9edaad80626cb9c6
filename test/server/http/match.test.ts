import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readTarget } from "../../../src/server/http/match.ts";

describe("the target of a request", () => {
  it("is a path of decoded segments, and a query", () => {
    const read = readTarget("/v1/a%20b?x=1&x=2&y=%26");
    assert.deepEqual(read?.segments, ["v1", "a b"]);
    assert.deepEqual(
      [...(read?.query ?? [])],
      [
        ["x", "1"],
        ["x", "2"],
        ["y", "&"],
      ],
    );
    assert.deepEqual(readTarget("/")?.segments, []);
  });

  for (const target of [
    "",
    "v1",
    "*",
    "http://x/",
    "//x",
    "/a//b",
    "/a/",
    "/./a",
    "/a/..",
    "/a/%2e%2e/b",
    "/a%2Fb",
    "/a%5cb",
    "/a%00b",
    "/a#b",
    "/a b",
    "/\u00e9",
    "/%ff",
    "/a?x=%ff",
    `/${"x".repeat(5000)}`,
  ]) {
    it(`is none: ${target.slice(0, 40)}`, () => assert.equal(readTarget(target), null));
  }
});
