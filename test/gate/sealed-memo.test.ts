import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openSealedMemo } from "../../src/gate/sealed-memo.ts";
import { utf8 } from "../../src/lib/bytes.ts";
import { sha256Hex } from "../../src/lib/digest.ts";
import { openSealedFiles } from "../../src/policy/sealed-file.ts";
import { tempFolder } from "../support/temp.ts";

const KEY = new Uint8Array(32).fill(7);

function filled(folder: string): void {
  const memo = openSealedMemo(openSealedFiles({ folder, key: KEY }), "shop");
  memo.set("a", "first");
  memo.save();
}

function reopened(folder: string, key: Uint8Array = KEY, scope = "shop") {
  return openSealedMemo(openSealedFiles({ folder, key }), scope);
}

describe("a memo that outlives the process", () => {
  it("knows what the last process learnt", (t) => {
    const folder = join(tempFolder(t), "cache");
    filled(folder);
    assert.equal(reopened(folder).get("a"), "first");
    assert.equal(reopened(folder).get("b"), null);
  });

  it("keeps what it knew when it learns more", (t) => {
    const folder = join(tempFolder(t), "cache");
    filled(folder);
    const memo = reopened(folder);
    memo.set("b", "second");
    memo.save();
    assert.deepEqual([reopened(folder).get("a"), reopened(folder).get("b")], ["first", "second"]);
  });

  it("forgets everything when one byte was changed, the key is another, or the scope is another", (t) => {
    const folder = join(tempFolder(t), "cache");
    filled(folder);
    assert.equal(reopened(folder, new Uint8Array(32).fill(8)).get("a"), null);
    assert.equal(reopened(folder, KEY, "other").get("a"), null);
    const [name = ""] = readdirSync(folder);
    const bytes = readFileSync(join(folder, name));
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    assert.equal(reopened(folder).get("a"), null);
  });

  it("gives names and texts back as they were, whatever they are made of", (t) => {
    const folder = join(tempFolder(t), "cache");
    const texts = { "": "", "3:4:": "5:6:x", "a\nb": '{"k":"\\u0000"}', "ä𝄞": "𝄞\u0000\n", last: "" };
    const memo = reopened(folder);
    for (const [name, text] of Object.entries(texts)) memo.set(name, text);
    memo.save();
    const again = reopened(folder);
    assert.deepEqual(Object.fromEntries(Object.keys(texts).map((name) => [name, again.get(name)])), texts);
  });

  it("takes a sealed file of another form for none", (t) => {
    const folder = join(tempFolder(t), "cache");
    for (const body of ['[["a","first"]]', "1:9:afirst", "1:-9:afirst", "1:5", ":", "1:5:afirst1:"]) {
      openSealedFiles({ folder, key: KEY }).write(sha256Hex("shop"), utf8(body));
      assert.equal(reopened(folder).get("a"), null, body);
    }
    openSealedFiles({ folder, key: KEY }).write(sha256Hex("shop"), utf8("1:5:afirst"));
    assert.equal(reopened(folder).get("a"), "first");
  });

  it("is not used in a folder that others can enter", (t) => {
    const folder = join(tempFolder(t), "cache");
    filled(folder);
    chmodSync(folder, 0o755);
    assert.equal(reopened(folder).get("a"), null);
  });

  it("is empty where there is no key", () => {
    const memo = openSealedMemo(openSealedFiles(null), "shop");
    memo.set("a", "first");
    memo.save();
    assert.equal(openSealedMemo(openSealedFiles(null), "shop").get("a"), null);
  });
});

describe("a memo whose file is worth reading only for many questions", () => {
  const patient = (folder: string) => openSealedMemo(openSealedFiles({ folder, key: KEY }), "shop", 25);

  it("leaves the file alone for a few, reads it for more, and then keeps what it learnt", (t) => {
    const folder = join(tempFolder(t), "cache");
    filled(folder);
    const [file = ""] = readdirSync(folder);
    const { size } = statSync(join(folder, file));
    assert.ok(size > 2 * 25 && size <= 3 * 25, `${size} bytes`);
    const few = patient(folder);
    assert.deepEqual([few.get("a"), few.get("b")], [null, null]);
    few.set("b", "second");
    assert.equal(few.get("b"), "second");
    few.save();
    assert.equal(reopened(folder).get("b"), null);
    const many = patient(folder);
    assert.deepEqual([many.get("x"), many.get("y"), many.get("a")], [null, null, "first"]);
    many.set("c", "third");
    many.save();
    assert.deepEqual([reopened(folder).get("a"), reopened(folder).get("c")], ["first", "third"]);
  });

  it("keeps what it learnt where there was no file yet", (t) => {
    const folder = join(tempFolder(t), "cache");
    const first = patient(folder);
    assert.equal(first.get("a"), null);
    first.set("a", "first");
    first.save();
    assert.equal(reopened(folder).get("a"), "first");
  });

  it("writes nothing where it learnt only what the file says already", (t) => {
    const folder = join(tempFolder(t), "cache");
    filled(folder);
    const [file = ""] = readdirSync(folder);
    const before = statSync(join(folder, file)).ino;
    const again = patient(folder);
    assert.equal(again.get("a"), null);
    again.set("a", "first");
    assert.deepEqual([again.get("x"), again.get("y")], [null, null]);
    again.save();
    assert.deepEqual([readdirSync(folder), statSync(join(folder, file)).ino], [[file], before]);
  });
});
