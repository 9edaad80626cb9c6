import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalJson, type JsonObject } from "../../src/lib/canonical.ts";
import { SluiceError } from "../../src/lib/errors.ts";
import type { EntryDraft } from "../../src/log/entry.ts";
import { matchesCommitment, prepareEntry, readLeaf, sequenceLeaf } from "../../src/log/leaf.ts";
import {
  hashesAtLevel,
  newTiles,
  parseTilePath,
  readBundle,
  tileExists,
  tilePath,
  writeBundle,
} from "../../src/log/tile.ts";
import { draft } from "../support/log.ts";

const AT = Date.parse("2026-11-20T10:13:00.123Z");
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));

function leafText(change: Partial<EntryDraft> = {}, previous: string | null = null): string {
  return Buffer.from(sequenceLeaf(prepareEntry(draft(change), AT, randomBytes), AT, previous).bytes).toString();
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown.code;
    throw thrown;
  }
  return "none";
}

describe("a leaf", () => {
  it("is canonical JSON that reads back as what was asked for", () => {
    const previous = Buffer.alloc(32, 1).toString("base64");
    for (const each of [null, previous]) {
      const text = leafText(
        { reasons: ["unsigned-commit", "k8s-privileged", "k8s-privileged"], verdict: "deny" },
        each,
      );
      assert.equal(text, canonicalJson(JSON.parse(text)));
      const reading = readLeaf(utf8(text));
      assert.ok(reading.kind === "leaf", text);
      assert.deepEqual(reading.leaf.reasons, ["k8s-privileged", "unsigned-commit"]);
      assert.equal(reading.leaf.time, "2026-11-20T10:13:00.123Z");
      assert.equal(reading.leaf.previous, each);
      assert.equal(reading.leaf.subject["tree"], draft().subject["tree"]);
    }
  });

  it("commits to values with a salt of its own for each, and shows none of them", () => {
    const disclosed = { secret: "hunter2-hunter2", same: "hunter2-hunter2" };
    const prepared = prepareEntry(draft({ disclosed }), AT, randomBytes);
    const text = Buffer.from(sequenceLeaf(prepared, AT, null).bytes).toString();
    assert.ok(!text.includes("hunter2"));
    const leaf = JSON.parse(text) as { commitments: Record<string, string> };
    const beside = JSON.parse(prepared.disclosed) as Record<string, { salt: string; value: string }>;
    assert.notEqual(leaf.commitments["secret"], leaf.commitments["same"]);
    for (const name of ["secret", "same"]) {
      const disclosure = beside[name] as { salt: string; value: string };
      assert.ok(matchesCommitment(disclosure, leaf.commitments[name] as string));
      assert.ok(!matchesCommitment({ ...disclosure, value: "hunter3" }, leaf.commitments[name] as string));
    }
  });

  it("is refused by the reader when a key, kind or form is not of version 1", () => {
    const whole = JSON.parse(leafText()) as JsonObject;
    const forms: Record<string, string> = {
      "an unknown key": canonicalJson({ ...whole, note: "x" }),
      "another version": canonicalJson({ ...whole, v: 2 }),
      "an unknown kind": canonicalJson({ ...whole, kind: "wish" }),
      "an unknown verdict": canonicalJson({ ...whole, verdict: "maybe" }),
      "an unknown purpose": canonicalJson({ ...whole, purpose: "fun" }),
      "reasons out of order": canonicalJson({ ...whole, reasons: ["b", "a"] }),
      "a reason twice": canonicalJson({ ...whole, reasons: ["a", "a"] }),
      "free text in the subject": canonicalJson({ ...whole, subject: { title: "bump web" } }),
      "a list that prints like a digest": canonicalJson({
        ...whole,
        digests: { ...(whole["digests"] as JsonObject), trust: ["ab".repeat(32)] },
      }),
      "a missing digest": canonicalJson({ ...whole, digests: { policies: null } }),
      "a commitment that is no hash": canonicalJson({ ...whole, commitments: { input: "AAAA" } }),
      "a time without milliseconds": canonicalJson({ ...whole, time: "2026-11-20T10:13:00Z" }),
      "an id that is no ULID": canonicalJson({ ...whole, id: "1" }),
      "a link that is no hash": canonicalJson({ ...whole, previous: "AAAA" }),
      "white space": ` ${canonicalJson(whole)}`,
      "keys out of order": JSON.stringify(Object.fromEntries(Object.entries(whole).reverse())),
      "a duplicate key": canonicalJson(whole).replace('{"commitments"', '{"v":1,"commitments"'),
      "a prototype": canonicalJson(whole).replace('{"commitments"', '{"__proto__":{},"commitments"'),
      "a list": "[]",
      "no JSON": "{",
    };
    for (const [what, text] of Object.entries(forms)) assert.equal(readLeaf(utf8(text)).kind, "malformed", what);
    for (const key of Object.keys(whole)) {
      const { [key]: _, ...rest } = whole;
      assert.equal(readLeaf(utf8(canonicalJson(rest))).kind, "malformed", `without ${key}`);
    }
    assert.equal(readLeaf(utf8(canonicalJson(whole))).kind, "leaf");
  });

  it("is not made of a draft that breaks the form", () => {
    const drafts: Partial<EntryDraft>[] = [
      { kind: "wish" as EntryDraft["kind"] },
      { target: "" },
      { subject: { commit: "main" } },
      { reasons: ["two words"] },
      { digests: { ...draft().digests, trust: "sha256:ab" } },
      { disclosed: { "bad name": 1 } },
      { terms: [{ kind: "person", value: "" }] },
    ];
    for (const change of drafts)
      assert.equal(
        codeOf(() => prepareEntry(draft(change), AT, randomBytes)),
        "entry-malformed",
        JSON.stringify(change),
      );
  });

  it("is refused when it does not fit into 65,534 bytes", () => {
    const reasons = (count: number) => Array.from({ length: count }, (_, at) => `r${String(at).padStart(9, "0")}`);
    assert.equal(
      codeOf(() => leafText({ reasons: reasons(6000) })),
      "entry-too-large",
    );
    assert.equal(
      codeOf(() => leafText({ reasons: reasons(4000) })),
      "none",
    );
  });
});

