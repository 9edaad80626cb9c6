/** What is recognised as a leaf without being parsed is one to the strict reader too, and says the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalJson, type JsonObject } from "../../src/lib/canonical.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { prepareEntry, readLeaf, sequenceLeaf } from "../../src/log/leaf.ts";
import { recogniseLeaf } from "../../src/log/leaf-text.ts";
import { draft } from "../support/log.ts";

const AT = Date.parse("2026-10-01T00:00:00Z");
const PREVIOUS = Buffer.alloc(32, 9).toString("base64");

function leafBytes(change: Partial<EntryDraft> = {}, previous: string | null = PREVIOUS, at = AT): Uint8Array {
  const prepared = prepareEntry(draft(change), at, (count) => new Uint8Array(count).fill(7));
  return sequenceLeaf(prepared, at, previous).bytes;
}

/** null where the strict reader refuses it. */
function fieldsOf(bytes: Uint8Array) {
  const reading = readLeaf(bytes);
  if (reading.kind === "malformed") return null;
  const { kind, time, target, verdict, previous, commitments } = reading.leaf;
  return { kind, time, target, verdict, previous, commitments };
}

function changed(change: (leaf: JsonObject) => object): Uint8Array {
  const leaf = JSON.parse(Buffer.from(leafBytes()).toString("utf8")) as JsonObject;
  return Buffer.from(JSON.stringify({ ...leaf, ...change(leaf) }));
}

describe("the text of a leaf", () => {
  const plain: readonly Partial<EntryDraft>[] = [
    {},
    { reasons: ["unsigned-commit"], verdict: "deny" },
    { kind: "hold", target: null, verdict: null, subject: {}, disclosed: {} },
    { target: "a target, with {braces}: and commas", subject: { tree: "ab".repeat(32) } },
    { digests: { policies: null, trust: null, configuration: null, waivers: null, code: null } },
  ];
  for (const [at, change] of plain.entries())
    it(`is recognised as its writer lays it out (${at + 1})`, () => {
      const bytes = leafBytes(change, change.target === null ? null : PREVIOUS);
      assert.deepEqual({ ...recogniseLeaf(bytes) }, fieldsOf(bytes));
    });

  it("is left to the strict reader where it is a leaf and not plain", () => {
    const others = [
      leafBytes({ target: "prod-é" }),
      leafBytes({ target: 'pro"d' }),
      leafBytes({ reasons: ["a", "b"] }),
      leafBytes({}, PREVIOUS, Date.parse("2024-02-29T00:00:00Z")),
    ];
    for (const bytes of others) {
      assert.equal(recogniseLeaf(bytes), null);
      assert.notEqual(fieldsOf(bytes), null);
    }
  });

  it("is recognised only where it is a leaf to the strict reader, whatever one byte of it is", () => {
    const bytes = leafBytes({ reasons: ["unsigned-commit"] });
    let recognised = 0;
    for (let at = 0; at < bytes.length; at++)
      for (const byte of Buffer.from('"\\,:{}[]=Az09 /-\x00\x7f\xe9', "latin1")) {
        const other = new Uint8Array(bytes);
        other[at] = byte;
        const found = recogniseLeaf(other);
        if (found === null) continue;
        recognised++;
        assert.deepEqual({ ...found }, fieldsOf(other), `byte ${at} is ${byte}`);
      }
    assert.ok(recognised > 1000, "a digest or a name may well be another");
    const swapped = changed(({ commitments }) => ({
      commitments: Object.fromEntries(Object.entries(commitments as JsonObject).reverse()),
    }));
    const unsorted = changed(({ subject }) => ({
      subject: Object.fromEntries(Object.entries(subject as JsonObject).reverse()),
    }));
    const kinds = changed(() => ({ kind: "decisions" }));
    const longer = Buffer.concat([bytes, Buffer.from("\n")]);
    for (const other of [swapped, unsorted, kinds, longer, bytes.subarray(1), new Uint8Array(0)]) {
      assert.equal(recogniseLeaf(other), null);
      assert.equal(fieldsOf(other), null);
    }
    assert.equal(
      Buffer.from(canonicalJson(JSON.parse(Buffer.from(bytes).toString()) as JsonObject)).equals(bytes),
      true,
    );
  });
});
