import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildPolicySet } from "../../src/policy/compile.ts";
import { openCompiledCache } from "../../src/policy/compiled-cache.ts";
import type { PolicySet } from "../../src/policy/policy-set.ts";
import { tempFolder } from "../support/temp.ts";
import { denyLabel, realToolchain } from "./support.ts";

const KEY = new Uint8Array(32).fill(7);
const FILES = [denyLabel("a")];

/** Builds with a cache in `folder` and says how often the compiler was started for it. */
async function buildIn(
  t: TestContext,
  folder: string,
  key = KEY,
  files = FILES,
): Promise<{ set: PolicySet; starts: number }> {
  const toolchain = realToolchain(t);
  const set = await buildPolicySet({ toolchain, files, cache: openCompiledCache({ folder, key }) });
  return { set, starts: toolchain.starts };
}

function onlyEntry(folder: string): string {
  const names = readdirSync(folder);
  assert.equal(names.length, 1, names.join());
  return join(folder, names[0] ?? "");
}

test("a second build of the same files does not start the compiler, and gives the same set", async (t) => {
  const folder = join(tempFolder(t), "cache");
  const first = await buildIn(t, folder);
  const second = await buildIn(t, folder);
  assert.deepEqual([first.starts, second.starts], [1, 0]);
  assert.deepEqual(second.set, first.set);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(onlyEntry(folder)).mode & 0o777, 0o600);
});

test("an entry with any byte changed, cut short, longer or under another key is built again", async (t) => {
  const folder = join(tempFolder(t), "cache");
  const { set } = await buildIn(t, folder);
  const path = onlyEntry(folder);
  const good = readFileSync(path);
  const changed = [0, 31, 32, 36, 40, good.length - 1].map((at) =>
    Buffer.from(good.map((byte, index) => (index === at ? byte ^ 1 : byte))),
  );
  const stripped = Buffer.concat([Buffer.alloc(32), good.subarray(32)]);
  for (const bytes of [
    ...changed,
    stripped,
    good.subarray(32),
    good.subarray(0, 100),
    good.subarray(0, 10),
    Buffer.alloc(0),
    Buffer.concat([good, good]),
  ]) {
    writeFileSync(path, bytes);
    const again = await buildIn(t, folder);
    assert.equal(again.starts, 1);
    assert.deepEqual(again.set, set);
    assert.deepEqual(readFileSync(path), good);
  }
  assert.equal((await buildIn(t, folder, new Uint8Array(32).fill(8))).starts, 1);
});

test("an entry does not answer for other files", async (t) => {
  const folder = join(tempFolder(t), "cache");
  await buildIn(t, folder);
  const other = [denyLabel("b")];
  const elsewhere = join(tempFolder(t), "cache");
  await buildIn(t, elsewhere, KEY, other);
  renameSync(onlyEntry(folder), onlyEntry(elsewhere));
  const { set, starts } = await buildIn(t, elsewhere, KEY, other);
  assert.equal(starts, 1);
  assert.deepEqual(
    set.rules.map((rule) => rule.id),
    ["b"],
  );
});

test("is not used without a key, in a folder that others may read, or through a link", async (t) => {
  const root = tempFolder(t);
  const open = join(root, "open");
  mkdirSync(open);
  chmodSync(open, 0o755);
  const link = join(root, "link");
  mkdirSync(join(root, "real"), { mode: 0o700 });
  symlinkSync(join(root, "real"), link);
  const file = join(root, "file");
  writeFileSync(file, "");
  for (const folder of [open, link, file]) {
    const cache = openCompiledCache({ folder, key: KEY });
    assert.notEqual(cache.unusable, null);
    cache.write("0".repeat(64), { header: {}, wasm: new Uint8Array(1) });
    assert.equal(cache.read("0".repeat(64)), null);
  }
  assert.deepEqual([readdirSync(open), readdirSync(join(root, "real"))], [[], []]);
  assert.notEqual(openCompiledCache(null).unusable, null);
  assert.notEqual(openCompiledCache({ folder: join(root, "real"), key: new Uint8Array(16) }).unusable, null);
});

test("an entry that is a link is not followed", async (t) => {
  const folder = join(tempFolder(t), "cache");
  await buildIn(t, folder);
  const path = onlyEntry(folder);
  const moved = join(tempFolder(t), "entry");
  renameSync(path, moved);
  symlinkSync(moved, path);
  assert.equal((await buildIn(t, folder)).starts, 1);
});
