import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatTime, parseDuration, parseTime } from "../../src/lib/time.ts";
import { ULID, ulid } from "../../src/lib/ulid.ts";

const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const instant = fc.integer({ min: 0, max: LAST });
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("times", () => {
  test("a time that was written is read again to the millisecond", () => {
    fc.assert(fc.property(instant, (at) => assert.equal(parseTime(formatTime(at)), at)));
    assert.equal(formatTime(0), "1970-01-01T00:00:00.000Z");
  });

  test("a day is its first instant, and a fraction may have one to nine digits", () => {
    assert.equal(parseTime("2026-11-21"), Date.parse("2026-11-21T00:00:00.000Z"));
    assert.equal(parseTime("2026-11-21T10:00:00Z"), Date.parse("2026-11-21T10:00:00.000Z"));
    assert.equal(parseTime("2026-11-21T10:00:00.123456789Z"), Date.parse("2026-11-21T10:00:00.123Z"));
    assert.notEqual(parseTime("2028-02-29"), null);
  });

  const refused = [
    "",
    "today",
    "2026-02-31",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-1-1",
    "26-01-01",
    "2026-11-21T10:00Z",
    "2026-11-21T10:00:00",
    "2026-11-21T10:00:00+00:00",
    "2026-11-21T10:00:00z",
    "2026-11-21 10:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21T10:60:00Z",
    "2026-11-21T10:00:60Z",
    "2026-11-21T10:00:00.Z",
    "2026-11-21T10:00:00Z\n",
    "+002026-11-21T10:00:00Z",
    "1795255200",
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text)} is no time`, () => assert.equal(parseTime(text), null));
  }

  test("a duration is a whole number and its unit", () => {
    assert.deepEqual(
      ["250ms", "30s", "10m", "2h", "7d", "0s"].map(parseDuration),
      [250, 30_000, 600_000, 7_200_000, 604_800_000, 0],
    );
    for (const text of ["", "30", "s", "1.5h", "-1s", "1 s", "1w", "1S", "1h30m", "1234567s", "30s\n"]) {
      assert.equal(parseDuration(text), null, text);
    }
  });
});

describe("identifiers", () => {
  test("an identifier is as the specification's own example begins", () => {
    assert.equal(ulid(1_469_918_176_385, new Uint8Array(10)), "01ARYZ6S410000000000000000");
    assert.equal(ulid(0, new Uint8Array(10).fill(255)), "0000000000ZZZZZZZZZZZZZZZZ");
  });

  test("every identifier has the form, and a later one sorts after an earlier one", () => {
    fc.assert(
      fc.property(instant, random, instant, random, (at, bytes, later, more) => {
        const [one, other] = [ulid(at, bytes), ulid(later, more)];
        assert.match(one, ULID);
        if (at !== later) assert.equal(one < other, at < later);
      }),
    );
  });

  test("identifiers of one instant differ where their randomness does", () => {
    fc.assert(
      fc.property(instant, random, random, (at, a, b) => {
        assert.equal(ulid(at, a) === ulid(at, b), Buffer.compare(a, b) === 0);
      }),
    );
  });

  test("the form has no letters that are taken for others", () => {
    const good = ulid(0, new Uint8Array(10));
    for (const letter of ["I", "L", "O", "U", "a", "-"]) assert.doesNotMatch(`${good.slice(0, 25)}${letter}`, ULID);
    for (const text of ["", good.slice(1), `${good}0`, `8${good.slice(1)}`, `${good}\n`])
      assert.doesNotMatch(text, ULID);
  });
});
