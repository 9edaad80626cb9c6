/** Rows for PostgreSQL's COPY in its binary form, taken apart again by its documentation. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyRows, int4, int8 } from "../../src/log/stores/postgres/copy.ts";

const MEGABYTE = 2 ** 20;
const HEADER_BYTES = 19;

/** Every field as its bytes; null as null. */
function rowsOf(chunks: readonly Uint8Array[]): readonly (readonly (Buffer | null)[])[] {
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.subarray(0, 11).toString("latin1"), "PGCOPY\n\xff\r\n\0");
  const rows: (Buffer | null)[][] = [];
  let at = HEADER_BYTES;
  for (let count = bytes.readInt16BE(at); count >= 0; count = bytes.readInt16BE(at)) {
    at += 2;
    const row: (Buffer | null)[] = [];
    for (let field = 0; field < count; field++) {
      const length = bytes.readInt32BE(at);
      at += 4;
      row.push(length < 0 ? null : bytes.subarray(at, at + length));
      at += Math.max(length, 0);
    }
    rows.push(row);
  }
  assert.equal(at + 2, bytes.byteLength, "nothing follows the end");
  return rows;
}

describe("rows for COPY", () => {
  for (const [what, length, count] of [
    ["a few small ones", 10, 3],
    ["more than a megabyte of them", 9000, 60],
    ["ones larger than a chunk", MEGABYTE, 2],
    ["none", 0, 0],
  ] as const)
    it(`come back whole and in order: ${what}`, () => {
      const rows = Array.from({ length: count }, (_, at) => ({
        number: 2 ** 40 + at,
        text: "é€".repeat(length + at),
        bytes: Buffer.alloc(length, at),
      }));
      const chunks = copyRows(rows.map(({ number, text, bytes }) => [int8(number), text, bytes, null, int4(7)]));
      const found = rowsOf(chunks);
      assert.equal(found.length, count);
      for (const [at, [number, text, bytes, nothing, seven]] of found.entries()) {
        assert.equal(number?.readBigInt64BE(), BigInt(2 ** 40 + at));
        assert.equal(text?.toString("utf8"), rows[at]?.text);
        assert.deepEqual(bytes, rows[at]?.bytes);
        assert.equal(nothing, null);
        assert.equal(seven?.readInt32BE(), 7);
      }
    });

  it("take no more memory than a small batch needs", () => {
    const [chunk] = copyRows([[int8(1), "x".repeat(50_000), null]]);
    assert.ok((chunk?.buffer.byteLength ?? MEGABYTE) < MEGABYTE / 4, "a text counts with three bytes a character");
  });
});
