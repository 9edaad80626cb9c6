import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Memo, processMemo } from "../../src/lib/memo.ts";
import { recallManifest } from "../../src/render/manifest-memo.ts";
import { type RenderRequest, renderTarget } from "../../src/render/render.ts";
import { configMap, request, type TestFile } from "./sources.ts";

type Files = Readonly<Record<string, string | TestFile>>;

/** Renders with the memo; answers the objects too, and how many files were read. */
async function rendered(files: Files, memo: Memo, change: Partial<RenderRequest> = {}) {
  const asked = { ...request(files), memo, ...change };
  let reads = 0;
  const read = (ids: Parameters<typeof asked.read>[0]) => {
    reads += ids.length;
    return asked.read(ids);
  };
  return { ...(await renderTarget({ ...asked, read })), reads };
}

const TWO = { "app/a.yaml": configMap("a"), "app/b.yaml": configMap("b") };

describe("a manifest that is remembered", () => {
  test("is not read again, and gives exactly what reading gave", async () => {
    const memo = processMemo();
    const { reads: first, ...before } = await rendered(TWO, memo);
    const { reads: second, ...after } = await rendered(TWO, memo);
    assert.deepEqual([first, second], [2, 0]);
    assert.deepEqual(after, before);
  });

  test("is read again when its content, its path or what `ignore` says of it is another", async () => {
    const memo = processMemo();
    await rendered(TWO, memo);
    const edited = await rendered({ ...TWO, "app/b.yaml": configMap("b", "data: {a: b}\n") }, memo);
    assert.equal(edited.reads, 1);
    assert.deepEqual(edited.resources.at(-1)?.object["data"], { a: "b" });
    const moved = request(TWO);
    const files = moved.files.map((file) => ({ ...file, path: file.path.replace("a.yaml", "c.yaml") }));
    const renamed = await rendered(TWO, memo, { ...moved, memo, files });
    assert.equal(renamed.reads, 1);
    assert.equal(renamed.resources[0]?.origin.file, "app/c.yaml");
    assert.equal((await rendered(TWO, memo, { isIgnored: () => true })).reads, 2);
  });

  test("is one of several in its file, with line ends in its values", async () => {
    const memo = processMemo();
    const files = { "app/a.yaml": `${configMap("a", 'data: {k: "x\\ny"}\n')}---\n${configMap("b", "data: {ä: 𝄞}\n")}` };
    const { reads: _first, ...before } = await rendered(files, memo);
    const { reads, ...after } = await rendered(files, memo);
    assert.deepEqual([reads, before.resources.map(({ object }) => object["data"])], [0, [{ k: "x\ny" }, { ä: "𝄞" }]]);
    assert.deepEqual(after, before);
  });

  test("still counts towards the size of a target", async () => {
    const memo = processMemo();
    const { files } = request(TWO);
    await rendered(TWO, memo);
    const sizes = files.map((file) => recallManifest(file, false, memo)?.bytes);
    assert.deepEqual(
      sizes,
      Object.values(TWO).map((text) => text.length),
    );
  });

  test("does not vouch for a file that was refused", async () => {
    const memo = processMemo();
    const broken = { "app/a.yaml": "kind: [\n" };
    assert.equal((await rendered(broken, memo)).failures.length, 1);
    const again = await rendered(broken, memo);
    assert.deepEqual([again.reads, again.failures.length], [1, 1]);
  });

  test("is read again when what is remembered is no object any more", async () => {
    const memo: Memo = {
      get: () => '{"bytes":1,"resources":[{"length":2,"line":1,"document":0,"at":""}]}\n{}',
      set() {},
    };
    const { reads, resources } = await rendered(TWO, memo);
    assert.deepEqual([reads, resources.length], [2, 2]);
  });
});
