import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/digest.ts";
import { openObjectStore } from "../../src/release/object-store.ts";
import { tempFolder } from "../support/temp.ts";

test("one object that several targets are released with at once is kept once, whole", async (t) => {
  const folder = tempFolder(t);
  const store = await openObjectStore(folder);
  const objects = ["web", "api"].map((name) => new Uint8Array(Buffer.from(name.repeat(10_000))));
  await Promise.all(Array.from({ length: 20 }, () => objects.map((bytes) => store.put(bytes))).flat());
  for (const bytes of objects) {
    const sha256 = sha256Hex(bytes);
    assert.deepEqual(readdirSync(join(folder, sha256.slice(0, 2))), [sha256]);
    assert.deepEqual(Buffer.from(await store.get(sha256)), Buffer.from(bytes));
  }
});