describe("tiles", () => {
  it("have the paths of the specification", () => {
    assert.equal(tilePath({ level: 0, position: 1234067, width: 256 }), "tile/0/x001/x234/067");
    assert.equal(tilePath({ level: "entries", position: 0, width: 3 }), "tile/entries/000.p/3");
    assert.equal(tilePath({ level: 1, position: 1000, width: 17 }), "tile/1/x001/000.p/17");
  });

  it("are read from their path alone, and from no other text", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 63 }),
        fc.nat({ max: 2 ** 31 - 1 }),
        fc.integer({ min: 1, max: 256 }),
        (level, position, width) => {
          assert.deepEqual(parseTilePath(tilePath({ level, position, width })), { level, position, width });
        },
      ),
    );
    for (const path of [
      "tile/0/000.p/256",
      "tile/0/000.p/0",
      "tile/0/000.p/01",
      "tile/00/000",
      "tile/64/000",
      "tile/0/x000/001",
      "tile/0/1",
      "tile/0/000/",
      "/tile/0/000",
      "tile/0/../000",
      "tile/0/x001",
      "tile/-1/000",
      "tile/0/000\n",
    ])
      assert.equal(parseTilePath(path), null, path);
  });

  it("exist as the specification counts them", () => {
    assert.deepEqual(newTiles(0, 0, 256).map(tilePath), ["tile/0/000"]);
    assert.deepEqual(newTiles(1, 0, 256).map(tilePath), ["tile/1/000.p/1"]);
    assert.equal(newTiles(0, 0, 70_000).length, 274);
    assert.equal(newTiles(0, 0, 70_000).at(-1)?.width, 112);
    assert.deepEqual(newTiles(1, 0, 70_000).map(tilePath), ["tile/1/000", "tile/1/001.p/17"]);
    assert.deepEqual(newTiles(2, 0, 70_000).map(tilePath), ["tile/2/000.p/1"]);
    assert.deepEqual(newTiles(0, 250, 260).map(tilePath), ["tile/0/000", "tile/0/001.p/4"]);
    assert.deepEqual(newTiles(1, 250, 255).map(tilePath), []);
    assert.equal(hashesAtLevel(3, 2 ** 40), 2 ** 16);
    assert.ok(tileExists({ level: 0, position: 0, width: 5 }, 5));
    assert.ok(!tileExists({ level: 0, position: 0, width: 6 }, 5));
  });

  it("carry entries that come out as they went in", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (entries) => {
        const bundle = writeBundle(entries);
        assert.deepEqual(readBundle(bundle, entries.length)?.map(Buffer.from), entries.map(Buffer.from));
        assert.equal(readBundle(bundle, entries.length + 1), null);
        assert.equal(readBundle(Buffer.concat([bundle, Buffer.from([0])]), entries.length), null);
      }),
    );
  });
});
