import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFile, openNoFollow, replaceFile, replaceFileSync } from "../../src/log/durable.ts";
import { tempFolder } from "../support/temp.ts";

const WAYS: readonly (readonly [string, typeof replaceFile])[] = [
  ["replaceFile", replaceFile],
  ["replaceFileSync", async (path, content, mode) => replaceFileSync(path, content, mode)],
];

for (const [name, replace] of WAYS) {
  test(`${name} writes a file as a whole, with its mode, and removes what a crash left beside it`, async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, "head.json");
    writeFileSync(`${path}.tmp~`, "half of an older one");
    await replace(path, "first", 0o600);
    await replace(path, new TextEncoder().encode("second"), 0o600);
    assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["second", 0o600]);
    assert.deepEqual(readdirSync(folder), ["head.json"]);
  });

  test(`${name} writes through no link, neither in place of the file nor beside it`, async (t) => {
    const folder = tempFolder(t);
    const other = join(folder, "other");
    const path = join(folder, "checkpoint");
    writeFileSync(other, "somebody else's");
    symlinkSync(other, path);
    symlinkSync(other, `${path}.tmp~`);
    await replace(path, "ours", 0o644);
    assert.deepEqual([readFileSync(other, "utf8"), readFileSync(path, "utf8")], ["somebody else's", "ours"]);
  });

  test(`${name} leaves the old file where the new one cannot be written`, async (t) => {
    const folder = tempFolder(t);
    await assert.rejects(replace(join(folder, "absent", "file"), "x", 0o644), { code: "ENOENT" });
    assert.deepEqual(readdirSync(folder), []);
  });
}

test("a new file is never written over another one, and a link is not opened", async (t) => {
  const path = join(tempFolder(t), "file");
  await createFile(path, "one", 0o644);
  await assert.rejects(createFile(path, "two", 0o644), { code: "EEXIST" });
  symlinkSync(path, `${path}.link`);
  await assert.rejects(openNoFollow(`${path}.link`), { code: "ELOOP" });
  assert.equal(await openNoFollow(`${path}.absent`), null);
});
